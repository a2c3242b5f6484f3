"""What all rows of a task, hidden ones included, show of its law's quantities, from which priors are learned.

`bayesmix.population` learns them. A task's own study never informs the priors that it is scored with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from numpyro.distributions import LogNormal
from shared import WIDE
from task import Task

from bayesmix import Model
from bayesmix.files import write_text
from bayesmix.population import Seen, learn, read, seen

# Study, law: what is believed of the law's quantities by all other studies.
Priors = Mapping[tuple[str, str], Mapping[str, LogNormal]]


def wide(task: Task, law: str) -> Model:
    """Return a law of a task with priors that say little."""
    return task.model(law, **WIDE.get(law, {}))


def kept(path: Path, tasks: Sequence[Task]) -> list[Seen]:
    """Return what all rows of tasks show, computed unless the folder has it."""
    found = []
    for task in tasks:
        if task.laws[0] in WIDE:
            file = path / task.folder / "quantities.csv"
            if not file.exists():
                small, _ = task.split()
                write_text(file, table(seen(wide(task, task.laws[0]), task.runs, small, task.table)))
            found += read(file)
    return found


def table(found: Sequence[Seen]) -> str:
    """Return what was seen as `bayesmix.population.read` reads it."""
    return pd.DataFrame(map(vars, found)).to_csv(index=False)


def left_out(found: Sequence[Seen], studies: Iterable[str]) -> Priors:
    """Return for every study what is believed of quantities by all others."""
    return {(study, law): learn([s for s in found if s.study != study], law) for study in set(studies) for law in WIDE}
