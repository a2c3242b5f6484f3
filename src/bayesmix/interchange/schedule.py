"""Loss curves with their learning rates, as CSV: what laws of schedules take of them is computed.

```
run,step,learning_rate,loss
a,2000,3e-4,3.91
a,22000,3e-4,2.95
a,24000,3e-5,2.81
new,2000,3e-4,
new,60000,3e-5,
```

Added are `area` and `annealing` (of lr_annealing) and `annealed` (of multi_power_law, with `area`); see
`bayesmix.schedules`. From row to row of a run the rate goes in a straight line, at first from 0 at step 0, or from a
row of step 0: so each run needs a row wherever its schedule bends, with or without a loss, and the end of its warm-up
is one of them. Rows without any response are kept of runs that have none, which are planned ones (`--where run=new`).
All that are compared belong into one file, since `annealed` is relative to its greatest rate. Foreign names of columns
are mapped: `--map lr=learning_rate`.

Source: the common shape of logs of training, such as those of Luo et al. (2025), arXiv:2503.12811.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import MISSING, is_target
from bayesmix.errors import Fault, InputError, suggest
from bayesmix.interchange._reading import Source, Table, cells, one_table
from bayesmix.schedules import annealed, areas

_NEEDED = ("run", "step", "learning_rate")
_ADDED = ("area", "annealing", "annealed")
_NOTHING = 1e-9  # of the greatest rate: stands for a rate of 0, whose logarithm is infinite


def read(sources: Sequence[Source], card: Card) -> Table:
    """Read one table of loss curves."""
    frame, lines, seen, file = one_table(sources, "CURVES.csv", "schedule", card)
    faults = [
        Fault(f"no column {name!r}", f"{suggest(name, seen)} Map it: --map NAME={name}")
        for name in _NEEDED
        if name not in frame
    ]
    faults += [Fault(f"column {name!r} is computed here", "Remove it") for name in _ADDED if name in frame]
    if faults:
        raise InputError(file, faults)
    step, rate = _numbers(frame, lines, file)
    peak = rate.max()
    added = np.full((len(frame), len(_ADDED)), np.nan)
    runs = np.array(cells(frame, "run"))
    for run in dict.fromkeys(runs.tolist()):
        at = np.flatnonzero(runs == run)
        added[at] = _of_one(step[at], rate[at], peak)
    kept = np.flatnonzero((step > 0) & _measured_or_planned(frame, runs)).tolist()
    found = pd.DataFrame(frame.assign(**{n: [repr(v) for v in added[:, k].tolist()] for k, n in enumerate(_ADDED)}))
    found = found.iloc[kept].reset_index(drop=True)
    return Table(found, tuple(f"{file} row {lines[i]}" for i in kept), card, tuple(seen))


def _numbers(frame: pd.DataFrame, lines: Sequence[int], file: str) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and rates, or raise an error that lists what is none."""
    faults, columns = [], []
    for name, expected in (
        ("step", "a whole number of steps, 0 or more"),
        ("learning_rate", "a finite number of 0 or more"),
    ):
        texts = cells(frame, name)
        values = np.asarray(pd.to_numeric(pd.Series(texts), errors="coerce"), dtype=float)
        good = np.isfinite(values) & (values >= 0)
        if name == "step":
            good &= values == np.round(values)
        faults += [
            Fault(f"{name} is {texts[i]!r}, expected {expected}", "Correct it, or leave the row out", lines[i])
            for i in np.flatnonzero(~good).tolist()
        ]
        columns.append(values)
    runs = cells(frame, "run")
    twice = pd.DataFrame({"run": runs, "step": columns[0]}).duplicated().to_numpy()
    faults += [
        Fault(f"step {columns[0][i]:g} is in another row of the run, too", "Keep one", lines[i], runs[i])
        for i in np.flatnonzero(twice).tolist()
    ]
    if faults:
        raise InputError(file, faults[:20])
    if not columns[1].max() > 0:
        raise InputError(file, [Fault("every learning rate is 0", "Name the column of learning rates")])
    return columns[0].astype(int), columns[1]


def _of_one(step: np.ndarray, rate: np.ndarray, peak: float) -> np.ndarray:
    """Return area, annealing and annealed of one run at its rows, shape (row, 3); nothing at step 0."""
    order = np.argsort(step)
    known = (step[order], rate[order]) if step.min() == 0 else (np.append(0, step[order]), np.append(0.0, rate[order]))
    rates = np.interp(np.arange(1, step.max() + 1), *known)
    later = step > 0
    found = np.full((len(step), 3), np.nan)
    if later.any():
        forward, annealing = areas(rates)
        found[later, 0], found[later, 1] = forward[step[later] - 1], annealing[step[later] - 1]
        found[later, 2] = annealed(np.maximum(rates, _NOTHING * peak), step[later], peak=peak)
    return found


def _measured_or_planned(frame: pd.DataFrame, runs: np.ndarray) -> np.ndarray:
    """Return which rows have a response, or are of a run without any."""
    responses = [str(name) for name in frame.columns if is_target(str(name))]
    measured = np.zeros(len(frame), bool)
    for name in responses:
        measured |= np.array([cell.casefold() not in MISSING for cell in cells(frame, name)])
    return measured | ~np.isin(runs, runs[measured])
