"""Which model would predict another run like these best."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from bayesmix.comparison import Comparison
from bayesmix.figures import style


def comparison_figure(comparison: Comparison) -> Figure:
    """Draw differences of the expected log predictive density with standard errors, and stacking weights.

    Parameters
    ----------
    comparison : Comparison
        The best model is drawn on top.
    """
    table = comparison.table.iloc[::-1]
    y = np.arange(len(table))
    figure = style.canvas(max(0.95 + 0.38 * len(table), 1.8))
    left, right = style.panels(figure, 2, 2, width_ratios=(2.6, 1), sharey=True)
    difference, error = table["diff"].to_numpy(float), np.nan_to_num(table["diff_se"].to_numpy(float))
    best = difference == 0
    left.axvline(0, color=style.LINE, lw=1.2, zorder=1)
    left.hlines(y, difference - 2 * error, difference + 2 * error, color=style.BLUE, lw=1.4, alpha=0.6, zorder=2)
    left.hlines(y, difference - error, difference + error, color=style.BLUE, lw=3.4, alpha=0.8, zorder=3)
    left.plot(difference[~best], y[~best], "o", color=style.BLUE, ms=6, mew=0, zorder=4)
    left.plot(difference[best], y[best], "o", color="white", mec=style.BLUE, mew=1.6, ms=7, zorder=4)
    left.set_yticks(y, [style.plain(str(name)) for name in table.index])
    left.set_ylim(-0.6, len(table) - 0.4)
    left.tick_params(axis="y", labelsize=style.TEXT, labelcolor=style.INK, length=0)
    style.label(
        left,
        x=f"elpd less the best's (nats, left out by {comparison.left_out}: {comparison.units}), ± 1 and 2 s.e.",
    )
    weight = table["weight"].to_numpy(float)
    right.barh(y, weight, height=0.5, color=style.BLUE, alpha=0.6, lw=0)
    for position, share in enumerate(weight.tolist()):
        right.text(share + 0.03, position, f"{share:.2f}", va="center", fontsize=style.SMALL, color=style.INK)
    right.set_xlim(0, 1.25)
    right.set_xticks([0, 0.5, 1.0])
    right.tick_params(axis="y", length=0, labelleft=False)
    style.label(right, x="stacking weight")
    return figure
