"""Sheet: a table as text cells, so that a fault can quote the cell and the line."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bayesmix.errors import Fault, InputError, suggest


@dataclass(frozen=True)
class Sheet:
    """The cells of a table as text; `lines` says where each row stands in its source."""

    columns: list[str]
    rows: list[list[str]]
    lines: list[int]


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file as text, so that a fault can quote the cell and the line."""
    if path.is_dir():
        raise InputError(str(path), [Fault("this is a folder", "Name a CSV file in it")])
    if not path.is_file():
        beside = [other.name for other in path.parent.glob("*.csv")]
        remedy = suggest(path.name, beside) if beside else "No CSV file is beside it either: check the folder"
        raise InputError(str(path), [Fault("no such file", remedy)])
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
    """Write a frame as cells, floats exactly; a named index counts as columns, where they are not there already."""
    if there := [level for level, name in enumerate(frame.index.names) if name is not None and name in frame.columns]:
        frame = frame.reset_index(there, drop=True)
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
