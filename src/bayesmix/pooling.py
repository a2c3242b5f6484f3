"""Pooling: how a quantity is shared over the groups that a label column makes.

complete: one value for all groups (what every quantity does unless told otherwise);
none: each group its own, as if the others did not exist;
partial: groups vary around a population value, by an amount that is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.distributions import Distribution, biject_to, transforms

from bayesmix.errors import Fault, InputError
from bayesmix.shrinkage import zero_sum_basis
from bayesmix.toml import is_number

Kind = Literal["complete", "none", "partial"]

# Dimensions that are there already, so that no label column may make another of the same name.
_TAKEN = ("target", "domain", "observation", "chain", "draw", "coordinate")


@dataclass(frozen=True)
class Pooling:
    """Sharing of one quantity over a label column.

    Parameters
    ----------
    by : str
        The label column.
    kind : {"complete", "none", "partial"}
        How much is shared.
    spread : float
        For partial pooling: scale of the half-normal prior of the between-group standard deviation, on the
        unconstrained scale (the logarithm for positive quantities).

    Raises
    ------
    InputError
        Everything that is wrong with it.
    """

    by: str
    kind: Kind
    spread: float = 0.5

    def __post_init__(self) -> None:
        faults = []
        if self.kind not in get_args(Kind):
            faults.append(Fault(f"its kind is {self.kind!r}", f"Write one of {', '.join(get_args(Kind))}"))
        if not (isinstance(self.by, str) and self.by):
            faults.append(Fault(f"it is by {self.by!r}", "Write the name of a label column in quotes"))
        elif self.by in _TAKEN:
            what = f"it is by {self.by!r}, a dimension of its own: every target has its own quantities"
            faults.append(Fault(what, "Pool by a label column of another name"))
        if not (is_number(self.spread) and self.spread > 0):
            faults.append(Fault(f"its spread is {self.spread!r}", "Write a finite number above 0"))
        if faults:
            raise InputError("pooling", faults)


# Sites that a quantity's value is made of and that nobody reads.
INTERNAL = (".relative", ".offset")


def quantity_of(site: str) -> tuple[str, str]:
    """Return the quantity that a site is sampled for, and what of it: the value itself (""), or a part of its pooling.

    >>> quantity_of("E.relative"), quantity_of("E.relative.spread"), quantity_of("nu.offset")
    (('E', ''), ('E', 'spread'), ('nu', 'offset'))
    """
    name, *parts = site.split(".")
    return name, next((part for part in parts if part != "relative"), "")


def sample_partial(name: str, one: Distribution, groups: int, spread: float, zero_sum: bool, centring: Any):
    r"""Sample a quantity for every group.

    $$q_g = T(T^{-1}(q) + \tau z_g),\quad \tau \sim \mathrm{HalfNormal}(\mathrm{spread}),\quad z_g \sim N(0, 1)$$

    with T from the unconstrained scale to the support of the prior.

    Parameters
    ----------
    name : str
        The quantity; the population value q, tau and z are the sites ``name.population``, ``name.spread`` and
        ``name.offset``.
    one : Distribution
        Prior of one group's value, of the quantity's own shape.
    groups : int
        Number of groups.
    spread : float
        Prior scale of tau.
    zero_sum : bool
        The quantity sums to zero over its last dimension, and so do its offsets.
    centring : array, shape (group,)
        See `scaled`.

    Returns
    -------
    array, shape (group, ...)
    """
    population = numpyro.sample(f"{name}.population", one)
    tau = numpyro.sample(f"{name}.spread", dist.HalfNormal(spread))
    shape = (groups, *jnp.shape(population))
    return shifted(one, population, scaled(name, jnp.full(groups, tau), shape, centring, zero_sum), zero_sum)


def scaled(name: str, scale: Any, shape: tuple[int, ...], centring: Any, zero_sum: bool, known: Any = None):
    r"""Sample $\tau z$ with $z \sim N(0, 1)$ and a scale $\tau$ that is unknown itself.

    What is sampled, as the site ``name.offset``, is $v = z \sqrt{1 + (c\tau)^2}$ with the centring c: the inverse of
    the error with which the runs know the value. Where they know it much better than the scale does, v is the value
    in units of that error; where they say little, it is z. In between the standard deviation of v given runs and
    scale is 1 whatever the scale, if the runs' information is normal, so that there is no funnel at either end. The
    distribution of the value is the same for every c. After Papaspiliopoulos, Roberts and Sköld (2007), section 2,
    whose centring has a fixed scale.

    Parameters
    ----------
    name : str
        The quantity.
    scale : array, shape (...)
        Its scale, over the leading dimensions of `shape`.
    shape : tuple of int
        Shape of the value.
    centring : array, shape of `scale`
        Not negative; 0 where the runs say nothing.
    zero_sum : bool
        The value sums to zero over its last dimension.
    known : (array, array), optional
        What is known before of a value that sums to zero: around what it lies, and a root of the covariance of z; see
        `bayesmix.shrinkage`.
    """
    # Zero-sum vectors are sampled by their coordinates in an orthonormal basis, one fewer.
    shape = (*shape[:-1], shape[-1] - 1) if zero_sum else shape
    scale, width = (
        jnp.reshape(each, (*jnp.shape(scale), *(1,) * (len(shape) - jnp.ndim(scale))))
        for each in (scale, widening(scale, centring))
    )
    sampled = numpyro.sample(f"{name}.offset", dist.Normal(0, width).expand(shape).to_event(len(shape)))
    value = scale / width * sampled
    if known:
        value = value @ known[1].T
    value = transforms.ZeroSumTransform(1)(value) if zero_sum else value
    return known[0] + value if known else value


def departure(value: Any, known: Any):
    """Return how far a value lies from what is known before, in the units and coordinates of z times its scale."""
    if not known:
        return value
    around, root = known
    basis = zero_sum_basis(value.shape[-1])
    return np.linalg.solve(root, ((value - around) @ basis.T)[..., None])[..., 0]


def widening(scale: Any, centring: Any):
    """Return the prior standard deviation of what `scaled` samples."""
    return jnp.sqrt(1 + (centring * scale) ** 2)


def shifted(one: Distribution, population, shift, zero_sum: bool):
    """Move a population value by a shift on the unconstrained scale."""
    if zero_sum:
        return population + shift
    transform = biject_to(one.support)
    return transform(transform.inv(population) + shift)
