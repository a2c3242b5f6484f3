"""Splits: which runs are fitted, and which larger ones are hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayesmix.errors import BayesmixError
from bayesmix.model import Model
from bayesmix.runs import Runs

# Thresholds that are tried where none is given, as shares of the largest run.
SHARES = (0.03, 0.1, 0.3)
# A split must leave so many runs to fit for each quantity of a target, and so many hidden ones.
_PER_QUANTITY, _HIDDEN = 1.5, 3


def by_scale(
    model: Model, runs: Runs, by: str, at: float | Sequence[float] | None, mixtures: float, seed: int
) -> Mapping[float, tuple[Runs, Runs]]:
    """Return the runs to fit and those to hide, by threshold; see `bayesmix.extrapolation.extrapolate`."""
    if not 0 <= mixtures < 1:
        raise BayesmixError(f"mixtures is the share to hide, at least 0 and below 1, not {mixtures:g}")
    known, hidden = _by_mixture(runs, mixtures, seed)
    if at is not None:
        chosen = [float(a) for a in np.atleast_1d(at)]
        return {a: (known.split(by, at=a)[0], hidden.split(by, at=a)[1]) for a in chosen}
    values, largest = known.column(by), runs.column(by).max()
    needed = _PER_QUANTITY * sum(len(runs.domains) if "domain" in q.dims else 1 for q in model.unknowns.values())
    splits = {}
    for threshold in (share * largest for share in SHARES):
        beyond = hidden.column(by) > threshold
        if (values <= threshold).sum() >= needed and beyond.sum() >= _HIDDEN:
            splits[threshold] = (known.split(by, at=threshold)[0], hidden.split(by, at=threshold)[1])
    if not splits:
        shares = ", ".join(f"{s:.0%}" for s in SHARES)
        raise BayesmixError(
            f"neither of {shares} of the largest {by} leaves {needed:.0f} runs to fit and {_HIDDEN} to hide. "
            "Say where to split, with at="
        )
    return splits


def _by_mixture(runs: Runs, share: float, seed: int) -> tuple[Runs, Runs]:
    """Return the runs whose mixtures may be fitted, and those whose mixtures are asked about."""
    if not share:
        return runs, runs
    w = runs.column("w")
    _, which = np.unique(w, axis=0, return_inverse=True)
    count = int(which.max()) + 1
    taken = np.random.default_rng(seed).permutation(count)[: max(1, round(share * count))]
    apart = np.isin(which.ravel(), taken)
    return runs.rows(~apart), runs.rows(apart)
