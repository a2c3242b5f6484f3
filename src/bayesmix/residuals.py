r"""Residuals: whether the targets of a run err together, which posteriors of targets sampled apart do not say.

Of a weighted sum over targets, with the residual covariance S and weights v, the standard deviation is

$$\sqrt{\frac{v^\top S v}{\sum_t v_t^2 S_{tt}}}$$

times what independent errors would make it, as far as noise and what the law misses inside the runs go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from bayesmix.evaluation import mean, over_draws
from bayesmix.posterior import Posterior

FEW = 8  # runs that say nothing of it
MATTERS = 1.25  # times, from which on it is said
_LEAST = 1e-3  # eigenvalue of a correlation matrix
_MIDDLE = 2 * stats.norm.ppf(0.75)  # interquartile range of a standard normal number


def covariance(posterior: Posterior) -> np.ndarray | None:
    """Return the covariance of residuals between targets, shape (target, target).

    From rank correlations and quartiles, since single runs may have diverged. Correlations are shrunk towards none by
    as much as so many rows may show by chance (Schäfer and Strimmer 2005, eq. 8 and target D, with the variance of a
    normal correlation). None of a single target, or where fewer than 8 rows measured all of them.
    """
    inputs = posterior.inputs
    complete = inputs.observed.all(axis=1)
    if len(posterior.targets) < 2 or complete.sum() < FEW:
        return None
    expected = over_draws(mean, posterior.model, posterior.values(), inputs)[:, : len(complete)]
    residual = (inputs.response - np.median(expected, axis=0))[complete]
    spread = np.subtract(*np.quantile(residual, [0.75, 0.25], axis=0)) / _MIDDLE
    # Of normal numbers, from their ranks.
    found = 2 * np.sin(np.pi / 6 * np.corrcoef(stats.rankdata(residual, axis=0).T))
    coordinates = posterior.tree["unconstrained"].sizes["coordinate"]
    fitted = coordinates / (1 if posterior.apart else len(posterior.targets))
    apart = ~np.eye(len(found), dtype=bool)
    chance = (1 - found[apart] ** 2) ** 2 / max(complete.sum() - fitted, 1.0)
    found[apart] *= 1 - min(1.0, chance.sum() / max((found[apart] ** 2).sum(), 1e-12))
    return nearest_correlation(found) * np.outer(spread, spread)


def correlation(posterior: Posterior) -> np.ndarray | None:
    """Return the same as correlations; None where `covariance` is."""
    if (found := covariance(posterior)) is None:
        return None
    own = np.sqrt(np.diag(found))
    return found / np.outer(own, own)


def nearest_correlation(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix that some numbers have as correlations: of positive eigenvalues, ones on the diagonal."""
    values, axes = np.linalg.eigh(matrix)
    positive = axes * np.maximum(values, _LEAST) @ axes.T
    own = np.sqrt(np.diag(positive))
    return positive / np.outer(own, own)


def widening(posterior: Posterior, weights: ArrayLike) -> float:
    """Return how many times as uncertain a weighted sum over targets is as independent errors would make it."""
    v = np.asarray(weights)
    if np.count_nonzero(v) < 2 or (found := covariance(posterior)) is None:
        return 1.0
    alone = float(v**2 @ np.diag(found))
    return float(np.sqrt(max(v @ found @ v, 0.0) / alone)) if alone > 0 else 1.0


def sentence(posterior: Posterior, weights: ArrayLike) -> str:
    """Say that the targets of a run err together, if that matters to a weighted sum over them and no draw shows it.

    Draws of targets that were sampled apart are in pairs that show it; see `bayesmix.pairing`.
    """
    if posterior.apart or (times := widening(posterior, weights)) < MATTERS:
        return ""
    return (
        f"The targets of a run err together, which a law with quantities that all targets share takes for independent: "
        f"intervals of the objective and of the gain should be up to {times:.1f} times as wide, and probabilities "
        "nearer to a half."
    )
