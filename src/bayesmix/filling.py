"""Mixtures that fill what is allowed: each as far as can be from all before, so that any first few do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# In turn from near the border, anywhere, and inside: the farthest of all would always lie on the border.
CONCENTRATIONS = (0.3, 1.0, 3.0)
_CANDIDATES = 2000


def filling(
    count: int,
    domains: int,
    *,
    seed: int,
    before: np.ndarray | None = None,
    allowed: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Return mixtures chosen one by one from random ones, shape (mixture, domain).

    Distance is between square roots of weights (Hellinger's), which tells a weight of 0.01 from one of 0.

    Parameters
    ----------
    count, domains : int
        How many, and of how many domains.
    seed : int
        Of the random mixtures.
    before : array, shape (mixture, domain), optional
        Mixtures to keep away from; by default the uniform one.
    allowed : callable, optional
        Moves mixtures, shape (mixture, domain), to where they are allowed.
    """
    rng = np.random.default_rng(seed)
    pools = [rng.dirichlet(np.full(domains, a), _CANDIDATES) for a in CONCENTRATIONS]
    pools = [allowed(pool) if allowed else pool for pool in pools]
    start = np.full((1, domains), 1 / domains) if before is None else before
    nearest = [_gaps(pool, start) for pool in pools]
    chosen = np.empty((count, domains))
    for k in range(count):
        which = k % len(pools)
        chosen[k] = pools[which][nearest[which].argmax()]
        nearest = [np.minimum(n, _gaps(p, chosen[[k]])) for n, p in zip(nearest, pools, strict=True)]
    return chosen


def rounded(w: np.ndarray) -> np.ndarray:
    """Return mixtures in ten thousandths, of which the largest weight takes what is left."""
    w = w.round(4)
    w[np.arange(len(w)), w.argmax(axis=1)] += 1 - w.sum(axis=1)
    return w.round(4)


def _gaps(pool: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance of each mixture from the nearest of others."""
    alike = np.sqrt(pool) @ np.sqrt(others).T
    return np.sqrt(np.maximum(2 - 2 * alike.max(axis=1), 0.0))
