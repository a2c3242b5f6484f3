r"""Residuals: whether the targets of a run err together, which posteriors take for independent.

Targets that share no quantity are sampled apart, and the noise of one says nothing of that of another. If all runs
measure all targets, each target's posterior is right all the same (as in Zellner's seemingly unrelated regressions with
common regressors), but a weighted sum over targets is known less well than draws of them say: with the residual
covariance S its standard deviation is

$$\sqrt{\frac{v^\top S v}{\sum_t v_t^2 S_{tt}}}$$

times as large, as far as noise and what the law misses inside the runs go, with v the weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from bayesmix.evaluation import expected_draws
from bayesmix.posterior import Posterior

FEW = 8  # runs that say nothing of it
MATTERS = 1.25  # times, from which on it is said
_MIDDLE = 2 * stats.norm.ppf(0.75)  # interquartile range of a standard normal number


def covariance(posterior: Posterior) -> np.ndarray | None:
    """Return the covariance of residuals between targets, shape (target, target).

    From rank correlations and quartiles, since single runs may have diverged. None where fewer than 8 rows measured all
    targets.
    """
    inputs = posterior.inputs
    complete = inputs.observed.all(axis=1)
    if complete.sum() < FEW:
        return None
    residual = (inputs.response - np.median(expected_draws(posterior, inputs), axis=0))[complete]
    spread = np.subtract(*np.quantile(residual, [0.75, 0.25], axis=0)) / _MIDDLE
    # Of normal numbers, from their ranks.
    ranks = np.corrcoef(stats.rankdata(residual, axis=0).T)
    return 2 * np.sin(np.pi / 6 * ranks) * np.outer(spread, spread)


def widening(posterior: Posterior, weights: ArrayLike) -> float:
    """Return how many times as uncertain a weighted sum over targets is as independent errors would make it."""
    v = np.asarray(weights)
    if np.count_nonzero(v) < 2 or (found := covariance(posterior)) is None:
        return 1.0
    alone = float(v**2 @ np.diag(found))
    return float(np.sqrt(max(v @ found @ v, 0.0) / alone)) if alone > 0 else 1.0


def sentence(posterior: Posterior, weights: ArrayLike) -> str:
    """Say that the targets of a run err together, if that matters to a weighted sum over them, or return nothing."""
    times = widening(posterior, weights)
    if times < MATTERS:
        return ""
    return (
        f"The targets of a run err together, which the draws do not show: intervals of the objective and of the gain "
        f"should be up to {times:.1f} times as wide, and probabilities nearer to a half."
    )
