r"""Moment matching: what a posterior says of runs that it should not have seen, or did not see.

The density of left-out responses given the others is a ratio of normalising constants,

$$p(y_i \mid y_{-i}) = Z / Z_{-i}, \quad Z = \int p(u)\, p(y \mid u)\, du,$$

of a posterior whose draws u are at hand, p, and of one with other runs, t. Importance weights t/p do where the two
overlap. Where Pareto k says that they do not, draws are moved by an affine map T to the mean, then the variances, then
the covariance that the weights give them, again and again as long as k falls. Then half of the draws are moved and half
stay where they are, all of them draws of

$$q(u) = \tfrac12 p(u) + \tfrac12 p(T^{-1}(u))\, |\det T|^{-1}, \quad
Z_t / Z_p = \sum_s \frac{t(u_s)}{q(u_s)} \Big/ \sum_s \frac{p(u_s)}{q(u_s)}.$$

From all runs this leads to a unit left out; from a refit to the unit that it left out, whose density under most draws
of the refit may be so small that their mean misses it. Densities are those of the model, in unconstrained coordinates.
Targets that were sampled apart are independent given the runs, and so are moved apart.

Source: Paananen, Piironen, Bürkner and Vehtari (2021), Implicitly adaptive importance sampling, algorithm 1 and
section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from arviz_stats.base import array_stats

from bayesmix.diagnostics import PARETO_K
from bayesmix.importance import smoothed
from bayesmix.inference.blocks import blocks
from bayesmix.inference.program import Program, program
from bayesmix.inputs import Inputs, padded, stacked
from bayesmix.pooling import departure
from bayesmix.posterior import Posterior
from bayesmix.precision import in_double
from bayesmix.runs import Runs

_MOVES = 30
_PER_COORDINATE = 10  # draws that a covariance needs for each of them
_CHECKED = 1000  # draws whose quantities are compared with their coordinates
_SAME = 1e-6

Weigh = Callable[[np.ndarray], tuple[np.ndarray, float]]
Move = tuple[np.ndarray, np.ndarray]  # A and b of u -> A u + b


@dataclass(frozen=True)
class Part:
    """Independent part of a posterior: all of it, or one of several targets.

    Attributes
    ----------
    program : Program
        Its density.
    inputs : Inputs
        Runs, padded; those that it is conditioned on are observed.
    other : Inputs
        The same, with others observed.
    u : array, shape (draw, coordinate)
        Its draws, all chains in one.
    """

    program: Program
    inputs: Inputs
    other: Inputs
    u: np.ndarray

    def density(self, u: np.ndarray, inputs: Inputs) -> np.ndarray:
        """Return the log joint density at points, shape (point,); never NaN."""
        potential = self.program.density(u[None], stacked([inputs]))[0][0]
        return np.where(np.isfinite(potential), -potential, -np.inf)


@dataclass(frozen=True)
class Matching:
    """A posterior whose draws may be moved; made by `matching`."""

    parts: tuple[Part, ...]
    efficiency: float

    @in_double
    def ratio(self, rows: np.ndarray) -> tuple[float, float]:
        """Return the log of how many times the normalising constant of these rows is that of the posterior's own.

        Parameters
        ----------
        rows : boolean array, shape (observation,)
            Rows of the runs to condition on instead.

        Returns
        -------
        (float, float)
            The log of the ratio, and Pareto k of the moved draws, an upper bound of that of the mixture with those that
            stay: above 0.7 they could not be brought there.
        """
        found = [_ratio(replace(p, other=_observing(p.other, rows)), self.efficiency) for p in self.parts]
        return sum(log for log, _ in found), max(k for _, k in found)


@in_double
def matching(posterior: Posterior, runs: Runs | None = None, fitted: np.ndarray | None = None) -> Matching | None:
    """Return a posterior whose draws may be moved; None if its coordinates do not give its quantities.

    That is so in a file of another version of the law.

    Parameters
    ----------
    posterior : Posterior
        The posterior.
    runs : Runs, optional
        More runs than the fitted ones.
    fitted : boolean array, shape (observation,)
        Which of these are the fitted ones.
    """
    model, u = posterior.model, posterior.tree["unconstrained"].to_dataset()["u"].values
    inputs = posterior.inputs if runs is None else model.inputs(runs, posterior.coordinates)[0]
    apart = posterior.apart
    each = blocks(model, padded(inputs)) if apart else [padded(inputs)]
    parts = []
    for i, other in enumerate(each):
        compiled, flat = program(model, other), (u[:, :, i] if apart else u).reshape(-1, u.shape[-1])
        if flat.shape[1] != compiled.size:
            return None
        values = dict(_values(posterior, i if apart else None))
        centred = _centred(compiled, other, flat, values)
        again = compiled.constrain(flat[:_CHECKED], centred)
        if not all(np.allclose(again[n], v[:_CHECKED], rtol=_SAME) for n, v in values.items()):
            return None
        own = centred if fitted is None else _observing(centred, fitted)
        parts.append(Part(compiled, own, centred, flat))
    return Matching(tuple(parts), _efficiency(posterior))


def _efficiency(posterior: Posterior) -> float:
    """Return effective draws as a share of the draws, by the log density."""
    density = posterior.tree["sample_stats"].to_dataset()["lp"].values
    density = density.reshape(*density.shape[:2], -1).sum(axis=-1)
    share = float(np.asarray(array_stats.ess(density, method="mean"))) / density.size
    return share if np.isfinite(share) else 1.0


def _observing(inputs: Inputs, rows: np.ndarray) -> Inputs:
    """Return the inputs with none but these rows observed."""
    kept = np.zeros(len(inputs.observed), bool)
    kept[: len(rows)] = rows
    return replace(inputs, observed=inputs.observed & kept[:, None])


def _values(posterior: Posterior, target: int | None) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every stored quantity of all targets or of one, shape (draw, ...)."""
    for name, array in posterior.tree["posterior"].to_dataset().items():
        if target is not None:
            array = array.isel(target=[target])
        yield str(name), array.values.reshape(-1, *array.shape[2:])


def _centred(compiled: Program, inputs: Inputs, u: np.ndarray, values: dict[str, np.ndarray]) -> Inputs:
    r"""Return the inputs with the centring that the draws were sampled with.

    What was sampled is $v = z \sqrt{1 + (c\tau)^2}$, and the values are $\tau z$ from their population (see
    `bayesmix.pooling.scaled`): the ratio of their lengths, which no change of basis alters, has c in it.
    """
    model, count = compiled.model, min(_CHECKED, len(u))
    here, found = {n: v[:count] for n, v in values.items()}, {}
    for name, none in inputs.centring.items():
        each = ({n: v[s] for n, v in here.items()} for s in range(count))
        scale = np.stack([np.asarray(model.scale_of(name, draw, inputs)) for draw in each])
        sampled = u[:count, np.array(compiled.labels) == f"{model.site(name)}.offset"]
        apart = _from_population(compiled, name, here, inputs)
        v, x = (np.linalg.norm(a.reshape(*scale.shape, -1), axis=-1) for a in (sampled, apart))
        # The square of v / z, less one, is that of c tau.
        squared = ((scale * v / x) ** 2 - 1) / scale**2
        found[name] = np.sqrt(np.maximum(np.median(squared, axis=0), 0.0)).reshape(none.shape)
    return replace(inputs, centring=found)


def _from_population(compiled: Program, name: str, values: dict[str, np.ndarray], inputs: Inputs) -> np.ndarray:
    """Return how far each value is from its population on the unconstrained scale, or from what it is shrunk to."""
    model = compiled.model
    relative = values[name] / model.unit(name, inputs)
    if model.unknowns[name].scaled_by:
        return departure(relative, inputs.shrinkage.get(name))
    population = compiled.free(name, values[f"{model.site(name)}.population"], inputs)[:, None]
    return compiled.free(name, relative, inputs) - population


def _ratio(part: Part, efficiency: float) -> tuple[float, float]:
    if (part.other.observed == part.inputs.observed).all():
        return 0.0, 0.0  # nothing of this target was measured there
    before = part.density(part.u, part.inputs)

    def weigh(u: np.ndarray) -> tuple[np.ndarray, float]:
        return smoothed(part.density(u, part.other) - before, efficiency)

    weights, k = weigh(part.u)
    move, weights, k = _moved(part.u, weights, k, weigh)
    if move:
        return _split(part, before, move, efficiency), k
    return -_mean(weights, before - part.density(part.u, part.other)), k


def _moved(u: np.ndarray, weights: np.ndarray, k: float, weigh: Weigh) -> tuple[Move | None, np.ndarray, float]:
    """Move draws as long as that lowers Pareto k; return where they went, none if nowhere."""
    size, now = u.shape[1], u
    linear, shift, moves = np.eye(size), np.zeros(size), 0
    while k > PARETO_K and moves < _MOVES:
        for matrix, centre in _maps(now, np.exp(weights)):
            mean = now.mean(axis=0)
            there = (now - mean) @ matrix.T + centre
            again, lower = weigh(there)
            if lower < k:
                now, weights, k, moves = there, again, lower, moves + 1
                linear, shift = matrix @ linear, matrix @ (shift - mean) + centre
                break
        else:
            break
    return ((linear, shift) if moves else None), weights, k


def _maps(u: np.ndarray, weights: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield linear maps about the mean, with the mean after each: of moments, weighted ones."""
    size, centre = u.shape[1], weights @ u
    yield np.eye(size), centre
    variances = weights @ (u - centre) ** 2
    if (variances > 0).all():
        yield np.diag(np.sqrt(variances / u.var(axis=0))), centre
    if len(u) < _PER_COORDINATE * size:
        return
    try:
        root, wanted = (np.linalg.cholesky(np.atleast_2d(np.cov(u.T, aweights=w, ddof=0))) for w in (None, weights))
    except np.linalg.LinAlgError:
        return  # too few draws have all the weight
    yield wanted @ np.linalg.inv(root), centre


def _split(part: Part, before: np.ndarray, move: Move, efficiency: float) -> float:
    """Return the ratio by every other draw moved, the others where they are."""
    linear, shift = move
    moves = np.arange(len(part.u)) % 2 == 0
    u = np.where(moves[:, None], part.u @ linear.T + shift, part.u)
    back = np.linalg.solve(linear, (part.u[~moves] - shift).T).T
    origin = before.copy()
    origin[~moves] = part.density(back, part.inputs)
    here, there = part.density(u, part.inputs), part.density(u, part.other)
    weights, _ = smoothed(there - np.logaddexp(here, origin - np.linalg.slogdet(linear)[1]), efficiency)
    return -_mean(weights, here - there)


def _mean(weights: np.ndarray, log: np.ndarray) -> float:
    """Return the log of a weighted mean, from logs; what has no weight does not count."""
    return float(np.logaddexp.reduce(weights[weights > -np.inf] + log[weights > -np.inf]))
