"""What all figures share: colours that colour-blind readers tell apart, axes, units and clipped outliers."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from bayesmix.covariates import COVARIATES, RESPONSES, head

# Okabe and Ito (2008), in an order that keeps neighbours apart in grey print too.
BLUE, ORANGE, GREEN, PURPLE, SKY, GOLD = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
INK, MUTED, LINE, SHADE = "#1f2933", "#66707c", "#c9ced6", "#eef1f5"
# On a coloured ground, which is the same whatever the theme of the page around it.
ON_PALE, ON_PALE_MUTED, ON_DARK = "#1e2932", "#545e69", "#fefefe"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, GOLD, SKY, "#4d4d4d", "#8c6d1f")
WIDTH = 9.0
SMALL, TEXT = 8.0, 9.0
MOST_PANELS = 12
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def canvas(height: float, *, width: float = WIDTH) -> Figure:
    """Return an empty figure on white, whatever the user's own settings are."""
    return Figure(figsize=(width, height), dpi=100, facecolor="white", layout="constrained")


def panels(figure: Figure, count: int, columns: int, **subplots) -> list[Axes]:
    """Return `count` styled axes on a grid of at most `columns`."""
    columns = min(columns, count)
    grid = figure.subplots(-(-count // columns), columns, squeeze=False, **subplots).ravel()
    for spare in grid[count:]:
        spare.set_visible(False)
    for axes in grid[:count]:
        dress(axes)
    return list(grid[:count])


def dress(axes: Axes) -> None:
    """Give axes the common look: two thin spines, quiet ticks, no grid."""
    axes.set_facecolor("white")
    axes.grid(visible=False)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(LINE)
        spine.set_linewidth(0.8)
    axes.tick_params(which="both", colors=MUTED, labelsize=SMALL, width=0.8, length=3, direction="out")
    axes.set_prop_cycle(color=list(CYCLE))


def label(axes: Axes, *, x: str = "", y: str = "", title: str = "") -> None:
    """Set labels and title in the common type."""
    axes.set_xlabel(x, fontsize=TEXT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT, color=INK)
    if title:
        axes.set_title(title, fontsize=TEXT, color=INK, loc="left")


def note(axes: Axes, x: float, y: float, text: str, **how) -> None:
    """Write small text in the coordinates of the axes, 0 to 1."""
    written = axes.text(x, y, plain(text, 80), transform=axes.transAxes, **{"fontsize": SMALL, "color": MUTED, **how})
    # A note lies over the axes and must not push them apart.
    written.set_in_layout(False)


def with_unit(name: str) -> str:
    """Return the axis label of a column: what it is, and what it is counted in."""
    if name in COVARIATES:
        unit = COVARIATES[name].unit
        return f"{name}: {COVARIATES[name].meaning.split(',')[0]} ({unit})" if unit else name
    unit = RESPONSES[head(name)].unit if head(name) in RESPONSES else ""
    return plain(name) + (f" ({unit})" if unit else "")


def plain(text: str, longest: int = 26) -> str:
    """Return a name as a label: shortened in the middle, nothing in it read as mathematics."""
    if len(text) > longest:
        half = (longest - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    return text.replace("$", r"\$")


def log_axis(axis, low: float, high: float, *, ticks: int = 6) -> None:
    """Put a covariate on a logarithmic axis with few labels, written as powers of ten or as 100M, 1B."""
    axis.axes.set_xscale("log") if axis.axis_name == "x" else axis.axes.set_yscale("log")
    if high / low < 30:
        # On so short an axis powers of ten are too few: round numbers instead.
        axis.set_major_locator(FixedLocator([v for v in MaxNLocator(ticks).tick_values(low, high) if v > 0]))
    else:
        axis.set_major_locator(LogLocator(10, numticks=ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))


def short(value: float) -> str:
    """Return a number as an axis shows it.

    >>> short(7e9), short(1e19), short(5.88e23), short(0.25), short(0), short(999.7e6)
    ('7B', '10¹⁹', '5.88 × 10²³', '0.25', '0', '1B')
    """
    value = float(f"{value:.3g}")
    if value and not 1e-3 < abs(value) < 1e15:
        exponent = int(np.floor(np.log10(abs(value)) + 1e-9))
        mantissa = value / 10**exponent
        power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
        return power if abs(mantissa - 1) < 1e-6 else f"{mantissa:.3g} × {power}"
    for unit, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.3g}{suffix}"
    return f"{value:.3g}"


def clipped(
    axes: Axes, x: np.ndarray, y: np.ndarray, low: float, high: float, color: str, *, left: bool = False
) -> None:
    """End the axis at [low, high], mark points beyond at its edge, and write how many they are."""
    outside = (y < low) | (y > high)
    for beyond, edge, marker in ((y > high, high, "^"), (y < low, low, "v")):
        if not beyond.any():
            continue
        axes.plot(x[beyond], np.full(beyond.sum(), edge), marker, color=color, ms=5, mew=0, clip_on=False, zorder=4)
    if outside.any():
        farthest = y[outside][np.abs(y[outside] - (low + high) / 2).argmax()]
        text = f"{outside.sum()} beyond, to {farthest:.2g}"
        note(axes, 0.02 if left else 0.98, 0.97, text, ha="left" if left else "right", va="top", color=INK)
    axes.set_ylim(low, high)
