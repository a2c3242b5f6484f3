"""Scores of forecasts: every hidden response counts once, every split of a task once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from store import LEVELS


def scored(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of one split, one row a contender."""
    rows = []
    for name, part in forecasts.groupby("contender", sort=False):
        truth = part["truth"]
        row = {"contender": name, "error": 100 * (part["median"] / truth - 1).abs().mean()}
        for level in LEVELS:
            low, high = part.get(f"low{level:.0%}"), part.get(f"high{level:.0%}")
            inside = np.nan if low is None or low.isna().any() else ((low <= truth) & (truth <= high)).mean()
            row[f"in {level:.0%}"] = inside
        rows.append(row)
    return pd.DataFrame(rows)


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Return means over the splits of each task, with the range of the error, ready to print."""
    rows = []
    for (task, name), part in scores.groupby(["task", "contender"], sort=False):
        error = part["error"]
        spread = f" ({error.min():.2f} to {error.max():.2f})" if len(part) > 1 else ""
        coverage = {c: part[c].mean() for c in part if c.startswith("in ")}
        rows.append(
            {
                "task": task,
                "contender": name,
                "error, %": f"{error.mean():.2f}{spread}",
                **{c: "" if np.isnan(v) else f"{v:.2f}" for c, v in coverage.items()},
            }
        )
    return pd.DataFrame(rows)
