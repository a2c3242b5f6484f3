r"""Residuals: whether the targets of a run err together, which posteriors of targets sampled apart do not say.

Of a weighted sum over targets, with the covariance S of residuals and weights v, the standard deviation is

$$\sqrt{\frac{v^\top S v}{\sum_t v_t^2 S_{tt}}}$$

times what independent errors would make it, as far as noise and what the law misses inside the runs go.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from bayesmix.evaluation import mean, over_draws, thinned
from bayesmix.posterior import Posterior

FEW = 8  # runs that say nothing of it
MATTERS = 1.25  # times, from which on it is said
_LEAST = 1e-3  # eigenvalue of a correlation matrix
_DRAWS = 1000  # that a median is taken of


def correlation(posterior: Posterior) -> np.ndarray | None:
    """Return the correlation of residuals between targets, shape (target, target).

    From ranks, since single runs may have diverged, of the rows that measured both targets; shrunk towards none by as
    much as so many rows may show by chance (Schäfer and Strimmer 2005, eq. 8 and target D, with the variance of a
    normal correlation). None of a single target, or where no 8 rows measured any two.
    """
    if len(posterior.targets) < 2:
        return None
    observed, residual = np.asarray(posterior.inputs.observed), _residual(posterior)
    coordinates = posterior.tree["unconstrained"].sizes["coordinate"]
    fitted = coordinates / (1 if posterior.apart else len(posterior.targets))
    found, chance, shown = np.eye(len(posterior.targets)), 0.0, 0.0
    for i, j in combinations(range(len(found)), 2):
        both = observed[:, i] & observed[:, j]
        if both.sum() >= FEW:
            # Of normal numbers, from their ranks.
            ranks = stats.rankdata(residual[both][:, [i, j]], axis=0)
            found[i, j] = found[j, i] = 2 * np.sin(np.pi / 6 * np.corrcoef(ranks.T)[0, 1])
            chance += (1 - found[i, j] ** 2) ** 2 / max(both.sum() - fitted, 1.0)
            shown += found[i, j] ** 2
    if not shown:
        return None
    kept = 1 - min(1.0, chance / shown)
    return nearest_correlation(np.where(np.eye(len(found)), 1.0, kept * found))


def _residual(posterior: Posterior) -> np.ndarray:
    inputs = posterior.inputs
    expected = over_draws(mean, posterior.model, thinned(posterior, _DRAWS), inputs)[:, : len(inputs.response)]
    return inputs.response - np.median(expected, axis=0)


def nearest_correlation(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix that some numbers have as correlations: of positive eigenvalues, ones on the diagonal."""
    values, axes = np.linalg.eigh(matrix)
    positive = axes * np.maximum(values, _LEAST) @ axes.T
    own = np.sqrt(np.diag(positive))
    return positive / np.outer(own, own)


def widening(posterior: Posterior, weights: ArrayLike) -> float:
    """Return how many times as uncertain a weighted sum over targets is as independent errors would make it."""
    v = np.asarray(weights)
    if np.count_nonzero(v) < 2 or (found := posterior.paired.together) is None:
        return 1.0
    seen = np.where(posterior.inputs.observed, _residual(posterior), np.nan)
    each = v * np.subtract(*np.nanquantile(seen, [0.75, 0.25], axis=0))
    alone = float(each @ each)
    return float(np.sqrt(max(each @ found @ each, 0.0) / alone)) if alone > 0 else 1.0


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
