"""What forecasts of hidden runs were worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bayesmix.extrapolation import Extrapolation
from bayesmix.figures import style
from bayesmix.scores import LEVELS


def extrapolation_figure(extrapolation: Extrapolation) -> Figure:
    """Draw errors and intervals of the hidden responses against their distance, coverage, and PIT.

    Parameters
    ----------
    extrapolation : Extrapolation
        Forecasts of hidden runs.
    """
    figure = style.canvas(3.6)
    wide, middle, right = figure.subplots(1, 3, width_ratios=(2.2, 1, 1))
    for axes in (wide, middle, right):
        style.dress(axes)
    _errors(wide, extrapolation)
    _coverage(middle, extrapolation)
    _pit(right, extrapolation)
    handles, labels = wide.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=5, frameon=False, fontsize=style.SMALL,
                  labelcolor=style.INK)  # fmt: skip
    return figure


def _errors(axes, extrapolation: Extrapolation) -> None:
    table = extrapolation.table
    error = 100 * table["bias"]
    ends = [100 * end for end in _ends(table)]
    thresholds = sorted(set(table["at"]))
    for at, color in zip(thresholds, style.CYCLE * len(thresholds), strict=False):
        part = (table["at"] == at).to_numpy()
        x = table["decades"][part]
        axes.vlines(x, ends[0][part], ends[1][part], color=color, lw=1.6, alpha=0.3)
        axes.plot(
            x, error[part], "o", color=color, ms=3.5, mew=0, label=f"fitted: {extrapolation.by} ≤ {style.short(at)}"
        )
    axes.axhline(0, color=style.INK, lw=0.9)
    # Wide intervals shall not hide the errors that they are there for.
    reach = max(1.5 * float(np.abs(error).max()), float(np.quantile(np.abs(np.concatenate(ends)), 0.8)))
    axes.set_ylim(-reach, reach)
    style.label(
        axes,
        x=f"decades of {extrapolation.by} beyond the fitted runs",
        y="error of the forecast (%)",
        title=f"{style.plain(extrapolation.model)}: hidden runs and 90 % intervals",
    )


def _ends(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of 90 % intervals over the median, in the unit of the errors; see `Extrapolation.table`."""
    low, high = np.full((2, len(table)), np.nan)
    for place in table.groupby(["at", "target"]).indices.values():
        part = table.iloc[place]
        ends = (part["low90%"].to_numpy(), part["high90%"].to_numpy())
        middle, truth, bias = (part[name].to_numpy() for name in ("median", "truth", "bias"))
        if (truth > 0).all():
            low[place], high[place] = (np.log(end / middle) for end in ends)
        else:  # multiples of the reference, which any error but 0 tells
            k = int(np.abs(bias).argmax())
            reference = (truth[k] - middle[k]) / bias[k] if bias[k] else 1.0
            low[place], high[place] = ((end - middle) / reference for end in ends)
    return low, high


def _coverage(axes, extrapolation: Extrapolation) -> None:
    everything = extrapolation.scores(by=()).iloc[0]
    x = 100 * np.array(LEVELS)
    axes.plot([0, 100], [0, 100], color=style.LINE, lw=1.2)
    axes.plot(x, [100 * everything[f"coverage{level:.0%}"] for level in LEVELS], "o-", color=style.BLUE, ms=5, mew=0)
    axes.set_xlim(40, 101)
    axes.set_ylim(-3, 103)
    style.label(axes, x="nominal (%)", y="covered (%)", title="Coverage")


def _pit(axes, extrapolation: Extrapolation) -> None:
    pit = extrapolation.table["pit"]
    bins = np.linspace(0, 1, 11)
    share, _ = np.histogram(pit, bins)
    axes.bar(bins[:-1], share / len(pit), 0.1, align="edge", color=style.BLUE, alpha=0.55, lw=0)
    axes.axhline(0.1, color=style.INK, lw=0.9)
    style.label(axes, x="PIT", y="share of responses", title="Where the truth fell")
