r"""What measured runs would be worth to the decision, before they are trained.

$$V(R) = \min_a \mathbb E\,x_a - \mathbb E_{y_R}\Big[\min_a \mathbb E[x_a \mid y_R]\Big]$$

with $x_a$ the objective of the planned run with mixture a, and $y_R$ what the runs R would measure, noise included: the
expected value of sample information (Raiffa and Schlaifer 1961), which for a single run is the knowledge gradient
(Frazier, Powell and Dayanik 2009, eq. 5). Draws of the posterior give $x_a$ and $y_R$ jointly. The inner expectation
is a linear regression of $x_a$ on the normal scores of $y_R$ over draws, as in Strong, Oakley and Brennan (2014); the
choice that it leads to is then scored on draws that it was not fitted to. So the value is that of a rule that one could
follow, whether or not the regression is a good one: at most the true value, and free of the optimism of choosing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from bayesmix.evaluation import signal
from bayesmix.residuals import nearest_correlation
from bayesmix.scores import half_width

SURE = 2.0  # standard errors from which on something is told from nothing
_TINY, _OUTLYING = 1e-12, 3.0  # of noise


class Worth(Protocol):
    """What candidate runs are worth, given those that were taken already."""

    def gains(self, candidates: Sequence[int]) -> np.ndarray:
        """Return what each candidate adds."""
        ...

    def after(self, candidate: int) -> Worth:
        """Return the same once a candidate was taken."""
        ...


def greedy(worth: Worth, costs: np.ndarray, budget: float, most: int) -> list[int]:
    """Return candidates taken one by one, while any adds something, by what they add for their cost.

    Or by what they add, whichever is worth more in the end: for a budget the better of the two is never far from the
    best (Leskovec et al. 2007, section 3.2.2).
    """
    ways = (True, False) if np.ptp(costs) > 0 else (False,)
    found = [_greedy(worth, costs, budget, most, per_cost=per_cost) for per_cost in ways]
    return max(found, key=lambda each: each[1])[0]


def _greedy(worth: Worth, costs: np.ndarray, budget: float, most: int, *, per_cost: bool) -> tuple[list[int], float]:
    taken: list[int] = []
    total = 0.0
    while len(taken) < most:
        left = [int(k) for k in np.flatnonzero(costs <= budget * (1 + 1e-9)) if k not in taken]
        if not left:
            break
        gains = worth.gains(left)
        best = int((gains / costs[left] if per_cost else gains).argmax())
        if gains[best] <= 0:
            break
        worth, total, budget = worth.after(left[best]), total + float(gains[best]), budget - float(costs[left[best]])
        taken.append(left[best])
    return taken, total


def scores(measured: np.ndarray) -> np.ndarray:
    """Return normal scores of measured responses over draws, the first axis: whatever their units, tails and bends."""
    ranks = rankdata(measured, axis=0)
    return ndtri((ranks - 0.5) / len(measured))


@dataclass(frozen=True)
class _Half:
    """Some of the draws.

    Attributes
    ----------
    objective : array, shape (draw, mixture)
        Of the planned run; smaller is better.
    expected : array, shape (draw, mixture)
        What is expected of it, given the runs taken.
    left : array, shape (run, draw, target)
        What the runs would measure that those taken do not tell.
    """

    objective: np.ndarray
    expected: np.ndarray
    left: np.ndarray


@dataclass(frozen=True)
class _Rule:
    """How to choose a mixture by what was measured: fitted to some draws, and scored on others."""

    fit: _Half
    test: _Half

    @classmethod
    def of(cls, objective: np.ndarray, known: np.ndarray, fit: np.ndarray, test: np.ndarray) -> _Rule:
        left = np.swapaxes(known - known[fit].mean(axis=0), 0, 1)
        before = np.broadcast_to(objective[fit].mean(axis=0), (len(objective), objective.shape[1]))
        halves = (_Half(objective[rows], before[rows], np.ascontiguousarray(left[:, rows])) for rows in (fit, test))
        return cls(*halves)

    def slopes(self, run: int, values: np.ndarray) -> np.ndarray:
        """Return the least-squares slopes of values, shape (draw to fit, value), on what a run would measure."""
        told = self.fit.left[run]
        # A target that says nothing new has no slope.
        return np.linalg.pinv(told.T @ told, rcond=1e-9, hermitian=True) @ (told.T @ values)

    def saved(self, run: int | None = None) -> np.ndarray:
        """Return what choosing by the runs taken, and perhaps one more, saves in each draw to test on."""
        expected, here = self.test.expected, self.test.objective
        if run is not None:
            expected = expected + self.test.left[run] @ self.slopes(run, self.fit.objective)
        before = self.fit.objective.mean(axis=0).argmin()
        return here[:, before] - here[np.arange(len(here)), expected.argmin(axis=1)]

    def after(self, run: int) -> _Rule:
        """Return the rule once a run was taken."""
        slopes = self.slopes(run, self.fit.objective)
        overlaps = self.slopes(run, np.concatenate(list(self.fit.left), axis=1))
        overlaps = np.stack(np.split(overlaps, len(self.fit.left), axis=1))
        halves = (
            replace(half, expected=half.expected + half.left[run] @ slopes, left=half.left - half.left[run] @ overlaps)
            for half in (self.fit, self.test)
        )
        return _Rule(*halves)


@dataclass(frozen=True)
class Regret:
    """What runs save in the objective of the choice, by rules that are scored on different draws.

    Attributes
    ----------
    rules : tuple of _Rule
        What they save is averaged.
    """

    rules: tuple[_Rule, ...]

    @classmethod
    def of(cls, objective: np.ndarray, measured: np.ndarray, splits: Sequence[tuple[np.ndarray, np.ndarray]]) -> Regret:
        """Begin with no runs taken.

        Parameters
        ----------
        objective : array, shape (draw, mixture)
            Of the planned run; smaller is better.
        measured : array, shape (draw, run, target)
            What the runs would measure.
        splits : sequence of two integer arrays
            The draws that a rule is fitted to, and those that it is scored on.
        """
        known = scores(measured)
        return cls(tuple(_Rule.of(objective, known, fit, test) for fit, test in splits))

    def saved(self, run: int | None = None) -> np.ndarray:
        """Return what the runs taken, and perhaps one more, save in every draw that a rule is scored on."""
        return np.concatenate([rule.saved(run) for rule in self.rules])

    def gains(self, candidates: Sequence[int]) -> np.ndarray:
        """Return what each candidate adds to what is saved on average, as far as it can be told from nothing."""
        before = self.saved()
        added = np.stack([self.saved(run) - before for run in candidates], axis=1)
        gain, error = added.mean(axis=0), added.std(axis=0, ddof=1) / np.sqrt(len(added))
        return np.where(gain > SURE * error, gain, 0.0)

    def after(self, candidate: int) -> Regret:
        """Return the same once a candidate was taken."""
        return Regret(tuple(rule.after(candidate) for rule in self.rules))


@dataclass(frozen=True)
class Information:
    r"""What runs would tell about the law: the expected information gain, nats, if all were normal.

    $$I(R) = \tfrac12 \log\det(1 + K_{RR})$$

    with K the covariance over draws of the expected responses, whitened by their noise (Lindley 1956; Chaloner and
    Verdinelli 1995, section 2).

    Attributes
    ----------
    covariance : array, shape (run * target, run * target)
        K, given the runs taken.
    targets : int
        How many each run has.
    """

    covariance: np.ndarray
    targets: int

    @classmethod
    def of(cls, expected: np.ndarray, measured: np.ndarray) -> Information:
        """Begin with no runs taken; expected and measured responses have the shape (draw, run, target)."""
        told, noise = signal(expected, measured), measured - expected
        # Errors of one run go together, which says more of differences between its targets, and less of their sum.
        with np.errstate(over="ignore"):  # what overflows is clipped
            noise = np.clip(noise / np.maximum(half_width(noise), _TINY), -_OUTLYING, _OUTLYING)
        together = np.atleast_2d(np.corrcoef(noise.reshape(-1, expected.shape[2]).T))
        root = np.linalg.cholesky(nearest_correlation(together))
        flat = np.linalg.solve(root, told[..., None])[..., 0].reshape(len(expected), -1)
        return cls(flat.T @ flat / len(flat), expected.shape[2])

    def gains(self, candidates: Sequence[int]) -> np.ndarray:
        """Return what each candidate adds."""
        blocks = np.stack([self.covariance[self._rows(k), self._rows(k)] for k in candidates])
        return np.linalg.slogdet(blocks + np.eye(self.targets))[1] / 2

    def after(self, candidate: int) -> Information:
        """Return the same once a candidate was taken."""
        rows = self._rows(candidate)
        along = self.covariance[:, rows]
        told = np.linalg.solve(along[rows] + np.eye(self.targets), along.T)
        return replace(self, covariance=self.covariance - along @ told)

    def _rows(self, candidate: int) -> slice:
        return slice(candidate * self.targets, (candidate + 1) * self.targets)
