"""Importance weights, smoothed, and whether they can be relied upon."""

from __future__ import annotations

import numpy as np
from arviz_stats.base import array_stats

_FINITE = 0.25  # share of draws with a finite density, below which their tail says nothing


def smoothed(log: np.ndarray, efficiency: float = 1.0) -> tuple[np.ndarray, float]:
    """Return Pareto-smoothed log weights that sum to one, and Pareto k.

    Where nothing can be smoothed, since few weights are finite, or one is all of the sum, or the tail is of one value
    or of too few draws, all weights are the same and k is infinite.
    """
    log = np.where(np.isnan(log), -np.inf, log)
    equal = np.full(log.shape, -np.log(log.size))
    if np.isfinite(log).mean() < _FINITE:
        return equal, np.inf
    if np.ptp(log) == 0:
        return equal, 0.0
    try:
        with np.errstate(all="ignore"):
            # ArviZ takes what importance sampling for LOO starts from: log likelihoods, the negative of log weights.
            weights, k = map(np.asarray, array_stats.psislw(log.max() - log, r_eff=efficiency))  # pyright: ignore
    except ValueError:
        return equal, np.inf
    if np.isnan(weights).any() or not np.isfinite(k):
        return equal, np.inf
    return weights - np.logaddexp.reduce(weights), float(k)
