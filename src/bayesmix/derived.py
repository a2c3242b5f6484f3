"""Derived coefficients: what follows from a law's quantities, such as amplitudes in the units of its paper."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import xarray as xr
from jax.extend.core import Literal

from bayesmix.precision import in_double

if TYPE_CHECKING:
    from bayesmix.posterior import Posterior

# Unlike each other, so that a shape tells its dimensions.
_SIZES = {"target": 3, "domain": 5}
_SHAPES = {size: dim for dim, size in _SIZES.items()}
_OF_REFERENCE = ((), ("domain",), ("target", "domain"))  # by number of dimensions

Dims = tuple[str, ...]


@in_double
def derived(posterior: Posterior) -> xr.Dataset:
    """Return the derived coefficients of a posterior's law in every draw; see `Posterior.derived`."""
    model, function = posterior.model, posterior.model.law.derived
    if function is None:
        return xr.Dataset()
    wanted = inspect.signature(function).parameters
    fixed = {n: np.asarray(v) for n, v in posterior.coordinates.references.items() if n in wanted}
    fixed |= {n: q for n, q in model.law.quantities.items() if n in wanted and isinstance(q, int | float)}
    drawn = {n: v for n, v in posterior.values().items() if n in wanted}
    # The function is written for one group, and for one target unless the law returns all of them.
    own = {n: model.unknowns[n].dims for n in drawn}
    outer = {n: model.dims(n)[: len(model.dims(n)) - len(own[n])] for n in drawn}
    every = {d for dims in outer.values() for d in dims}
    axes = (*sorted(every - {"target"}), *sorted(every & {"target"}))

    def one(quantities):
        return function(**quantities, **fixed)

    for axis in reversed(axes):
        one = jax.vmap(one, in_axes=({n: 0 if axis in dims else None for n, dims in outer.items()},))
    sizes = posterior.tree["posterior"].sizes
    results = jax.vmap(one, axis_size=sizes["chain"] * sizes["draw"])(drawn)

    found = {}
    for name, (rests_on, inner) in _traced(function, own, fixed).items():
        here = [d for d in axes if any(d in outer[n] for n in rests_on)]
        values = np.asarray(results[name])[(slice(None), *(slice(None) if d in here else 0 for d in axes))]
        dims = ("chain", "draw", *here, *inner)
        found[name] = (dims, values.reshape(sizes["chain"], sizes["draw"], *values.shape[1:]))
    used = {d for dims, _ in found.values() for d in dims[2:]}
    return xr.Dataset(found, coords={d: list(posterior.coordinates.of(d)) for d in sorted(used)})


def _traced(function: Callable, own: Mapping[str, Dims], fixed: Mapping[str, Any]) -> dict[str, tuple[set[str], Dims]]:
    """Return of each coefficient the quantities that it rests on, and its dimensions in the equation."""
    constants = {n: np.ones([_SIZES[d] for d in _OF_REFERENCE[np.ndim(v)]]) for n, v in fixed.items()}
    made_up = [np.ones([_SIZES[d] for d in dims]) for dims in own.values()]

    def flat(*values):
        return function(**dict(zip(own, values, strict=True)), **constants)

    closed, shapes = jax.make_jaxpr(flat, return_shape=True)(*made_up)
    rests: dict[Any, set[str]] = {v: {n} for v, n in zip(closed.jaxpr.invars, own, strict=True)}

    def behind(variable: Any) -> set[str]:
        return set() if isinstance(variable, Literal) else rests.get(variable, set())

    for equation in closed.jaxpr.eqns:
        together = set().union(*map(behind, equation.invars))
        rests |= dict.fromkeys(equation.outvars, together)
    # As JAX flattens dictionaries.
    return {
        name: (behind(variable), tuple(_SHAPES[size] for size in shapes[name].shape))
        for name, variable in zip(sorted(shapes), closed.jaxpr.outvars, strict=True)
    }
