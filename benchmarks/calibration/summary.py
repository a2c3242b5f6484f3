"""Scores over tasks: each task counts once, however many rows it hides."""

from __future__ import annotations

import numpy as np
import pandas as pd
from contenders import TEXTBOOK

COVERAGES = ("coverage50%", "coverage80%", "coverage90%", "coverage95%")
LOSSES = ("crps", "log_score", "interval_score95%", "absolute_error")
LARGE = 20  # hidden rows of a table, from which on its coverage is judged by itself


def of_tasks(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean scores, one row a task and contender."""
    keys = ["contender", "kind", "table", "task"]
    return rows.groupby(keys, sort=False)[[*COVERAGES, *LOSSES, "width90%"]].mean().reset_index()


def by_contender(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over tasks with standard errors, and how often a contender beats the textbook posterior."""
    tasks = of_tasks(rows)
    textbook = tasks[tasks["contender"] == TEXTBOOK].set_index("task")
    found = []
    for name, mine in tasks.groupby("contender", sort=False):
        row = {"contender": name, "tasks": len(mine)}
        for score in (*COVERAGES, *LOSSES):
            row[score] = (mine[score].mean(), mine[score].std() / np.sqrt(len(mine)))
        theirs = textbook.loc[mine["task"]]
        for score in ("crps", "interval_score95%", "absolute_error"):
            ratio = np.log(mine[score].to_numpy() / theirs[score].to_numpy())
            row[f"{score}, ratio"] = (np.exp(ratio.mean()), np.exp(ratio.mean()) * ratio.std() / np.sqrt(len(ratio)))
            row[f"{score}, better in"] = float((ratio < 0).mean())
        found.append(row)
    return pd.DataFrame(found)


def by_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return coverage by contender and table, for tables with enough hidden rows."""
    large = rows.groupby("table").filter(lambda part: part["task"].size / part["contender"].nunique() >= LARGE)
    tasks = of_tasks(large)
    return tasks.groupby(["table", "contender"], sort=False)[[*COVERAGES]].mean().reset_index()


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return numbers as text, with standard errors where there are some."""

    def text(value):
        if isinstance(value, tuple):
            return f"{value[0]:.3g} ± {value[1]:.1g}"
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    return table.map(text)
