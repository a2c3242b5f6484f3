"""Leaving out in earnest: fits without some of the runs, where the draws at hand cannot stand in for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayesmix.diagnostics import PARETO_K
from bayesmix.errors import Fault, InputError
from bayesmix.evaluation import log_likelihood
from bayesmix.importance import smoothed
from bayesmix.inference import fit_many
from bayesmix.matching import matching
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs
from bayesmix.units import Units


def in_folds(units: int, count: int, seed: int) -> list[list[int]]:
    """Return units in so many groups of about equal size, by chance."""
    order = np.random.default_rng(seed).permutation(units)
    return [sorted(map(int, order[k::count])) for k in range(min(count, units))]


def exact(
    posterior: Posterior,
    units: Units,
    groups: Sequence[Sequence[int]],
    *,
    seed: int,
    processes: int,
    progress: bool,
) -> tuple[dict[int, tuple[float, float]], list[str]]:
    """Return the log predictive density of every unit of the groups, fitted without its group.

    Parameters
    ----------
    posterior : Posterior
        Of all runs; its model is fitted again.
    units : Units
        Its units.
    groups : sequence of sequences of int
        Units that are left out together.

    Returns
    -------
    (dict of int to (float, float), list of str)
        By unit, the density and how hard it was to average over the draws of the fit, as Pareto k; and a sentence for
        every fit that did not converge.

    Raises
    ------
    InputError
        Without a group a target has no response left.
    """
    runs, found, said = posterior.runs, {}, []
    _require_targets(posterior, units, groups)
    tables = [_without(posterior, units.rows(group)) for group in groups]
    names = [f"without {k}" for k in range(len(groups))]
    fits = fit_many(posterior.model, tables, seed=seed, names=names, processes=processes, progress=progress)
    for group, name in zip(groups, names, strict=True):
        fit, left_out = fits[name], units.rows(group)
        if problems := [p.short or p.sentence for p in fit.problems() if p.fatal]:
            said.append(f"a fit without {units.named(group)} did not converge ({'; '.join(problems)})")
        _, numbered = np.unique(units.index[left_out], return_inverse=True)
        drawn = log_likelihood(fit, numbered, runs.rows(left_out))
        for k, unit in enumerate(sorted(group)):
            found[unit] = _density(fit, drawn[..., k].ravel(), runs, ~left_out, units.rows([unit]))
    return found, said


def _density(
    fit: Posterior, drawn: np.ndarray, runs: Runs, fitted: np.ndarray, unit: np.ndarray
) -> tuple[float, float]:
    """Return the log of the mean of a unit's density over draws, moved to where it is not negligible if need be."""
    _, k = smoothed(drawn)
    movable = matching(fit, runs, fitted) if k > PARETO_K else None
    if movable:
        density, lower = movable.ratio(fitted | unit)
        if lower < k:
            return density, lower
    return float(np.logaddexp.reduce(drawn) - np.log(len(drawn))), k


def _require_targets(posterior: Posterior, units: Units, groups: Sequence[Sequence[int]]) -> None:
    """Raise an error if a fit would know nothing of a target, whose responses then could not be forecast."""
    measured = posterior.inputs.observed
    faults = [
        Fault(f"{target} was measured in {units.named(group)} alone, so that nothing else says how large it is",
              "Fit without this target (targets = [...] in the model), or leave out fewer runs at once")
        for group in groups
        for target, seen in zip(posterior.targets, measured[~units.rows(group)].any(axis=0), strict=True)
        if not seen
    ]  # fmt: skip
    if faults:
        raise InputError(f"refits of model {posterior.model.name}", faults)


def _without(posterior: Posterior, left_out: np.ndarray) -> Runs:
    """Return the runs without some rows; with them, but nothing measured, where a group of the model has no others."""
    runs = posterior.runs
    kept = runs.rows(~left_out)
    if all(set(kept.table[by]) == set(levels) for by, levels in posterior.coordinates.levels.items()):
        return kept
    hidden = runs.table.copy()
    hidden.loc[left_out, list(runs.targets)] = np.nan
    return replace(runs, table=hidden)
