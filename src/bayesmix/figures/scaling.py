"""Response against compute: what was run, what is planned, and how far apart the two lie."""

from __future__ import annotations

import dataclasses

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure

from bayesmix.errors import BayesmixError
from bayesmix.figures import style
from bayesmix.optimum import Optimum, compute_optimal
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction
from bayesmix.scores import LEVELS

# From pale to dark, so that size is read without a key, in grey print too; both ends are seen on white and on black.
_COLOURS = LinearSegmentedColormap.from_list("sizes", ["#8cc8ee", "#3d93d4", "#4f76d0", "#8257c8"])
_THICKNESS = dict(zip(LEVELS, (6.0, 4.0, 2.4, 1.2), strict=True))
_DRAWS = 200
_NAMED = 8


def has_scale(posterior: Posterior) -> bool:
    """Say whether the law depends on scale and the runs state their compute, so that `scaling_figure` can be drawn."""
    return bool({"N", "D", "C", "M"} & set(posterior.model.columns.values())) and "C" in posterior.runs.symbols


def scaling_figure(posterior: Posterior, prediction: Prediction | None = None) -> Figure:
    """Draw the runs, coloured by N if they state it, the compute-optimal frontier and planned runs against compute.

    Parameters
    ----------
    posterior : Posterior
        Of a law in N and D, or C and D/N, or C.
    prediction : Prediction, optional
        Planned runs with their intervals, from `predict` of the same posterior; left out if their compute is unknown.

    Raises
    ------
    BayesmixError
        The law has nothing to do with scale; ask `has_scale` before.
    """
    if not has_scale(posterior):
        needs = ", ".join(sorted(set(posterior.model.columns.values()))) or "nothing"
        raise BayesmixError(
            f"law {posterior.model.law.name} is one of {needs}: there is no compute to draw it against. "
            "Draw a law of N and D, such as chinchilla"
        )
    prediction = prediction if prediction and "C" in prediction.planned.symbols else None
    shown = range(len(posterior.targets))[: style.MOST_PANELS]
    columns = 1 if len(shown) == 1 else 3
    figure = style.canvas(4.4 if columns == 1 else 2.6 * -(-len(shown) // columns) + 0.9)
    axes = style.panels(figure, len(shown), columns, sharex=True)
    norm = _sizes(posterior, prediction)
    frontier = _frontier(posterior, prediction)
    for k, (one, j) in enumerate(zip(axes, shown, strict=True)):
        _panel(one, posterior, prediction, frontier, norm, j)
        target = posterior.targets[j]
        bottom = k + columns >= len(shown)
        style.label(one, x=style.with_unit("C") if bottom else "", y=style.with_unit(target) if columns == 1 else "",
                    title="" if columns == 1 else style.plain(target))  # fmt: skip
    _key(figure, axes[0], norm)
    return figure


def _sizes(posterior: Posterior, prediction: Prediction | None) -> LogNorm | None:
    """Return the scale of colours of N, or None where the runs do not state it."""
    if "N" not in posterior.runs.symbols:
        return None
    tables = [posterior.runs, *([prediction.planned] if prediction else [])]
    values = np.concatenate([table.column("N") for table in tables if "N" in table.symbols])
    return LogNorm(values.min() * 0.99, values.max() * 1.01)


def _frontier(posterior: Posterior, prediction: Prediction | None) -> Optimum | None:
    """Return the compute-optimal response over the whole axis, where the law is one of N and D alone."""
    spans = [posterior.runs.column("C"), *([prediction.planned.column("C")] if prediction else [])]
    budgets = np.geomspace(min(s.min() for s in spans), max(s.max() for s in spans), 24)
    group = posterior.tree["posterior"]
    step = max(1, group.sizes["chain"] * group.sizes["draw"] // _DRAWS)
    quick = _thinned(posterior, step)
    try:
        return compute_optimal(quick, budgets.tolist())
    except BayesmixError:
        return None


def _thinned(posterior: Posterior, step: int) -> Posterior:
    """Return the posterior with every step-th draw: enough for a line in a figure."""
    tree = posterior.tree.copy()
    for name in ("posterior", "sample_stats"):
        tree[name] = tree[name].isel(draw=slice(None, None, step))
    return dataclasses.replace(posterior, tree=tree, accepted=True)


def _panel(
    axes: Axes,
    posterior: Posterior,
    prediction: Prediction | None,
    frontier: Optimum | None,
    norm: LogNorm | None,
    j: int,
) -> None:
    C, response = (
        posterior.runs.column("C"),
        np.where(posterior.inputs.observed, posterior.inputs.response, np.nan)[:, j],
    )
    axes.axvspan(C.min(), C.max(), color=style.SHADE, lw=0, zorder=0, label="range of the fitted runs")
    if frontier is not None:
        low, middle, high = np.nanquantile(frontier.response[:, :, j], [0.1, 0.5, 0.9], axis=0)
        axes.fill_between(frontier.C, low, high, color=style.GREEN, alpha=0.25, lw=0, zorder=1)
        axes.plot(frontier.C, middle, color=style.GREEN, lw=1.2, zorder=2, label="compute-optimal, with 80 % band")
    seen = np.isfinite(response)
    low, high = _limits(response[seen], prediction, frontier, j)
    inside = seen & (response <= high) & (response >= low)
    colours = posterior.runs.column("N")[inside] if norm else style.BLUE
    axes.scatter(
        C[inside], response[inside], c=colours, cmap=_COLOURS if norm else None, norm=norm, s=13, lw=0, zorder=3
    )
    if prediction is not None:
        _planned(axes, prediction, j, named=len(posterior.targets) == 1)
    style.clipped(axes, C[seen], response[seen], low, high, style.ORANGE)
    spans = [C, *([prediction.planned.column("C")] if prediction is not None else [])]
    least, most = min(s.min() for s in spans), max(s.max() for s in spans)
    axes.set_xlim(least / (most / least) ** 0.03, most * (most / least) ** 0.08)
    style.log_axis(axes.xaxis, least, most, ticks=8 if len(posterior.targets) == 1 else 5)


def _limits(
    response: np.ndarray, prediction: Prediction | None, frontier: Optimum | None, j: int
) -> tuple[float, float]:
    """Return the ends of the response axis: a few runs that went wrong must not press the others together."""
    parts = [np.quantile(response, [0.01, 0.985])]
    if prediction is not None:
        parts.append(np.quantile(prediction.measured[:, :, j], [0.025, 0.975], axis=0).ravel())
    if frontier is not None:
        parts.append(np.nanquantile(frontier.response[:, :, j], [0.1, 0.9], axis=0).ravel())
    values = np.concatenate(parts)
    margin = 0.06 * np.ptp(values)
    return float(values.min() - margin), float(values.max() + margin)


def _planned(axes: Axes, prediction: Prediction, j: int, *, named: bool) -> None:
    C = prediction.planned.column("C")
    draws = prediction.measured[:, :, j]
    for level, thickness in reversed(_THICKNESS.items()):
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        axes.vlines(C, low, high, color=style.ORANGE, lw=thickness, alpha=0.55 if thickness > 2 else 1.0, zorder=5)
    middle = np.median(draws, axis=0)
    axes.plot(C, middle, "o", color="white", mec=style.ORANGE, mew=1.4, ms=6, zorder=6,
              label="planned, with 50, 80, 90 and 95 % intervals")  # fmt: skip
    if named and len(C) <= _NAMED:
        sizes = prediction.planned.column("N" if "N" in prediction.planned.symbols else "C")
        for x, y, size in zip(C, middle, sizes, strict=True):
            axes.annotate(f"{style.short(size)}: {y:.3g}", (x, y), xytext=(9, 9), textcoords="offset points",
                          fontsize=style.SMALL, color=style.INK, zorder=7)  # fmt: skip


def _key(figure: Figure, axes: Axes, norm: LogNorm | None) -> None:
    if norm:
        bar = figure.colorbar(ScalarMappable(norm, _COLOURS), ax=figure.axes, pad=0.01, aspect=35, fraction=0.03)
        bar.outline.set_visible(False)  # pyright: ignore
        style.log_axis(bar.ax.yaxis, float(norm.vmin or 1), float(norm.vmax or 1))
        bar.ax.tick_params(which="both", colors=style.MUTED, labelsize=style.SMALL, width=0.8, length=3)
        bar.set_label(style.with_unit("N"), fontsize=style.TEXT, color=style.INK)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=3,
        frameon=False,
        fontsize=style.SMALL,
        labelcolor=style.INK,
    )
