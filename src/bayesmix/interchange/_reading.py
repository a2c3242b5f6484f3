"""What readers of foreign files share: sources, text cells with their places, names, and the door."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import is_target
from bayesmix.errors import Fault, InputError, listed, traced
from bayesmix.runs import Runs
from bayesmix.sheet import read_sheet

Result = TypeVar("Result")


@dataclass(frozen=True)
class Source:
    """A file to read, and the run that it is about where the user said so."""

    path: Path
    run: str = ""

    @classmethod
    def of(cls, text: str | Path) -> Source:
        """Read `FILE` or `RUN=FILE`; a file whose own name contains `=` is a file.

        >>> Source.of("run-7=out/trainer_state.json").run
        'run-7'
        """
        run, sign, path = str(text).partition("=")
        return cls(Path(path), run) if sign and not Path(text).exists() else cls(Path(text))


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds, before the door.

    Parameters
    ----------
    frame : pandas.DataFrame
        Cells as text under standard names, one row an observation, with a column `run`.
    places : tuple of str
        File and row of every row.
    card : Card
        What the user and the format say of names and units.
    seen : tuple of str
        All names that the user's card could have meant.
    hints : tuple of str
        What the reader of the format has to say.
    """

    frame: pd.DataFrame
    places: tuple[str, ...]
    card: Card
    seen: tuple[str, ...]
    hints: tuple[str, ...] = ()


def every(items: Iterable[Any], act: Callable[[Any], Result], source: str) -> list[Result]:
    """Return `act` of every item, or raise one `InputError` with the faults of all of them, each with its file."""
    results, faults = [], []
    for item in items:
        try:
            results.append(act(item))
        except InputError as error:
            faults += [placed(fault, error.source) for fault in error.faults]
    if faults:
        raise InputError(source, faults)
    return results


def placed(fault: Fault, file: str) -> Fault:
    """Return a fault that says the file by itself."""
    row = f" row {fault.row}" if fault.row is not None else ""
    return replace(fault, what=f"{file}{row}: {fault.what}", row=None)


def read_cells(path: Path) -> tuple[pd.DataFrame, list[int]]:
    """Return a CSV file's cells as text, and the line of each row; a column without name and content is dropped.

    Raises
    ------
    InputError
        It is no CSV file, or has rows of another length than its header.
    """
    sheet = read_sheet(path)
    width = len(sheet.columns)
    faults = [
        Fault(f"the row has {len(row)} cells, expected {width} as in the header", "Quote cells with commas", line)
        for row, line in zip(sheet.rows, sheet.lines, strict=True)
        if len(row) != width
    ]
    if faults:
        raise InputError(str(path), faults)
    kept = [at for at, name in enumerate(sheet.columns) if name or any(row[at] for row in sheet.rows)]
    names = [sheet.columns[at] for at in kept]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if faults := [Fault(f"column {name!r} appears twice", "Remove or rename one of them", 1) for name in twice]:
        raise InputError(str(path), faults)
    return pd.DataFrame([[row[at] for at in kept] for row in sheet.rows], columns=pd.Index(names)), sheet.lines


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, or of one with a JSON value on every line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        try:
            return json.loads(text)
        except ValueError:
            if path.suffix != ".jsonl":
                raise
            return [json.loads(line) for line in text.splitlines() if line.strip()]
    except FileNotFoundError:
        raise InputError(str(path), [Fault("no such file", "Name a JSON file")]) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(path), [Fault(f"not JSON: {error}", "Name a JSON file in UTF-8")]) from None


def cells(frame: pd.DataFrame, name: str) -> list[str]:
    """Return a column's cells."""
    return [str(cell) for cell in frame[name]]


def number(value: Any) -> str | None:
    """Return a JSON number as an exact cell, or None if it is none.

    >>> number(0.25), number("N/A"), number(True)
    ('0.25', None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return repr(value)


def settled(frame: pd.DataFrame, card: Card, usual: Mapping[str, str], file: str) -> pd.DataFrame:
    """Return the frame under standard names: those of the user's card, and the format's usual ones elsewhere.

    A column without a name that neither knows is the index of an exported frame, and dropped.

    Raises
    ------
    InputError
        Two columns would share a name.
    """
    columns = [str(name) for name in frame.columns]
    given, _ = card.rename(columns)
    taken = {given.get(name, name) for name in columns if name not in usual or name in given}
    usual = {old: new for old, new in usual.items() if old in columns and old not in given and new not in taken}
    names = {name: name for name in columns if name} | usual | given
    if shared := Card(names).rename(columns)[1]:
        raise InputError(file, shared)
    return pd.DataFrame(frame[list(names)]).rename(columns=names)


def file_count(sources: Sequence[Source], expected: Sequence[str], name: str) -> None:
    """Raise an error unless there are as many files as the format has."""
    if len(sources) != len(expected):
        what = f"{name} is {len(expected)} file{'s' if len(expected) > 1 else ''}, and {len(sources)} were given"
        raise InputError(name, [Fault(what, f"Name {' '.join(expected)}")])


def one_table(
    sources: Sequence[Source], expected: str, name: str, card: Card
) -> tuple[pd.DataFrame, list[int], list[str], str]:
    """Return the cells of a format's one CSV file under standard names, the line of each row, foreign names and file.

    Raises
    ------
    InputError
        There is not one file, it is no CSV file, or two of its columns would share a name.
    """
    file_count(sources, (expected,), name)
    file = str(sources[0].path)
    ((whole, lines),) = every([sources[0].path], read_cells, name)
    return settled(whole, card, {}, file), lines, [str(column) for column in whole.columns], file


def admitted(table: Table, same: Mapping[str, str], source: str) -> Runs:
    """Return the runs of a table, after all checks at the door; faults name file and row.

    Raises
    ------
    InputError
        With every fault.
    """
    faults = []
    for old, new in table.card.columns.items():
        fits, unfit = Card({old: new}).rename(table.seen)
        faults += [] if fits else unfit[:1]
    faults += [
        Fault(f"{name} is in the files, and said to be {value!r} everywhere", "Take one of them away")
        for name, value in same.items()
        if name in table.frame
    ]
    frame = table.frame.assign(**{name: value for name, value in same.items() if name not in table.frame})
    frame, diverged = _without_infinity(frame)
    try:
        runs = Runs.of(frame, replace(table.card, columns={}), source=source)
    except InputError as error:
        raise InputError(source, faults + [traced(fault, table.places) for fault in error.faults]) from None
    if faults:
        raise InputError(source, faults)
    return replace(runs, hints=(*table.hints, *diverged, *runs.hints))


def _without_infinity(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave infinite responses empty, which a run that diverged has, and say whose they were."""
    frame, hints = frame.copy(), []
    for name in filter(is_target, map(str, frame.columns)):
        infinite = frame[name].astype(str).str.strip().str.fullmatch(r"[+-]?inf(inity)?", case=False)
        if infinite.any():
            runs = list(dict.fromkeys(map(str, frame["run"][infinite])))
            hints.append(f"{name} is infinite, as of runs that diverged, and was left empty: {listed(runs)}")
            frame.loc[infinite, name] = ""
    return frame, hints
