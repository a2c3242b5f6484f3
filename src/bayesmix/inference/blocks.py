"""Blocks: the parts of a posterior that are independent of each other, sampled as posteriors of their own.

Targets that share no unknown quantity, neither through the law nor through pooling, have independent posteriors given
the runs. Sampling thirteen posteriors of 20 quantities is far cheaper than one of 260, and the thirteen share one
compiled program.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix.inference.program import program
from bayesmix.inputs import Inputs
from bayesmix.law import OWN
from bayesmix.model import Model
from bayesmix.precision import double
from bayesmix.priors import draw


def blocks(model: Model, inputs: Inputs) -> list[Inputs]:
    """Return the inputs of each independent part: one a target, or the whole."""
    targets = inputs.response.shape[1]
    if targets == 1 or not separable(model, inputs):
        return [inputs]
    return [_target(model, inputs, i) for i in range(targets)]


def separable(model: Model, inputs: Inputs) -> bool:
    """Return whether no quantity acts on two targets."""
    if any("target" not in model.dims(n) for n in model.unknowns):
        return False
    if any(p.kind == "partial" for p in model.pooling.values()):
        return False  # the spread between groups is learned from all targets
    return not model.law.vector or _acts_apart(model, inputs)


def _acts_apart(model: Model, inputs: Inputs) -> bool:
    """Change the quantities of one target at a time: no other target's response may change in the last bit."""
    rng = np.random.default_rng(0)
    here, there = (_prior_values(model, inputs, rng) for _ in range(2))
    with double():
        mean = program(model, inputs).compiled("mean", model.mean, here, inputs)
        before = np.asarray(mean(here, inputs))
        for target in range(inputs.response.shape[1]):
            mixed = {n: _replaced(v, there[n], target, model.dims(n).index("target")) for n, v in here.items()}
            change = np.asarray(mean(mixed, inputs)) != before
            if np.delete(change, target, axis=1).any():
                return False
    return True


def _prior_values(model: Model, inputs: Inputs, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {n: draw(q.distribution, rng, inputs.shape(model.dims(n))) for n, q in model.unknowns.items()}


def _replaced(here: np.ndarray, there: np.ndarray, target: int, axis: int) -> np.ndarray:
    values = np.moveaxis(here.copy(), axis, 0)
    values[target] = np.moveaxis(there, axis, 0)[target]
    return np.moveaxis(values, 0, axis)


def _target(model: Model, inputs: Inputs, i: int) -> Inputs:
    """Return the inputs of one target."""
    only = slice(i, i + 1)
    return replace(
        inputs,
        scale=inputs.scale[only],
        response=inputs.response[:, only],
        observed=inputs.observed[:, only],
        items=inputs.items[:, only],
        references={n: v[only] if model.references[n] == OWN else v for n, v in inputs.references.items()},
        # What scales another quantity has the target as one of its dimensions here, unless it is a fixed number.
        centring={n: _taken(v, i, model.dims(n)) if v.ndim else v for n, v in inputs.centring.items()},
        shrinkage={n: (around[only], root) for n, (around, root) in inputs.shrinkage.items()},
        sizes=tuple((n, 1 if n == "target" else s) for n, s in inputs.sizes),
    )


def _taken(value: np.ndarray, target: int, dims: tuple[str, ...]) -> np.ndarray:
    return np.take(value, [target], axis=dims.index("target"))


def joined(model: Model, values: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Put the quantities of the blocks together again, arrays (chain, draw, ...)."""
    if len(values) == 1:
        return values[0]
    return {n: np.concatenate([v[n] for v in values], axis=2 + model.dims(n).index("target")) for n in values[0]}
