"""What was believed of the law's quantities before the runs were seen, and after."""

from __future__ import annotations

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from bayesmix.figures import style
from bayesmix.law import Prior
from bayesmix.posterior import Posterior
from bayesmix.precision import in_double

_OVERLAID = 8
_DRAWS = 1500


def prior_posterior_figure(posterior: Posterior) -> Figure:
    """Draw prior and posterior densities of the law's quantities, each scaled to the same height.

    Targets and groups are laid over each other. A quantity with one element a domain is drawn as a heat map of
    posterior medians, in which cells whose 90 % interval contains zero (or, where it cannot, spans more than the
    median) are struck out. Quantities relative to the response are drawn relative where there are several targets.

    Parameters
    ----------
    posterior : Posterior
        Any posterior.
    """
    law = {n: q for n, q in posterior.model.law.quantities.items() if isinstance(q, Prior)}
    wide = [n for n in law if "domain" in law[n].dims]
    narrow = [n for n in law if n not in wide]
    rows = -(-len(narrow) // 3)
    table = sum(0.34 * max(_matrix(posterior, n).shape[1], 3) + 1.3 for n in wide)
    legend = (0.5 if _named(posterior) else 0.3) if narrow else 0.0
    figure = style.canvas(2.1 * rows + table + legend)
    heights = [h for h in (2.1 * rows + legend, table) if h]
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    if narrow:
        axes = style.panels(parts[0], len(narrow), 3)
        for one, name in zip(axes, narrow, strict=True):
            _densities(one, posterior, name, law[name])
        handles, labels = max((a.get_legend_handles_labels() for a in axes), key=lambda pair: len(pair[1]))
        parts[0].legend(handles, labels, loc="outside upper left", ncols=6, frameon=False, fontsize=style.SMALL,
                        labelcolor=style.INK)  # fmt: skip
    if wide:
        for one, name in zip(style.panels(parts[-1], len(wide), 1), wide, strict=True):
            _heat_map(one, parts[-1], posterior, name, law[name])
    return figure


def _named(posterior: Posterior) -> bool:
    return len(posterior.targets) > 1


def _elements(posterior: Posterior, name: str, quantity: Prior) -> tuple[np.ndarray, float]:
    """Return draws (draw, element), in the unit of the prior times the returned factor, and that factor."""
    dims = posterior.model.dims(name)
    draws = posterior.values()[name]
    scale = np.asarray(posterior.coordinates.scale)
    if not quantity.relative:
        return draws.reshape(len(draws), -1), 1.0
    if "target" not in dims:
        return draws.reshape(len(draws), -1), float(np.exp(np.log(scale).mean()))
    if len(scale) == 1:
        return draws.reshape(len(draws), -1), float(scale[0])
    shape = [-1 if d == "target" else 1 for d in dims]
    return (draws / scale.reshape(shape)).reshape(len(draws), -1), 1.0


def _densities(axes: Axes, posterior: Posterior, name: str, quantity: Prior) -> None:
    draws, factor = _elements(posterior, name, quantity)
    draws = draws[:: max(1, len(draws) // _DRAWS)]
    x, density = _prior_density(quantity, factor, float(draws.min()), float(draws.max()))
    axes.fill_between(x, density, color=style.LINE, alpha=0.5, lw=0, zorder=1, label="prior")
    few = draws.shape[1] <= _OVERLAID
    labels = [t.partition(".")[2] or t for t in posterior.targets] if draws.shape[1] == len(posterior.targets) else []
    for k, element in enumerate(draws.T):
        height = _kernel(element, grid := np.linspace(element.min(), element.max(), 200))
        color = style.CYCLE[k] if few else style.BLUE
        named = style.plain(labels[k], 18) if few and _named(posterior) and labels else None if k else "posterior"
        axes.plot(
            grid,
            height,
            color=color,
            lw=1.4 if few else 0.7,
            alpha=0.9 if few else 0.4,
            zorder=2,
            label=named,
        )
    axes.set(xlim=(x[0], x[-1]), ylim=(0, 1.32), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)
    relative = quantity.relative and _named(posterior) and "target" in posterior.model.dims(name)
    unit = "relative to the response" if relative else quantity.unit
    style.label(axes, x=style.plain(f"{name} ({unit})" if unit else name, 40))
    axes.set_title(style.plain(quantity.meaning, 48), fontsize=style.SMALL, color=style.INK, loc="left")
    style.note(axes, 0.99, 0.98, _kept(posterior, name), ha="right", va="top")


def _kept(posterior: Posterior, name: str) -> str:
    kept = posterior.prior_kept.get(name)
    return "" if kept is None else f"{min(kept, 1):.0%} of prior s.d. kept".replace("%", " %")


def _kernel(draws: np.ndarray, grid: np.ndarray) -> np.ndarray:
    # Draws of a quantity that is fixed by the runs alone may all be the same number, which has no density.
    if np.ptp(draws) <= 1e-12 * max(1.0, abs(float(draws[0]))):
        return np.where(np.arange(len(grid)) == len(grid) // 2, 1.0, 0.0)
    height = gaussian_kde(draws)(grid)
    return height / height.max()


@in_double
def _prior_density(quantity: Prior, factor: float, least: float, most: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the prior's density, highest at 1, over where the prior and the posterior are."""
    from bayesmix.priors import rebuild

    distribution = rebuild(quantity.distribution)
    # Not every family has quantiles in closed form, and these only set the ends of the axis.
    low, high = factor * np.quantile(np.asarray(distribution.sample(jax.random.key(0), (4000,))), [0.01, 0.97])
    pad = 0.15 * (most - least)
    x = np.linspace(min(low, least - pad), max(high, most + pad), 300)
    inside = np.asarray(distribution.support(x / factor))  # pyright: ignore
    # Outside its support a density is zero; asked there, NumPyro warns.
    height = np.zeros_like(x)
    height[inside] = np.exp(np.asarray(distribution.log_prob(x[inside] / factor)))
    height = np.where(np.isfinite(height), height, 0.0)
    return x, height / (height.max() or 1.0)


def _matrix(posterior: Posterior, name: str) -> np.ndarray:
    draws = posterior.values()[name]
    return draws.reshape(len(draws), -1, draws.shape[-1])


def _heat_map(axes: Axes, figure, posterior: Posterior, name: str, quantity: Prior) -> None:
    low, median, high = np.quantile(_matrix(posterior, name), [0.05, 0.5, 0.95], axis=0)
    signed = median.min() < 0
    unsure = (low < 0) & (high > 0) if signed else high - low > np.abs(median)
    most = float(np.abs(median).max()) or 1.0
    norm = TwoSlopeNorm(0.0, -most, most) if signed else None
    image = axes.imshow(median, cmap="PuOr" if signed else "Blues", norm=norm, aspect="auto")
    decimals = max(0, 1 - int(np.floor(np.log10(most))))
    for (i, j), value in np.ndenumerate(median):
        dark = abs(value) > 0.7 * most
        axes.text(j, i, f"{round(value, decimals) + 0.0:.{decimals}f}", ha="center", va="center", fontsize=style.SMALL,
                  color=style.ON_DARK if dark else style.ON_PALE_MUTED if unsure[i, j] else style.ON_PALE)  # fmt: skip
        if unsure[i, j]:
            axes.plot([j - 0.48, j + 0.48], [i + 0.46, i - 0.46], color=style.ON_PALE_MUTED, lw=0.7)
    domains = posterior.coordinates.domains
    rows = _rows(posterior, name)
    axes.set_xticks(range(len(domains)), [style.plain(d, 14) for d in domains], rotation=25 if len(domains) > 5 else 0)
    axes.set_yticks(range(len(rows)), [style.plain(r) for r in rows])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelcolor=style.INK)
    bar = figure.colorbar(image, ax=axes, pad=0.01, fraction=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=style.MUTED, labelsize=style.SMALL, length=3)
    unit = f" ({quantity.unit})" if quantity.unit else ""
    meaning = style.plain(f"{name}{unit}: {quantity.meaning}, posterior median", 70)
    style.label(axes, title=f"{meaning}; struck out: sign or size not known")


def _rows(posterior: Posterior, name: str) -> list[str]:
    names = [""]
    for dim in posterior.model.dims(name)[:-1]:
        names = [f"{n} {level}".strip() for n in names for level in posterior.coordinates.of(dim)]
    return names if names != [""] else [name]
