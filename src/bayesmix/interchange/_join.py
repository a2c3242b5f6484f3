"""Two tables as one: mixtures with what was measured, and files of single runs with a table of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import MISSING, is_target
from bayesmix.door import SHOWN
from bayesmix.errors import Fault, InputError, listed, suggest
from bayesmix.interchange._reading import Table, cells, read_cells, settled


def paired(
    mixtures: tuple[Path, pd.DataFrame, list[int]], measured: tuple[Path, pd.DataFrame, list[int]], card: Card
) -> Table:
    """Join a file of mixtures with a file of what was measured, both with a column `run`; one row a run in each.

    A mixture that was not measured is left out, and said; a measured run without its mixture is a fault.

    Raises
    ------
    InputError
        With every fault.
    """
    (first, left, left_lines), (second, right, right_lines) = mixtures, measured
    ours, theirs = cells(left, "run"), cells(right, "run")
    rows = {run: at for at, run in enumerate(ours)}
    faults = [*_repeated(ours, first, left_lines), *_repeated(theirs, second, right_lines)]
    faults += [
        Fault(f"{second} row {line}: the run is not in {first}", "Add its mixture there, or remove the row", run=run)
        for run, line in zip(theirs, right_lines, strict=True)
        if run not in rows
    ]
    both = [str(name) for name in right.columns if name in left.columns and name != "run"]
    # What both files say alike, such as a name or an index, is said once.
    clash = [
        name
        for name in both
        if not set(zip(theirs, cells(right, name), strict=True)) <= set(zip(ours, cells(left, name), strict=True))
    ]
    faults += [Fault(f"{first} and {second} differ in column {n!r}", "Map one of the two") for n in clash if not faults]
    if faults:
        raise InputError(f"{first} and {second}", faults)
    chosen = [rows[run] for run in theirs]
    whole = pd.concat([left.iloc[chosen].reset_index(drop=True), right.drop(columns=["run", *both])], axis=1)
    places = tuple(
        f"{first} row {left_lines[at]} with {second} row {line}" for at, line in zip(chosen, right_lines, strict=True)
    )
    known = set(theirs)
    missing = [run for run in ours if run not in known]
    hints = (f"{first}: not measured and left out: {listed(missing)}",) if missing else ()
    return Table(whole, places, card, (), hints)


def joined(table: Table, path: Path) -> Table:
    """Add to a table what a CSV of runs says of them, by `run`, and by `step` if both have it.

    What both say of a run is taken from the CSV, except what differs between rows of one run in the table, such as the
    tokens of its checkpoints, where the CSV has one row for all of them. Runs of the CSV that are not in the table stay
    if they have a response.

    Raises
    ------
    InputError
        A run that the CSV does not have, or has several times.
    """
    other, lines = read_cells(path)
    seen = (*table.seen, *map(str, other.columns))
    other = settled(other, table.card, {}, str(path))
    if "run" not in other:
        remedy = suggest("run", map(str, other.columns)) + " Map it: NAME=run"
        raise InputError(str(path), [Fault("no column 'run' to join by", remedy)])
    keys = ["run", "step"] if "step" in table.frame and "step" in other else ["run"]
    frame = table.frame
    ours, theirs = ([tuple(row) for row in t[keys].itertuples(index=False)] for t in (frame, other))
    faults = _repeated([" at step ".join(key) for key in theirs], path, lines)
    at = {key: position for position, key in enumerate(theirs)}
    absent: dict[tuple[str, ...], str] = {}
    for key, place in zip(ours, table.places, strict=True):
        if key not in at:
            absent.setdefault(key, place)
    for key, place in list(absent.items())[:SHOWN]:
        what = f"{place}: {' at step '.join(key)} is not in {path}"
        faults.append(Fault(what, suggest(key[0], {run for run, *_ in theirs}), run=key[0]))
    if (more := len(absent) - SHOWN) > 0:
        faults.append(Fault(f"and {more} more that are not in {path}", "Add them, or leave their files out"))
    both = [str(name) for name in other.columns if name in frame.columns and name not in keys]
    faults += [
        Fault(f"{path} has {name}, and so have the files that were read", "Map one of the two to another name")
        for name in both
        if is_target(name)
    ]
    if faults:
        raise InputError(str(path), faults)
    kept = [name for name in both if "step" not in keys and _varies(frame, name)]
    replaced = [name for name in both if name not in kept]
    frame = frame.drop(columns=replaced)
    added = other.iloc[[at[key] for key in ours]].drop(columns=[*keys, *kept]).reset_index(drop=True)
    known = set(ours)
    alone = [p for p, key in enumerate(theirs) if key not in known]
    measured = [p for p in alone if any(_measured(other, p))]
    whole = pd.concat([pd.concat([frame, added], axis=1), other.iloc[measured]], ignore_index=True).fillna("")
    hints = [f"{', '.join(replaced)}: taken from {path}, not from the files that were read"] if replaced else []
    if kept:
        what = f"{', '.join(kept)}: differs between the rows of a run, and was taken from the files that were read"
        hints.append(f"{what}, not from {path}, which has one row a run; a column 'step' in both would tell them apart")
    if left_out := [theirs[p][0] for p in alone if p not in measured]:
        hints.append(f"{path}: runs without anything measured, left out: {listed(list(dict.fromkeys(left_out)))}")
    places = (*table.places, *(f"{path} row {lines[p]}" for p in measured))
    return replace(table, frame=whole, places=places, seen=seen, hints=(*table.hints, *hints))


def _varies(frame: pd.DataFrame, name: str) -> bool:
    """Say whether rows of one run differ in a column, empty cells aside."""
    stated = set(zip(cells(frame, "run"), cells(frame, name), strict=True))
    runs = [run for run, cell in stated if cell]
    return len(set(runs)) < len(runs)


def _measured(frame: pd.DataFrame, at: int) -> list[bool]:
    return [frame[name].iloc[at].casefold() not in MISSING for name in frame.columns if is_target(str(name))]


def _repeated(runs: Sequence[str], path: Path, lines: Sequence[int]) -> list[Fault]:
    first: dict[str, int] = {}
    return [
        Fault(f"{path} row {line}: the run is in row {first[run]} already", "Keep one of the rows", run=run)
        for run, line in zip(runs, lines, strict=True)
        if first.setdefault(run, line) != line
    ]
