r"""Population: what the quantities of a law are over past studies, which is the prior of the next one.

$$\log q_{st} \sim N(\mu + \eta_s,\ \sigma^2),\quad \eta_s \sim N(0, \tau^2),\quad
\hat q_{st} \sim N(\log q_{st}, e_{st}^2),\quad \mu \sim N(0, 2^2),\quad \tau, \sigma \sim N_+(0, 0.5^2)$$

with $\hat q_{st}$ the logarithm of a quantity as fitted to all runs of a study, the large ones included, and e its
posterior standard deviation. It is stated at the references of the small runs, which are all that the next study has
when it asks: a floor or an amplitude over the response reference of these. Floors that small runs show by themselves
are too high as a rule; what they turn out to be is what to believe before.

What the studies showed from which the priors of the law `chinchilla` and of the model `alab_m2` (of losses over tokens)
were learned is in ``past_quantities.csv``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpyro.distributions import LogNormal, constraints
from scipy.special import logsumexp

from bayesmix.errors import BayesmixError
from bayesmix.inference.fit import fit
from bayesmix.law import Prior, Reference
from bayesmix.model import Model
from bayesmix.runs import Runs

_PAST = Path(__file__).parent / "past_quantities.csv"
# What laws were fitted over in past studies: an exponent is comparable with those of the same columns.
_OVER = {"chinchilla": ("N", "D"), "alab_m2": ("D",)}
_BELIEVED = 2.0  # standard deviation of mu
_SCATTER = 0.5  # scale of tau and sigma
_GRID = np.linspace(0.01, 2.5, 120)  # of tau and of sigma


@dataclass(frozen=True)
class Seen:
    """What all runs of a study, large ones included, say of a quantity.

    Attributes
    ----------
    study : str
        What shares architecture, data and schedule.
    law, quantity : str
        Names.
    value, error : float
        Mean and standard deviation of its logarithm: relative ones over the response reference of the small runs.
    """

    study: str
    law: str
    quantity: str
    value: float
    error: float


@cache
def past_quantities() -> tuple[Seen, ...]:
    """Return what past studies showed."""
    return read(_PAST)


def comparable(model: Model) -> tuple[Seen, ...]:
    """Return what past studies showed of a model's law; nothing if they fitted it over other columns."""
    law = model.law.name
    return past_quantities() if _OVER.get(law) == tuple(model.columns.values()) else ()


def read(path: Path) -> tuple[Seen, ...]:
    """Return what a table of such rows says."""
    return tuple(Seen(*row) for row in pd.read_csv(path).itertuples(index=False))


def seen(model: Model, runs: Runs, small: Runs, study: str, *, seed: int = 0) -> list[Seen]:
    """Fit all runs of a study, and say what they show of each quantity at the references of the small ones.

    Parameters
    ----------
    model : Model
        Its law's quantities are positive and have no dimensions; the wider its priors, the more is said by the runs.
    runs, small : Runs
        All runs, and those that the study began with.
    study : str
        Name of the study.
    seed : int
        Source of randomness.

    Raises
    ------
    BayesmixError
        A quantity has dimensions, is pooled, or may be negative.
    NotConvergedError
        All runs together have no answer.
    """
    unknown = {name: q for name, q in model.law.quantities.items() if isinstance(q, Prior)}
    if apart := [name for name, q in unknown.items() if q.dims or name in model.pooling or not _positive(q)]:
        raise BayesmixError(
            f"{', '.join(apart)} of model {model.name} is no single positive number. Priors are learned of laws that "
            "have no others, and that are not pooled"
        )
    at = model.inputs(small)[1]
    model = replace(model, targets=at.targets)  # of which the small runs say how large they are
    fixed = {name: at.references[name] for name, q in model.law.quantities.items() if isinstance(q, Reference)}
    posterior = fit(model.given(**fixed), runs, seed=seed)
    posterior.require_converged()
    found = []
    for name, draws in posterior.values().items():
        if name in unknown:
            logs = np.log(draws.reshape(len(draws), -1) / (at.scale if unknown[name].relative else 1.0))
            found += [Seen(study, model.law.name, name, *_moments(log)) for log in logs.T]
    return found


def _positive(quantity: Prior) -> bool:
    return quantity.distribution.support is constraints.positive


def _moments(log: np.ndarray) -> tuple[float, float]:
    return round(float(log.mean()), 4), round(float(log.std()), 4)


def began_with(runs: Runs) -> Runs:
    """Return the runs of up to a tenth of the largest one's compute, or all where none is as small."""
    compute = runs.column("C")
    small = runs.up_to("C", 0.1 * float(compute.max()))
    return runs.rows(small) if small.any() else runs


def learn(seen: Sequence[Seen], law: str, *, study: str = "") -> dict[str, LogNormal]:
    """Return what is believed of the quantities of a law in the next study.

    Parameters
    ----------
    seen : sequence of Seen
        What was seen so far, of this law and others.
    law : str
        Name of the law.
    study : str
        One that more runs of the same kind belong to; by default one that is not among them.

    Raises
    ------
    BayesmixError
        Nothing was seen of this law, or the study is not among those that say something of it.
    """
    mine = [s for s in seen if s.law == law]
    if not mine:
        known = ", ".join(sorted({s.law for s in seen}))
        raise BayesmixError(f"nothing was seen of {law!r} in past studies. Take one of {known}")
    if study and study not in (studies := sorted({s.study for s in mine})):
        raise BayesmixError(f"study {study!r} says nothing of {law!r}. Take one of {', '.join(studies)}")
    names = dict.fromkeys(s.quantity for s in mine)
    return {name: _predicted([s for s in mine if s.quantity == name], study) for name in names}


def _predicted(seen: Sequence[Seen], study: str) -> LogNormal:
    """Return the normal distribution of the logarithm with the moments of the next one's.

    Given tau and sigma all is normal, and these two are summed over on a grid.
    """
    value, error = np.array([[s.value, s.error] for s in seen]).T
    tau, sigma = (g.ravel() for g in np.meshgrid(_GRID, _GRID))
    log = -(tau**2 + sigma**2) / (2 * _SCATTER**2)
    means, variances, own = [], [], None
    for name in dict.fromkeys(s.study for s in seen):
        rows = np.array([s.study == name for s in seen])
        precision = 1 / (sigma[:, None] ** 2 + error[rows] ** 2)
        variance = 1 / precision.sum(axis=1)
        mean = variance * (precision @ value[rows])
        left = precision * (value[rows] - mean[:, None]) ** 2
        log += (np.log(precision).sum(axis=1) + np.log(variance) - left.sum(axis=1)) / 2
        own = len(means) if name == study else own
        means.append(mean)
        variances.append(variance)
    mean, variance = np.array(means), np.array(variances)
    precision = 1 / (tau**2 + variance)
    spread = 1 / (_BELIEVED**-2 + precision.sum(axis=0))
    location = spread * (precision * mean).sum(axis=0)
    log += (
        np.log(precision).sum(axis=0) + np.log(spread) - (precision * mean**2).sum(axis=0) + location**2 / spread
    ) / 2
    if own is not None:
        share = tau**2 * precision[own]
        location = share * mean[own] + (1 - share) * location
        spread = share * variance[own] + (1 - share) ** 2 * spread
    else:
        spread = spread + tau**2
    weights = np.exp(log - logsumexp(log))
    center = float(weights @ location)
    total = weights @ (spread + sigma**2 + (location - center) ** 2)
    return LogNormal(center, float(np.sqrt(total)))
