"""How far off laws were beyond their runs, over past studies: what is learned of the bend for the next one.

The equation is that of `bayesmix.discrepancy`. Tasks of one study share an effect, since the same architecture, data
and schedule stand behind them; what is shipped, or used on a study that was left out, is the distribution for a new
study.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS
from scipy import optimize, stats
from store import Store
from task import Task

from bayesmix import beyond
from bayesmix.diagnostics import sampling_problems
from bayesmix.discrepancy import Discrepancy
from bayesmix.precision import double

_TINY = 1e-6
_SAMPLED = 200_000
_MIDDLE = stats.norm.ppf(0.75)  # of the absolute value of a standard normal number
# Nodes and weights of integrals over the error of a bend, which is normal.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())


@dataclass(frozen=True)
class Evidence:
    """What the hidden rows of a task say of its bend.

    Attributes
    ----------
    bend, error : float
        The bend that they show, and its standard error; see `bayesmix.beyond.bends`.
    before : (float, float)
        The same of the largest rows that were not hidden, from a fit without them; NaN where unknown.
    promised, left, noise : array
        One entry a row: the fall that the law promises, what the bend leaves unexplained, and the scale of the noise;
        in units of the log response.
    """

    bend: float
    error: float
    before: tuple[float, float]
    promised: np.ndarray
    left: np.ndarray
    noise: np.ndarray


def read(path: Path) -> tuple[list[Evidence], list[str]]:
    """Return what `written` wrote: what every task showed, and its study."""
    found = json.loads(path.read_text(encoding="utf-8"))
    numbers = ("promised", "left", "noise")
    shown = [
        Evidence(e["bend"], e["error"], tuple(e["before"] or (np.nan, np.nan)), *(np.array(e[n]) for n in numbers))
        for e in found.values()
    ]
    return shown, [e["study"] for e in found.values()]


def written(found: Sequence[Evidence], tasks: Sequence[Task]) -> str:
    """Return what tasks showed as JSON, one line a task, so that it need not be computed again to learn from it."""
    lines = []
    for each, task in zip(found, tasks, strict=True):
        before = None if np.isnan(each.before[0]) else [_short(v) for v in each.before]
        rows = {n: [_short(v) for v in getattr(each, n)] for n in ("promised", "left", "noise")}
        told = {"study": task.table, "bend": _short(each.bend), "error": _short(each.error), "before": before} | rows
        lines.append(f"{json.dumps(task.name)}: {json.dumps(told)}")
    return "{" + ",\n".join(lines) + "}\n"


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def evidence(store: Store, task: Task) -> Evidence:
    """Compare the hidden rows of a task with what the law says of them."""
    posterior = store.posterior(task)
    inputs, _ = posterior.model.inputs(task.split()[1], posterior.coordinates)
    ((bend, error),) = beyond.bends(posterior, inputs, 0)
    law, fall, _ = beyond.promised(posterior, inputs)
    promised = np.median(fall[:, :, 0], axis=0)
    missed = np.log(task.truth) - np.log(np.maximum(np.median(law[:, :, 0], axis=0), _TINY))
    noise = beyond.noise(posterior, inputs, 0)[:, 0]
    backtest = store.backtest(task)
    before = backtest.bend if backtest else None
    return Evidence(bend, error, before or (np.nan, np.nan), promised, missed + bend * promised, noise)


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
    names, study = np.unique(list(studies), return_inverse=True)
    known = np.array([s != without for s in studies])
    bend, error = (np.array([getattr(e, n) for e in found]) for n in ("bend", "error"))
    before, before_error = np.array([e.before for e in found]).T
    label, rng = (f"without {without}" if without else "all studies"), np.random.default_rng(seed)
    one = _sampled(_bends, label, seed, bend=bend, error=error, known=known, study=study, effects=np.zeros(len(names)))
    location, scale, df = _nearest_t(one, rng)
    both = known & np.isfinite(before)
    before, before_error = (np.where(both, v, 1.0) for v in (before, before_error))
    two = _sampled(_bends_after, label, seed, bend=bend, error=error, known=both, before=before,
                   before_error=before_error, df=df)  # fmt: skip
    means = {n: float(v.mean()) for n, v in two.items()}
    return Discrepancy(location, scale, df, _run([e for e, k in zip(found, known, strict=True) if k]), **means)


def _bends(*, bend, error, known, study, effects):
    """Bends of a study scatter around its own, and these around one that all studies have."""
    location = numpyro.sample("location", dist.Normal(0, 0.5))
    between, within = (numpyro.sample(n, dist.HalfNormal(0.5)) for n in ("between", "within"))
    df = numpyro.sample("df", dist.Gamma(4, 1))
    effect = numpyro.sample("effect", dist.Normal(0, 1).expand(effects.shape).to_event(1))
    _shown(bend, error, location + between * effect[study], within, df, known)


def _bends_after(*, bend, error, known, before, before_error, df):
    """Bends given those that the same runs had shown before; the error of these adds to the scatter."""
    intercept = numpyro.sample("intercept", dist.Normal(0, 0.5))
    slope = numpyro.sample("slope", dist.Normal(0.5, 0.5))
    spread = numpyro.sample("spread", dist.HalfNormal(0.5))
    total = jnp.sqrt(error**2 + (slope * before_error) ** 2)
    _shown(bend, total, intercept + slope * before, spread, df, known)


def _shown(bend, error, location, scale, df, known):
    """Bends that are Student's t, each shown with a normal error, which is integrated out."""
    at = (bend[:, None] - error[:, None] * _NODES - jnp.broadcast_to(location, bend.shape)[:, None]) / scale
    log = dist.StudentT(df, 0, 1).log_prob(at) - jnp.log(scale) + _LOG_WEIGHTS
    numpyro.factor("shown", jnp.where(known, jax.nn.logsumexp(log, axis=1), 0.0).sum())


def _sampled(model: Callable, label: str, seed: int, **data) -> dict[str, np.ndarray]:
    """Return draws of the quantities that all tasks share, shape (chain, draw); they must have converged."""
    with double():
        kernel = NUTS(model, target_accept_prob=0.95)
        mcmc = MCMC(kernel, num_warmup=500, num_samples=2000, num_chains=4, chain_method="vectorized",
                    progress_bar=False)  # fmt: skip
        mcmc.run(jax.random.key(seed), **data, extra_fields=("diverging", "num_steps", "energy"))
        drawn = jax.device_get(mcmc.get_samples(group_by_chain=True))
        extra = jax.device_get(mcmc.get_extra_fields(group_by_chain=True))
    shared = {n: np.asarray(v) for n, v in drawn.items() if np.ndim(v) == 2}
    sampler = {"diverging": extra["diverging"], "n_steps": extra["num_steps"], "energy": extra["energy"]}
    if wrong := [str(p) for p in sampling_problems(shared, sampler) if p.fatal]:
        raise RuntimeError(f"{label}: {wrong}")
    return shared


def _nearest_t(shared: dict[str, np.ndarray], rng: np.random.Generator) -> tuple[float, float, float]:
    """Return location, scale and degrees of freedom of the t distribution nearest to the bend of a new study."""
    draw = rng.integers(0, shared["location"].size, _SAMPLED)
    location, between, within, df = (shared[n].ravel()[draw] for n in ("location", "between", "within", "df"))
    bend = location + between * rng.standard_normal(_SAMPLED) + within * rng.standard_t(df)
    df, location, scale = stats.t.fit(bend)
    return float(location), float(scale), float(df)


def _run(found: Sequence[Evidence]) -> float:
    """Return the departure of single runs with which the middle row scatters as a normal number would."""
    promised, left, noise = (np.concatenate([getattr(e, n) for e in found]) for n in ("promised", "left", "noise"))

    def excess(run: float) -> float:
        return float(np.median(np.abs(left) / np.hypot(noise, run * promised)) - _MIDDLE)

    return float(optimize.brentq(excess, 1e-4, 1.0)) if excess(1e-4) > 0 else 0.0
