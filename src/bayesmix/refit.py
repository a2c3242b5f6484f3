"""Leaving out in earnest: fits without some of the runs, where importance sampling cannot stand in for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from bayesmix.evaluation import log_likelihood
from bayesmix.inference import fit_many
from bayesmix.posterior import Posterior


def in_folds(units: int, count: int, seed: int) -> list[list[int]]:
    """Return units in so many groups of about equal size, by chance."""
    order = np.random.default_rng(seed).permutation(units)
    return [sorted(map(int, order[k::count])) for k in range(min(count, units))]


def exact(
    posterior: Posterior,
    unit: np.ndarray,
    groups: Sequence[Sequence[int]],
    *,
    seed: int,
    processes: int,
    progress: bool,
) -> tuple[dict[int, float], list[str]]:
    """Return the log predictive density of every unit of the groups, fitted without its group.

    Parameters
    ----------
    posterior : Posterior
        Of all runs; its model is fitted again.
    unit : integer array, shape (observation,)
        Which unit each row belongs to; -1 for none.
    groups : sequence of sequences of int
        Units that are left out together.

    Returns
    -------
    (dict of int to float, list of str)
        By unit; and a sentence for every fit that did not converge.
    """
    runs, found, said = posterior.runs, {}, []
    tables = [runs.rows(~np.isin(unit, group)) for group in groups]
    names = [f"without {k}" for k in range(len(groups))]
    fits = fit_many(posterior.model, tables, seed=seed, names=names, processes=processes, progress=progress)
    for group, name in zip(groups, names, strict=True):
        if problems := [p.short or p.sentence for p in fits[name].problems() if p.fatal]:
            said.append(f"a fit without {_some(posterior, unit, group)} did not converge ({'; '.join(problems)})")
        left_out = np.isin(unit, group)
        _, numbered = np.unique(unit[left_out], return_inverse=True)
        drawn = log_likelihood(fits[name], numbered, runs.rows(left_out))
        densities = logsumexp(drawn, axis=(0, 1)) - np.log(drawn[..., 0].size)
        found |= dict(zip(sorted(group), densities.tolist(), strict=True))
    return found, said


def _some(posterior: Posterior, unit: np.ndarray, group: Sequence[int]) -> str:
    names = list(dict.fromkeys(np.array(posterior.runs.names)[np.isin(unit, group)]))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
