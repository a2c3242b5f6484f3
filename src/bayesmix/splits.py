"""Splits: which runs are fitted, and which larger ones are hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bayesmix.binding import targets_of
from bayesmix.errors import BayesmixError, Fault, InputError
from bayesmix.model import Model
from bayesmix.runs import Runs

# Thresholds that are tried where none is given, as shares of the largest run.
SHARES = (0.03, 0.1, 0.3)
# A split must leave so many runs to fit for each quantity of a target, and so many hidden ones.
_PER_QUANTITY, _HIDDEN = 1.5, 3


def by_scale(
    model: Model, runs: Runs, by: str, at: float | Sequence[float] | None, mixtures: float, seed: int
) -> Mapping[float, tuple[Runs, Runs]]:
    """Return the runs to fit and those to hide, by threshold; see `bayesmix.extrapolation.extrapolate`.

    Raises
    ------
    InputError
        Thresholds that leave nothing to fit, or nothing to hide.
    BayesmixError
        `mixtures` is out of range, all runs have the same `by`, or no threshold is given and none that is tried leaves
        enough runs on both sides.
    """
    if not 0 <= mixtures < 1:
        raise BayesmixError(f"mixtures is the share to hide, at least 0 and below 1, not {mixtures:g}")
    runs = _measured(model, runs)
    known, asked = _by_mixture(runs, mixtures, seed)
    values = runs.column(by)
    if runs.up_to(by, float(values.min())).all():
        raise BayesmixError(
            f"all runs have {by} = {values[0]:.4g}: none is larger, to be hidden. Split by another column: by=, or --by"
        )
    chosen = [share * values.max() for share in SHARES] if at is None else [float(a) for a in np.atleast_1d(at)]
    small = {threshold: runs.up_to(by, threshold) for threshold in chosen}
    sides = {threshold: (known & low, asked & ~low) for threshold, low in small.items()}
    if at is None:
        needed = _PER_QUANTITY * sum(len(runs.domains) if "domain" in q.dims else 1 for q in model.unknowns.values())
        sides = {t: (fit, hide) for t, (fit, hide) in sides.items() if fit.sum() >= needed and hide.sum() >= _HIDDEN}
        if not sides:
            shares = ", ".join(f"{s:.0%}" for s in SHARES)
            raise BayesmixError(
                f"neither of {shares} of the largest {by} leaves {needed:.0f} runs to fit and {_HIDDEN} to hide. "
                "Say where to split: at=, or --at"
            )
    others = ", or hide other mixtures: another share or seed" if mixtures else ""
    remedy = f"Split within {by}: {np.nanmin(values):g} to {np.nanmax(values):g}{others}"
    if faults := [Fault(what, remedy) for what in _empty(sides, by)]:
        raise InputError(runs.source, faults)
    # Thresholds between which no run lies split alike: the first of them stands for all.
    first = {fit.tobytes() + hide.tobytes(): threshold for threshold, (fit, hide) in reversed(sides.items())}
    return {t: (runs.rows(fit), runs.rows(hide)) for t, (fit, hide) in sides.items() if t in first.values()}


def _measured(model: Model, runs: Runs) -> Runs:
    """Return the runs that measured something that the model is about, or all where none did."""
    seen = np.zeros(len(runs), dtype=bool)
    for target in set(targets_of(model, runs)) & set(runs.targets):
        seen |= np.isfinite(runs.column(target))
    return runs.rows(seen) if seen.any() else runs


def _empty(sides: Mapping[float, tuple[np.ndarray, np.ndarray]], by: str) -> Iterator[str]:
    """Yield which sides of which splits have no runs."""
    for threshold, (fit, hide) in sides.items():
        for rows, done, sign in ((fit, "fitted", "<="), (hide, "hidden", ">")):
            if not rows.any():
                yield f"no run that may be {done} has {by} {sign} {threshold:g}, so one side of the split is empty"


def _by_mixture(runs: Runs, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows are of mixtures that may be fitted, and which are of those asked about."""
    if not share:
        every = np.ones(len(runs), dtype=bool)
        return every, every
    w = runs.column("w")
    _, which = np.unique(w, axis=0, return_inverse=True)
    count = int(which.max()) + 1
    taken = np.random.default_rng(seed).permutation(count)[: max(1, round(share * count))]
    apart = np.isin(which.ravel(), taken)
    return ~apart, apart
