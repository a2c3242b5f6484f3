"""Where the joint density of each posterior in a batch is highest, and its shape there.

A quasi-Newton method comes near, Newton's arrives, from several draws of the prior, all starts of all posteriors at
once. Gradients are exact; curvature is taken from their central differences, which is good to about 1e-6 and needs no
second derivative to be compiled. Coordinates x are scaled by the prior's standard deviations, so that every direction
has a curvature of about one from the prior alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayesmix.errors import BayesmixError
from bayesmix.inference.funnel import Funnel, inside, squeezed
from bayesmix.inference.program import Program
from bayesmix.inputs import Inputs

STARTS = 8
# Two optima closer than this, in standard deviations of the Laplace approximation, are the same mode.
_SAME = 1.0
# A mode this many nats of Laplace evidence below the best holds less than 0.1 % of the mass.
_NEGLIGIBLE = 7.0
_CANDIDATES = 64  # draws of the prior, of which the better ones are climbed from
# The quasi-Newton method: iterations, pairs remembered, farthest first step, lengths tried.
_APPROACH, _MEMORY, _FARTHEST = 150, 20, 2.0
_LENGTHS = np.array([4.0, 2.0, 1.0, 0.5, 0.2, 0.05, 0.01, 0.001])
_COARSE = 1e-3  # nats that an iteration must gain
# Newton's method: iterations, dampings tried. Where it is dear, only the best few starts get that far.
_ITERATIONS, _DAMPINGS = 50, 10.0 ** np.arange(-4, 4)
_SMALL, _FEW = 50, 2
_CONVERGED = 1e-6
_DIFFERENCE = 1e-5  # prior standard deviations
# Flat or negative directions are given the width that the prior, or a few of its standard deviations, leave them.
_LEAST_CURVATURE = 0.1
_WALL = 1e300


@dataclass(frozen=True)
class Mode:
    """A local optimum with its Laplace approximation: u is about Normal(centre, scale scale')."""

    centre: np.ndarray
    scale: np.ndarray
    evidence: float

    @classmethod
    def fitted(cls, u: np.ndarray, weights: np.ndarray | None = None) -> Mode:
        """Return the normal distribution with the mean and covariance of draws, shape (draw, coordinate)."""
        covariance = np.atleast_2d(np.cov(u.T, aweights=weights, ddof=0))
        # Directions that hardly move would otherwise be lost to rounding.
        bends, axes = np.linalg.eigh(covariance)
        scale = axes * np.sqrt(np.maximum(bends, 1e-12 * max(bends.max(), 1e-12)))
        return cls(np.average(u, axis=0, weights=weights), scale, 0.0)

    def within(self, funnel: Funnel | None) -> Mode:
        """Return this in the coordinates of a funnel."""
        return Mode(inside(funnel, self.centre), squeezed(funnel, self.centre, self.scale), self.evidence)


def find_modes(
    program: Program,
    batch: Inputs,
    priors: list[np.ndarray],
    starts: np.ndarray | None = None,
    held: np.ndarray | None = None,
) -> list[list[Mode]]:
    """Return the modes that matter of each posterior in a batch, best first; none where no density is finite.

    Parameters
    ----------
    program, batch : Program, Inputs
        The density, and what each posterior is conditioned on.
    priors : list of array, shape (draw, coordinate)
        Draws of u from the prior of each.
    starts : array, shape (posterior, start, coordinate)
        Where to climb from; the better ones of some draws of the prior by default.
    held : array, shape (posterior,)
        Where the noise's coordinate is held, NaN where it is not. Then it is as uncertain as it was before the runs.
    """
    centre = np.stack([np.median(p, axis=0) for p in priors])[:, None]
    low, high = np.stack([np.quantile(p, [0.16, 0.84], axis=0) for p in priors], axis=1)
    spread = (high - low)[:, None] / 2  # half the distance of these quantiles: a standard deviation without the tails

    def density(x):
        values, gradients = program.density(centre + spread * x, batch)
        return _walled(values, gradients * spread)

    if held is not None:
        at = (held[:, None] - centre[..., program.noise]) / spread[..., program.noise]
        density = _holding(density, program.noise, at)
    if starts is None:
        starts = _promising(program, batch, np.stack([p[:_CANDIDATES] for p in priors]))
    near = _approach(density, (starts - centre) / spread)
    if program.size > _SMALL:
        order = density(near)[0].argsort(axis=1)[:, :_FEW, None]
        near = np.take_along_axis(near, order, axis=1)
    return _laplace(_tops(*_arrive(density, near)), density, centre[:, 0], spread[:, 0])


def nowhere_finite(name: str) -> BayesmixError:
    """Return the error for a model that has no modes."""
    return BayesmixError(
        f"model {name} has no finite density at any of {_CANDIDATES} draws from its prior. "
        "Look at the prior predictive: the priors do not fit these runs"
    )


def _promising(program: Program, batch: Inputs, u: np.ndarray) -> np.ndarray:
    """Return the best of each eighth of the draws: better than any draw, and still from all over the prior."""
    values = program.density(u, batch)[0]
    values = np.where(np.isfinite(values), values, _WALL).reshape(len(u), STARTS, -1)
    best = values.argmin(axis=-1)[..., None, None]
    return np.take_along_axis(u.reshape(*values.shape, -1), best, axis=2)[:, :, 0]


def _walled(values: np.ndarray, gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    finite = np.isfinite(values) & np.isfinite(gradients).all(axis=-1)
    return np.where(finite, values, _WALL), np.where(finite[..., None], gradients, 0.0)


def _holding(density: Callable, coordinate: int | None, at: np.ndarray) -> Callable:
    """Return a density whose coordinate is held somewhere, free where that is NaN, and standard normal around it."""

    def around(x):
        off = np.where(np.isnan(at), 0.0, x[..., coordinate] - at)
        there = x.copy()
        there[..., coordinate] -= off
        values, gradients = density(there)
        gradients[..., coordinate] = np.where(np.isnan(at), gradients[..., coordinate], off)
        return values + off**2 / 2, gradients

    return around


def _differences(density: Callable, x: np.ndarray) -> np.ndarray:
    posteriors, points, size = x.shape
    steps = _DIFFERENCE * np.eye(size)
    around = np.concatenate([x[:, :, None] + steps, x[:, :, None] - steps], axis=2)
    gradients = density(around.reshape(posteriors, -1, size))[1].reshape(posteriors, points, 2, size, size)
    hessian = (gradients[:, :, 0] - gradients[:, :, 1]) / (2 * _DIFFERENCE)
    return (hessian + hessian.swapaxes(-1, -2)) / 2


def _approach(density: Callable, x: np.ndarray) -> np.ndarray:
    """Come near the optima from far away: the limited-memory BFGS method (Nocedal and Wright 2006, algorithm 7.4).

    Of several step lengths the best is taken, since a few more points cost next to nothing.
    """
    value, gradient = density(x)
    moving = np.ones((len(x), 1), bool)  # posteriors: each stops by itself, so that none depends on the others
    history: deque[tuple[np.ndarray, np.ndarray, np.ndarray]] = deque(maxlen=_MEMORY)
    for _ in range(_APPROACH):
        direction = _two_loops(gradient, history)
        # Where the direction is of no use, the gradient is.
        downhill = (direction * gradient).sum(-1, keepdims=True) < 0
        direction = np.where(downhill, direction, -gradient)
        # The first step, which knows no curvature, shall not leave the prior.
        length = np.linalg.norm(direction, axis=-1, keepdims=True)
        direction = direction / np.maximum(1.0, length / _FARTHEST)
        trials = x[:, :, None] + _LENGTHS[:, None] * direction[:, :, None]
        (new, reached, uphill), _ = _best(density, trials, value, gradient, x, moving)
        step, change, gained = new - x, uphill - gradient, value - reached
        curved = (step * change).sum(-1, keepdims=True)
        history.appendleft((step, change, np.where(curved > 1e-10, 1 / np.maximum(curved, 1e-10), 0.0)))
        x, value, gradient = new, reached, uphill
        moving &= (gained > _COARSE).any(axis=1, keepdims=True)
        if not moving.any():
            break
    return x


def _two_loops(gradient: np.ndarray, history: deque) -> np.ndarray:
    direction, shares = -gradient, []
    for step, change, inverse in history:
        shares.append(inverse * (step * direction).sum(-1, keepdims=True))
        direction = direction - shares[-1] * change
    if history:
        step, change, inverse = history[0]
        bend = inverse * (change * change).sum(-1, keepdims=True)
        direction = direction / np.where(bend > 0, bend, 1.0)
    for (step, change, inverse), share in zip(reversed(history), reversed(shares), strict=True):
        back = inverse * (change * direction).sum(-1, keepdims=True)
        direction = direction + step * (share - back)
    return direction


def _arrive(density: Callable, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return optima and their values, by damped Newton steps on the absolute curvature, so that saddles repel."""
    value, gradient = density(x)
    damping = np.ones(value.shape)
    active = value < _WALL
    for _ in range(_ITERATIONS):
        columns = np.flatnonzero(active.any(axis=0))  # of all posteriors alike, so that shapes stay those of a batch
        if not len(columns):
            break
        here, before, uphill = x[:, columns], value[:, columns], gradient[:, columns]
        bends, axes = np.linalg.eigh(_differences(density, here))
        bends = np.abs(bends)
        slope = np.einsum("bsij,bsi->bsj", axes, uphill)
        tried = damping[:, columns, None] * _DAMPINGS
        steps = -slope[:, :, None] / (bends[:, :, None] + tried[..., None])
        trials = here[:, :, None] + np.einsum("bsij,bstj->bsti", axes, steps)
        (x[:, columns], value[:, columns], gradient[:, columns]), which = _best(
            density, trials, before, uphill, here, active[:, columns]
        )
        damping[:, columns] = np.clip(np.take_along_axis(tried, which, -1)[..., 0], 1e-8, 1e8)
        active[:, columns] &= before - value[:, columns] > _CONVERGED
    return x, value


def _best(
    density: Callable, trials: np.ndarray, value: np.ndarray, gradient: np.ndarray, x: np.ndarray, moving: np.ndarray
):
    """Return the best of the trials of each start, or the start itself: (x, value, gradient), and which trial it was.

    Trials have the shape (posterior, start, trial, coordinate); starts that are not moving stay.
    """
    shape = trials.shape
    reached, uphill = density(trials.reshape(shape[0], -1, shape[-1]))
    which = reached.reshape(shape[:-1]).argmin(axis=-1)[..., None]
    found = np.take_along_axis(reached.reshape(shape[:-1]), which, -1)[..., 0]
    better = moving & (found < value)

    def taken(new: np.ndarray, old: np.ndarray) -> np.ndarray:
        return np.where(better[..., None], np.take_along_axis(new.reshape(shape), which[..., None], 2)[:, :, 0], old)

    return (taken(trials, x), np.where(better, found, value), taken(uphill, gradient)), which


def _tops(x: np.ndarray, value: np.ndarray) -> list[list[tuple[float, np.ndarray]]]:
    """Return value and place of the finite optima of each posterior, best first."""
    finite = [[(float(v), p) for v, p in zip(*found, strict=True) if v < _WALL] for found in zip(value, x, strict=True)]
    return [sorted(found, key=lambda f: f[0]) for found in finite]


def _laplace(
    tops: list[list[tuple[float, np.ndarray]]], density: Callable, centre: np.ndarray, spread: np.ndarray
) -> list[list[Mode]]:
    modes: list[list[Mode]] = [[] for _ in tops]
    for rank in range(max(map(len, tops))):
        nothing = np.zeros(centre.shape[1])
        places = np.stack([t[min(rank, len(t) - 1)][1] if t else nothing for t in tops])[:, None]
        # A start that lies in a mode found before needs no curvature of its own.
        new = [rank < len(t) and not any(_close(u, m) for m in modes[i])
               for i, t in enumerate(tops)
               for u in [centre[i] + spread[i] * places[i, 0]]]  # fmt: skip
        if not any(new):
            continue
        bends, axes = np.linalg.eigh(_differences(density, places)[:, 0])
        bends = np.maximum(np.abs(bends), _LEAST_CURVATURE)
        for i in np.flatnonzero(new):
            scale = spread[i][:, None] * axes[i] / np.sqrt(bends[i])
            volume = np.log(spread[i]).sum() - 0.5 * np.log(bends[i]).sum() + 0.5 * len(scale) * np.log(2 * np.pi)
            modes[i].append(Mode(centre[i] + spread[i] * places[i, 0], scale, float(volume - tops[i][rank][0])))
    for found in modes:
        found.sort(key=lambda m: -m.evidence)
    return [[m for m in found if m.evidence > found[0].evidence - _NEGLIGIBLE] for found in modes]


def _close(u: np.ndarray, mode: Mode) -> bool:
    return bool(np.abs(np.linalg.solve(mode.scale, u - mode.centre)).max() < _SAME)
