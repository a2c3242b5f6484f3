"""Pooling: how a quantity is shared over the groups that a label column makes.

complete: one value for all groups (what every quantity does unless told otherwise);
none: each group its own, as if the others did not exist;
partial: groups vary around a population value, by an amount that is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro.distributions import Distribution, biject_to

from bayesmix.errors import BayesmixError

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
    """

    by: str
    kind: Kind
    spread: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise BayesmixError(f"pooling {self.kind!r} is not one of {', '.join(get_args(Kind))}")
        if self.by in _TAKEN:
            raise BayesmixError(
                f"nothing can be pooled by {self.by!r}, a dimension of its own: every target has its own quantities. "
                "Pool by a label column of another name"
            )
        if not self.spread > 0:
            raise BayesmixError(f"the spread of a partial pooling must be positive, not {self.spread}")


def sample_partial(name: str, one: Distribution, groups: int, spread: float, zero_sum: bool):
    r"""Sample a quantity for every group, non-centred.

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

    Returns
    -------
    array, shape (group, ...)
    """
    population = numpyro.sample(f"{name}.population", one)
    tau = numpyro.sample(f"{name}.spread", dist.HalfNormal(spread))
    shape = jnp.shape(population)
    if zero_sum:
        standard = dist.ZeroSumNormal(1.0, shape[-1:]).expand((groups, *shape[:-1])).to_event(len(shape))
    else:
        standard = dist.Normal().expand((groups, *shape)).to_event(len(shape) + 1)
    return shifted(one, population, tau, numpyro.sample(f"{name}.offset", standard), zero_sum)


def shifted(one: Distribution, population, tau, offset, zero_sum: bool):
    """Move a population value by tau times an offset on the unconstrained scale."""
    if zero_sum:
        return population + tau * offset
    transform = biject_to(one.support)
    return transform(transform.inv(population) + tau * offset)
