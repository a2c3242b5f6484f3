"""One figure: what intervals cover, and how scores compare with the textbook posterior's, task by task."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from contenders import CONTENDERS, TEXTBOOK
from matplotlib.figure import Figure
from summary import COVERAGES, of_tasks

NOMINAL = np.array([0.5, 0.8, 0.9, 0.95])
COLOURS = dict(zip(CONTENDERS, ("#0b6e4f", "#08a045", "#444444", "#8a8a8a", "#c8553d", "#e0a458"), strict=True))


def figure(rows: pd.DataFrame) -> Figure:
    """Return coverage by contender beside the sorted ratios of interval scores."""
    tasks = of_tasks(rows)
    textbook = tasks[tasks["contender"] == TEXTBOOK].set_index("task")["interval_score95%"]
    made, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    left.plot([0.4, 1], [0.4, 1], color="black", linewidth=0.8, linestyle=":")
    for name, colour in COLOURS.items():
        mine = tasks[tasks["contender"] == name]
        mean = mine[[*COVERAGES]].mean().to_numpy()
        error = mine[[*COVERAGES]].std().to_numpy() / np.sqrt(len(mine))
        left.errorbar(NOMINAL, mean, error, color=colour, marker="o", markersize=4, capsize=2, label=name)
        if name != TEXTBOOK:
            ratio = np.sort(mine["interval_score95%"].to_numpy() / textbook.loc[mine["task"]].to_numpy())
            right.plot((np.arange(len(ratio)) + 0.5) / len(ratio), ratio, color=colour, label=name)
    left.set(xlabel="nominal coverage of central intervals", ylabel="share of hidden rows inside, mean over tasks",
             xlim=(0.45, 1), ylim=(0, 1))  # fmt: skip
    left.legend(frameon=False, fontsize=8)
    right.axhline(1, color="black", linewidth=0.8, linestyle=":")
    right.set(xlabel="share of tasks", ylabel=f"95 % interval score, relative to the {TEXTBOOK}", yscale="log")
    return made
