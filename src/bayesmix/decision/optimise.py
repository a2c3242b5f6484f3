r"""Minimising smooth functions over mixtures, many at once, by an interior-point method with a certificate.

$$\min_\lambda\; F_\mu(w) - \mu \sum_i \log(b_i - a_i w) - \mu \sum_k \log \lambda_k,\qquad
w = V^\top \lambda,\quad E \lambda = e,\qquad \mu \to 0$$

Mixtures are shares $\lambda$ of corners V: of the single domains, or of the fitted mixtures. Newton's method with exact
derivatives, damped where it does not help (Levenberg), follows the minimum as the barrier falls. A function with kinks
depends on $\mu$ itself: $F_\mu = \mu \log \sum_k \exp(f_k / \mu)$ is the largest of $f_k$ in the limit. The functions
are compiled; the steps are taken by NumPy, so that there is little to compile.

Certificate: for any multipliers $z \ge 0$ of the constraints, and here those that the last step expects,

$$g (w - v) \le y w - \min_k y V_k + \sum_i z_i (b_i - a_i w),\qquad y = g + \sum_i z_i a_i$$

for all allowed v, with g the gradient: what another mixture can still gain to first order. It is zero exactly where the
conditions of Karush, Kuhn and Tucker hold, and bounds what is missing to the minimum of a convex function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np

from bayesmix.decision.allowed import Allowed, divergence

# (w, mu, what differs by lane, what all lanes share) -> number
Smooth = Callable[[Any, Any, Any, Any], Any]
_ITERATIONS, _LAST = 300, 15  # of one lane, and under its last barrier
_TIGHT = 1e-12  # what the last step may promise, in units of the barrier: certificates need it, where there are kinks
_FIRST, _FALL = 0.1, 0.2  # barrier at first, of the function's own range, and from stage to stage
_STEPS = (1.0, 0.5, 0.1, 0.01, 1e-4)
_MOST = 256  # lanes side by side
_REFINEMENTS = 2


@dataclass(frozen=True)
class Minimum:
    """Mixtures that minimise, one a lane, and how well they are known to.

    Attributes
    ----------
    shares : array, shape (lane, corner)
        Of the corners of what is allowed.
    w : array, shape (lane, domain)
        The mixtures.
    residual : array, shape (lane,)
        See the module; in units of the function.
    """

    shares: np.ndarray
    w: np.ndarray
    residual: np.ndarray


def minimise(
    function: Smooth,
    lanes: Any,
    shared: Any,
    allowed: Allowed,
    starts: np.ndarray,
    *,
    rough: Any = None,
    hidden: float = 0.0,
    precision: float = 1e-9,
) -> Minimum:
    """Minimise a function in every lane.

    Parameters
    ----------
    function : callable
        Smooth in w: (w, mu, lane, shared) -> number. Compiled once for each; NaN where w is not allowed.
    lanes : tree of arrays, leading dimension (lane)
        What differs from lane to lane.
    shared : tree of arrays
        What all lanes share.
    allowed : Allowed
        The mixtures to choose from.
    starts : array, shape (lane, corner)
        Shares inside of what is allowed.
    rough : tree of arrays, optional
        Stands in for `shared` where second derivatives are taken; fewer draws will do.
    hidden : float
        By how much F may be above what it stands for, in units of mu.
    precision : float
        Last barrier, of the range that the function's gradient spans over the corners.
    """
    # Once, since every call would copy them again.
    shared, rough = jax.device_put((shared, shared if rough is None else rough))
    count = len(starts)
    size = min(1 << (count - 1).bit_length(), _MOST)

    def derivatives(index, shares, mu):
        lane = jax.tree.map(lambda a: np.asarray(a)[index], lanes)
        return map(np.asarray, _derivatives(function, shares @ allowed.corners, mu, lane, shared, rough))

    def heights(index, shares, mu):
        lane = jax.tree.map(lambda a: np.asarray(a)[index], lanes)
        found = np.asarray(_values(function, shares @ allowed.corners, mu, lane, shared))
        return found + _barrier(allowed, shares, mu)

    unit = np.zeros(count)
    for begin in range(0, count, size):
        index = np.minimum(np.arange(begin, begin + size), count - 1)
        for points in (starts[index], np.tile(allowed.centre, (size, 1))):
            slope, _ = derivatives(index, points, np.full(size, 1e-3))
            unit[index] = np.maximum(unit[index], np.nan_to_num(_span(slope, allowed)))
    unit = np.maximum(unit, 1e-12)
    shares, mu, damping, residual = starts.astype(float), _FIRST * unit, np.zeros(count), np.full(count, np.inf)
    best = shares.copy()
    taken, ending, done = np.zeros(count, int), np.zeros(count, int), np.zeros(count, bool)
    while not done.all():
        # A lane that is done makes room for the next; the same number side by side needs no other program.
        index = np.resize(np.flatnonzero(~done)[:size], size)
        here, now, last = shares[index], mu[index], mu[index] <= precision * unit[index]
        slope, curvature = derivatives(index, here, now)
        step = _step(allowed, here, now, slope, curvature, damping[index] * unit[index])
        moved, better = _lower(step, here, now, partial(heights, index, mu=now))
        # The centre of this barrier is near, or no step leads any nearer to it.
        near = np.abs(step.falling) < np.where(last, _TIGHT, 0.5) * now
        near |= ~better & (damping[index] > 1e6)
        ending[index] += last
        finished = (near & last) | (taken[index] >= _ITERATIONS) | (ending[index] >= _LAST)
        # Of what a lane comes by at the end, what is certified best counts.
        certified = step.residual + now * hidden
        closer = (certified < residual[index]) & (last | finished)
        residual[index] = np.where(closer, certified, residual[index])
        best[index] = np.where(closer[:, None], here, best[index])
        shares[index] = moved
        changed = np.where(better, damping[index] / 10, np.maximum(10 * damping[index], 1e-3))
        damping[index] = np.where(near | (changed < 1e-6), 0.0, changed)
        mu[index] = np.where(near, np.maximum(_FALL * now, precision * unit[index]), now)
        taken[index] += 1
        done[index] = finished
    return Minimum(best, allowed.mixtures(best), residual)


@partial(jax.jit, static_argnames=("function",))
def _derivatives(function: Smooth, w: Any, mu: Any, lanes: Any, shared: Any, rough: Any) -> Any:
    """Return gradient and second derivatives in every lane."""
    slope = jax.vmap(jax.grad(function), in_axes=(0, 0, 0, None))(w, mu, lanes, shared)
    return slope, jax.vmap(jax.hessian(function), in_axes=(0, 0, 0, None))(w, mu, lanes, rough)


@partial(jax.jit, static_argnames=("function",))
def _values(function: Smooth, w: Any, mu: Any, lanes: Any, shared: Any) -> Any:
    """Return the function in every lane."""
    return jax.vmap(function, in_axes=(0, 0, 0, None))(w, mu, lanes, shared)


def _span(slope: np.ndarray, allowed: Allowed) -> np.ndarray:
    """Return the range of the gradient over the corners that are free."""
    along = slope @ allowed.corners[allowed.free].T
    return along.max(axis=-1) - along.min(axis=-1)


def _slack(allowed: Allowed, w: np.ndarray) -> np.ndarray:
    """Return what is left to every limit, shape (..., limit); that of the divergence is the last."""
    room = allowed.limits - w @ allowed.rows.T
    if allowed.trusted is None:
        return room
    trusted, most = allowed.trusted
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.append(room, (most - divergence(w, trusted, np))[..., None], axis=-1)


def _barrier(allowed: Allowed, shares: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Return mu times the barrier of all limits; NaN or infinite where one is not kept."""
    with np.errstate(invalid="ignore", divide="ignore"):
        limits = np.log(_slack(allowed, shares @ allowed.corners)).sum(axis=-1)
        return -mu * (limits + np.log(shares[..., allowed.free]).sum(axis=-1))


@dataclass(frozen=True)
class _Step:
    """A Newton step of every lane, how far it may go, how steeply it falls, and the certificate of where it begins."""

    direction: np.ndarray
    reach: np.ndarray
    falling: np.ndarray
    residual: np.ndarray


def _lower(step: _Step, here: np.ndarray, mu: np.ndarray, heights: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a point on the step of every lane that is lower than where it begins, and whether there is one."""
    # Where Newton's method converges quadratically, its steps are better than what differences can tell.
    sure = (step.falling >= 0) & (step.falling < 0.05 * mu) & (step.reach > 1.02)
    before, moved, better = heights(here), here, np.zeros(len(mu), bool)
    for length in _STEPS:
        points = here + (length * np.minimum(1.0, 0.99 * step.reach))[:, None] * step.direction
        height = heights(points)
        found = ~better & np.isfinite(height) & (sure | ((height < before) & (step.falling > 0)))
        moved, better = np.where(found[:, None], points, moved), better | found
        if better.all() or not (step.falling > 0)[~better].any():
            break
    return moved, better


def _step(
    allowed: Allowed, shares: np.ndarray, mu: np.ndarray, slope: np.ndarray, curvature: np.ndarray, damping: np.ndarray
) -> _Step:
    corners, free = allowed.corners, allowed.free
    w, size = shares @ corners, corners.shape[1]
    room, rows = _slack(allowed, w), allowed.rows
    linear, pull = slice(None, len(rows)), mu[:, None] / room
    # Rows are the same in all lanes, and most are of one domain: their outer products are added up as sparse ones.
    outer = pull[:, linear] / room[:, linear] @ allowed.outer
    curvature = curvature + outer.reshape(-1, size, size) + damping[:, None, None] * np.eye(size)
    away = np.zeros_like(w)
    if allowed.trusted is not None:
        away = np.log(w / allowed.trusted[0]) + 1
        bend = away[:, :, None] * away[:, None, :] / room[:, -1:, None] + np.eye(size) / w[:, None, :]
        curvature = curvature + pull[:, -1:, None] * bend
    inner = np.where(free, shares, 1.0)
    steep = slope + _pulled(pull, rows, away)
    gradient = np.where(free, steep @ corners.T - mu[:, None] / inner, 0.0)
    inverse = np.where(free, inner**2, 0.0) / mu[:, None]
    direction, multipliers = _newton(curvature, gradient, inverse, corners, allowed.equal)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(direction < 0, -shares / direction, np.inf).min(axis=1)
    # Multipliers as the step expects them at its end: they satisfy the conditions nearly.
    moved = direction @ corners
    nearer = moved @ rows.T
    if allowed.trusted is not None:
        nearer = np.append(nearer, (away * moved).sum(axis=1)[:, None], axis=1)
    z = np.maximum(pull * (1 + nearer / room), 0.0)
    y = (slope + _pulled(z, rows, away)) @ corners.T + multipliers @ allowed.equal
    residual = (shares * y).sum(axis=1) - y[:, free].min(axis=1) + (z * room).sum(axis=1)
    return _Step(direction, reach, -(gradient * direction).sum(axis=1), residual)


def _pulled(z: np.ndarray, rows: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Return the gradients of all limits, that of the divergence last, summed with multipliers z."""
    return z[:, : len(rows)] @ rows + (z[:, len(rows) :] * away if z.shape[1] > len(rows) else 0.0)


def _newton(curvature, gradient, inverse, corners, equal):
    """Return the step within the equations that minimises the quadratic model, and their multipliers.

    The model's matrix is diag(1 / inverse) + V H V', with `inverse` 0 where a share does not move.
    """
    sides = np.concatenate([gradient[..., None], np.broadcast_to(equal.T, (*gradient.shape, len(equal)))], axis=2)
    solve = _of_many if len(corners) > corners.shape[1] else _of_few
    solved = solve(curvature, inverse, corners, sides)
    # Equations that say nothing fill the matrix up.
    system = equal @ solved[..., 1:] + np.diag(1.0 * (equal == 0).all(axis=1))
    multipliers = -np.linalg.solve(system, equal @ solved[..., :1])[..., 0]
    return -(solved[..., 0] + (solved[..., 1:] @ multipliers[..., None])[..., 0]), multipliers


def _of_few(curvature, inverse, corners, sides):
    """Solve with the model's matrix as it is."""
    moves = (inverse > 0).astype(float)
    stiffness = 1 / np.where(inverse > 0, inverse, 1.0)
    matrix = moves[:, :, None] * (corners @ curvature @ corners.T) * moves[:, None, :]
    matrix = matrix + stiffness[..., None] * np.eye(len(corners))
    return np.linalg.solve(matrix, moves[..., None] * sides)


def _of_many(curvature, inverse, corners, sides):
    """Solve with more corners than domains: by Woodbury's identity, in a system as large as there are domains.

    What that loses to rounding near a limit is found again by refinement.
    """
    small = np.eye(corners.shape[1]) + curvature @ ((corners.T * inverse[:, None, :]) @ corners)
    stiffness = np.where(inverse > 0, 1 / np.where(inverse > 0, inverse, 1.0), 0.0)[..., None]

    def once(sides):
        scaled = inverse[..., None] * sides
        return scaled - inverse[..., None] * (corners @ np.linalg.solve(small, curvature @ (corners.T @ scaled)))

    solved = once(sides)
    for _ in range(_REFINEMENTS):
        solved = solved + once(sides - stiffness * solved - corners @ (curvature @ (corners.T @ solved)))
    return solved
