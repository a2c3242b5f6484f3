"""Progress that reads well in a terminal, in a notebook and in a log file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

Report = Callable[[int, int], None]
Tally = Callable[[int, int, int], None]  # told which one has how many draws, and divergences


class Together:
    """What several do at once, in threads of their own, reported as one."""

    def __init__(self, report: Report) -> None:
        self._report, self._lock = report, Lock()
        self._done: dict[Hashable, tuple[int, int]] = {}

    def among(self, names: Sequence[Hashable]) -> Tally:
        """Return a function that takes down of one of these, by its index, how many draws and divergences it has."""

        def tally(index: int, draws: int, divergences: int) -> None:
            with self._lock:
                self._done[names[index]] = draws, divergences
                self._report(*map(sum, zip(*self._done.values(), strict=True)))

        return tally


@contextmanager
def progress(title: str, total: int, shown: bool, unit: str = "draws") -> Iterator[Report]:
    """Yield a function to call with (draws, or whatever the unit is, done, divergences so far).

    A terminal or a notebook gets a moving bar; anything else, such as a log file, a line per quarter.
    """
    if not shown:
        yield lambda done, divergences: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal or console.is_jupyter:
        yield from _bar(console, title, total)
    else:
        yield _lines(title, total, unit)


def _bar(console, title: str, total: int) -> Iterator[Report]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=total)

        def report(done: int, divergences: int) -> None:
            trouble = f", {divergences} divergences" if divergences else ""
            bar.update(task, completed=done, description=title + trouble)

        yield report


def _lines(title: str, total: int, unit: str) -> Report:
    said = 0

    def report(done: int, divergences: int) -> None:
        nonlocal said
        quarter = 4 * done // total
        if quarter > said:
            said = quarter
            trouble = f", {divergences} divergences" if unit == "draws" else ""
            print(f"{title}: {done}/{total} {unit}{trouble}", file=sys.stderr, flush=True)

    return report
