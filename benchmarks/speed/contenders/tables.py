"""What all contenders share: how a table is read, and how draws are handed back.

Used in the environments of rivals too, so it needs pandas only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Table = dict[str, np.ndarray]
Fit = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]  # draws and statistics of the sampler by name


def read(folder: str, count: str = "") -> list[Table]:
    """Return the table, or those of the first `count` curves.

    A table has N and D, shape (run,), w, shape (run, domain), and loss, shape (run, target), where it has them at all.
    """
    table = pd.read_csv(Path(folder) / "runs.csv")
    if not count:
        return [_arrays(table)]
    return [_arrays(table[table["curve"] == i]) for i in range(int(count))]


def _arrays(table: pd.DataFrame) -> Table:
    scalars = {name: table[name].to_numpy() for name in ("N", "D") if name in table}
    blocks = {name: table.filter(regex=rf"^{name}(\.|$)").to_numpy() for name in ("w", "loss")}
    return scalars | {name: block for name, block in blocks.items() if block.size}


def record(path: str, fit: Callable[[Table], Fit], tables: list[Table]) -> None:
    """Fit one table after the other, and write draws and times."""
    times, fits = [now()], []
    for table in tables:
        fits.append(fit(table))
        times.append(now())
    draws, stats = (together(part) for part in zip(*fits, strict=True))
    save(path, draws, times=times, **stats)


def together(fits: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the draws of many fits as those of one, each fit an element along the last dimension."""
    return fits[0] if len(fits) == 1 else {name: np.stack([fit[name] for fit in fits], axis=-1) for name in fits[0]}


def save(path: str, draws: Mapping[str, Any], **stats: Any) -> None:
    """Write draws, shaped (chain, draw, ...), and what is known of how they came about."""
    np.savez(path, **draws, **{f"stats.{name}": value for name, value in stats.items()})


def now() -> tuple[float, float]:
    """Return wall and CPU seconds of this process."""
    return time.perf_counter(), time.process_time()
