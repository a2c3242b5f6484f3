"""Minimising a smooth function over mixtures within bounds, with a certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize

Smooth = Callable[[np.ndarray], tuple[float, np.ndarray]]
_AT_BOUND = 1e-6


@dataclass(frozen=True)
class Minimum:
    """A mixture that minimises, and how well it is known to.

    Attributes
    ----------
    w : array, shape (domain,)
        The mixture.
    value : float
        The function there.
    kkt_residual : float
        Largest violation of the first-order conditions, in units of the function per unit of weight.
    """

    w: np.ndarray
    value: float
    kkt_residual: float


def project(w: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the mixture within the bounds that is nearest to w."""

    def excess(shift: float) -> float:
        return float(np.clip(w - shift, low, high).sum() - 1)

    least, most = (w - high).min() - 1e-9, (w - low).max() + 1e-9
    shift = (
        brentq(excess, least, most, xtol=1e-15)
        if excess(least) > 0 > excess(most)
        else (least if excess(least) <= 0 else most)
    )
    return np.clip(w - shift, low, high)


def minimise(function: Smooth, low: np.ndarray, high: np.ndarray, starts: np.ndarray) -> Minimum:
    """Minimise over mixtures within bounds, from several starts.

    Parameters
    ----------
    function : callable
        Mixture to (value, gradient).
    low, high : array, shape (domain,)
        Bounds that some mixture satisfies.
    starts : array, shape (start, domain)
        Where to begin; projected onto the bounds.
    """
    found = [_descend(function, low, high, project(s, low, high)) for s in starts]
    w = min(found, key=lambda f: f[0])[1]
    value, gradient = function(w)
    return Minimum(w, value, kkt_residual(w, gradient, low, high))


def _descend(function: Smooth, low: np.ndarray, high: np.ndarray, start: np.ndarray) -> tuple[float, np.ndarray]:
    # The optimiser stops on absolute changes, so it is given a function of unit slope.
    unit = max(float(np.ptp(function(start)[1])), 1e-12)

    def scaled(w):
        value, gradient = function(w)
        return value / unit, gradient / unit

    result = minimize(
        scaled,
        start,
        jac=True,
        method="SLSQP",
        bounds=list(zip(low, high, strict=True)),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"maxiter": 500, "ftol": 1e-12},
    )
    w = project(np.clip(result.x, low, high), low, high)
    value = function(w)[0]
    begun = function(start)[0]
    return (value, w) if value <= begun else (begun, start)


def kkt_residual(w: np.ndarray, gradient: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Return the largest violation of the first-order conditions of a minimum.

    With a multiplier for the sum, the gradient must be equal over free weights, no smaller at lower bounds and no
    larger at upper bounds. The multiplier is the one that makes the largest violation smallest.
    """
    at_low, at_high = w <= low + _AT_BOUND, w >= high - _AT_BOUND
    # Moving weight from i to j helps by gradient[i] - gradient[j]: i must be able to fall, j to rise.
    falls, rises = gradient[~at_low], gradient[~at_high]
    if not len(falls) or not len(rises):
        return 0.0
    return float(max(falls.max() - rises.min(), 0.0) / 2)
