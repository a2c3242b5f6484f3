"""Beyond the fitted runs: where they end, what the law promises from there on, and what it is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import nnls
from scipy.spatial import ConvexHull, QhullError

from bayesmix.covariates import BY_DOMAIN, is_bending, is_fraction
from bayesmix.discrepancy import fall
from bayesmix.evaluation import expected_draws, half_width, measured_draws
from bayesmix.inputs import Inputs
from bayesmix.posterior import Posterior

# Decades from the fitted runs that count as none.
_NEAR = 1e-3
# A fraction that grows beyond the runs stays below this.
WHOLE = 0.999
_ROUND = 1e4  # weight of the constraint that shares sum to one
_TINY = 1e-12


def edge(posterior: Posterior, inputs: Inputs) -> tuple[Inputs, np.ndarray]:
    """Move planned runs to the nearest point of the convex hull of the fitted ones, in decades of their covariates.

    Parameters
    ----------
    posterior : Posterior
        Its runs are the fitted ones.
    inputs : Inputs
        Planned runs as arrays.

    Returns
    -------
    (Inputs, array of shape (observation,))
        The planned runs as moved, their mixtures untouched, and how many decades each was moved.
    """
    names = [c for c, column in posterior.model.columns.items() if column not in BY_DOMAIN]
    fitted, asked = ({c: np.asarray(i.covariates[c], dtype=float) for c in names} for i in (posterior.inputs, inputs))
    # Labels of numbers, such as years or zeros, have no decades.
    names = [c for c in names if min(fitted[c].min(), asked[c].min()) > 0]
    if not names:
        return inputs, np.zeros(len(inputs.response))
    points = np.log10(np.column_stack([asked[c] for c in names]))
    corners = _corners(np.log10(np.column_stack([fitted[c] for c in names])))
    distinct, which = np.unique(points, axis=0, return_inverse=True)
    nearest = np.array([_nearest(corners, point) for point in distinct])[which.ravel()]
    decades = np.linalg.norm(points - nearest, axis=1)
    near = decades < _NEAR
    moved = {c: np.where(near, asked[c], 10 ** nearest[:, k]) for k, c in enumerate(names)}
    return replace(inputs, covariates={**inputs.covariates, **moved}), np.where(near, 0.0, decades)


def _corners(points: np.ndarray) -> np.ndarray:
    """Return points, shape (point, covariate), with the same convex hull; fewer, as a rule."""
    points = np.unique(points, axis=0)
    if points.shape[1] == 1:
        return points[[0, -1]]
    try:
        return points[ConvexHull(points).vertices]
    except QhullError:  # all on a line or in a plane
        return points


def _nearest(corners: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return the point of the hull that is nearest, as shares of the corners that sum to one."""
    system = np.vstack([(corners - point).T, np.full(len(corners), _ROUND)])
    shares, _ = nnls(system, np.append(np.zeros(len(point)), _ROUND))
    return shares @ corners / shares.sum()


def promised(posterior: Posterior, inputs: Inputs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the law's response, the fall of its logarithm beyond the fitted runs, and how many decades that is.

    Returns
    -------
    (array, array, array), shapes (draw, observation, target) twice and (observation,)
    """
    moved, decades = edge(posterior, inputs)
    return *_promised(posterior, inputs, moved, decades), decades


def _promised(
    posterior: Posterior, inputs: Inputs, moved: Inputs, decades: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    here, there = (expected_draws(posterior, i) for i in (inputs, moved))
    bending = np.array([is_bending(target) for target in posterior.targets])
    return here, np.where((decades[:, None] > 0) & bending, fall(here, there), 0.0)


def drawn_bends(posterior: Posterior, rng: np.random.Generator, count: int) -> np.ndarray:
    """Return draws of the bend of a posterior's responses, shape (draw,); 0 where nothing is known of how they bend."""
    discrepancy = posterior.model.discrepancy
    known = all(map(is_bending, posterior.targets))
    return discrepancy.draws(rng, count) if discrepancy and known else np.zeros(count)


def factors(posterior: Posterior, inputs: Inputs, seed: int) -> np.ndarray | None:
    """Return what the discrepancy multiplies the law's response with, shape (draw, observation, target).

    None where there is nothing to multiply with: the model has no discrepancy, or no planned run is beyond the runs.
    """
    discrepancy = posterior.model.discrepancy
    if discrepancy is None:
        return None
    rng = np.random.default_rng((seed, 0))
    total = len(next(iter(posterior.values().values())))
    return bent(posterior, inputs, discrepancy.draws(rng, total), rng)


def bent(posterior: Posterior, inputs: Inputs, bend: np.ndarray, rng: np.random.Generator | None) -> np.ndarray | None:
    """Return what a bend of each draw, and with random numbers departures of single runs, multiply the response with.

    Shapes and what None means are those of `factors`; the model has a discrepancy.
    """
    moved, decades = edge(posterior, inputs)
    if not decades.any():
        return None
    here, promise = _promised(posterior, inputs, moved, decades)
    bends = bend[:, None, None]
    if rng is not None and posterior.model.discrepancy:
        bends = bends + posterior.model.discrepancy.run * rng.standard_normal(promise.shape)
    factor = np.exp(-bends * promise)
    fractions = np.array([is_fraction(target) for target in posterior.targets])
    room = np.maximum(WHOLE / np.maximum(here, np.finfo(float).tiny), 1.0)
    return np.where(fractions, np.minimum(factor, room), factor)


def noise(posterior: Posterior, inputs: Inputs, seed: int) -> np.ndarray:
    """Return the scale of the noise of the log response: half its central 68 %, shape (observation, target)."""
    drawn = measured_draws(posterior.model, posterior.values(), inputs, seed)
    law, measured = (np.log(np.maximum(v, _TINY)) for v in drawn)
    return half_width(measured - law)


def bends(posterior: Posterior, inputs: Inputs, seed: int) -> list[tuple[float, float]]:
    """Return the bend that measured runs beyond the fitted ones show, and its standard error, of every target.

    The generalised least squares estimate of b in the equation of `bayesmix.discrepancy`. What a response may be off
    by is how far the posterior and the noise scatter, and a run's own departure. NaN where no run is beyond, or where
    nothing is known of how such a response bends.
    """
    here, promises, decades = promised(posterior, inputs)
    scale = noise(posterior, inputs, seed)
    own = posterior.model.discrepancy.run if posterior.model.discrepancy else 0.0
    found = []
    for j in range(len(posterior.targets)):
        kept = np.asarray(inputs.observed)[:, j] & (decades > 0)
        if not (kept.any() and is_bending(posterior.targets[j])):
            found.append((np.nan, np.nan))
            continue
        law = np.log(np.maximum(here[:, kept, j], _TINY))
        promise = np.median(promises[:, kept, j], axis=0)
        missed = np.log(inputs.response[kept, j]) - np.median(law, axis=0)
        scatter = np.atleast_2d(np.cov(law.T)) + np.diag(scale[kept, j] ** 2 + (own * promise) ** 2 + _TINY)
        weights = np.linalg.solve(scatter, promise)
        information = weights @ promise
        found.append((float(-(weights @ missed) / information), float(information**-0.5)))
    return found
