"""What a law says, drawn: bands of prior draws, single draws, and the curves that papers publish."""

from __future__ import annotations

import numpy as np
from curves import Curves, Panel
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from bayesmix.covariates import RESPONSES, is_fraction
from bayesmix.figures import style
from bayesmix.law import Law

SINGLE = 6  # draws shown as curves of their own
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_SMALL = (3.8, 2.7)  # inches: on a phone's width its type is as large as the page's small print
_LOGARITHMIC = 6  # a response that varies by such a factor is drawn over decades
_SHORT = 100  # a logarithmic axis as short as that has labels at 1, 2, 5, 10, ...
_TRIM = 0.03  # of the points at either end of an axis, where a law may have a pole
_DASHES = ((), (5, 2), (1, 1.5))
_COLOURS = style.CYCLE[1:]


def look(k: int) -> tuple[int, str, tuple[float, ...]]:
    """Return how the k-th published fit is drawn: number of its colour on the page, the colour, and its dashes."""
    turn, colour = divmod(k, len(_COLOURS))
    return colour + 2, _COLOURS[colour], _DASHES[turn % len(_DASHES)]


def response(law: Law, curves: Curves) -> str:
    """Return the label of the vertical axis."""
    if curves.is_ratio:
        return f"{law.response} / its reference"
    unit = RESPONSES[law.response].unit
    return f"{law.response} ({unit})" if unit else law.response


def limits(panel: Panel, target: str) -> tuple[float, float, bool]:
    """Return the ends of the vertical axis, and whether it is logarithmic."""
    if is_fraction(target):
        return 0.0, 1.0, False
    low, high = np.quantile(panel.prior, [_LEVELS[0], _LEVELS[-1]], axis=0)
    ends = [np.quantile(low, _TRIM), np.quantile(high, 1 - _TRIM)]
    ends += [end for curve in panel.published for end in (curve.min(), curve.max())]
    least, most = float(min(ends)), float(max(ends))
    if target != "score" and least > 0 and most / least > _LOGARITHMIC:
        return least / 1.15, most * 1.15, True
    margin = 0.04 * (most - least)
    return least - margin, most + margin, False


def figure(law: Law, curves: Curves, panel: Panel) -> Figure:
    """Return the picture of one covariate."""
    drawn = style.canvas(_SMALL[1], width=_SMALL[0])
    (axes,) = style.panels(drawn, 1, 1)
    low, near, middle, far, high = np.quantile(panel.prior, _LEVELS, axis=0)
    axes.fill_between(panel.x, low, high, color=style.BLUE, alpha=0.14, lw=0)
    axes.fill_between(panel.x, near, far, color=style.BLUE, alpha=0.2, lw=0)
    for draw in panel.prior[:SINGLE]:
        axes.plot(panel.x, draw, color=style.MUTED, lw=0.6, alpha=0.7)
    axes.plot(panel.x, middle, color=style.BLUE, lw=1.6)
    for k, curve in enumerate(panel.published):
        _, colour, dashes = look(k)
        for target in curve:
            axes.plot(panel.x, target, color=colour, lw=1.4, ls=(0, dashes) if dashes else "solid")
    bottom, top, logarithmic = limits(panel, law.response)
    if panel.decades:
        _logarithmic(axes.xaxis, panel.x[0], panel.x[-1])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: style.short(v)))
    if logarithmic:
        _logarithmic(axes.yaxis, bottom, top)
    axes.set_ylim(bottom, top)
    axes.set_xlim(panel.x[0], panel.x[-1])
    style.label(axes, x=_along(law, panel.covariate), y=response(law, curves))
    return drawn


def _logarithmic(axis: Axis, low: float, high: float) -> None:
    style.log_axis(axis, low, high, ticks=5)
    if high / low < _SHORT:
        axis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))


def _along(law: Law, covariate: str) -> str:
    if covariate == "w":
        return "weight of the target's own domain" if law.vector else "weight of one domain"
    unit = law.takes[covariate].unit
    return f"{covariate} ({unit})" if unit not in ("", covariate) else covariate


def outside(panel: Panel) -> float:
    """Return the share of draws that are no fraction somewhere along the covariate."""
    return float(((panel.prior < 0) | (panel.prior > 1)).any(axis=1).mean())


def thumbnail(law: Law, curves: Curves, width: int = 96, height: int = 40) -> str:
    """Return the same without words, as SVG of a few hundred letters."""
    # What is the law's own is more telling than one more curve that falls with N.
    panel = next((p for p in curves.panels if p.covariate in law.described), curves.panels[0])
    bottom, top, logarithmic = limits(panel, law.response)
    every = slice(None, None, 4)
    x = np.linspace(0, width, len(panel.x))[every]

    def points(y: np.ndarray, order: int = 1) -> str:
        ends = np.log([bottom, top]) if logarithmic else np.array([bottom, top])
        shares = ((np.log(np.maximum(y, 1e-300)) if logarithmic else y) - ends[0]) / (ends[1] - ends[0])
        heights = height * (1 - np.clip(shares, 0, 1))
        return " ".join(f"{a:.0f},{b:.1f}" for a, b in list(zip(x, heights[every], strict=True))[::order])

    low, near, middle, far, high = np.quantile(panel.prior, _LEVELS, axis=0)
    bands = "".join(
        f'<polygon points="{points(b)} {points(a, -1)}" style="fill:var(--mark-1,{style.BLUE});fill-opacity:.2"/>'
        for a, b in ((low, high), (near, far))
    )
    lines = [(middle, 1)] + [(t, look(k)[0]) for k, c in enumerate(panel.published) for t in c[:1]]
    strokes = "".join(
        f'<polyline points="{points(y)}" style="fill:none;stroke:var(--mark-{mark},{style.CYCLE[mark - 1]})"/>'
        for y, mark in lines
    )
    return f'<svg class="thumbnail" viewBox="0 0 {width} {height}" aria-hidden="true">{bands}{strokes}</svg>'
