"""Where the joint density is highest, and its shape there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from scipy.optimize import minimize

from bayesmix.errors import BayesmixError
from bayesmix.inference.program import Program
from bayesmix.inputs import Inputs

STARTS = 8
# Two optima closer than this, in standard deviations of the Laplace approximation, are the same mode.
_SAME = 1.0
# A mode this many nats of Laplace evidence below the best holds less than 0.1 % of the mass.
_NEGLIGIBLE = 7.0
_WALL = 1e300


@dataclass(frozen=True)
class Mode:
    """A local optimum with its Laplace approximation: u is about Normal(centre, scale scale')."""

    centre: np.ndarray
    scale: np.ndarray
    evidence: float


def find_modes(program: Program, inputs: Inputs, key: Any, starts: int = STARTS) -> list[Mode]:
    """Return the modes that matter, best first.

    Optimises from draws of the prior with exact gradients. Modes with negligible Laplace evidence are dropped.

    Raises
    ------
    BayesmixError
        The density is not finite anywhere that was tried.
    """
    initial = np.asarray(program.prior_draws(jax.random.split(key, starts), inputs))
    modes: list[Mode] = []
    for optimum in sorted((o for u in initial if (o := _climb(program, inputs, u))), key=lambda o: o[0]):
        if not any(_close(optimum[1], mode) for mode in modes):
            modes.append(_laplace(program, inputs, *optimum))
    if not modes:
        raise BayesmixError(
            f"model {program.model.name} has no finite density at any of {starts} draws from its prior. "
            "Look at the prior predictive: the priors do not fit these runs"
        )
    modes.sort(key=lambda m: -m.evidence)
    return [m for m in modes if m.evidence > modes[0].evidence - _NEGLIGIBLE]


def _climb(program: Program, inputs: Inputs, u: np.ndarray) -> tuple[float, np.ndarray] | None:
    """Return the local optimum reached from u: a quasi-Newton method to come near, Newton's to arrive."""

    def objective(u):
        value, gradient = program.value_and_grad(u, inputs)
        value, gradient = float(value), np.asarray(gradient)
        # The optimiser backs off from a wall, but not from a NaN.
        return (value, gradient) if np.isfinite(value) and np.isfinite(gradient).all() else (_WALL, np.zeros_like(u))

    def curvature(u):
        return np.nan_to_num(np.asarray(program.information(u, inputs)))

    near = minimize(objective, u, jac=True, method="L-BFGS-B", options={"maxiter": 200, "maxcor": 20})
    if near.fun >= _WALL:
        return None
    top = minimize(
        objective,
        near.x,
        jac=True,
        hess=curvature,
        method="trust-exact",
        options={"maxiter": 200, "gtol": 1e-4},
    )
    return float(top.fun), top.x


def _close(u: np.ndarray, mode: Mode) -> bool:
    distance = np.linalg.solve(mode.scale, u - mode.centre)
    return bool(np.abs(distance).max() < _SAME)


def _laplace(program: Program, inputs: Inputs, value: float, u: np.ndarray) -> Mode:
    information = np.asarray(program.information(u, inputs))
    curvature, directions = np.linalg.eigh((information + information.T) / 2)
    # Flat or negative directions are given the width that a unit-scale prior would leave them.
    curvature = np.maximum(np.abs(curvature), 0.05)
    scale = directions / np.sqrt(curvature)
    evidence = -value + 0.5 * len(u) * np.log(2 * np.pi) - 0.5 * np.log(curvature).sum()
    return Mode(u, scale, float(evidence))
