"""How well the law describes the runs it was fitted to."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.covariates import BY_DOMAIN, is_fraction
from bayesmix.figures import style
from bayesmix.figures.fitted import Fitted, fitted
from bayesmix.posterior import Posterior

_BINS = 12


def fit_figure(posterior: Posterior, facts: Fitted | None = None) -> Figure:
    """Draw measured against median response, and the residuals with their 90 % predictive band.

    Residuals are drawn against the first of C, N, D or a scalar covariate of the law that varies, else against the
    median response. Of more than 12 targets, those with the largest residuals are shown.

    Parameters
    ----------
    posterior : Posterior
        Any posterior, converged or not.
    facts : Fitted, optional
        The law at the fitted runs, where it is known already: of many runs it takes a while.
    """
    facts = facts or fitted(posterior)
    shown = _shown(facts)
    if len(shown) == 1:
        figure = style.canvas(3.7)
        left, right = style.panels(figure, 2, 2, width_ratios=(1, 1.35))
        _agreement(left, facts, shown[0])
        _residuals(right, posterior, facts, shown[0])
        _label(posterior, [left], [right], shown)
        return figure
    rows = -(-len(shown) // 4)
    figure = style.canvas(4.0 * rows + 0.8)
    upper, lower = figure.subfigures(2, 1, hspace=0.04, squeeze=False)[:, 0]
    above = style.panels(upper, len(shown), 4)
    below = style.panels(lower, len(shown), 4)
    for axes, other, j in zip(above, below, shown, strict=True):
        _agreement(axes, facts, j)
        _residuals(other, posterior, facts, j)
    _label(posterior, above, below, shown)
    if len(shown) < len(posterior.targets):
        upper.suptitle(
            f"{len(shown)} of {len(posterior.targets)} targets: those with the largest residuals",
            fontsize=style.TEXT, color=style.MUTED,
        )  # fmt: skip
    return figure


def _shown(facts: Fitted) -> list[int]:
    with np.errstate(all="ignore"):
        spread = np.nanquantile(np.abs(facts.residual), 0.9, axis=0)
    return sorted(np.argsort(-spread, kind="stable")[: style.MOST_PANELS].tolist())


def _agreement(axes: Axes, facts: Fitted, j: int) -> None:
    seen = np.isfinite(facts.measured[:, j])
    median, measured = facts.median[seen, j], facts.measured[seen, j]
    least, most = (
        min(median.min(), np.quantile(measured, 0.01)),
        max(median.max(), np.quantile(measured, 0.99)),
    )
    margin = 0.06 * (most - least) or 0.01 * abs(most)
    ends = least - margin, most + margin
    axes.plot(ends, ends, color=style.LINE, lw=1.2, zorder=1)
    inside = (measured >= ends[0]) & (measured <= ends[1])
    axes.plot(
        median[inside],
        measured[inside],
        "o",
        color=style.BLUE,
        ms=3.5,
        mew=0,
        alpha=_alpha(seen.sum()),
        zorder=3,
    )
    style.clipped(axes, median, measured, *ends, style.ORANGE, left=True)
    axes.set_xlim(ends)
    axes.locator_params(nbins=5)


def _residuals(axes: Axes, posterior: Posterior, facts: Fitted, j: int) -> None:
    name = abscissa(posterior)
    residual = facts.residual[:, j]
    seen = np.isfinite(residual)
    x = facts.median[:, j] if name is None else posterior.runs.column(name)
    axes.axhline(0, color=style.MUTED, lw=0.8, zorder=2)
    position, low, high = _band(np.log(x) if name else x, facts.low[:, j], facts.high[:, j])
    if len(position) > 1:
        axes.fill_between(np.exp(position) if name else position, low, high, color=style.SKY, alpha=0.3, lw=0, zorder=1)
    else:
        axes.axhspan(low[0], high[0], color=style.SKY, alpha=0.3, lw=0, zorder=1)
    edge = 1.4 * max(np.abs([low, high]).max(), np.quantile(np.abs(residual[seen]), 0.97, method="lower"))
    inside = seen & (np.abs(residual) <= edge)
    axes.plot(x[inside], residual[inside], "o", color=style.BLUE, ms=3.5, mew=0, alpha=_alpha(seen.sum()), zorder=3)
    style.clipped(axes, x[seen], residual[seen], -edge, edge, style.ORANGE)
    if name:
        style.log_axis(axes.xaxis, x.min(), x.max(), ticks=4 if len(posterior.targets) > 1 else 6)
    else:
        axes.locator_params(axis="x", nbins=4)


def abscissa(posterior: Posterior) -> str | None:
    """Return the covariate to draw residuals against; None if no scalar one varies."""
    scalars = [c for c in posterior.model.columns.values() if c not in BY_DOMAIN]
    for name in dict.fromkeys([*(s for s in ("C", "N", "D") if s in posterior.runs.symbols), *scalars]):
        values = posterior.runs.column(name)
        if (values > 0).all() and values.max() > 1.05 * values.min():
            return name
    return None


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the typical interval along x: the predictive interval of single runs depends on other covariates too."""
    order = np.argsort(x)
    groups = [g for g in np.array_split(order, min(_BINS, len(np.unique(x)))) if len(g)]
    centre = np.array([np.median(x[g]) for g in groups])
    centre[[0, -1]] = x.min(), x.max()
    typical = [np.array([np.median(v[g]) for g in groups]) for v in (low, high)]
    return centre, typical[0], typical[1]


def _alpha(points: int) -> float:
    return float(np.clip(60 / points, 0.25, 0.75))


def _label(posterior: Posterior, above: list[Axes], below: list[Axes], shown: list[int]) -> None:
    name = abscissa(posterior)
    several = len(shown) > 1
    columns = 4 if several else 1
    against = "median of the law" if name is None else name if several else style.with_unit(name)
    for k, (axes, other, j) in enumerate(zip(above, below, shown, strict=True)):
        target = posterior.targets[j]
        bottom = k + columns >= len(shown)
        unit = "percentage points" if is_fraction(target) else "%"
        response = "" if several else f": {style.with_unit(target)}"
        style.label(axes, x=f"median of the law{response}" if bottom else "",
                    y=f"measured{response}" if k % columns == 0 else "",
                    title=style.plain(target, 20) if several else "")  # fmt: skip
        style.label(other, x=against if bottom else "",
                    y=f"measured − median ({unit})" if k % columns == 0 else "",
                    title=style.plain(target, 20) if several else "")  # fmt: skip
    title = "Residuals; shaded: 90 % predictive band"
    if several:
        below[0].figure.suptitle(title, fontsize=style.TEXT, color=style.INK, x=0.01, ha="left")
    else:
        below[0].set_title(title, fontsize=style.TEXT, color=style.INK, loc="left")
