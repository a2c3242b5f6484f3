"""What the chosen mixture gains over the baseline."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from bayesmix.covariates import RESPONSES, head
from bayesmix.decision import Decision
from bayesmix.figures import style

_MOST_BINS = 400  # where the gain is far from zero


def gain_figure(decision: Decision, unit: str = "") -> Figure:
    """Draw the distribution of the gain over the baseline, paired draw by draw.

    Parameters
    ----------
    decision : Decision
        The decision.
    unit : str
        Unit of the objective; by default that of the targets which the problem names, if it names any and no function
        makes the objective of them.
    """
    named = "" if decision.own_objective else next(iter(decision.problem.objective), "")
    unit = unit or (RESPONSES[head(named)].unit if head(named) in RESPONSES else "")
    gain = decision.gain
    figure = style.canvas(2.9)
    (axes,) = style.panels(figure, 1, 1)
    low, high = np.quantile(gain, [0.002, 0.998])
    span = (high - low) or 1e-6 + abs(high)
    whole = max(high, 0.0) - min(low, 0.0)
    bins = np.linspace(min(low, 0.0), max(high, 0.0), min(max(40, round(40 * whole / span)), _MOST_BINS) + 1)
    counts, edges = np.histogram(np.clip(gain, bins[0], bins[-1]), bins)
    share = counts / len(gain)
    colors = np.where(edges[:-1] + np.diff(edges) / 2 > 0, style.BLUE, style.ORANGE)
    axes.bar(edges[:-1], share, np.diff(edges), align="edge", color=colors, alpha=0.55, lw=0)
    axes.axvline(0, color=style.INK, lw=1.2)
    left, right = np.quantile(gain, [0.05, 0.95])
    level = -0.06 * share.max()
    axes.hlines(level, left, right, color=style.INK, lw=2.4)
    axes.plot(gain.mean(), level, "o", color=style.INK, ms=6, mew=0)
    axes.set_ylim(2.2 * level, 1.18 * share.max())
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    margin = 0.04 * (bins[-1] - bins[0])
    axes.set_xlim(bins[0] - margin, bins[-1] + margin)
    style.label(
        axes,
        x=f"gain over the baseline ({unit or 'units of the objective'})",
        title=f"Probability that the mixture beats the baseline: {probability(decision.p_better, len(gain))}",
    )
    style.note(
        axes,
        0.0,
        0.99,
        "← worse than the baseline   better →" if gain.min() < 0 < gain.max() else "",
        va="top",
    )
    style.note(axes, 1.0, 0.99, "bar: 90 % interval, dot: expected gain", va="top", ha="right")
    return figure


def probability(p: float, draws: int) -> str:
    """Return a probability as text that does not claim more than the draws can tell.

    >>> probability(0.973, 1000), probability(1.0, 1000)
    ('97 %', 'above 99.9 %')
    """
    least = 1 / draws
    if p > 1 - least:
        return f"above {100 * (1 - least):.3g} %"
    if p < least:
        return f"below {100 * least:.2g} %"
    return f"{100 * p:.1f} %" if p > 0.99 or p < 0.01 else f"{100 * p:.0f} %"
