r"""Coordinates that posteriors are sampled in: each unknown on its unconstrained scale, terms of a law by their sum.

A law such as $E + A (x/x_0)^{-c}$ has a floor and an excess that runs hardly tell apart, while they know the sum of
both, the response at the reference, well. In $\log E$ and $\log A$ that is a thin ridge that bends by a right angle,
along which a sampler takes hundreds of steps a draw. What is sampled instead is, of all unknown terms q of one unit,

$$s = \log \sum_k q_k, \qquad r_k = \log q_k - \log q_K,$$

in which the ridge is straight. The change has a Jacobian determinant of one, so densities stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpyro.distributions import Distribution, Uniform, constraints

from bayesmix.model import Model
from bayesmix.pooling import quantity_of
from bayesmix.priors import arguments, draw, rebuild

_LOGARITHM = constraints.positive


def terms(model: Model) -> list[list[str]]:
    """Return the sites of unknowns that may be terms of one sum: positive, relative, alike in unit and dimensions."""
    found: dict[Any, list[str]] = {}
    for name, quantity in model.unknowns.items():
        if name in model.law.quantities and quantity.relative and quantity.distribution.support is _LOGARITHM:
            site, dims = model.site(name), model.dims(name)
            if (pooling := model.pooling.get(name)) and pooling.kind == "partial":
                site, dims = f"{site}.population", dims[1:]
            found.setdefault((quantity.unit, dims), []).append(site)
    return [sites for sites in found.values() if len(sites) > 1]


def together(sites: Mapping[str, Any], terms: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return values of sites, those of terms as log ratios to the last, whose place the logarithm of the sum takes."""
    found = dict(sites)
    for *others, last in terms:
        found |= {n: sites[n] - sites[last] for n in others}
        found[last] = _log_sum([sites[n] for n in (*others, last)])
    return found


def apart(coordinates: Mapping[str, Any], terms: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return the values of sites that `together` was given."""
    found = dict(coordinates)
    for *others, last in terms:
        ratios = [coordinates[n] for n in others]
        one = 0.0 * coordinates[last]  # the logarithm of the last term's ratio to itself
        found[last] = coordinates[last] - _log_sum([*ratios, one])
        found |= {n: coordinates[n] + found[last] for n in others}
    return found


def _log_sum(logs: Sequence[Any]) -> Any:
    return reduce(logs[0].__array_namespace__().logaddexp, logs)


def drawn(
    model: Model, site: str, priors: Mapping[str, Any], rng: np.random.Generator, size: tuple[int, ...]
) -> np.ndarray:
    """Draw one site from its prior, on the unconstrained scale."""
    name, part = quantity_of(site)
    if part == "offset":
        return rng.standard_normal(size)
    if part == "spread":
        return np.log(np.abs(rng.normal(0, model.pooling[name].spread, size)))
    distribution = rebuild(model.unknowns[name].distribution, priors[name])
    return free(distribution, draw(distribution, rng, size))


def free(distribution: Distribution, x: np.ndarray) -> np.ndarray:
    """Return values on the unconstrained scale of a prior, as NumPyro's `biject_to` has it."""
    support = distribution.support
    if support is _LOGARITHM:
        return np.log(x)
    if support is constraints.unit_interval or isinstance(distribution, Uniform):
        bounds = arguments(distribution) if isinstance(distribution, Uniform) else {"low": 0.0, "high": 1.0}
        return np.log(x - bounds["low"]) - np.log(bounds["high"] - x)
    return x
