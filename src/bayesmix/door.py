"""The door: every check that a table of runs must pass, with all faults reported at once."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import (
    MISSING,
    expected,
    head,
    is_numeric,
    is_target,
    meant_by,
    name_fault,
    read_number,
)
from bayesmix.errors import Fault, InputError, suggest

SUM_TOLERANCE = 1e-3  # mixtures are often rounded to three decimals
EXACT = 1e-12  # a sum this near 1 is left alone, so that reading a written table changes nothing
SHOWN = 5  # faults of one kind in one column that are written out

Cells = dict[str, list[str]]
Numbers = dict[str, list[float]]


@dataclass(frozen=True)
class Sheet:
    """The cells of a table as text; `lines` says where each row stands in its source."""

    columns: list[str]
    rows: list[list[str]]
    lines: list[int]


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
            listed += group[:SHOWN]
            if len(group) > SHOWN:
                place = f"{column}: " if column else ""
                what = f"{place}and {len(group) - SHOWN} more rows like it"
                listed.append(Fault(what, remedy))
        return listed


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file as text, so that a fault can quote the cell and the line."""
    if not path.is_file():
        beside = [other.name for other in path.parent.glob("*.csv")]
        raise InputError(str(path), [Fault("no such file", suggest(path.name, beside))])
    try:
        return parse_sheet(path.read_bytes().decode("utf-8-sig"), str(path))
    except UnicodeDecodeError:
        return parse_sheet("\0", str(path))


def parse_sheet(text: str, source: str) -> Sheet:
    """Split CSV text into cells; a text without a header and a row is an error."""
    if "\0" in text:
        fault = Fault("not a text file in UTF-8", "Export the table as CSV (comma separated, UTF-8)")
        raise InputError(source, [fault])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for cells in reader:
            if cells:
                rows.append([cell.strip() for cell in cells])
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        remedy = "Close every quotation mark, and double those inside a cell"
        raise InputError(source, [Fault(f"not CSV: {error}", remedy, row=line)]) from None
    if len(rows) < 2:
        what = "the file has a header but no rows" if rows else "the file is empty"
        raise InputError(source, [Fault(what, "Expected a header and one line per observation")])
    return Sheet(rows[0], rows[1:], lines[1:])


def frame_sheet(frame: pd.DataFrame, source: str) -> Sheet:
    """Write a frame as cells, floats exactly; a named index counts as columns."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    if frame.empty:
        raise InputError(source, [Fault("the frame is empty", "Expected one row per observation")])
    columns = [[_cell(value) for value in frame.iloc[:, at]] for at in range(frame.shape[1])]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Sheet([str(name).strip() for name in frame.columns], rows, list(range(len(rows))))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    return "" if value is None or value is pd.NA or value is pd.NaT else str(value).strip()


def admit(sheet: Sheet, card: Card, *, planned: bool, source: str) -> tuple[Cells, Numbers]:
    """Rename, convert and check a table; return its labels and its numbers.

    `planned` runs are not trained yet: responses may be absent. Raises one `InputError` with every fault.
    """
    findings = Findings()
    cells = _columns(sheet, card, findings)
    numbers = {
        name: _convert(name, column, card.factor(name), findings)
        for name, column in cells.items()
        if is_numeric(name)
    }
    labels = {name: column for name, column in cells.items() if name not in numbers}
    _normalise_mixtures(numbers, findings)
    _check_duplicates(cells, numbers, findings)
    _check_targets(cells, numbers, planned=planned, findings=findings)
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
        elif fault := name_fault(name):
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


def _convert(name: str, column: Sequence[str], factor: float, findings: Findings) -> list[float]:
    numbers = []
    for at, cell in enumerate(column):
        value, fault = read_number(name, cell, factor)
        numbers.append(value)
        if fault:
            findings.add(name, fault, at)
    return numbers


def _normalise_mixtures(numbers: Numbers, findings: Findings) -> None:
    """Make every mixture sum to 1 exactly, if it did so up to rounding."""
    weights = [column for name, column in numbers.items() if head(name) == "w"]
    for at, mixture in enumerate(zip(*weights, strict=True)):
        total = math.fsum(mixture)
        if abs(total - 1) > SUM_TOLERANCE + EXACT:
            remedy = "Correct them, or add the domain that is not in the table"
            if abs(total - 100) <= 100 * SUM_TOLERANCE:
                remedy = 'They look like percent: say so in [units]: w = "percent"'
            fault = Fault(f"weights w.* sum to {total:.6g}, expected 1 within {SUM_TOLERANCE:g}", remedy)
            findings.add("w", fault, at)
        elif abs(total - 1) > EXACT:
            for column in weights:
                column[at] /= total


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
    if not planned and not any(is_target(name) for name in cells):
        what = "no column holds a response (loss, loss.web, accuracy.arc, ...)"
        findings.add("", Fault(what, _target_remedy(cells)))


def _check_items(cells: Cells, numbers: Numbers, *, planned: bool, findings: Findings) -> None:
    for items in [name for name in numbers if head(name) == "items"]:
        target = items.removeprefix("items.")
        if target not in cells and not planned:
            what = f"column {items!r} counts items of a response that is not in the table"
            findings.add(items, Fault(what, suggest(target, filter(is_target, cells))))
        elif target not in numbers:
            del numbers[items]
        else:
            pairs = zip(cells[items], numbers[target], strict=True)
            for at, (count, response) in enumerate(pairs):
                if count.casefold() in MISSING and not math.isnan(response):
                    what = f"{items} is missing, expected {expected(items)} because {target} was measured"
                    findings.add(items, Fault(what, "Fill it in, or remove the column"), at)


def _target_remedy(cells: Cells) -> str:
    for name in cells:
        if is_target(meaning := meant_by(name) or ""):
            return f'Map it: "{name}" = "{meaning}"'
    return f'Map one of {", ".join(cells)}: "NAME" = "loss"'
