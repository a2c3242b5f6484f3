"""The chosen mixture, and how sure each of its weights is."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bayesmix.decision import Decision
from bayesmix.decision.constraints import limits
from bayesmix.figures import style

NEAR = "nearly as good"


def mixture_figure(decision: Decision) -> Figure:
    """Draw weights with 90 % intervals of the optimal weight, nearly as good ones, baseline, observed range and bounds.

    Parameters
    ----------
    decision : Decision
        Domains are drawn from the greatest weight down.
    """
    order = np.argsort(decision.mixture, kind="stable")
    y = np.arange(len(order))
    figure = style.canvas(max(1.2 + 0.36 * len(order), 2.4))
    (axes,) = style.panels(figure, 1, 1)
    observed = [v[order] for v in decision.observed]
    bounds = [v[order] for v in limits(decision.problem, decision.domains)]
    low, high = np.quantile(decision.optima, [0.05, 0.95], axis=0)[:, order]
    axes.barh(
        y,
        observed[1] - observed[0],
        left=observed[0],
        height=0.62,
        color=style.SHADE,
        lw=0,
        zorder=1,
        label="fitted runs",
    )
    least, most = (v[order] for v in decision.near)
    axes.hlines(y, least, most, color=style.MUTED, lw=7, alpha=0.35, zorder=2, label=NEAR)
    ends = np.concatenate(bounds), np.tile(y, 2)
    axes.plot(*ends, "|", color=style.MUTED, ms=13, mew=1.2, zorder=2, label="bounds")
    axes.hlines(y, low, high, color=style.BLUE, lw=2.4, alpha=0.55, zorder=3, label="90 % interval of the optimum")
    axes.plot(
        decision.baseline[order],
        y,
        "D",
        color="white",
        mec=style.ORANGE,
        mew=1.4,
        ms=6,
        zorder=4,
        label="baseline",
    )
    axes.plot(decision.mixture[order], y, "o", color=style.BLUE, ms=7, mew=0, zorder=5, label="chosen")
    axes.set_yticks(y, [style.plain(decision.domains[i]) for i in order])
    most = max(
        *observed[1], *high, *decision.near[1], *decision.mixture, *decision.baseline, *bounds[1][bounds[1] < 1], 0.05
    )
    # Bounds of 0 and 1 bind nothing that a mixture could do and would only widen the axis.
    axes.set_xlim(-0.01 * most, min(1.0, 1.04 * most))
    axes.set_ylim(-0.7, len(order) - 0.3)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.tick_params(axis="y", labelsize=style.TEXT, labelcolor=style.INK, length=0)
    style.label(axes, x="weight in the mixture")
    handles, labels = axes.get_legend_handles_labels()
    wanted = ["chosen", "90 % interval of the optimum", NEAR, "baseline", "fitted runs", "bounds"]
    figure.legend([handles[labels.index(w)] for w in wanted], wanted, loc="outside upper left", ncols=3, frameon=False,
                  fontsize=style.SMALL, labelcolor=style.INK)  # fmt: skip
    return figure
