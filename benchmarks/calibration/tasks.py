"""Every task of this benchmark, and a table of them."""

from __future__ import annotations

from functools import cache

import curves
import designs
import downstream
import mixtures
import pandas as pd
from shared import TABLES, present
from task import Task


def at_hand(study: str) -> bool:
    """Say whether a study's table is there: one of this project's own always is."""
    return study not in TABLES or present(study)


@cache
def tasks() -> tuple[Task, ...]:
    """Return all tasks whose tables are at hand, in a fixed order."""
    families = (designs, curves, mixtures, downstream)
    return tuple(task for family in families for task in family.tasks() if at_hand(task.table))


def listing(asked: list[str] | None = None) -> pd.DataFrame:
    """Return one row a task: what it is cut by, rows, and how far it asks.

    Raises
    ------
    ValueError
        A task has too few rows or scales.
    """
    rows = []
    for task in tasks():
        if not task.among(asked):
            continue
        if fault := task.fault():
            raise ValueError(fault)
        small, large = task.split()
        rows.append(
            {
                "task": task.name,
                "table": task.table,
                "kind": task.kind,
                "cut": f"{task.cut.by} <= {task.at:.3g}",
                "fitted": len(small),
                "hidden": len(large),
                "runs fitted": len(set(small.names)),
                "decades": f"{task.decades:.2f}",
                "law": task.laws[0],
            }
        )
    return pd.DataFrame(rows)
