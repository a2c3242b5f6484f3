"""Runs: the table of training runs, checked once at the door and trusted afterwards."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import COVARIATES, head, is_numeric, is_target
from bayesmix.door import admit, tabulate
from bayesmix.errors import Fault, InputError, listed, suggest
from bayesmix.hints import hints_of
from bayesmix.sheet import Sheet, frame_sheet, parse_sheet, read_sheet

_CONDITION = re.compile(r"(.+?)\s*(!=|<=|>=|==|=|<|>)\s*(.*)", re.DOTALL)


@dataclass(frozen=True, eq=False, repr=False)
class Runs:
    """A checked table of training runs, one row per observation.

    Two tables are the same if their `hash` is.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns in the order run, N, D, C, U, w.*, responses, items.*, labels; within a group as they came.
        Numbers are float64 in standard units with NaN where nothing was measured; `run` and labels are text.
    card : Card
        How the table was read.
    source : str
        What was read.
    hints : tuple of str
        What is suspicious but not wrong.
    """

    table: pd.DataFrame
    card: Card
    source: str
    hints: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: str | Path, card: Card | str | Path | None = None, *, planned: bool = False) -> Runs:
        """Read a CSV file.

        Parameters
        ----------
        path : str or Path
            The file.
        card : Card or path of a card, optional
            Names and units of the file, where they are not the standard ones.
        planned : bool
            The runs are not trained yet: responses may be absent.

        Raises
        ------
        InputError
            With every fault of the file, by row (line of the file) and run.
        """
        return _runs(read_sheet(Path(path)), card, planned=planned, source=str(path))

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        card: Card | str | Path | None = None,
        *,
        planned: bool = False,
        source: str = "frame",
    ) -> Runs:
        """Check a data frame just like a file; faults count rows from 0, as `frame.iloc` does."""
        return _runs(frame_sheet(frame, source), card, planned=planned, source=source)

    @classmethod
    def loads(cls, text: str, card: Card, source: str) -> Runs:
        """Return the runs that `text` wrote; `card` and `source` are remembered, not applied again."""
        return replace(_runs(parse_sheet(text, source), None, planned=True, source=source), card=card)

    def text(self) -> str:
        """Return the table as canonical CSV: standard names and units, every number exact."""
        columns = [
            ["" if np.isnan(value) else repr(value) for value in self.table[name].tolist()]
            if is_numeric(name)
            else [_quoted(cell) for cell in self.table[name]]
            for name in self.table
        ]
        lines = [[_quoted(name) for name in self.table], *zip(*columns, strict=True)]
        return "".join(",".join(line) + "\n" for line in lines)

    @property
    def hash(self) -> str:
        """SHA-256 of `text`: of the table alone, whatever it was read from.

        The order of rows, and of columns within a group, counts: random draws follow it.
        """
        return hashlib.sha256(self.text().encode()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """The run of every row."""
        return tuple(self.table["run"])

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains of the mixture."""
        return tuple(name.removeprefix("w.") for name in self.table if head(name) == "w")

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that hold responses."""
        return tuple(name for name in self.table if is_target(name))

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns without a standard meaning."""
        return tuple(name for name in self.table if name != "run" and not is_numeric(name))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The covariates that the table gives or lets derive."""
        given = {head(name) for name in self.table if is_numeric(name)}
        given |= {"M"} if given >= {"N", "D"} else set()
        return tuple(symbol for symbol in COVARIATES if symbol in given)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"<Runs {self.source}: {len(self)} rows of {listed(list(self.table))}>"

    def column(self, name: str) -> np.ndarray:
        """Return a numeric column, shape (observation,); for `w` and `unique` shape (observation, domain).

        Unique tokens of a domain without a column are endless.

        Parameters
        ----------
        name : str
            A covariate (M = D/N), a response, or a label whose cells are all numbers.

        Raises
        ------
        InputError
            There is no such column, or a cell is no number.
        """
        if name == "w" and self.domains:
            return self.table[[f"w.{domain}" for domain in self.domains]].to_numpy(np.float64)
        if name == "unique" and "unique" in self.symbols:
            names = [f"unique.{domain}" for domain in self.domains]
            return self.table.reindex(columns=names, fill_value=np.inf).to_numpy(np.float64)
        if name == "M" and "M" in self.symbols:
            return self.column("D") / self.column("N")
        if name not in self.table:
            raise InputError(self.source, [Fault(f"no column {name!r}", suggest(name, {*self.symbols, *self.table}))])
        cells = self.table[name].tolist()
        for cell in cells:
            if not _is_number(cell):
                fault = Fault(f"label {name!r} holds {cell!r}", "Choose a column whose cells are all numbers")
                raise InputError(self.source, [fault])
        return np.array(cells, dtype=np.float64)

    def where(self, *conditions: str, **equals: object) -> Runs:
        """Return the rows that meet every condition.

        Parameters
        ----------
        *conditions : str
            Such as `"N<=2e9"`, `"role=ladder"`, `"w.web>0.1"`. Numbers are equal within 1e-9, relatively.
        **equals : object
            `role="ladder"` is short for `"role=ladder"`.

        Raises
        ------
        InputError
            One is no condition or of no column, or no row meets them all.
        """
        asked = [*conditions, *(f"{name}={value}" for name, value in equals.items())]
        kept = np.ones(len(self), dtype=bool)
        for condition in asked:
            kept &= self._meets(condition)
        if not kept.any():
            columns = dict.fromkeys(match[1].strip() for text in asked if (match := _CONDITION.match(text)))
            there = "; ".join(f"{name}: {self._values_of(name)}" for name in columns)
            raise InputError(self.source, [Fault(f"no row has {' and '.join(asked)}", f"There are {there}")])
        return self.rows(kept)

    def parts(self, label: str) -> dict[str, Runs]:
        """Return the rows of each value of a label column, by that value.

        Raises
        ------
        InputError
            There is no such label.
        """
        if label not in self.labels:
            raise InputError(self.source, [Fault(f"there is no label column {label!r}", suggest(label, self.labels))])
        values = self.table[label].astype(str).to_numpy()
        return {value: self.rows(values == value) for value in sorted(set(values))}

    def split(self, by: str = "C", *, at: float) -> tuple[Runs, Runs]:
        """Return the rows with `by` up to and including `at`, and the rows above it.

        Raises
        ------
        InputError
            There is no such column, or one of the two would be empty.
        """
        low = self.up_to(by, at)
        if low.all() or not low.any():
            what = f"all rows have {by} {'<=' if low.all() else '>'} {at:g}, so one side of the split is empty"
            raise InputError(self.source, [Fault(what, f"Split within {by}: {self._values_of(by)}")])
        return self.rows(low), self.rows(~low)

    def up_to(self, by: str, at: float) -> np.ndarray:
        """Say which rows have `by` up to and including `at`, rounding of products such as C aside; shape (row,)."""
        return _compare(self.column(by), "<=", at)

    def rows(self, kept: np.ndarray) -> Runs:
        """Return the rows where `kept`, shape (row,), is true; a response without any value left is dropped."""
        table = self.table[kept].reset_index(drop=True)
        empty = [name for name in self.targets if np.isnan(self.column(name)[kept]).all()]
        gone = [name for name in table.columns if name.removeprefix("items.") in empty]
        left = pd.DataFrame(table.drop(columns=gone))
        return replace(self, table=left, hints=tuple(hints_of(left)))

    def _meets(self, condition: str) -> np.ndarray:
        if not (match := _CONDITION.fullmatch(condition.strip())):
            fault = Fault(f"{condition!r} is not a condition", "Write such as N<=2e9 or role=ladder")
            raise InputError(self.source, [fault])
        name, sign, wanted = match[1], match[2].replace("==", "="), match[3]
        if name in ("run", *self.labels):
            cells = self.table[name]
            if sign in ("=", "!=") and not (_is_number(wanted) and all(map(_is_number, cells))):
                return ((cells == wanted) == (sign == "=")).to_numpy()
        values = self.column(name)
        if not _is_number(wanted) or values.ndim > 1:
            fault = Fault(f"{condition!r} compares {name} with {wanted!r}", "Compare one column with a number")
            raise InputError(self.source, [fault])
        return _compare(values, sign, float(wanted))

    def _values_of(self, name: str) -> str:
        if name in ("run", *self.labels):
            cells = sorted(set(self.table[name]))
            return ", ".join(cells[:10]) + (f", ... ({len(cells)} values)" if len(cells) > 10 else "")
        values = self.column(name)
        return f"{np.nanmin(values):g} to {np.nanmax(values):g}"


def _compare(values: np.ndarray, sign: str, bound: float) -> np.ndarray:
    equal = np.isclose(values, bound, rtol=1e-9, atol=0.0)
    below, above = (values < bound) & ~equal, (values > bound) & ~equal
    choices = {"=": equal, "!=": ~equal, "<": below, "<=": below | equal, ">": above, ">=": above | equal}
    return choices[sign]


def _is_number(cell: str | float) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[,"\r\n]', cell) else cell


def _runs(sheet: Sheet, card: Card | str | Path | None, *, planned: bool, source: str) -> Runs:
    card = card if isinstance(card, Card) else Card() if card is None else Card.read(card)
    table = tabulate(*admit(sheet, card, planned=planned, source=source), card)
    return Runs(table, card, source, tuple(hints_of(table)))
