"""The door: every check that a table of runs must pass, with all faults reported at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import (
    MISSING,
    SCALARS,
    VECTORS,
    expected,
    head,
    in_percent,
    is_numeric,
    is_target,
    meant_by,
    name_fault,
    read_number,
)
from bayesmix.errors import Fault, InputError, suggest
from bayesmix.sheet import Sheet

EXACT = 1e-12  # a sum this near 1 is left alone, so that reading a written table changes nothing
_COUNTS = 2.0  # weights that sum to more are no shares that were rounded, or lack a domain
SHOWN = 5  # faults of one kind in one column that are written out

Cells = dict[str, list[str]]
Numbers = dict[str, list[float]]


@dataclass
class Findings:
    """The faults found so far, each placed by its row and run; same column and same remedy is one kind."""

    lines: list[int] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)  # empty if the table does not name its runs
    groups: dict[tuple[str, str], list[Fault]] = field(default_factory=dict)

    def add(self, column: str, fault: Fault, at: int | None = None) -> None:
        """Note a fault; `at` is the position of its row."""
        if at is not None:
            run = self.runs[at] if self.runs else None
            fault = Fault(fault.what, fault.remedy, self.lines[at], run or None)
        self.groups.setdefault((column, fault.remedy), []).append(fault)

    def faults(self) -> list[Fault]:
        """Return the faults, with the tail of every long group counted instead of listed."""
        listed: list[Fault] = []
        for (column, remedy), group in self.groups.items():
            first, more = group[0], len(group) - 1
            if more and remedy == in_percent(column):  # of the whole column
                listed.append(replace(first, what=f"{first.what}, and {more} more rows like it"))
                continue
            listed += group[:SHOWN]
            if len(group) > SHOWN:
                place = f"{column}: " if column else ""
                what = f"{place}and {len(group) - SHOWN} more rows like it"
                listed.append(Fault(what, remedy))
        return listed


def admit(sheet: Sheet, card: Card, *, planned: bool, source: str) -> tuple[Cells, Numbers]:
    """Rename, convert and check a table; return its labels and its numbers.

    `planned` runs are not trained yet: responses may be absent. Raises one `InputError` with every fault.
    """
    findings = Findings()
    cells = _columns(sheet, card, findings)
    numbers = {
        name: _convert(name, column, partial(card.standard, name), findings)
        for name, column in cells.items()
        if is_numeric(name)
    }
    labels = {name: column for name, column in cells.items() if name not in numbers}
    _mix_tokens(numbers, card, findings)
    _normalise_mixtures(numbers, card.sum_tolerance, findings)
    _ask_for_weights(labels, findings)
    _check_duplicates(cells, numbers, findings)
    _check_targets(cells, numbers, planned=planned, findings=findings)
    _check_run_rule({*cells, *numbers}, card, findings)
    if faults := findings.faults():
        raise InputError(source, faults)
    return labels, numbers


def _columns(sheet: Sheet, card: Card, findings: Findings) -> Cells:
    """Return the cells of every well-named column, of the rows with one cell per column."""
    renamed, faults = card.rename(sheet.columns)
    for fault in faults:
        findings.add("", fault)
    names = [renamed.get(column, column) for column in sheet.columns]
    rows = _full_rows(sheet, names, findings)
    cells: Cells = {}
    for position, (name, old) in enumerate(zip(names, sheet.columns, strict=True)):
        column = [row[position] for row in rows]
        if not name and any(column):
            remedy = 'Name it in the header, or map it: "" = "run"'
            findings.add("", Fault(f"column {position + 1} has no name", remedy))
        elif fault := name_fault(name, names):
            findings.add(name, fault)
        elif old and old in sheet.columns[:position]:
            findings.add(name, Fault(f"column {old!r} appears twice", "Remove or rename one of them"))
        elif name:  # neither name nor content: the trailing comma of a spreadsheet
            cells[name] = column
    for at, run in enumerate(cells.get("run", [])):
        if not run:
            fault = Fault("the run has no name", "Fill in column 'run' in every row")
            findings.add("run", fault, at)
    return cells


def _full_rows(sheet: Sheet, names: Sequence[str], findings: Findings) -> list[list[str]]:
    findings.lines = sheet.lines
    if "run" in names:
        at_run = names.index("run")
        findings.runs = [row[at_run] if at_run < len(row) else "" for row in sheet.rows]
    full = [at for at, row in enumerate(sheet.rows) if len(row) == len(names)]
    for at in sorted(set(range(len(sheet.rows))) - set(full)):
        what = f"the row has {len(sheet.rows[at])} cells, expected {len(names)} as in the header"
        remedy = "Separate cells by commas, and quote a cell that contains one"
        findings.add("", Fault(what, remedy), at)
    findings.lines = [sheet.lines[at] for at in full]
    findings.runs = [findings.runs[at] for at in full] if findings.runs else []
    return [sheet.rows[at] for at in full]


def _convert(name: str, column: Sequence[str], standard: Callable[[float], float], findings: Findings) -> list[float]:
    numbers = []
    for at, cell in enumerate(column):
        value, fault = read_number(name, cell, standard)
        numbers.append(value)
        if fault:
            findings.add(name, fault, at)
    return numbers


def _mix_tokens(numbers: Numbers, card: Card, findings: Findings) -> None:
    """Take the tokens of every domain for the mixture, and for D where there is no such column."""
    names = [name for name in numbers if head(name) == "tokens"]
    tokens = {name.removeprefix("tokens."): numbers.pop(name) for name in names}
    if not tokens:
        return
    if any(head(name) == "w" for name in numbers):
        findings.add("tokens", Fault("columns tokens.* and w.* both say what the mixture is", "Remove one of the two"))
        return
    totals = [math.fsum(row) for row in zip(*tokens.values(), strict=True)]
    for at, total in enumerate(totals):
        if total == 0:
            findings.add("tokens", Fault("tokens.* are all 0", "Correct them, or remove the row"), at)
    for domain, column in tokens.items():
        numbers[f"w.{domain}"] = [n / total if total else math.nan for n, total in zip(column, totals, strict=True)]
    # They are tokens already, where the card says what theirs are counted in.
    counted = any(head(name) == "tokens" for name in card.units)
    numbers.setdefault("D", totals if counted else [card.standard("D", total) for total in totals])


def _normalise_mixtures(numbers: Numbers, tolerance: float, findings: Findings) -> None:
    """Make every mixture sum to 1 exactly, if it did so up to rounding."""
    weights = [column for name, column in numbers.items() if head(name) == "w"]
    for at, mixture in enumerate(zip(*weights, strict=True)):
        total = math.fsum(mixture)
        if abs(total - 1) > tolerance + EXACT:
            remedy = "Correct them, add the domain that is not in the table, or state a sum_tolerance in the card"
            if abs(total - 100) <= 100 * tolerance:
                remedy = in_percent("w")
            elif total > _COUNTS:
                remedy = "If they count tokens, call the columns tokens.<domain>; else correct them"
            fault = Fault(f"weights w.* sum to {total:.6g}, expected 1 within {tolerance:g}", remedy)
            findings.add("w", fault, at)
        elif abs(total - 1) > EXACT:
            for column in weights:
                column[at] /= total


def _ask_for_weights(labels: Iterable[str], findings: Findings) -> None:
    """Ask about labels that look like weights, where mixtures do not sum to 1."""
    if any(column == "w" and remedy != in_percent("w") for column, remedy in findings.groups):
        for name in labels:
            if head(meaning := meant_by(name) or "") == "w":
                remedy = f"If it is a weight, map it: --map {name}={meaning}"
                findings.add(
                    name, Fault(f"column {name!r} is read as a label, and weights w.* do not sum to 1", remedy)
                )


def _check_duplicates(cells: Cells, numbers: Numbers, findings: Findings) -> None:
    """Find rows that repeat another: one state of one run is observed once.

    Without a column `run` two rows may be two seeds, and only a row identical in every cell repeats another.
    """
    measured = [name for name in cells if is_target(name) or head(name) == "items"]
    identifying = [name for name in cells if "run" not in cells or name not in measured]
    first: dict[tuple[object, ...], int] = {}
    for at in range(len(findings.lines)):
        # A number that could not be read is compared as written.
        key = tuple(_key(cells[name][at], numbers.get(name), at) for name in identifying)
        if (earlier := first.setdefault(key, at)) != at:
            same = all(cells[name][at] == cells[name][earlier] for name in measured)
            kind = "is identical to" if same else "has the same run, covariates and labels as"
            what = f"the row {kind} row {findings.lines[earlier]}"
            remedy = "Remove it, or tell them apart in a label such as step"
            findings.add("", Fault(what, remedy), at)


def _key(cell: str, column: Sequence[float] | None, at: int) -> object:
    return cell if column is None or math.isnan(column[at]) else column[at]


def _check_targets(cells: Cells, numbers: Numbers, *, planned: bool, findings: Findings) -> None:
    """Check that something was measured; drop the responses that planned runs do not have yet."""
    for name in [name for name in numbers if is_target(name)]:
        if all(cell.casefold() in MISSING for cell in cells[name]):
            if planned:
                del numbers[name]
            else:
                remedy = "Remove the column, or map the one that holds the measurements"
                findings.add(name, Fault(f"column {name!r} has no value at all", remedy))
    _check_items(cells, numbers, planned=planned, findings=findings)
    _check_domains(numbers, findings)
    if not planned and not any(is_target(name) for name in cells):
        what = "no column holds a response (loss, loss.web, accuracy.arc, ...)"
        findings.add("", Fault(what, _target_remedy(cells)))
        if len(cells) == 1 and (found := [n for n in ";\t|" if n in next(iter(cells))]):
            what = f"the whole table is one column, whose name has {found[0]!r} in it"
            findings.add("", Fault(what, "Separate columns by commas, and write decimals with a point"))


def _check_run_rule(columns: Collection[str], card: Card, findings: Findings) -> None:
    for name in card.run:
        if not any(name in (column, head(column)) for column in columns):
            findings.add(
                "",
                Fault(f"the card says that a run is told by {name!r}, which is no column", suggest(name, columns)),
            )


def _check_items(cells: Cells, numbers: Numbers, *, planned: bool, findings: Findings) -> None:
    for items in [name for name in numbers if head(name) == "items"]:
        target = items.removeprefix("items.")
        if target not in cells and not planned:
            what = f"column {items!r} counts items of a response that is not in the table"
            findings.add(items, Fault(what, suggest(target, filter(is_target, cells))))
        elif target not in numbers:
            if not planned:  # of a response without any value
                del numbers[items]
        else:
            pairs = zip(cells[items], numbers[target], strict=True)
            for at, (count, response) in enumerate(pairs):
                if count.casefold() in MISSING and not math.isnan(response):
                    what = f"{items} is missing, expected {expected(items)} because {target} was measured"
                    findings.add(items, Fault(what, "Fill it in, or remove the column"), at)


def _check_domains(numbers: Numbers, findings: Findings) -> None:
    for name in [name for name in numbers if head(name) == "unique"]:
        weight = f"w.{name.removeprefix('unique.')}"
        if weight not in numbers:
            what = f"column {name!r} counts tokens of a domain without a weight"
            findings.add(name, Fault(what, suggest(weight, [c for c in numbers if head(c) == "w"])))


def _target_remedy(cells: Cells) -> str:
    for name in cells:
        if is_target(meaning := meant_by(name) or ""):
            return f'Map it: "{name}" = "{meaning}"'
    return f'Map one of {", ".join(cells)}: "NAME" = "loss"'


def tabulate(labels: Cells, numbers: Numbers, card: Card) -> pd.DataFrame:
    """Order the columns, name the runs by position where they have no names, and apply C = 6ND."""
    arrays = {name: np.array(column, dtype=np.float64) for name, column in numbers.items()}
    if {"N", "D"} <= arrays.keys():
        arrays.setdefault("C", 6 * arrays["N"] * arrays["D"])
    elif "C" in arrays and len(given := {"N", "D"} & arrays.keys()) == 1:
        (absent,) = {"N", "D"} - given
        arrays[absent] = arrays["C"] / (6 * arrays[given.pop()])
    columns = {**labels, **arrays}
    rows = max(map(len, columns.values()), default=0)
    columns.setdefault("run", _run_names(columns, rows, card.run))
    groups = ("run", *SCALARS, *VECTORS)
    rank = {name: groups.index(head(name)) for name in columns if is_numeric(name) or name == "run"}
    ordered = sorted(columns, key=lambda name: rank.get(name, len(groups)))
    return pd.DataFrame({name: columns[name] for name in ordered})


def _run_names(columns: Mapping[str, Sequence], rows: int, by: Sequence[str]) -> list[str]:
    """Name runs by position or, if the card says what the checkpoints of one run share, by that."""
    if not by:
        return [str(position) for position in range(1, rows + 1)]
    shared = [column for name, column in columns.items() if name in by or head(name) in by]
    known: dict[tuple, str] = {}
    return [known.setdefault(key, f"run-{len(known) + 1}") for key in zip(*shared, strict=True)]
