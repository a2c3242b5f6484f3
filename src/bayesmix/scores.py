r"""Proper scores of predictive draws, one value a hidden response.

Functions of draws, shape (draw, observation), and truth, shape (observation,), both in one unit: as a rule logarithms
of the response, where an error of 0.01 is one of about 1 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = (0.5, 0.8, 0.9, 0.95)
_ONE_SD = 0.6827  # of a normal distribution, within one standard deviation
_TINY = 1e-12


class Logarithm:
    """Scores are of the logarithm where a response is positive."""

    def of(self, response: np.ndarray) -> np.ndarray:
        """Return responses in this unit."""
        # Normal errors can leave nothing of a small response, and Student-t ones can overflow.
        return np.log(np.clip(response, _TINY, 1 / _TINY))

    def back(self, value: np.ndarray) -> np.ndarray:
        """Return the response of a number in this unit."""
        return np.exp(value)

    def slope(self, value: np.ndarray) -> np.ndarray:
        """Return the log of what turns a density of the response into one of this unit."""
        return value


@dataclass(frozen=True)
class Multiple:
    """Else, as of a score of 0, scores are of the response as a multiple of the reference of the fitted ones."""

    reference: float

    def of(self, response: np.ndarray) -> np.ndarray:
        """Return responses in this unit."""
        return response / self.reference

    def back(self, value: np.ndarray) -> np.ndarray:
        """Return the response of a number in this unit."""
        return value * self.reference

    def slope(self, value: np.ndarray) -> np.ndarray:
        """Return the log of what turns a density of the response into one of this unit."""
        return np.full(value.shape, np.log(self.reference))


def interval(draws: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of central intervals."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def covered(draws: np.ndarray, truth: np.ndarray, level: float) -> np.ndarray:
    """Say which truths lie inside central intervals."""
    low, high = interval(draws, level)
    return (low <= truth) & (truth <= high)


def half_width(draws: np.ndarray) -> np.ndarray:
    """Return half of the central 68 %: the standard deviation of normal numbers, which all others have too."""
    low, high = interval(draws, _ONE_SD)
    return (high - low) / 2


def pit(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the predictive probability of a response up to the truth: uniform where forecasts are calibrated.

    With one pseudo-draw, half of it on either side, so that none is exactly 0 or 1.
    """
    below = (draws < truth).sum(axis=0) + 0.5 * (draws == truth).sum(axis=0)
    return (below + 0.5) / (len(draws) + 1)


def crps(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    r"""Return $\mathrm{E}|X - y| - \mathrm{E}|X - X'|/2$ (Gneiting and Raftery 2007, eq. 21)."""
    count, ordered = len(draws), np.sort(draws, axis=0)
    # E|X - X'| over all pairs of draws, from their order.
    ranks = (2 * np.arange(1, count + 1) - count - 1)[:, None]
    spread = 2 * (ranks * ordered).sum(axis=0) / count**2
    return np.abs(draws - truth).mean(axis=0) - spread / 2


def interval_score(draws: np.ndarray, truth: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Return the width of central intervals and 2 / (1 - level) times the miss (Gneiting and Raftery 2007, eq. 43)."""
    low, high = interval(draws, level)
    miss = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return high - low + 2 / (1 - level) * miss


def bias(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return truth minus predictive median: negative where runs did better than predicted."""
    return truth - np.median(draws, axis=0)
