r"""Outliers: which responses robust noise takes for measured with a larger error than the others.

Student-t errors are normal ones whose precision differs from response to response,
$y_i \sim N(m_i, \sigma^2/\lambda_i)$, $\lambda_i \sim \mathrm{Gamma}(\nu/2, \nu/2)$, so that given a draw

$$\lambda_i \mid y_i \sim \mathrm{Gamma}\left(\frac{\nu + 1}{2}, \frac{\nu + z_i^2}{2}\right),\qquad
z_i = (\log y_i - \log m_i) / \sigma$$

(Lange, Little and Taylor 1989, section 2). An outlier is a response whose error has more than three times the standard
deviation of a usual one: $\lambda_i < 1/9$.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy import stats

from bayesmix.evaluation import over_draws
from bayesmix.inputs import Inputs
from bayesmix.model import Model
from bayesmix.noise import log_student_t
from bayesmix.posterior import Posterior

TIMES = 3.0  # as large an error as a usual one
LIKELY = 0.5


def outliers(posterior: Posterior, *, least: float = LIKELY) -> pd.DataFrame:
    """Return the responses that are probably outliers, the most probable first.

    Parameters
    ----------
    posterior : Posterior
        Of a model with Student-t noise of the log response, the default; with another noise there are none.
    least : float
        Least probability.

    Returns
    -------
    DataFrame
        ``row`` (counted from 1), ``run``, ``target``, ``probability``, and ``deviation``: the posterior mean of z.
    """
    columns = ["row", "run", "target", "probability", "deviation"]
    if posterior.model.noise.function is not log_student_t:
        return pd.DataFrame(columns=columns)
    inputs, rows = posterior.inputs, len(posterior.runs)
    z, nu = (v[:, :rows] for v in over_draws(_deviation, posterior.model, posterior.values(), inputs))
    probability = stats.gamma.cdf(TIMES**-2, (nu + 1) / 2, scale=2 / (nu + z**2)).mean(axis=0)
    found = [
        (i + 1, posterior.runs.names[i], posterior.targets[j], probability[i, j], z[:, i, j].mean())
        for i, j in zip(*np.nonzero((probability >= least) & inputs.observed), strict=True)
    ]
    return pd.DataFrame(found, columns=columns).sort_values("probability", ascending=False, ignore_index=True)


def _deviation(model: Model, values: Mapping[str, Any], inputs: Inputs) -> tuple[Any, Any]:
    """Return z and nu of every response in one draw, for `over_draws`."""
    noise: Any = model.measured(values, model.mean(values, inputs), inputs)
    noise = noise.base_dist  # of the log response
    z = (jnp.log(inputs.response) - noise.loc) / noise.scale
    return z, jnp.broadcast_to(noise.df, z.shape)


def sentence(posterior: Posterior, most: int = 5) -> str:
    """Name the probable outliers, or return nothing."""
    found = outliers(posterior)
    if not len(found):
        return ""
    worst = found.head(most).to_dict("records")
    named = [f"{row['run']} ({row['target']}, {row['deviation']:+.0f} sigma)" for row in worst]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return (
        f"Off the law by more than {TIMES:.0f} times what is usual, so that they count for less (measured badly, or "
        f"where the law does not hold): {', '.join(named)}{more}."
    )
