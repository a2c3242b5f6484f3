"""A function of one posterior draw, evaluated over all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from bayesmix.inference.program import program
from bayesmix.inputs import Inputs, padded
from bayesmix.model import Model
from bayesmix.noise import sampled
from bayesmix.posterior import Posterior
from bayesmix.precision import in_double
from bayesmix.runs import Runs
from bayesmix.scores import half_width

# Draws in one call, and values of one array held at once: quick, and 100,000 responses still fit into memory.
_DRAWS, _VALUES = 1000, 2**22
_TINY = 1e-12


@in_double
def over_draws(
    function: Callable[..., Any], model: Model, drawn: Mapping[str, Any], inputs: Inputs, *extra: np.ndarray
) -> Any:
    """Return function(model, one draw, inputs, *extra) over all draws, compiled once for tables of about this size.

    Parameters
    ----------
    function : callable
        Defined at the top of a module: what was compiled is found again by the function itself, and one made anew at
        every call would be compiled every time. Returns one or more arrays.
    model : Model
        The model.
    drawn : mapping of str to array, shape (draw, ...)
        What differs from draw to draw.
    inputs : Inputs
        Runs as arrays; `function` sees more rows, to be left out of what it returns by whoever calls this.
    extra : arrays
        What is the same for all draws.
    """
    inputs = padded(inputs)
    size = int(np.clip(_VALUES // inputs.response.size, 1, _DRAWS))

    def every(drawn, inputs, *extra):
        return jax.lax.map(lambda d: function(model, d, inputs, *extra), drawn, batch_size=size)

    count = len(jax.tree.leaves(drawn)[0])
    pieces = []
    for begin in range(0, count, _DRAWS):
        index = np.minimum(np.arange(begin, begin + _DRAWS), count - 1)
        piece = {n: np.asarray(v)[index] for n, v in drawn.items()}
        compiled = program(model, inputs).compiled(function, every, piece, inputs, *extra)
        pieces.append(jax.tree.map(lambda a, kept=count - begin: np.asarray(a)[:kept], compiled(piece, inputs, *extra)))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *pieces)


def mean(model: Model, values: Mapping[str, Any], inputs: Inputs) -> Any:
    """Return the law's response in one draw, for `over_draws`."""
    return model.mean(values, inputs)


def expected_draws(posterior: Posterior, inputs: Inputs) -> np.ndarray:
    """Return the law's response in every draw, without its discrepancy, shape (draw, observation, target)."""
    return over_draws(mean, posterior.model, posterior.values(), inputs)[:, : len(inputs.response)]


def mean_and_measured(model: Model, drawn: Mapping[str, Any], inputs: Inputs, root: Any) -> Any:
    """Return the expected response in one draw, and a measured one; the draw's random numbers are its ``key``."""
    expected = _expected(model, drawn, inputs)
    return expected, sampled(model.measured(drawn, expected, inputs), jax.random.wrap_key_data(drawn["key"]), root)


def _expected(model: Model, drawn: Mapping[str, Any], inputs: Inputs) -> Any:
    """Return the law's response in one draw, times the draw's ``factor`` if it has one."""
    return model.mean(drawn, inputs) * drawn.get("factor", 1.0)


def _with_factor(values: Mapping[str, Any], factor: np.ndarray | None, inputs: Inputs) -> dict[str, Any]:
    """Return draws with a factor of every response, shape (draw, observation, target), as long as padded inputs."""
    if factor is None:
        return dict(values)
    missing = len(padded(inputs).response) - factor.shape[1]
    return {**values, "factor": np.pad(factor, ((0, 0), (0, missing), (0, 0)), constant_values=1.0)}


def measured_draws(
    model: Model,
    values: Mapping[str, Any],
    inputs: Inputs,
    seed: int,
    factor: np.ndarray | None = None,
    together: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return expected responses and measured ones in every draw, shape (draw, observation, target).

    Expected is the law's response, times a factor of the same shape where there is one. Errors of the targets of a run
    are correlated as the matrix ``together``, shape (target, target), says, and independent without it.
    """
    rows, targets = inputs.response.shape
    root = root_of(together, targets)
    keys = np.asarray(jax.random.key_data(jax.random.split(jax.random.key(seed), len(next(iter(values.values()))))))
    drawn = {**_with_factor(values, factor, inputs), "key": keys}
    expected, measured = over_draws(mean_and_measured, model, drawn, inputs, root)
    return expected[:, :rows], measured[:, :rows]


def root_of(together: np.ndarray | None, targets: int) -> np.ndarray:
    """Return the Cholesky factor of the correlation of errors of so many targets, independent where it is None."""
    return np.eye(targets) if together is None else np.linalg.cholesky(together)


def signal(expected: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return how far expected responses are from their mean over draws, the first axis, in units of their noise."""
    return (expected - expected.mean(axis=0)) / np.maximum(half_width(measured - expected), _TINY)


def evenly(count: int, about: int) -> slice:
    """Return about that many of so many draws, evenly spaced."""
    return slice(None, None, max(1, count // about))


def thinned(posterior: Posterior, about: int) -> dict[str, np.ndarray]:
    """Return about that many evenly spaced draws of every quantity."""
    values = posterior.values()
    few = evenly(len(next(iter(values.values()))), about)
    return {n: v[few] for n, v in values.items()}


def _pointwise(model: Model, values: Mapping[str, Any], inputs: Inputs) -> Any:
    """Return the log density of every response in one draw, for `over_draws`."""
    return model.measured(values, _expected(model, values, inputs), inputs).log_prob(inputs.response)


def log_density(posterior: Posterior, runs: Runs, factor: np.ndarray | None = None) -> np.ndarray:
    """Return the log predictive density of measured responses, shape (observation, target); NaN where there is none.

    It is minus infinity of a response that the noise excludes.

    The expected response is the law's, times a factor where there is one; see `measured_draws`.
    """
    inputs, _ = posterior.model.inputs(runs, posterior.coordinates)
    drawn = _with_factor(posterior.values(), factor, inputs)
    drawn = over_draws(_pointwise, posterior.model, drawn, inputs)[:, : len(runs)]
    density = logsumexp(np.where(np.isnan(drawn), -np.inf, drawn), axis=0) - np.log(len(drawn))
    return np.where(inputs.observed, density, np.nan)


def _of_units(model: Model, values: Mapping[str, Any], inputs: Inputs, unit: Any, slots: Any) -> Any:
    pointwise = jnp.where(inputs.observed, _pointwise(model, values, inputs), 0.0)
    return jax.ops.segment_sum(pointwise.sum(axis=1), unit, num_segments=len(slots))


def log_likelihood(posterior: Posterior, unit: np.ndarray, runs: Runs | None = None) -> np.ndarray:
    """Return the log likelihood of runs, by default the fitted ones, summed over the responses of each unit.

    Parameters
    ----------
    posterior : Posterior
        The posterior.
    unit : integer array, shape (observation,)
        Which unit each row belongs to: 0, 1, ...; -1 for none.
    runs : Runs, optional
        Others than the fitted ones.

    Returns
    -------
    array, shape (chain, draw, unit)
    """
    inputs = posterior.inputs if runs is None else posterior.model.inputs(runs, posterior.coordinates)[0]
    count = int(unit.max()) + 1
    rows = len(padded(inputs).response)
    # As many slots as rows, however many units there are, so that another grouping compiles nothing.
    unit = np.concatenate([unit, np.full(rows - len(unit), -1)])
    flat = over_draws(_of_units, posterior.model, posterior.values(), inputs, unit, np.zeros(rows))
    group = posterior.tree["posterior"]
    return flat[:, :count].reshape(group.sizes["chain"], group.sizes["draw"], count)
