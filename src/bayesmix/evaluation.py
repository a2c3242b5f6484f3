"""A function of one posterior draw, evaluated over all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bayesmix.inputs import Inputs
from bayesmix.posterior import Posterior
from bayesmix.precision import in_double

# Draws evaluated at once: enough to be quick, few enough that thousands of runs fit into memory.
_BATCH = 250


@in_double
def over_draws(function: Callable[[Any, Inputs], Any], values: Mapping[str, Any], inputs: Inputs) -> np.ndarray:
    """Return function(one draw of the values, inputs), stacked over draws."""

    def every(values, inputs):
        return jax.lax.map(lambda v: function(v, inputs), values, batch_size=_BATCH)

    return np.asarray(jax.jit(every)(dict(values), inputs))


def log_likelihood(posterior: Posterior, unit: np.ndarray) -> np.ndarray:
    """Return the log likelihood of the fitted runs, summed over the responses of each unit.

    Parameters
    ----------
    posterior : Posterior
        The posterior.
    unit : integer array, shape (observation,)
        Which unit each row belongs to: 0, 1, ...; -1 for none.

    Returns
    -------
    array, shape (chain, draw, unit)
    """
    model, count = posterior.model, int(unit.max()) + 1

    def of_units(values, inputs):
        measured = model.measured(values, model.mean(values, inputs), inputs)
        pointwise = jnp.where(inputs.observed, measured.log_prob(inputs.response), 0.0)
        return jax.ops.segment_sum(pointwise.sum(axis=1), unit, num_segments=count)

    flat = over_draws(of_units, posterior.values(), posterior.inputs)
    group = posterior.tree["posterior"]
    return flat.reshape(group.sizes["chain"], group.sizes["draw"], count)
