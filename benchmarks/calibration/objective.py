"""Log residuals of a law, minimised for many weightings of the rows at once.

Damped Gauss-Newton steps, every lane with a damping of its own; the Huber loss by iterated weights, which never
increases it. Quantities are on their unconstrained scale, inside bounds so wide that they only keep powers finite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bayesmix import Model, Runs
from bayesmix.inference.program import Program, program
from bayesmix.inputs import padded
from bayesmix.precision import in_double

DELTA = 1e-3  # of the Huber loss, as Hoffmann et al. (2022)
WIDE = 8.0  # bounds, in standard deviations of the prior
STEP = 2.0  # longest step of one coordinate, in the same
FEW, MANY = 50, 200  # steps, where many fits are wanted or one
TOLERANCE, EXACT, PATIENCE = 1e-6, 1e-9, 3  # a lane is done when so many steps have gained less than this share
_LEAST = 1e-30  # of a mean, which a law such as a difference can take below zero


@dataclass(frozen=True, eq=False)
class Objective:
    """A model without its noise, and the rows that it is fitted to."""

    model: Model
    runs: Runs

    @cached_property
    def bound(self) -> tuple[Any, Any]:
        """Inputs, padded so that programs are shared, and coordinates."""
        inputs, coordinates = self.model.inputs(self.runs)
        return padded(inputs), coordinates

    @cached_property
    def program(self) -> Program:
        """The unconstrained coordinates."""
        return program(self.model, self.bound[0])

    @cached_property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Centre and unit of every coordinate: median and standard deviation of its prior."""
        draws = self.starts(np.random.default_rng(0), 4000)
        return np.median(draws, axis=0), draws.std(axis=0)

    def starts(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draw starts from the law's priors, shape (start, coordinate)."""
        return self.program.prior(rng, count, self.bound[0])[:, self.program.of_law]

    @in_double
    def minimise(
        self, u: np.ndarray, counts: np.ndarray, *, delta: float, steps: int, tolerance: float = TOLERANCE
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return minima and their values.

        Parameters
        ----------
        u : array, shape (lane, coordinate)
            Starts.
        counts : array, shape (lane, observation)
            How often each row counts.
        delta : float
            Of the Huber loss; infinite for least squares.
        steps : int
            At most.
        tolerance : float
            Relative gain of a step that is none.
        """
        inputs, (centre, unit), step = self.bound[0], self.box, _stepper(self.program)
        missing = inputs.response.shape[0] - counts.shape[1]
        counts = np.pad(counts.astype(float), ((0, 0), (0, missing)))
        low, high = centre - WIDE * unit, centre + WIDE * unit
        u, damping = np.clip(u, low, high), np.full(len(u), 1e-2)
        values, idle = np.full(len(u), np.inf), np.zeros(len(u), int)
        for _ in range(steps):
            at = _filled(np.flatnonzero(idle < PATIENCE))
            new = jax.device_get(step(u[at], damping[at], counts[at], inputs, low, high, unit, delta))
            u[at], damping[at], before, values[at] = new
            gained = before - values[at] > tolerance * np.abs(before)
            idle[at] = np.where(gained, 0, idle[at] + 1)
            if (idle >= PATIENCE).all():
                break
        return u, values

    @in_double
    def log_means(self, u: np.ndarray, runs: Runs) -> np.ndarray:
        """Return the law's log response on other runs, shape (lane, observation)."""
        inputs = padded(self.model.inputs(runs, self.bound[1])[0])
        lanes = _filled(np.arange(len(u)))
        return np.asarray(_mapped(self.program)(u[lanes], inputs))[: len(u), : len(runs)]

    def residuals(self, u: np.ndarray) -> np.ndarray:
        """Return log residuals of one fit, shape (observation,)."""
        truth = self.bound[0].response[: len(self.runs), 0]
        return np.log(truth) - self.log_means(u[None], self.runs)[0]


def _filled(lanes: np.ndarray) -> np.ndarray:
    """Repeat lanes up to one of few round numbers, so that few shapes are compiled."""
    size = 16
    while size < len(lanes):
        size *= 8
    return np.concatenate([lanes, np.repeat(lanes[:1], size - len(lanes))])


# Programs are kept for the next table of the same shape, and these functions with them.


def _values(program: Program, u: Any, inputs: Any) -> dict[str, Any]:
    return program.values(jnp.zeros(program.size).at[program.of_law].set(u), inputs)


def _log_mean(program: Program, u: Any, inputs: Any) -> Any:
    mean = program.model.mean(_values(program, u, inputs), inputs)[:, 0]
    return jnp.log(jnp.maximum(mean, _LEAST))


@lru_cache(maxsize=64)
def _mapped(program: Program) -> Callable:
    def one(u, inputs):
        return _log_mean(program, u, inputs)

    return jax.jit(jax.vmap(one, in_axes=(0, None)))


@lru_cache(maxsize=64)
def _stepper(program: Program) -> Callable:
    """Return one step of every lane: where it is then, its damping, its value before and after."""

    def residuals(u, inputs):
        return jnp.log(inputs.response[:, 0]) - _log_mean(program, u, inputs)

    def total(r, count, delta):
        size = jnp.abs(r)
        return jnp.sum(count * jnp.where(size < delta, r**2 / 2, delta * (size - delta / 2)))

    def lane(u, damping, count, inputs, low, high, unit, delta):
        r = residuals(u, inputs)
        slopes = jax.jacfwd(residuals)(u, inputs) * unit
        slopes = jnp.where(jnp.isfinite(slopes), slopes, 0.0)
        weight = count * jnp.minimum(1.0, delta / jnp.maximum(jnp.abs(r), 1e-300))
        gradient = slopes.T @ (weight * r)
        curvature = slopes.T @ (weight[:, None] * slopes)
        # What would lead beyond a bound stays there.
        free = ~(((u <= low) & (gradient > 0)) | ((u >= high) & (gradient < 0)))
        curvature = jnp.where(free[:, None] & free, curvature, 0.0)
        ridge = damping * (jnp.diag(curvature) + 1e-9 * jnp.trace(curvature) + 1e-300)
        move = -jnp.linalg.solve(curvature + jnp.diag(jnp.where(free, ridge, 1.0)), jnp.where(free, gradient, 0.0))
        move = jnp.where(jnp.isfinite(move), move, 0.0)
        move *= jnp.minimum(1.0, STEP / jnp.maximum(jnp.abs(move).max(), 1e-300))
        new = jnp.clip(u + unit * move, low, high)
        before, after = total(r, count, delta), total(residuals(new, inputs), count, delta)
        better = after < before
        damping = jnp.clip(jnp.where(better, damping * 0.2, damping * 6.0), 1e-8, 1e8)
        return jnp.where(better, new, u), damping, before, jnp.where(better, after, before)

    return jax.jit(jax.vmap(lane, in_axes=(0, 0, 0, None, None, None, None, None)))
