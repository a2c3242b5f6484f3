"""Laws: a function's signature declares what is measured, what is unknown and what is constant.

Positional arguments are the covariates of one observation; one without a standard name says what it is by a default
`covariate(...)`. A keyword whose default is `prior(...)` is unknown, `reference(...)` is from the runs, a number stays.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from numpyro.distributions import Distribution, Normal

from bayesmix.covariates import COVARIATES, Covariate
from bayesmix.errors import BayesmixError, suggest
from bayesmix.precision import double
from bayesmix.priors import arguments
from bayesmix.provenance import CATALOGUE, fingerprint


@dataclass(frozen=True)
class Prior:
    """An unknown quantity: what is believed of it before the runs are seen; made by `prior`."""

    distribution: Distribution
    unit: str
    meaning: str
    dims: tuple[str, ...] = ()
    relative: bool = False
    zero_sum: bool = False
    scaled_by: str = ""


@dataclass(frozen=True)
class Reference:
    """A constant that makes a covariate dimensionless, or tells whose domain is whose; made by `reference`."""

    covariate: str


Quantity = Prior | Reference | float

OWN = "own"  # the reference that is resolved from the names of targets and domains


def prior(
    distribution: Distribution,
    unit: str,
    meaning: str,
    *,
    dims: tuple[str, ...] = (),
    relative: bool = False,
    zero_sum: bool = False,
    scaled_by: str = "",
) -> Any:
    """Declare an unknown quantity of a law or a noise.

    Parameters
    ----------
    distribution : numpyro.distributions.Distribution
        Belief about one element, of one of the families in `bayesmix.priors.FAMILIES`; else it is refused.
    unit : str
        Unit of the quantity; empty for a pure number.
    meaning : str
        What the quantity is, in a few words.
    dims : tuple of str
        Names of its dimensions out of ``"target"`` and ``"domain"``. A law that names ``"target"`` anywhere
        returns all targets at once; otherwise every target gets quantities of its own.
    relative : bool
        The distribution is for the quantity divided by the response reference of the runs (the geometric mean
        of the response), so that it makes sense in nats, bits or fractions alike.
    zero_sum : bool
        The elements sum to zero over the last dimension, which removes a direction that a mixture, whose weights
        sum to one, can never show. Needs a `Normal` centred on zero.
    scaled_by : str
        Another quantity, positive and with leading dimensions of this one, that the distribution's scale is
        multiplied by: shrinkage whose strength is learned. Needs a `Normal` centred on zero.

    Raises
    ------
    BayesmixError
        The distribution is not what `zero_sum` or `scaled_by` need.
    """
    centred = arguments(distribution).get("loc") == 0 and isinstance(distribution, Normal)
    if zero_sum and not (centred and dims):
        raise BayesmixError("zero_sum needs a Normal prior centred on 0 with named dimensions")
    if scaled_by and (relative or not centred):
        raise BayesmixError("scaled_by needs a Normal prior centred on 0, of the quantity itself")
    return Prior(distribution, unit, meaning, dims, relative, zero_sum, scaled_by)


def reference(covariate: str) -> Any:
    """Declare a constant that is resolved when a model meets its runs.

    It is the geometric mean of the covariate over the runs; for the mixture ``w``, the mean mixture. What is called
    ``"own"`` comes from the names instead: a matrix (target, domain) with 1 where the domain is the target's own, as
    w.web is of loss.web, and 0 elsewhere. A target that is no domain has a row of zeros.
    """
    return Reference(covariate)


def covariate(meaning: str, unit: str, low: float, high: float) -> Any:
    """Say what a covariate is that is not among the standard names of `bayesmix.covariates.COVARIATES`.

    Parameters
    ----------
    meaning, unit : str
        What it is, and what it is counted in; empty for a pure number.
    low, high : float
        Smallest and largest usual value. Where the smallest is above 0, it is thought of in decades.
    """
    return Covariate("", meaning, unit, (low, high))


def declaration(function: Callable) -> tuple[tuple[str, ...], dict[str, Quantity]]:
    """Read covariates and quantities from a function's signature."""
    covariates, quantities = [], {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            default = parameter.default
            if not isinstance(default, Prior | Reference | int | float):
                raise BayesmixError(f"{name} of {function.__qualname__} needs prior(...), reference(...) or a number")
            quantities[name] = default
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise BayesmixError(f"{function.__qualname__} may not take *args or **kwargs: its signature declares it")
        elif isinstance(parameter.default, Prior | Reference):
            raise BayesmixError(f"{name} of {function.__qualname__} is no covariate: write *, before the quantities")
        else:
            covariates.append(name)
    return tuple(covariates), quantities


def replaced(quantities: Mapping[str, Quantity], changes: Mapping[str, Any], owner: str) -> dict[str, Quantity]:
    """Return quantities with some fixed (number) or re-judged (distribution or `prior`)."""
    result = dict(quantities)
    for name, change in changes.items():
        if name not in quantities:
            raise BayesmixError(f"{owner} has no quantity {name!r}. {suggest(name, quantities)}")
        old = quantities[name]
        if isinstance(change, Distribution):
            if not isinstance(old, Prior):
                raise BayesmixError(f"{name} of {owner} is a constant; give prior(...) with unit and meaning instead")
            kept = {n: getattr(old, n) for n in ("dims", "relative", "zero_sum", "scaled_by")}
            change = prior(change, old.unit, old.meaning, **kept)
        elif not isinstance(change, Prior | Reference):
            change = _number(name, change, old, owner)
        result[name] = change
    return result


def _number(name: str, change: Any, old: Quantity, owner: str) -> float:
    if isinstance(old, Prior) and old.zero_sum:
        raise BayesmixError(f"{name} of {owner} sums to zero over {old.dims[-1]}s and cannot be fixed to one number")
    try:
        return float(change)
    except (TypeError, ValueError):
        remedy = "give a number, a distribution or prior(...)"
        raise BayesmixError(f"{name} of {owner} cannot be {change!r}: {remedy}") from None


@dataclass(frozen=True)
class Law:
    """An equation from the covariates of one observation to a mean response, with default priors.

    Made by the `law` decorator. Calling it with numbers evaluates it, in 64 bit.
    """

    name: str
    response: str
    function: Callable
    covariates: tuple[str, ...]
    quantities: Mapping[str, Quantity]
    paper: str = ""
    derived: Callable | None = None
    document: str = field(default="", repr=False)
    module: str = ""
    described: Mapping[str, Covariate] = field(default_factory=dict)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the law. Quantities without a number must be given; constants may be left out."""
        if len(args) > len(self.covariates):
            takes = ", ".join(self.covariates) or "none"
            raise BayesmixError(f"law {self.name} has {len(args)} positional arguments; its covariates are: {takes}")
        constants = {n: q for n, q in self.quantities.items() if not isinstance(q, Prior | Reference)}
        given = {**dict(zip(self.covariates, args, strict=False)), **constants, **kwargs}
        known = [*self.covariates, *self.quantities]
        if twice := {*self.covariates[: len(args)]} & {*kwargs}:
            raise BayesmixError(f"law {self.name} was given {min(twice)} twice")
        if unknown := [n for n in kwargs if n not in known]:
            raise BayesmixError(f"law {self.name} has no argument {unknown[0]!r}. {suggest(unknown[0], known)}")
        if missing := [n for n in known if n not in given]:
            raise BayesmixError(f"law {self.name} needs a number for {', '.join(missing)}")
        with double():
            import jax
            import jax.numpy as jnp
            from jax.core import Tracer

            if any(isinstance(v, Tracer) for v in given.values()):
                return self.function(**given)
            value = self.function(**{n: v if isinstance(v, float | int) else jnp.asarray(v) for n, v in given.items()})
            return float(value) if jnp.ndim(value) == 0 else jax.device_get(value)

    @property
    def family(self) -> str:
        """Folder of the catalogue that the law belongs to."""
        return self.module.split(".")[-2] if "." in self.module else ""

    @property
    def takes(self) -> dict[str, Covariate]:
        """What each covariate is, by its name in the equation."""
        known = {**COVARIATES, **self.described}
        return {c: known.get(c, Covariate(c, "a column of that name", "", (0.0, 1.0))) for c in self.covariates}

    @property
    def vector(self) -> bool:
        """Whether the law returns all targets of an observation at once."""
        return any("target" in q.dims for q in self.quantities.values() if isinstance(q, Prior))

    @property
    def identifier(self) -> str:
        """Name by which `bayesmix.laws.get` finds the law again."""
        return self.name if self.module.startswith(CATALOGUE) else f"{self.module}:{self.response}"

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the law's code, comments and documentation aside: tells a posterior made for another version.

        In the catalogue a file is a law, with those that it takes functions from; elsewhere the function alone is.
        """
        return fingerprint(self.function)

    def given(self, **changes: Any) -> Law:
        """Return the law with quantities fixed (a number) or re-judged (a distribution).

        Raises
        ------
        BayesmixError
            A name that the law does not have; the known ones are listed.
        """
        return dataclasses.replace(self, quantities=replaced(self.quantities, changes, f"law {self.name}"))


def law(*, paper: str, derived: Callable | None = None) -> Callable[[Callable], Law]:
    """Make a `Law` of a function: file name = the law's name, function name = its response.

    Parameters
    ----------
    paper : str
        Where the equation comes from.
    derived : callable, optional
        Takes quantities and references by their names, returns a dictionary of coefficients that follow from
        them, e.g. in the units of the paper.
    """

    def decorate(function: Callable) -> Law:
        covariates, quantities = declaration(function)
        module = inspect.getmodule(function)
        parameters = inspect.signature(function).parameters
        described = {c: parameters[c].default for c in covariates if isinstance(parameters[c].default, Covariate)}
        return Law(
            name=function.__module__.rsplit(".", 1)[-1],
            response=function.__name__,
            function=function,
            covariates=covariates,
            quantities=quantities,
            paper=paper,
            derived=derived,
            document=inspect.cleandoc((module.__doc__ if module else None) or function.__doc__ or ""),
            module=function.__module__,
            described={c: dataclasses.replace(about, symbol=c) for c, about in described.items()},
        )

    return decorate
