"""The errors that a user can meet: what is wrong, where, what was expected and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_MANY = 20  # known names that are not all listed
_NEAREST = 5


class BayesmixError(Exception):
    """Base of every error raised on purpose; the command line prints it without a traceback."""

    exit_code = 3


class NotConvergedError(BayesmixError):
    """A posterior that did not converge was asked for an answer."""

    exit_code = 4


class WouldOverwriteError(BayesmixError):
    """A result exists already and was not to be replaced."""

    exit_code = 5


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input, and what to do about it.

    Parameters
    ----------
    what : str
        The fault, with the offending value and what was expected.
    remedy : str
        What to do about it.
    row : int, optional
        Line of the file (the header is line 1), or position in a frame.
    run : str, optional
        Name of the run.
    """

    what: str
    remedy: str
    row: int | None = None
    run: str | None = None

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (
                f"row {self.row}" if self.row is not None else "",
                f"run {self.run}" if self.run is not None else "",
            )
            if part
        )
        return f"{place + ': ' if place else ''}{self.what}. {self.remedy}"


def traced(fault: Fault, places: Sequence[str]) -> Fault:
    """Return a fault of a frame's row as one of the place that the row came from, such as a file's row."""
    if fault.row is None:
        return fault
    what = re.sub(r"\brow (\d+)$", lambda match: places[int(match[1])], fault.what)
    return replace(fault, what=f"{places[fault.row]}: {what}", row=None)


class InputError(BayesmixError):
    """An input with faults; the message lists every one of them.

    Parameters
    ----------
    source : str
        What was read, as the user named it.
    faults : sequence of Fault
        Everything that is wrong with it.
    """

    def __init__(self, source: str, faults: Sequence[Fault]):
        self.source = source
        self.faults = tuple(faults)
        count = f"{len(self.faults)} fault{'s' if len(self.faults) != 1 else ''}"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {fault}" for fault in self.faults)]))


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a sentence with the closest known name, or with all of them; if they are many, with a few.

    Parameters
    ----------
    name : str
        What the user wrote.
    known : iterable of str
        What would have been understood.
    """
    known = sorted(known)
    folded = {k.casefold(): k for k in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {folded[close[0]]!r}?"
    if len(known) > _MANY:
        near = difflib.get_close_matches(name.casefold(), folded, n=_NEAREST, cutoff=0.4)
        if near:
            return f"The nearest of {len(known)} known names: {', '.join(folded[n] for n in near)}"
        return f"Known: {listed(known, _NEAREST)}"
    return f"Known: {', '.join(known) or '(none)'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return the first few names, and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
