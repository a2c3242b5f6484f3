"""Beyond the fitted runs: where they end, what the law promises from there on, and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog, nnls
from scipy.spatial import ConvexHull, QhullError

from bayesmix.covariates import BY_DOMAIN, is_bending, is_fraction
from bayesmix.discrepancy import fall, fallen
from bayesmix.evaluation import expected_draws, measured_draws
from bayesmix.inputs import Inputs
from bayesmix.posterior import Posterior
from bayesmix.scores import half_width

# Decades from the fitted runs that count as none.
_NEAR = 1e-3
ROUNDED = 1e-3  # of weights: nearer than this to the hull of mixtures, rounding decides
_ROUND = 1e4  # weight of the constraint that shares sum to one
_TINY = 1e-12


@dataclass(frozen=True)
class Edge:
    """Planned runs at the edge of the fitted ones, for the targets that these measured.

    Attributes
    ----------
    targets : integer array, shape (target,)
        Positions of the targets whose fitted runs end at the same place.
    inputs : Inputs
        The planned runs as moved, their mixtures untouched.
    decades : array, shape (observation,)
        How far each was moved.
    """

    targets: np.ndarray
    inputs: Inputs
    decades: np.ndarray


def edges(posterior: Posterior, inputs: Inputs) -> list[Edge]:
    """Move planned runs to the nearest point of the convex hull of the fitted ones, in decades of their covariates.

    Of each target, the fitted runs are those that measured it; targets that the same runs measured are moved together.

    Parameters
    ----------
    posterior : Posterior
        Its runs are the fitted ones.
    inputs : Inputs
        Planned runs as arrays.
    """
    found: list[Edge] = []
    for targets, rows in measuring(posterior):
        new = Edge(targets, *_moved(posterior, rows, inputs))
        same = next((k for k, old in enumerate(found) if _alike(old, new)), None)
        if same is None:
            found.append(new)
        else:  # other runs, but as far as these
            found[same] = replace(new, targets=np.append(found[same].targets, targets))
    return found


def _alike(one: Edge, other: Edge) -> bool:
    first, second = one.inputs.covariates, other.inputs.covariates
    return all(np.array_equal(first[c], second[c]) for c in first) and np.array_equal(one.decades, other.decades)


def measuring(posterior: Posterior) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return positions of targets that the same runs measured, and which runs these are, shape (observation,)."""
    patterns, which = np.unique(np.asarray(posterior.inputs.observed), axis=1, return_inverse=True)
    return [(np.flatnonzero(which.ravel() == k), rows) for k, rows in enumerate(patterns.T)]


def _moved(posterior: Posterior, rows: np.ndarray, inputs: Inputs) -> tuple[Inputs, np.ndarray]:
    names = [c for c, column in posterior.model.columns.items() if column not in BY_DOMAIN]
    fitted = {c: np.asarray(posterior.inputs.covariates[c], dtype=float)[rows] for c in names}
    # Labels of numbers, such as years or zeros, have no decades.
    names = [c for c in names if fitted[c].min() > 0]
    if not names:
        return inputs, np.zeros(len(inputs.response))
    asked = {c: np.asarray(inputs.covariates[c], dtype=float) for c in names}
    # Nor has a planned run where it is zero or less: there it counts as within the fitted ones.
    known = {c: np.where(asked[c] > 0, asked[c], fitted[c].min()) for c in names}
    points = np.log10(np.column_stack([known[c] for c in names]))
    corners = _corners(np.log10(np.column_stack([fitted[c] for c in names])))
    distinct, which = np.unique(points, axis=0, return_inverse=True)
    nearest = np.array([_nearest(corners, point) for point in distinct])[which.ravel()]
    decades = np.linalg.norm(points - nearest, axis=1)
    near = decades < _NEAR
    moved = {c: np.where(near | (asked[c] <= 0), asked[c], 10 ** nearest[:, k]) for k, c in enumerate(names)}
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
    """Return the point of the hull that is nearest: the corners by shares that sum to one."""
    system = np.vstack([(corners - point).T, np.full(len(corners), _ROUND)])
    shares, _ = nnls(system, np.append(np.zeros(len(point)), _ROUND))
    return shares @ corners / shares.sum()


def in_hull(
    w: np.ndarray, corners: np.ndarray, slack: float, equal: np.ndarray | None = None, equals: np.ndarray | None = None
) -> bool:
    """Say whether a mixture, shape (domain,), is one of corners, shape (corner, domain), by shares of at least 0.

    The shares sum to one, or satisfy other equations: `equal` @ shares = `equals`. Every weight and every equation
    may be missed by `slack`.
    """
    equal = np.ones((1, len(corners))) if equal is None else equal
    equations = np.vstack([corners.T, equal])
    sides = np.append(w, np.ones(1) if equals is None else equals)
    system, limits = np.vstack([equations, -equations]), np.append(sides, -sides) + slack
    return bool(linprog(np.zeros(len(corners)), A_ub=system, b_ub=limits, bounds=(0, None)).success)


def promised(posterior: Posterior, inputs: Inputs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the law's response, the fall of its logarithm beyond the fitted runs, and how many decades that is.

    Returns
    -------
    (array, array, array), shapes (draw, observation, target) twice and (observation, target)
    """
    return _promised(posterior, inputs, edges(posterior, inputs))


def _promised(posterior: Posterior, inputs: Inputs, moved: Sequence[Edge]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    here = expected_draws(posterior, inputs)
    falls, decades = np.zeros(here.shape), np.zeros(here.shape[1:])
    for edge in moved:
        decades[:, edge.targets] = edge.decades[:, None]
        if not edge.decades.any():
            continue
        there = expected_draws(posterior, edge.inputs)[:, :, edge.targets]
        falls[:, :, edge.targets] = fall(here[:, :, edge.targets], there)
    bending = np.array([is_bending(target) for target in posterior.targets])
    return here, np.where((decades > 0) & bending, falls, 0.0), decades


def drawn_bends(posterior: Posterior, rng: np.random.Generator, count: int) -> np.ndarray:
    """Return draws of the bend of every target, shape (draw, target); 0 where nothing is known of how it bends."""
    discrepancy = posterior.model.discrepancy
    bend = discrepancy.draws(rng, count) if discrepancy else np.zeros(count)
    return np.outer(bend, [is_bending(target) for target in posterior.targets])


def factors(posterior: Posterior, inputs: Inputs, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what the discrepancy multiplies the law's response with, shape (draw, observation, target).

    As for many runs of each kind, and with the departure of every single one. None where there is nothing to multiply
    with: the model has no discrepancy, or no planned run is beyond the runs.
    """
    discrepancy = posterior.model.discrepancy
    if discrepancy is None:
        return None
    rng = np.random.default_rng((seed, 0))
    total = len(next(iter(posterior.values().values())))
    return bent(posterior, inputs, drawn_bends(posterior, rng, total), rng)


def bent(
    posterior: Posterior, inputs: Inputs, bend: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what bends, shape (draw, target), multiply with, alone and with departures of single runs.

    Shapes and what None means are those of `factors`; without a discrepancy there are no departures.
    """
    moved = edges(posterior, inputs)
    if not any(edge.decades.any() for edge in moved):
        return None
    here, promise, _ = _promised(posterior, inputs, moved)
    shared = own = bend[:, None, :]
    if discrepancy := posterior.model.discrepancy:
        runs = 1 + int(inputs.run.max())
        normal = rng.standard_normal((len(promise), runs, promise.shape[2]))[:, inputs.run]
        own = shared + discrepancy.run * normal
    nonzero, whole = np.where(here == 0, 1.0, here), fractions(posterior.targets)
    return fallen(here, promise, shared, whole) / nonzero, fallen(here, promise, own, whole) / nonzero


def fractions(targets: Sequence[str]) -> np.ndarray:
    """Say which targets are fractions, shape (target,)."""
    return np.array([is_fraction(target) for target in targets])


def noise(posterior: Posterior, inputs: Inputs, seed: int) -> np.ndarray:
    """Return the scale of the noise of the log response: half its central 68 %, shape (observation, target)."""
    drawn = measured_draws(posterior.model, posterior.values(), inputs, seed)
    law, measured = (np.log(np.maximum(v, _TINY)) for v in drawn)
    return half_width(measured - law)


def bends(posterior: Posterior, inputs: Inputs, seed: int) -> list[tuple[float, float]]:
    """Return the bend that measured runs beyond the fitted ones show, and its standard error, of every target.

    The generalised least squares estimate of b in the equation of `bayesmix.discrepancy`. What a response may be off
    by is how far the posterior and the noise scatter, and a run's own departure, which its checkpoints share. NaN where
    no run is beyond, or where nothing is known of how such a response bends.
    """
    here, promises, decades = promised(posterior, inputs)
    scale = noise(posterior, inputs, seed)
    own = posterior.model.discrepancy.run if posterior.model.discrepancy else 0.0
    found = []
    for j in range(len(posterior.targets)):
        shown = np.asarray(inputs.observed)[:, j] & (np.nan_to_num(inputs.response[:, j]) > 0)
        kept = shown & (decades[:, j] > 0)
        if not (kept.any() and is_bending(posterior.targets[j])):
            found.append((np.nan, np.nan))
            continue
        law = np.log(np.maximum(here[:, kept, j], _TINY))
        promise = np.median(promises[:, kept, j], axis=0)
        missed = np.log(inputs.response[kept, j]) - np.median(law, axis=0)
        same = np.equal.outer(inputs.run[kept], inputs.run[kept])
        scatter = np.atleast_2d(np.cov(law.T)) + np.diag(scale[kept, j] ** 2 + _TINY)
        scatter += same * np.outer(own * promise, own * promise)
        weights = np.linalg.solve(scatter, promise)
        information = weights @ promise
        found.append((float(-(weights @ missed) / information), float(information**-0.5)))
    return found
