"""Inputs: what a model needs of its runs, as arrays, and the names behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import jax
import numpy as np

from bayesmix.law import Prior, Quantity, Reference

T = TypeVar("T")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Inputs:
    """Arrays of one set of runs; arguments, not constants, of every compiled program.

    Attributes
    ----------
    covariates : dict of str to array, shape (observation,) or (observation, domain)
        What the law takes.
    groups : dict of str to integer array, shape (observation,)
        Index into the levels of each label column that a quantity is pooled over.
    references : dict of str to array
        Constants that make covariates dimensionless, or say whose domain is whose.
    priors : dict of str to dict of str to number
        Numbers of each unknown's prior, by their names.
    centring : dict of str to array
        For each unknown whose scale is unknown too, how well the runs know it, as far as that has been found out (see
        `bayesmix.pooling.scaled`); 0 at first.
    shrinkage : dict of str to (array, array)
        Around what effects of domains lie, shape (target, domain), and a root of their covariance; see
        `bayesmix.shrinkage`. Of those alone of which something is known.
    scale : array, shape (target,)
        Response reference: geometric mean of each target, of its size where it may be negative.
    response : array, shape (observation, target)
        What was measured; the scale where nothing was.
    observed : boolean array, shape (observation, target)
        Whether something was.
    items : array, shape (observation, target)
        Number of evaluation items behind a response; where it is not stated, as many as the fitted runs had, or 1.
    run : integer array, shape (observation,)
        Which run each row is a checkpoint of.
    noise_by : array, shape (observation,)
        The column that the scale of the noise is a power of; 1 where it is of none.
    sizes : tuple of (str, int)
        Size of each named dimension; compiled programs depend on them.
    """

    covariates: dict[str, Any]
    groups: dict[str, Any]
    references: dict[str, Any]
    priors: dict[str, dict[str, float]]
    centring: dict[str, Any]
    shrinkage: dict[str, tuple[Any, Any]]
    scale: Any
    response: Any
    observed: Any
    items: Any
    run: Any
    noise_by: Any
    sizes: tuple[tuple[str, int], ...] = field(metadata={"static": True})

    def constants(self, quantities: Mapping[str, Quantity]) -> dict[str, Any]:
        """Return those of quantities that are not unknown, references resolved."""
        known = {n: q for n, q in quantities.items() if not isinstance(q, Prior)}
        return {n: self.references[n] if isinstance(q, Reference) else q for n, q in known.items()}

    def shape(self, dims: tuple[str, ...]) -> tuple[int, ...]:
        """Return the sizes of named dimensions."""
        sizes = dict(self.sizes)
        return tuple(sizes[d] for d in dims)


@dataclass(frozen=True)
class Coordinates:
    """Names and constants that a model took from the runs it was fitted to.

    Parameters
    ----------
    targets, domains : tuple of str
        In the order of the arrays.
    levels : mapping of str to tuple of str
        Levels of each label column that a quantity is pooled over.
    references : mapping of str to number or list
        Resolved references.
    scale : tuple of float
        Response reference of each target.
    items : tuple of float
        Number of evaluation items that is usual behind each target; 1 where none is stated.
    """

    targets: tuple[str, ...]
    domains: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    references: Mapping[str, Any]
    scale: tuple[float, ...]
    items: tuple[float, ...]

    def of(self, dim: str) -> tuple[str, ...]:
        """Return the names along a dimension."""
        return {"target": self.targets, "domain": self.domains, **self.levels}[dim]


def stacked(of_each: list[T]) -> T:
    """Return inputs, or other trees, of the same shape with a leading dimension (posterior)."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *of_each)


def padded(inputs: Inputs) -> Inputs:
    """Return inputs with their rows filled up to a round number: copies of the first that nobody observed."""
    rows = len(inputs.response)
    size = _round(rows)
    chosen = np.where(np.arange(size) < rows, np.arange(size), 0)
    filled = rows_of(inputs, chosen)
    return replace(filled, observed=filled.observed & (np.arange(size) < rows)[:, None])


def rows_of(inputs: Inputs, rows: np.ndarray) -> Inputs:
    """Return inputs with these of their rows."""
    return replace(
        inputs,
        covariates={n: v[rows] for n, v in inputs.covariates.items()},
        groups={n: v[rows] for n, v in inputs.groups.items()},
        response=inputs.response[rows],
        observed=inputs.observed[rows],
        items=inputs.items[rows],
        run=inputs.run[rows],
        noise_by=inputs.noise_by[rows],
    )


def _round(rows: int) -> int:
    """Return the next of 16, 24, 32, 48, 64, 96, ...: at most half more, a third on average less."""
    size = 16
    while size < rows:
        size = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
    return size
