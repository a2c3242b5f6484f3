"""Allowed: the mixtures that a problem leaves to choose from, or which of its demands contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from bayesmix.beyond import in_hull
from bayesmix.errors import BayesmixError

# Slack below which an inequality can only hold as an equation.
_THIN = 1e-6
HULL = "within the convex hull of the fitted mixtures"


@dataclass(frozen=True)
class Demand:
    """A linear inequality, weights @ w <= most, and how a person would say it."""

    name: str
    weights: np.ndarray
    most: float


@dataclass(frozen=True)
class Allowed:
    """Mixtures that are shares of corners and satisfy linear inequalities and equations.

    Attributes
    ----------
    corners : array, shape (corner, domain)
        Mixtures whose convex hull is allowed at most: single domains, or the fitted mixtures.
    free : boolean array, shape (corner,)
        Whether a corner can have any share at all.
    rows, limits : array, shapes (row, domain) and (row,)
        rows @ w <= limits, strictly at the centre.
    equal, equals : array, shapes (equation, corner) and (equation,)
        equal @ shares = equals; equations of zeros say nothing.
    centre : array, shape (corner,)
        Shares of a mixture well inside.
    trusted : tuple of (array of shape (domain,), float), optional
        A mixture, and the greatest divergence from it; see `divergence`.
    """

    corners: np.ndarray
    free: np.ndarray
    rows: np.ndarray
    limits: np.ndarray
    equal: np.ndarray
    equals: np.ndarray
    centre: np.ndarray
    trusted: tuple[np.ndarray, float] | None = None

    @cached_property
    def outer(self) -> sparse.csr_array:
        """Outer product of every row with itself, shape (row, domain * domain)."""
        return sparse.csr_array(np.einsum("ri,rj->rij", self.rows, self.rows).reshape(len(self.rows), -1))

    def mixtures(self, shares: np.ndarray) -> np.ndarray:
        """Return the mixtures of shares, shape (..., domain)."""
        return shares @ self.corners

    def pull(self, shares: np.ndarray) -> np.ndarray:
        """Return shares, shape (point, corner), moved towards the centre until they are allowed; others stay."""
        shares = shares * self.free
        shares = shares - (shares @ self.equal.T - self.equals) @ np.linalg.pinv(self.equal).T
        step = shares - self.centre
        rows = self.corners @ self.rows.T
        room, wanted = self.limits - self.centre @ rows, step @ rows
        far = np.where(wanted > room, room / np.where(wanted > room, wanted, 1.0), 1.0).min(axis=1)
        low = np.where(shares < 0, self.centre / np.where(shares < 0, -step, 1.0), 1.0).min(axis=1)
        pulled = np.maximum(self.centre + np.minimum(far, low)[:, None] * step, 0.0) * self.free
        if self.trusted is None:
            return pulled
        # The divergence is convex, so that it is less than the straight line between the ends.
        there, here = (divergence(self.mixtures(s), self.trusted[0], np) for s in (pulled, self.centre))
        far = np.where(there > self.trusted[1], (self.trusted[1] - here) / np.maximum(there - here, _THIN), 1.0)
        return self.centre + far[:, None] * (pulled - self.centre)

    def into(self, w: np.ndarray) -> np.ndarray:
        """Return mixtures, shape (point, domain), moved to where they are allowed; corners are single domains."""
        return self.mixtures(self.pull(w))

    def promise(self, w: np.ndarray, gradient: np.ndarray) -> float:
        """Return the most that any allowed mixture could gain on w, were the objective linear; by linear programming.

        A limit of the divergence is replaced by its tangent at w, which allows more.
        """
        rows, limits = self.rows, self.limits
        if self.trusted is not None:
            tangent = np.log(np.maximum(w, 1e-300) / self.trusted[0]) + 1
            most = self.trusted[1] - divergence(w, self.trusted[0], np) + tangent @ w
            rows, limits = np.vstack([rows, tangent]), np.append(limits, most)
        bounds = [(0, None) if free else (0, 0) for free in self.free]
        along, system = self.corners @ gradient, rows @ self.corners.T
        best = linprog(along, A_ub=system, b_ub=limits, A_eq=self.equal, b_eq=self.equals, bounds=bounds)
        return max(float(gradient @ w - best.fun), 0.0) if best.success else float("inf")

    def inside(self, shares: np.ndarray, towards: float = 0.1) -> np.ndarray:
        """Return shares moved a part of the way to the centre: off every limit that they can be off."""
        return (1 - towards) * shares + towards * self.centre

    def holds(self, w: np.ndarray, slack: float = 1e-6) -> bool:
        """Say whether a mixture is allowed."""
        if (self.rows @ w > self.limits + slack).any():
            return False
        if self.trusted and divergence(w, self.trusted[0], np) > self.trusted[1] + slack:
            return False
        return in_hull(w, self.corners, slack, self.equal, self.equals)


def divergence(w: Any, trusted: Any, library: Any) -> Any:
    """Return the Kullback-Leibler divergence of mixtures from a trusted one, sum of w log(w / trusted), in nats."""
    return (w * library.log(library.where(w > 0, w, 1.0) / trusted)).sum(axis=-1)


def allow(demands: Sequence[Demand], domains: int, observed: np.ndarray | None = None) -> Allowed:
    """Return the mixtures that satisfy every demand, within the hull of observed ones if they are given.

    Raises
    ------
    BayesmixError
        No mixture does; the demands that contradict each other are named.
    """
    corners = np.eye(domains) if observed is None else np.unique(observed, axis=0)
    rows = np.array([d.weights for d in demands]).reshape(-1, domains)
    limits = np.array([d.most for d in demands])
    if (strict := _strict(rows @ corners.T, limits)) is None:
        raise BayesmixError(_contradiction(demands, corners))
    centre, free, loose = strict
    # Demands that can only hold as equations; in their place among the rows, a row that says nothing.
    tight = np.flatnonzero(~loose)
    equal = np.zeros((_round(1 + len(tight)), len(corners)))
    equal[0], equal[1 : 1 + len(tight)] = free, rows[tight] @ corners.T * free
    equal = _independent(equal)
    size = _round(len(rows) + 1)
    padded, most = np.zeros((size, domains)), np.ones(size)
    padded[: len(rows)][loose], most[: len(rows)][loose] = rows[loose], limits[loose]
    found = Allowed(corners, free, padded, most, equal, equal @ centre, centre)
    return replace(found, centre=_centred(found))


def _strict(rows: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return shares off every limit that shares can be off, and which corners and rows those are; None if none exist.

    One linear program (Freund, Roundy and Todd 1985): the number of inequalities with slack is largest, where shares
    are scaled up until a slack of `_THIN` is 1.
    """
    m, p = rows.shape
    nothing = np.zeros((m, p))
    system = np.block(
        [[-np.eye(p), np.eye(p), nothing.T, np.zeros((p, 1))], [rows, nothing, np.eye(m), -limits[:, None]]]
    )
    total = np.concatenate([np.ones(p), np.zeros(p + m), [-1.0]])[None]
    bounds = [(0, None)] * p + [(0, 1)] * (p + m) + [(1, 1 / _THIN)]
    wanted = -np.concatenate([np.zeros(p), np.ones(p + m), [0.0]])
    result = linprog(wanted, A_ub=system, b_ub=np.zeros(p + m), A_eq=total, b_eq=[0.0], bounds=bounds)
    if not result.success:
        return None
    shares, slack = result.x[:p] / result.x[-1], result.x[p:-1] > 0.5
    return np.where(slack[:p], shares, 0.0), slack[:p], slack[p:]


def _centred(allowed: Allowed) -> np.ndarray:
    """Return shares deeper inside: the mean of where each weight is least and greatest, and of all corners."""
    size, (most, limits) = len(allowed.corners), (allowed.rows @ allowed.corners.T, allowed.limits)
    bounds = [(0, None) if free else (0, 0) for free in allowed.free]
    ends = [
        linprog(sign * weights, A_ub=most, b_ub=limits, A_eq=allowed.equal, b_eq=allowed.equals, bounds=bounds)
        for weights in allowed.corners.T
        for sign in (1, -1)
    ]
    ends = [e.x for e in ends if e.success]
    centre = allowed
    for target in ([np.mean(ends, axis=0)] if ends else []) + [np.full(size, 1 / size) * allowed.free]:
        pulled = centre.pull(target[None])[0]
        centre = replace(centre, centre=0.5 * (centre.centre + pulled))
    return centre.centre


def _independent(equal: np.ndarray) -> np.ndarray:
    """Return the equations with those that follow from others replaced by zeros."""
    kept = np.zeros_like(equal)
    for i, row in enumerate(equal):
        kept[i] = row
        if np.linalg.matrix_rank(kept, tol=1e-9) < np.linalg.matrix_rank(kept[:i], tol=1e-9) + 1:
            kept[i] = 0.0
    return kept


def _round(count: int) -> int:
    """Return the next power of two: sets of about as many demands share compiled programs."""
    return 1 << (count - 1).bit_length()


def _contradiction(demands: Sequence[Demand], corners: np.ndarray) -> str:
    """Say which demands contradict each other: without any one of them, the others could be met."""

    def possible(kept: Sequence[Demand], corners: np.ndarray) -> bool:
        if not kept:
            return True
        rows = np.array([d.weights for d in kept]) @ corners.T
        p = len(corners)
        return linprog(
            np.zeros(p), A_ub=rows, b_ub=[d.most for d in kept], A_eq=np.ones((1, p)), b_eq=[1.0], bounds=(0, None)
        ).success

    # What contradicts whatever the fitted mixtures are is the simpler message.
    single = np.eye(corners.shape[1])
    hull = possible(demands, single)
    corners = corners if hull else single
    kept = list(demands)
    for demand in demands:
        fewer = [d for d in kept if d is not demand]
        if not possible(fewer, corners):
            kept = fewer
    names = [*([HULL] if hull else []), *(d.name for d in kept)]
    return f"no mixture is all of this at once: {'; '.join(names)}. Loosen one of them"
