"""How far off laws were beyond their runs, over past studies: what is learned of the bend for the next one.

The equation is that of `bayesmix.discrepancy`. Tasks of one study share an effect, since the same architecture, data
and schedule stand behind them; what is shipped, or used on a study that was left out, is the distribution for a new
study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS
from scipy import stats
from store import Store
from task import Task

from bayesmix import beyond
from bayesmix.diagnostics import sampling_problems
from bayesmix.discrepancy import Discrepancy
from bayesmix.precision import double

_NOISE_DF = 4  # of errors of single rows: some are far off
_TINY = 1e-6
_SAMPLED = 200_000


@dataclass(frozen=True)
class Evidence:
    """What hidden rows say of the bend, one entry a row; all in units of the log response.

    Attributes
    ----------
    promised, missed : array
        The fall that the law promises beyond the runs, and how far the response lies above the law's median.
    noise : array
        Scale of the noise.
    slack : float
        How far the posterior itself leaves the fall open, as a share of it.
    before : (float, float)
        The bend that the largest rows that were not hidden had shown, and its standard error; NaN where unknown.
    """

    promised: np.ndarray
    missed: np.ndarray
    noise: np.ndarray
    slack: float
    before: tuple[float, float]


def evidence(store: Store, task: Task) -> Evidence:
    """Compare the hidden rows of a task with what the law says of them."""
    posterior = store.posterior(task)
    inputs, _ = posterior.model.inputs(task.split()[1], posterior.coordinates)
    law, fall, decades = (v[..., 0] if v.ndim == 3 else v for v in beyond.promised(posterior, inputs))
    noise = beyond.noise(posterior, inputs, 0)[:, 0]
    log = np.log(np.maximum(law, _TINY))
    promised, missed = np.median(fall, axis=0), np.log(task.truth) - np.median(log, axis=0)
    kept = (decades > 0) & (np.abs(promised) > _TINY)
    slack = float(np.sqrt((log[:, kept].var(axis=0)).sum() / (promised[kept] ** 2).sum()))
    backtest = store.backtest(task)
    known = backtest is not None and len(backtest.bends)
    before = tuple(backtest.bends[["bend", "error"]].to_numpy()[0]) if backtest and known else (np.nan, np.nan)
    return Evidence(promised[kept], missed[kept], noise[kept], slack, before)


def learn(found: Sequence[Evidence], studies: Sequence[str], *, without: str = "", seed: int = 0) -> Discrepancy:
    """Return the distribution of the bend for a new study, from those of the others.

    Parameters
    ----------
    found : sequence of Evidence
        Of every task.
    studies : sequence of str
        The study of each.
    without : str
        A study that is left out.
    """
    of_row = np.repeat(np.arange(len(found)), [len(e.promised) for e in found])
    names, study = np.unique(list(studies), return_inverse=True)
    known = study != (list(names).index(without) if without else -1)
    before = np.array([e.before for e in found])
    data = {
        "promised": np.concatenate([e.promised for e in found]),
        "missed": np.concatenate([e.missed for e in found]),
        "noise": np.concatenate([e.noise for e in found]),
        "slack": np.array([e.slack for e in found]),
        "of_row": of_row,
    }  # fmt: skip
    label = f"without {without}" if without else "all studies"
    one = _sampled(_bends, label, seed, known=known, study=study, studies=np.zeros(len(names)), **data)
    location, scale, df = _nearest_t(one, np.random.default_rng(seed))
    backtested = known & np.isfinite(before).all(axis=1)
    filled = np.where(backtested[:, None], before, 1.0)
    two = _sampled(_bends_after, label, seed, known=backtested, before=filled, df=df, run=one["run"].mean(), **data)
    means = {n: float(v.mean()) for n, v in (one | two).items() if n in ("run", "intercept", "slope", "spread")}
    return Discrepancy(location=location, scale=scale, df=df, **means)


def _sampled(model, label: str, seed: int, **data) -> dict[str, np.ndarray]:
    """Return draws of the quantities that all tasks share, shape (chain, draw); they must have converged."""
    with double():
        kernel = NUTS(model, target_accept_prob=0.95)
        mcmc = MCMC(
            kernel, num_warmup=1000, num_samples=1000, num_chains=4, chain_method="vectorized", progress_bar=False
        )
        mcmc.run(jax.random.key(seed), **data, extra_fields=("diverging", "num_steps", "energy"))
        drawn = jax.device_get(mcmc.get_samples(group_by_chain=True))
        extra = jax.device_get(mcmc.get_extra_fields(group_by_chain=True))
    shared = {n: np.asarray(v) for n, v in drawn.items() if np.ndim(v) == 2}
    sampler = {"diverging": extra["diverging"], "n_steps": extra["num_steps"], "energy": extra["energy"]}
    if wrong := [str(p) for p in sampling_problems(shared, sampler) if p.fatal]:
        raise RuntimeError(f"{label}: {wrong}")
    return shared


def _bends(*, known, study, studies, slack, **rows):
    """Bends of a study scatter around its own, and these around one that all studies have."""
    location = numpyro.sample("location", dist.Normal(0, 0.5))
    between, within = (numpyro.sample(n, dist.HalfNormal(0.5)) for n in ("between", "within"))
    df = numpyro.sample("df", dist.Gamma(4, 1))
    run = numpyro.sample("run", dist.HalfNormal(0.2))
    effect = numpyro.sample("effect", dist.Normal(0, 1).expand(studies.shape).to_event(1))
    offset = numpyro.sample("offset", dist.StudentT(df, 0, 1).expand(slack.shape).to_event(1))
    _rows(location + between * effect[study] + within * offset, run, known, slack, **rows)


def _bends_after(*, known, before, df, run, slack, **rows):
    """Bends given those that the same runs had shown before."""
    intercept = numpyro.sample("intercept", dist.Normal(0, 0.5))
    slope = numpyro.sample("slope", dist.Normal(0.5, 0.5))
    spread = numpyro.sample("spread", dist.HalfNormal(0.5))
    shown = numpyro.sample("shown", dist.Normal(0, 1).expand(slack.shape).to_event(1))
    offset = numpyro.sample("offset", dist.StudentT(df, 0, 1).expand(slack.shape).to_event(1))
    earlier = before[:, 0] + before[:, 1] * shown
    _rows(intercept + slope * earlier + spread * offset, run, known, slack, **rows)


def _rows(bend, run, known, slack, promised, missed, noise, of_row):
    """Hidden rows of tasks with these bends, which the posterior too leaves open by its slack."""
    left_open = numpyro.sample("left_open", dist.Normal(0, 1).expand(slack.shape).to_event(1))
    fell = (bend + slack * left_open)[of_row]
    with numpyro.handlers.mask(mask=known[of_row]):
        scale = (noise**2 + (run * promised) ** 2) ** 0.5
        numpyro.sample("missed", dist.StudentT(_NOISE_DF, -fell * promised, scale), obs=missed)


def _nearest_t(shared: dict[str, np.ndarray], rng: np.random.Generator) -> tuple[float, float, float]:
    """Return location, scale and degrees of freedom of the t distribution nearest to the bend of a new study."""
    draw = rng.integers(0, shared["location"].size, _SAMPLED)
    location, between, within, df = (shared[n].ravel()[draw] for n in ("location", "between", "within", "df"))
    bend = location + between * rng.standard_normal(_SAMPLED) + within * rng.standard_t(df)
    df, location, scale = stats.t.fit(bend)
    return float(location), float(scale), float(df)
