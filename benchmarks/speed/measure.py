"""A contender on a task: cold, warm, and what came of it."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from process import run
from rivals import SCRIPTS, Contender
from score import missing, read, worst
from tasks import Task

Row = dict[str, object]


def measured(task: Task, contender: Contender, python: Path, table: Path, limit: float, repeats: int) -> list[Row]:
    """Return the row of a cold process and that of a warm one, each of median wall time."""
    pairs = [_pair(task, contender, python, table, limit) for _ in range(repeats)]
    return [sorted(rows, key=_wall)[repeats // 2] for rows in zip(*pairs, strict=True)]


def _wall(row: Row) -> float:
    return math.inf if isinstance(row["wall s"], str) else row["wall s"]


def _pair(task: Task, contender: Contender, python: Path, table: Path, limit: float) -> tuple[Row, Row]:
    with tempfile.TemporaryDirectory() as folder:
        cache, result, log = (Path(folder) / name for name in ("cache", "result.npz", "log"))
        cache.mkdir()
        script = SCRIPTS / contender.script
        command = [python, script, task.model, table, result, *contender.options, *task.options]

        def row(start: str) -> Row:
            took = run(command, contender.environment(cache), limit, log)
            common = {"task": task.name, "contender": contender.name, "start": start, "peak MB": took.peak}
            if took.fault:
                return common | {"wall s": took.fault, "CPU s": took.cpu}
            draws, stats = read(result)
            wall, cpu = missing(stats["times"], contender.made, task.fits)
            return common | {
                "wall s": took.wall + wall,
                "CPU s": took.cpu + cpu,
                "fit s": stats["times"][-1, 0] - stats["times"][0, 0] + wall,
                "fits": task.fits,
                "fits made": contender.made,
                **worst(draws, stats, contender.made),
            }

        cold = row("cold")
        if isinstance(cold["wall s"], str):
            # A process that did not finish leaves a cache that is neither empty nor full.
            return cold, cold | {"start": "warm", "wall s": "not run", "CPU s": math.nan, "peak MB": math.nan}
        return cold, row("warm")
