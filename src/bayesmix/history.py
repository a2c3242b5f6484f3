r"""History: how far laws were off beyond their runs, over past studies, and what that says of the next one.

$$b_{st} \sim \mathrm{StudentT}(\nu,\ \mu + \eta_s,\ \sigma),\quad \eta_s \sim N(0, \tau^2),\quad
\hat b_{st} \sim N(b_{st}, e_{st}^2)$$

with $\hat b_{st}$ the bend that large runs of study s showed once they were measured (see `bayesmix.discrepancy`), and
e its standard error. Backtests of one study share $\eta_s$: the same architecture, data and schedule stand behind them.
A new study has an $\eta$ of its own, unknown; one that is among them has what was learned of it. What the largest runs
had shown before, hidden from smaller ones still, predicts the bend by a regression with errors like these.

What the studies showed from which this package's default was learned is in ``past.csv``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
from numpyro.infer import MCMC, NUTS
from scipy import stats

from bayesmix.diagnostics import sampling_problems
from bayesmix.discrepancy import Discrepancy
from bayesmix.errors import BayesmixError
from bayesmix.precision import double

_PAST = Path(__file__).parent / "past.csv"
_SAMPLED = 200_000
# Logarithms of the precision, over which a t distribution is a mixture of normal ones.
_PRECISIONS = np.linspace(-14, 4, 73)


@dataclass(frozen=True)
class Shown:
    """What the large runs of a study showed.

    Attributes
    ----------
    study : str
        What shares architecture, data and schedule.
    bend, error : float
        The bend, and its standard error; see `bayesmix.beyond.bends`.
    before, before_error : float
        The same of the largest runs that were known before, hidden from the others; NaN where nobody looked.
    """

    study: str
    bend: float
    error: float
    before: float = float("nan")
    before_error: float = float("nan")


@cache
def past_studies() -> tuple[Shown, ...]:
    """Return what past studies showed."""
    return tuple(Shown(*row) for row in pd.read_csv(_PAST).itertuples(index=False))


def learn(shown: Sequence[Shown], *, run: float, study: str = "", seed: int = 0) -> Discrepancy:
    """Return what is believed of the bend of a study's next large runs.

    Parameters
    ----------
    shown : sequence of Shown
        What was seen so far.
    run : float
        `Discrepancy.run`, which bends say nothing of.
    study : str
        The study; by default one that is not among them.
    seed : int
        Source of randomness.

    Raises
    ------
    BayesmixError
        The study is not among them, or draws did not converge: the studies are too few.
    """
    names = sorted({s.study for s in shown})
    if study and study not in names:
        raise BayesmixError(f"there is no study {study!r} in this history. It has {', '.join(names)}")
    index = np.array([names.index(s.study) for s in shown])
    bend, error, before, before_error = np.array([[s.bend, s.error, s.before, s.before_error] for s in shown]).T
    one = _sampled(_bends, seed, bend=bend, error=error, study=index, effects=np.zeros(len(names)))
    location, scale, df = _nearest_t(one, names.index(study) if study else None, np.random.default_rng(seed))
    both = np.isfinite(before)
    two = _sampled(_bends_after, seed, bend=bend[both], error=error[both], before=before[both],
                   before_error=before_error[both], df=df)  # fmt: skip
    return Discrepancy(location, scale, df, run, **{n: float(v.mean()) for n, v in two.items()})


def _bends(*, bend, error, study, effects):
    location = numpyro.sample("location", dist.Normal(0, 0.5))
    between, within = (numpyro.sample(n, dist.HalfNormal(0.5)) for n in ("between", "within"))
    df = numpyro.sample("df", dist.Gamma(4, 1))
    effect = numpyro.sample("effect", dist.Normal(0, 1).expand(effects.shape).to_event(1))
    _shown(bend, error, location + between * jnp.asarray(effect)[study], within, df)


def _bends_after(*, bend, error, before, before_error, df):
    """Bends given those that the same runs had shown before, which were measured with an error themselves."""
    usual, scale = numpyro.sample("before", dist.Normal(0, 0.5)), numpyro.sample("before_scale", dist.HalfNormal(0.5))
    intercept = numpyro.sample("intercept", dist.Normal(0, 0.5))
    slope = numpyro.sample("slope", dist.Normal(0.5, 0.5))
    spread = numpyro.sample("spread", dist.HalfNormal(0.5))
    numpyro.sample("measured", dist.Normal(usual, jnp.hypot(scale, before_error)), obs=before)
    share = scale**2 / (scale**2 + before_error**2)
    total = jnp.sqrt(error**2 + (slope * scale) ** 2 * (1 - share))
    _shown(bend, total, intercept + slope * (usual + share * (before - usual)), spread, df)


def _shown(bend, error, location, scale, df):
    """Bends that are Student's t, each shown with a normal error.

    Given its precision, which is gamma distributed, a bend is normal, and so is what was shown of it; the precision is
    summed over.
    """
    share = df / 2 * (_PRECISIONS - jnp.exp(_PRECISIONS))
    width = jnp.hypot(error[:, None], scale * jnp.exp(-_PRECISIONS / 2))
    log = dist.Normal(jnp.broadcast_to(location, bend.shape)[:, None], width).log_prob(bend[:, None])
    numpyro.factor("shown", jax.nn.logsumexp(log + jax.nn.log_softmax(share), axis=1).sum())


def _sampled(model: Callable, seed: int, **data) -> dict[str, np.ndarray]:
    """Return draws of what is unknown, shape (chain, draw, ...); they must have converged."""
    with double():
        kernel = NUTS(model, target_accept_prob=0.95, dense_mass=True)
        mcmc = MCMC(kernel, num_warmup=500, num_samples=2000, num_chains=4, chain_method="vectorized",
                    progress_bar=False)  # fmt: skip
        mcmc.run(jax.random.key(seed), **data, extra_fields=("diverging", "num_steps", "energy"))
        drawn = {n: np.asarray(v) for n, v in jax.device_get(mcmc.get_samples(group_by_chain=True)).items()}
        extra = jax.device_get(mcmc.get_extra_fields(group_by_chain=True))
    sampler = {"diverging": extra["diverging"], "n_steps": extra["num_steps"], "energy": extra["energy"]}
    shared = {n: v for n, v in drawn.items() if v.ndim == 2}
    if wrong := [str(p) for p in sampling_problems(shared, sampler) if p.fatal]:
        raise BayesmixError(f"what past studies say could not be learned: {' '.join(wrong)} Give more of them")
    return drawn


def _nearest_t(drawn: dict[str, np.ndarray], study: int | None, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return location, scale and degrees of freedom of the t distribution nearest to the bend of a study."""
    which = rng.integers(0, drawn["location"].size, _SAMPLED)
    location, between, within, df = (drawn[n].ravel()[which] for n in ("location", "between", "within", "df"))
    effects = drawn["effect"].reshape(-1, drawn["effect"].shape[-1])[which]
    effect = rng.standard_normal(_SAMPLED) if study is None else effects[:, study]
    df, location, scale = stats.t.fit(location + between * effect + within * rng.standard_t(df))
    return float(location), float(scale), float(df)
