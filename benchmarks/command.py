"""The command line that benchmarks share: what is asked for, of what the measured tables at hand allow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from common import present


class Named(Protocol):
    """What can be asked for by a part of its name, and rests on a measured table."""

    @property
    def name(self) -> str:
        """Unique among its like."""
        ...

    @property
    def table(self) -> str:
        """Folder of the measured table."""
        ...


T = TypeVar("T", bound=Named)


def arguments(document: str | None, **switches: str) -> argparse.Namespace:
    """Read the command line: list, out and only; and a benchmark's own switches, by name and what they do."""
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print what there is")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where results are kept, and where to go on")
    parser.add_argument("--only", action="append", metavar="TEXT", help="what has this in its name")
    for name, does in switches.items():
        parser.add_argument(f"--{name}", action="store_true", help=does)
    asked = parser.parse_args()
    if not (asked.list or asked.out):
        parser.error("say --list, or --out FOLDER")
    return asked


def chosen(every: Sequence[T], only: Sequence[str] | None) -> list[T]:
    """Return what was asked for and has its table at hand; say which tables are not."""
    asked = [t for t in every if not only or any(text in t.name for text in only)]
    for table in sorted({t.table for t in asked if not present(t.table)}):
        print(f"{table} is not at hand: set BAYESMIX_DATA to the folder that has {table}/", file=sys.stderr)
    return [t for t in asked if present(t.table)]
