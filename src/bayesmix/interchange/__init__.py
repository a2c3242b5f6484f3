"""Files of other systems, read and written: the folder is the registry, one format a file.

A module whose name begins with a letter is a format. It has `read(sources, card)`, which returns a `Table`, or
`write(launch)`, which returns the text of a file, or both; its docstring shows the format and says where that is from.

>>> "regmix" in readable(), "megatron" in writable()
(True, True)
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from bayesmix.card import Card
from bayesmix.errors import BayesmixError, suggest
from bayesmix.interchange._join import joined
from bayesmix.interchange._launch import Launch, launch_of, read_data
from bayesmix.interchange._reading import Source, Table, admitted
from bayesmix.runs import Runs

if TYPE_CHECKING:
    from bayesmix.decision import Decision


@cache
def _formats() -> dict[str, ModuleType]:
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}


def readable() -> dict[str, ModuleType]:
    """Return the formats that can be read, by name."""
    return {name: module for name, module in _formats().items() if hasattr(module, "read")}


def writable() -> dict[str, ModuleType]:
    """Return the formats that can be written, by name."""
    return {name: module for name, module in _formats().items() if hasattr(module, "write")}


def get(name: str, known: Mapping[str, ModuleType]) -> ModuleType:
    """Return a format by name, with `-` for `_` if one likes.

    Raises
    ------
    BayesmixError
        There is no such format; the known ones are listed.
    """
    folded = name.replace("-", "_")
    if folded not in known:
        raise BayesmixError(f"there is no format {name!r} here. {suggest(folded, known)}")
    return known[folded]


def read(
    name: str,
    files: Sequence[str | Path],
    card: Card | None = None,
    *,
    runs: str | Path | None = None,
    same: Mapping[str, str] | None = None,
) -> Runs:
    """Read what another system wrote as a table of runs.

    Parameters
    ----------
    name : str
        The format.
    files : sequence of str or Path
        What to read; ``"RUN=FILE"`` names the run of a file that holds one and does not say which.
    card : Card, optional
        Names and units, where they are not the ones that the format has by itself; columns are named as in the files.
    runs : str or Path, optional
        CSV with what the files do not tell of the runs (N, D, w.*, ...), joined by `run`.
    same : mapping of str to str, optional
        Columns that are the same in every row: ``{"N": "1e6"}``.

    Raises
    ------
    BayesmixError
        There is no such format.
    InputError
        Everything that is wrong with the files, by file, row and run.
    """
    sources = [Source.of(file) for file in files]
    table: Table = get(name, readable()).read(sources, card or Card())
    if runs is not None:
        table = joined(table, Path(runs))
    return admitted(table, same or {}, source=" and ".join(dict.fromkeys(str(source.path) for source in sources)))


def launch(decision: Decision, data: str | Path | None = None, *, source: str = "", notice: str = "") -> Launch:
    """Return a decided mixture with exact weights, ready to be written in any format.

    Parameters
    ----------
    decision : Decision
        Whose mixture is rounded to six digits that sum to one.
    data : str or Path, optional
        TOML with the paths and sizes of each domain's data; see `read_data`.
    source, notice : str
        Where the decision is from, and what must be said of its data: repeated where the format has room for it.

    Raises
    ------
    InputError
        Everything that is wrong with `data`.
    """
    stated = read_data(Path(data), decision.domains) if data is not None else {}
    return launch_of(decision, stated, source=source, notice=notice)


def write(name: str, launched: Launch) -> str:
    """Return the text of the file that another system launches from.

    Raises
    ------
    BayesmixError
        There is no such format.
    InputError
        What the format needs and is not known of the data.
    """
    return get(name, writable()).write(launched)
