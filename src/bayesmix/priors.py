"""Priors as data: NumPyro distributions by name and numbers, never evaluated text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from bayesmix.errors import BayesmixError, suggest
from bayesmix.toml import is_number

FAMILIES: Mapping[str, type[Distribution]] = {
    family.__name__: family
    for family in (
        dist.Beta,
        dist.Cauchy,
        dist.Exponential,
        dist.Gamma,
        dist.HalfCauchy,
        dist.HalfNormal,
        dist.InverseGamma,
        dist.Laplace,
        dist.LogNormal,
        dist.Normal,
        dist.StudentT,
        dist.Uniform,
    )
}


def arguments(distribution: Distribution) -> dict[str, float]:
    """Return the parameters of a prior by name, as plain numbers.

    Raises
    ------
    BayesmixError
        The distribution is not one of `FAMILIES`, or not univariate.
    """
    name = type(distribution).__name__
    if name not in FAMILIES:
        raise BayesmixError(f"{name} cannot be a prior here. Use one of {', '.join(sorted(FAMILIES))}")
    if distribution.batch_shape or distribution.event_shape:
        raise BayesmixError(
            f"a prior is stated for one element, but this {name} has shape "
            f"{distribution.batch_shape + distribution.event_shape}. Name the dimensions with dims=(...)"
        )
    return {p: float(getattr(distribution, p)) for p in distribution.arg_constraints}


def from_table(table: Mapping[str, Sequence[float]]) -> Distribution:
    """Build a prior from `{family: [numbers]}`.

    >>> arguments(from_table({"LogNormal": [-1.2, 0.4]}))
    {'loc': -1.2, 'scale': 0.4}

    Raises
    ------
    BayesmixError
        Unknown family, wrong number of numbers, what is no finite number, or a number that the family refuses.
    """
    if len(table) != 1:
        raise BayesmixError(f"a prior is one family with its numbers, e.g. {{ LogNormal = [0, 1] }}, not {table}")
    ((name, numbers),) = table.items()
    if name not in FAMILIES:
        raise BayesmixError(f"unknown prior family {name!r}. {suggest(name, FAMILIES)}")
    family = FAMILIES[name]
    expected = list(family.arg_constraints)
    takes = f"{name} takes [{', '.join(expected)}], not {numbers!r}"
    if not isinstance(numbers, list | tuple) or len(numbers) != len(expected) or not all(map(is_number, numbers)):
        raise BayesmixError(f"{takes}. Write as many finite numbers, in brackets and without quotes")
    # NumPyro checks each number by itself.
    if family is dist.Uniform and not numbers[0] < numbers[1]:
        raise BayesmixError(f"{takes}. Write the lower end first")
    try:
        return family(**dict(zip(expected, map(float, numbers), strict=True)), validate_args=True)
    except ValueError as error:
        raise BayesmixError(f"{name} does not accept {numbers!r}: {error} Give another number") from None


def to_table(distribution: Distribution) -> dict[str, list[float]]:
    """Return `{family: [numbers]}`, the inverse of `from_table`."""
    return {type(distribution).__name__: list(arguments(distribution).values())}


def rebuild(distribution: Distribution, numbers: Mapping[str, Any] | None = None) -> Distribution:
    """Return the same distribution with its numbers in the precision of the present scope, or with other numbers."""
    return FAMILIES[type(distribution).__name__](**(numbers or arguments(distribution)))


def draw(distribution: Distribution, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """Draw from a prior without compiling anything, as NumPyro's own samplers would have to."""
    draws = _SAMPLERS[type(distribution).__name__](rng, size, **arguments(distribution))
    # Far tails round to the edge of the support, whose image on the unconstrained scale is infinite.
    edges = _EDGES.get(type(distribution).__name__)
    return np.clip(draws, *edges) if edges else draws


_TINY = 1e-300
_SAMPLERS: Mapping[str, Callable[..., np.ndarray]] = {
    "Beta": lambda rng, size, concentration1, concentration0: rng.beta(concentration1, concentration0, size),
    "Cauchy": lambda rng, size, loc, scale: loc + scale * rng.standard_cauchy(size),
    "Exponential": lambda rng, size, rate: rng.exponential(1 / rate, size),
    "Gamma": lambda rng, size, concentration, rate: rng.gamma(concentration, 1 / rate, size),
    "HalfCauchy": lambda rng, size, scale: np.abs(scale * rng.standard_cauchy(size)),
    "HalfNormal": lambda rng, size, scale: np.abs(scale * rng.standard_normal(size)),
    "InverseGamma": lambda rng, size, concentration, rate: (
        rate / np.maximum(rng.gamma(concentration, 1.0, size), _TINY)
    ),
    "Laplace": lambda rng, size, loc, scale: rng.laplace(loc, scale, size),
    "LogNormal": lambda rng, size, loc, scale: rng.lognormal(loc, scale, size),
    "Normal": lambda rng, size, loc, scale: rng.normal(loc, scale, size),
    "StudentT": lambda rng, size, df, loc, scale: loc + scale * rng.standard_t(df, size),
    "Uniform": lambda rng, size, low, high: rng.uniform(low, high, size),
}
_EDGES = {
    "Beta": (1e-12, 1 - 1e-12),
    **dict.fromkeys(("Exponential", "Gamma", "HalfCauchy", "HalfNormal", "InverseGamma", "LogNormal"), (_TINY, None)),
}


def describe(distribution: Any) -> str:
    """Return a prior as text, e.g. ``LogNormal(-1.2, 0.4)``."""
    return f"{type(distribution).__name__}({', '.join(f'{v:g}' for v in arguments(distribution).values())})"
