"""What draws are worth, judged alike for all contenders and outside the time that is measured."""

from __future__ import annotations

from pathlib import Path

import arviz_stats
import numpy as np
import xarray as xr

from bayesmix.diagnostics import ESS, R_HAT

# Share of divergent draws that is tolerated, in each target where targets are sampled apart.
DIVERGENT = 1e-3


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return draws and statistics that a contender wrote."""
    with np.load(path) as file:
        everything = dict(file)
    stats = {n.removeprefix("stats."): v for n, v in everything.items() if n.startswith("stats.")}
    return {n: v for n, v in everything.items() if not n.startswith("stats.")}, stats


def missing(times: np.ndarray, made: int, fits: int) -> np.ndarray:
    """Return wall and CPU seconds of the fits of a task that were not made, if each takes the median time of one.

    The median, since a fit that had to compile something first does not stand for the others.
    """
    return (fits - made) * np.median(np.diff(times, axis=0), axis=0) if made < fits else np.zeros(2)


def worst(draws: dict[str, np.ndarray], stats: dict[str, np.ndarray], made: int) -> dict[str, float]:
    """Return the worst diagnostics over all quantities and fits, and the share of fits that converged."""
    if all(v.shape[:2] == (1, 1) for v in draws.values()):
        return {}  # a point estimate
    dataset = xr.Dataset(
        {n: (("chain", "draw", n + "_element", "fit"), v.reshape(*v.shape[:2], -1, made)) for n, v in draws.items()}
    )
    bulk, tail = (_of_fits(arviz_stats.ess(dataset, method=method), np.min) for method in ("bulk", "tail"))
    r_hat = _of_fits(arviz_stats.rhat(dataset), np.max)
    good = (bulk >= ESS) & (tail >= ESS) & (r_hat <= R_HAT)
    result = {"min bulk ESS": bulk.min(), "min tail ESS": tail.min(), "max R-hat": r_hat.max()}
    if "diverging" in stats:
        divergent = stats["diverging"].reshape(dataset.sizes["chain"] * dataset.sizes["draw"], -1, made)
        good &= (divergent.mean(axis=0) <= DIVERGENT).all(axis=0)
        result |= {"divergences": divergent.sum(), "steps/draw": stats["n_steps"].mean()}
    return result | {"converged": good.mean()}


def _of_fits(values: xr.Dataset, extreme) -> np.ndarray:
    """Return the extreme over quantities and their elements, shape (fit,)."""
    return extreme([extreme(v.values, axis=0) for v in values.data_vars.values()], axis=0)
