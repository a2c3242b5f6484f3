"""LOO: how well a posterior would predict each unit of its runs, had it not seen that."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import arviz_base
import arviz_stats
import numpy as np

from bayesmix.diagnostics import PARETO_K
from bayesmix.errors import BayesmixError
from bayesmix.evaluation import log_likelihood
from bayesmix.matching import matching
from bayesmix.posterior import Posterior
from bayesmix.refit import exact, in_folds
from bayesmix.units import Units

WAIC_VARIANCE = 0.4
# Units times draws times responses that are moved unasked: a minute or so.
_CHEAP = 1e8


@dataclass(frozen=True)
class LeftOut:
    """What is known of every unit as if it had been left out.

    Attributes
    ----------
    density : array, shape (unit,)
        Log predictive density.
    k : array, shape (unit,)
        Pareto k of what it was computed by.
    first_k : array, shape (unit,)
        Pareto k of the draws as they are.
    fitted : float
        Log predictive density of all units as the posterior has it that saw them.
    waic : array, shape (unit,)
        Widely applicable information criterion, as a log density.
    variance : array, shape (unit,)
        Of the log likelihood over draws.
    moved : bool
        Whether draws were moved for any unit.
    said : tuple of str
        What went wrong on the way, in sentences without the model's name.
    """

    density: np.ndarray
    k: np.ndarray
    first_k: np.ndarray
    fitted: float
    waic: np.ndarray
    variance: np.ndarray
    moved: bool = False
    said: tuple[str, ...] = ()

    @property
    def bad(self) -> list[int]:
        """Units whose density cannot be relied upon."""
        return np.flatnonzero(~(self.k <= PARETO_K)).tolist()

    def having(self, found: Mapping[int, tuple[float, float]], said: tuple[str, ...] = ()) -> LeftOut:
        """Return the same with other densities of some units, and their Pareto k."""
        density, k = self.density.copy(), self.k.copy()
        for unit, (log, own) in found.items():
            density[unit], k[unit] = log, own
        return replace(self, density=density, k=k, said=self.said + said)


def estimate(
    posterior: Posterior,
    units: Units,
    *,
    refit: bool,
    folds: int | None,
    seed: int,
    processes: int,
    progress: bool,
) -> LeftOut:
    """Return the density of every unit given the others; arguments as those of `bayesmix.comparison.compare`.

    By importance sampling; where Pareto k is bad by moment matching, if that is cheap; where it stays bad by refits, if
    they are asked for. Or by K-fold cross-validation alone.

    Raises
    ------
    BayesmixError
        Importance sampling fails.
    """
    likelihood = log_likelihood(posterior, units.index)
    try:
        found = _psis(likelihood)
    except ValueError as error:
        if not folds:  # which do without
            remedy = "Fit it without preview" if posterior.preview else "Leave it out of the comparison, or use folds"
            raise BayesmixError(
                f"draws of {posterior.model.name} cannot stand in for leaving runs out, since they are too few, or "
                f"since many of them give runs the same density ({error}). {remedy}"
            ) from error
        nothing = np.full(len(units), np.nan)
        found = _waic(likelihood, nothing, nothing)
    groups: list[list[int]] = []
    pooled = [n for n, p in posterior.model.pooling.items() if p.kind == "partial" and p.by == units.kind]
    if folds:
        groups = in_folds(len(units), folds, seed)
    elif pooled and refit:
        groups = [[unit] for unit in range(len(units))]
    elif pooled:
        # All draws know what is particular about each of them, and Pareto k does not show how much that is.
        sentence = f"no draw says what {' and '.join(pooled)} of an unseen {units.kind} could be, and elpd is too high"
        found = replace(found, said=(f"{sentence}: --refit or --folds fit without it",))
    elif found.bad:
        found = _moved(posterior, units, found, at_any_cost=refit)
        groups = [[unit] for unit in found.bad] if refit else []
    if groups:
        again, said = exact(posterior, units, groups, seed=seed, processes=processes, progress=progress)
        found = found.having(again, tuple(said))
    return found


def _psis(likelihood: np.ndarray) -> LeftOut:
    """Return Pareto-smoothed importance sampling of log likelihoods, shape (chain, draw, unit), and WAIC."""
    # The mean over draws stands in for a quantity, so that the relative efficiency is that of the likelihood itself.
    tree = arviz_base.from_dict({"posterior": {"lp": likelihood.sum(axis=2)}, "log_likelihood": {"run": likelihood}})
    # What ArviZ warns of here is said in the comparison's own warnings, with names.
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        elpd: Any = arviz_stats.loo(tree, pointwise=True)
    return _waic(likelihood, np.asarray(elpd.elpd_i), np.asarray(elpd.pareto_k))


def _waic(likelihood: np.ndarray, density: np.ndarray, k: np.ndarray) -> LeftOut:
    """Return WAIC beside densities by importance sampling and their Pareto k."""
    flat = likelihood.reshape(-1, likelihood.shape[-1])
    seen = np.logaddexp.reduce(flat, axis=0) - np.log(len(flat))
    variance = flat.var(axis=0, ddof=1)
    return LeftOut(density, k, k, float(seen.sum()), seen - variance, variance)


def _moved(posterior: Posterior, units: Units, found: LeftOut, *, at_any_cost: bool) -> LeftOut:
    """Return the same by moved draws, for the units of bad Pareto k where that lowers it."""
    draws, responses = len(next(iter(posterior.values().values()))), np.size(posterior.inputs.response)
    if not at_any_cost and len(found.bad) * draws * responses > _CHEAP:
        sentence = f"moment matching was not tried for {len(found.bad)} {units.several}, since it would take minutes"
        return replace(found, said=(f"{sentence}: --refit tries it first",))
    movable = matching(posterior)
    if movable is None:
        return found
    rows = units.index >= 0
    again = {}
    for unit in found.bad:
        ratio, k = movable.ratio(rows & ~units.rows([unit]))
        if k < found.k[unit]:
            again[unit] = (-ratio, k)
    return replace(found.having(again), moved=bool(again))
