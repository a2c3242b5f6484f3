"""Card: how the columns of somebody else's table are named and counted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bayesmix import toml
from bayesmix.assignments import assignments
from bayesmix.covariates import BY_DOMAIN, RESPONSES, SCALARS, head, name_fault
from bayesmix.errors import Fault, InputError, suggest

UNITS: dict[str, float] = {
    "percent": 1e-2,
    "thousands": 1e3,
    "millions": 1e6,
    "billions": 1e9,
    "trillions": 1e12,
    "bits": math.log(2.0),  # a loss in bits/token, as nats/token
    "petaFLOP/s-days": 8.64e19,
}
PERPLEXITY = "perplexity"  # the exponential of a loss
SUM_TOLERANCE = 1e-3  # mixtures are often rounded to three decimals
_MEASURED = (*SCALARS, *BY_DOMAIN, "tokens", *RESPONSES)
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Card:
    """How a foreign table is read: its names, its units, and what to remember about it.

    Parameters
    ----------
    columns : mapping of str to str
        Name in the file -> standard name or label. `"weight_{domain}" = "w.{domain}"` maps every column
        of that shape; an exact name wins over a pattern, and an earlier pattern over a later one.
    units : mapping of str to str or float
        Standard name (`N`, `w`, `accuracy`, `accuracy.arc`) -> name of a unit, or a factor.
    notice : str
        A sentence that every output repeats, for example that the data are simulated.
    about : mapping of str to str
        Where the table comes from, in free words.
    run : tuple of str
        What the checkpoints of one run share, where no column names the run: `("N", "w")`.
    sum_tolerance : float
        How far a mixture may miss the sum of one by rounding; it is then made exact.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str | float] = field(default_factory=dict)
    notice: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    run: tuple[str, ...] = ()
    sum_tolerance: float = SUM_TOLERANCE

    def __post_init__(self) -> None:
        faults = _faults_of(self.columns, self.units, self.notice, self.about)
        if faults := faults + _rule_faults(self.run, self.sum_tolerance):
            raise InputError("card", faults)

    @classmethod
    def read(cls, path: str | Path) -> Card:
        """Read a card from a TOML file with the tables `[columns]`, `[units]` and `[about]`."""
        return cls.loads(toml.read_text(Path(path)), source=str(path))

    @classmethod
    def loads(cls, text: str, *, source: str = "card") -> Card:
        """Read a card from TOML text; `source` names it in errors.

        Raises
        ------
        InputError
            It is no TOML, or says what no card says; with every fault.
        """
        content = toml.parse(text, source)
        known = ("columns", "units", "notice", "about", "run", "sum_tolerance")
        faults = [Fault(f"unknown key {key!r}", suggest(key, known)) for key in content if key not in known]
        fields = {name: content.get(name, {}) for name in ("columns", "units", "about")}
        for name in fields:
            if not isinstance(fields[name], dict):
                faults.append(Fault(f"{name} is not a table", f"Write [{name}] and its lines below it"))
                fields[name] = {}
        notice, run = content.get("notice", ""), content.get("run", [])
        tolerance = content.get("sum_tolerance", SUM_TOLERANCE)
        if faults := faults + _faults_of(**fields, notice=notice) + _rule_faults(run, tolerance):
            raise InputError(source, faults)
        return cls(**fields, notice=notice, run=tuple(run), sum_tolerance=tolerance)

    @classmethod
    def parse(cls, maps: Sequence[str] = (), units: Sequence[str] = ()) -> Card:
        """Read a card from the command line.

        Raises
        ------
        InputError
            A text is not NAME=VALUE, or says what no card says; with every fault.

        Examples
        --------
        >>> Card.parse(["weight_{domain}=w.{domain}"], ["N=millions"]).units
        {'N': 'millions'}
        """
        faults: list[Fault] = []
        # A foreign name may contain "=" (`d=96`), a standard name never does: split at the last one.
        columns = assignments(maps, "'params=N'", faults, columns=True)
        factors = assignments(units, "'N=millions'", faults, columns=True)
        stated = {key: _number_or_name(text) for key, text in factors.items()}
        if faults := faults + _faults_of(columns, stated):
            raise InputError("mapping", faults)
        return cls(columns, stated)

    def merged(self, other: Card) -> Card:
        """Return both cards as one; where both speak of the same thing, `other` wins."""
        return Card(
            {**self.columns, **other.columns},
            {**self.units, **other.units},
            other.notice or self.notice,
            {**self.about, **other.about},
            other.run or self.run,
            self.sum_tolerance if other.sum_tolerance == SUM_TOLERANCE else other.sum_tolerance,
        )

    def text(self) -> str:
        """Return the card as TOML that `Card.loads` reads back."""
        parts = [f"notice = {toml.value(self.notice)}\n"] if self.notice else []
        parts += [f"run = {toml.value(self.run)}\n"] if self.run else []
        parts += [f"sum_tolerance = {self.sum_tolerance}\n"] if self.sum_tolerance != SUM_TOLERANCE else []
        for name in ("columns", "units", "about"):
            if table := getattr(self, name):
                lines = [f"{toml.key(key)} = {toml.value(value)}\n" for key, value in table.items()]
                parts.append("".join([f"[{name}]\n", *lines]))
        return "\n".join(parts)

    def standard(self, name: str, value: float) -> float:
        """Return a number of the column `name` in standard units; NaN of what can be none in its unit."""
        unit = self.units.get(name, self.units.get(head(name), 1.0))
        if unit == PERPLEXITY:
            return math.log(value) if value > 0 else math.nan
        return value * (UNITS[unit] if isinstance(unit, str) else float(unit))

    def rename(self, columns: Sequence[str]) -> tuple[dict[str, str], list[Fault]]:
        """Return the columns that get another name, and what does not fit.

        Parameters
        ----------
        columns : sequence of str
            The columns of a file.

        Returns
        -------
        renamed : dict of str to str
            Name in the file -> name afterwards, for mapped columns only.
        faults : list of Fault
            Entries that fit no column, and columns that would share a name.
        """
        columns = list(dict.fromkeys(columns))
        exact = {old: new for old, new in self.columns.items() if not _PLACE.search(old)}
        renamed = {old: new for old, new in exact.items() if old in columns}
        faults = [
            Fault(f"mapped column {old!r} is not in the file", suggest(old, columns))
            for old in exact
            if old not in columns
        ]
        for pattern in (old for old in self.columns if old not in exact):
            found = _fill(pattern, self.columns[pattern], columns)
            if not found:
                faults.append(Fault(f"mapped columns {pattern!r}: none in the file", suggest(pattern, columns)))
            renamed = found | renamed
        renamed = {old: renamed[old] for old in columns if old in renamed}
        return renamed, faults + _shared_names(columns, renamed)


def _fill(pattern: str, target: str, columns: Sequence[str]) -> dict[str, str]:
    """Map every column of the pattern's shape: `weight_{domain}` -> `w.{domain}`."""
    before, place, after = _PLACE.split(pattern)
    shape = re.compile(f"{re.escape(before)}(.+){re.escape(after)}", re.DOTALL)
    matches = {column: shape.fullmatch(column) for column in columns}
    return {old: target.replace(f"{{{place}}}", match[1]) for old, match in matches.items() if match}


def _shared_names(columns: Sequence[str], renamed: Mapping[str, str]) -> list[Fault]:
    sources: dict[str, list[str]] = {}
    for column in columns:
        sources.setdefault(renamed.get(column, column), []).append(column)
    return [
        Fault(
            f"columns {', '.join(map(repr, old))} would all be called {new!r}",
            f'Map all but one to another name, such as "{old[-1]}" = "other_{new.replace(".", "_")}"',
        )
        for new, old in sources.items()
        if len(old) > 1
    ]


def _faults_of(
    columns: Mapping[str, object],
    units: Mapping[str, object],
    notice: object = "",
    about: Mapping[str, object] | None = None,
) -> list[Fault]:
    faults = [_column_fault(old, new) for old, new in columns.items()]
    faults += [_unit_fault(name, unit) for name, unit in units.items()]
    free = {"notice": notice} | {f"about.{key}": value for key, value in (about or {}).items()}
    faults += [
        Fault(f"{key} is {value!r}, expected a string", "Put it in quotation marks")
        for key, value in free.items()
        if not isinstance(value, str)
    ]
    return [fault for fault in faults if fault]


def _rule_faults(run: object, sum_tolerance: object) -> list[Fault]:
    faults = []
    if not isinstance(run, list | tuple) or not all(isinstance(name, str) for name in run):
        faults.append(Fault(f"run is {run!r}", 'Write the columns that checkpoints of one run share: run = ["N", "w"]'))
    if not toml.is_number(sum_tolerance) or not 0 <= sum_tolerance <= 0.1:
        faults.append(Fault(f"sum_tolerance is {sum_tolerance!r}", "Write a number from 0 to 0.1"))
    return faults


def _column_fault(old: str, new: object) -> Fault | None:
    if not isinstance(new, str) or not new or new != new.strip():
        return Fault(f"column {old!r} is mapped to {new!r}, expected a name", 'Write such as "params" = "N"')
    places, filled = _PLACE.findall(old), _PLACE.findall(new)
    if len(places) > 1 or places != filled:
        what = f"{old!r} = {new!r}: expected one {{place}}, the same on both sides, or none"
        return Fault(what, 'Write such as "weight_{domain}" = "w.{domain}"')
    return name_fault(new)


def _unit_fault(name: str, unit: object) -> Fault | None:
    if head(name) not in _MEASURED or (head(name) in SCALARS and name not in SCALARS):
        return Fault(f"unit of unknown {name!r}", suggest(name, _MEASURED))
    known = (*UNITS, PERPLEXITY)
    if unit == PERPLEXITY and head(name) != "loss":
        return Fault(f"{name} has the unit {unit!r}, which is of a loss alone", "State it of loss, or of loss.<target>")
    if isinstance(unit, str):
        return None if unit in known else Fault(f"{name} has the unknown unit {unit!r}", suggest(unit, known))
    if not toml.is_number(unit) or not unit > 0:
        return Fault(f"{name} has the unit {unit!r}", f"Write a positive factor or one of {', '.join(known)}")
    return None


def _number_or_name(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
