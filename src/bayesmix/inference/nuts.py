"""The No-U-Turn sampler as one loop: every pass makes one leapfrog step in every lane.

Hoffman and Gelman (2014) with the multinomial weights of Betancourt (2017), the iterative doubling of Phan, Pradhan
and Jankowiak (2019), and dual averaging of the step size. A lane is one chain of one posterior. Lanes do not wait
for each other: when the trajectory of one ends, its draw is given out and its next trajectory begins in the same
loop. Written for lanes that are already whitened, so the mass matrix is the identity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

MAX_TREE_DEPTH = 10
STEPS = 256  # leapfrog steps of every lane between two looks at the draws
# An energy error of this many nats is a trajectory that left the typical set.
_DIVERGED = 1000.0
# Dual averaging, with the constants of Hoffman and Gelman (2014), section 3.2.
_GAMMA, _T0, _KAPPA = 0.05, 10.0, 0.75


class Point(NamedTuple):
    """A place with its momentum, gradient, potential and total energy."""

    z: Any
    p: Any
    gradient: Any
    potential: Any
    energy: Any


class Tree(NamedTuple):
    """Points of a trajectory, or of the half that is being added: what was drawn from them, and their sums."""

    proposal: Point
    weight: Any
    momentum: Any


class Averaging(NamedTuple):
    """Dual averaging of the log step size."""

    log_step: Any
    average: Any
    error: Any
    count: Any
    centre: Any


class State(NamedTuple):
    """One lane."""

    left: Point
    right: Point
    leaf: Point
    tree: Tree
    half: Tree
    checkpoints: tuple[Any, Any]
    direction: Any
    depth: Any
    index: Any
    start_energy: Any
    acceptance: Any
    steps: Any
    fresh: Any
    averaging: Averaging


class Draw(NamedTuple):
    """What a lane gives out after a step; a draw only where `done`."""

    done: Any
    z: Any
    lp: Any
    energy: Any
    acceptance_rate: Any
    n_steps: Any
    diverging: Any


def averaging(step: float) -> Averaging:
    """Return a fresh dual averaging that starts at a step size."""
    log_step, nothing = np.log(step), np.zeros(())
    return Averaging(log_step, log_step, nothing, nothing, log_step + np.log(10.0))


def begin(z: np.ndarray, adapted: Averaging) -> State:
    """Return a lane at z. Its first step has length zero and finds the gradient there."""
    nothing, none, count = np.zeros(()), np.zeros_like(z), np.zeros((), np.int64)
    point = Point(z, none, none, nothing, nothing)
    tree = Tree(point, nothing, none)
    table = np.zeros((MAX_TREE_DEPTH, *z.shape))
    return State(
        left=point, right=point, leaf=point, tree=tree, half=tree, checkpoints=(table, table),
        direction=np.ones(()), depth=count, index=count, start_energy=nothing, acceptance=nothing, steps=count,
        fresh=np.ones((), bool), averaging=adapted,
    )  # fmt: skip


def advance(state: State, uniform: Any, momentum: Any, density: Callable, target: Any, adapting: Any):
    """Make one leapfrog step, and whatever follows from it.

    Parameters
    ----------
    state : State
        The lane.
    uniform : array, shape (3,)
        Random numbers in (0, 1) for this step.
    momentum : array, shape (coordinate,)
        Standard normal numbers, used if a trajectory ends here.
    density : callable
        z to potential and gradient.
    target : number
        Acceptance rate that the step size is adapted to.
    adapting : bool
        Whether it is.

    Returns
    -------
    (State, Draw)
    """
    leaf = _leapfrog(state, density)
    error = leaf.energy - state.start_energy
    error = jnp.where(jnp.isnan(error), jnp.inf, error)
    diverging = (error > _DIVERGED) & ~state.fresh
    acceptance = state.acceptance + jnp.minimum(1.0, jnp.exp(-error))
    steps = state.steps + 1
    half = _grown(state.half, leaf, -error, state.index == 0, uniform[0])
    checkpoints, turning = _turns_within(state.checkpoints, state.index, leaf.p, half.momentum)
    failed = turning | diverging

    # The half that was added is as long as the trajectory was before: the two are joined.
    joined = (state.index == 2**state.depth - 1) & ~failed
    tree = Tree(
        _choose(joined & (jnp.log(uniform[1]) < half.weight - state.tree.weight), half.proposal, state.tree.proposal),
        jnp.logaddexp(state.tree.weight, half.weight),
        state.tree.momentum + half.momentum,
    )
    left = _choose(joined & (state.direction < 0), leaf, state.left)
    right = _choose(joined & (state.direction > 0), leaf, state.right)
    depth = state.depth + joined
    full = joined & (_turning(left.p, right.p, tree.momentum) | (depth == MAX_TREE_DEPTH))
    over = state.fresh | failed | full

    draw = _choose(state.fresh, leaf, tree.proposal)
    rate = acceptance / steps
    out = Draw(over & ~state.fresh, draw.z, -draw.potential, draw.energy, rate, steps, diverging)

    begun = draw._replace(p=momentum, energy=draw.potential + 0.5 * momentum @ momentum)
    direction = jnp.where(uniform[2] < 0.5, -1.0, 1.0)
    turned = jnp.where(joined | over, direction, state.direction)
    edge = _choose(direction < 0, left, right)
    none = jnp.zeros_like(steps)
    after = State(
        left=_choose(over, begun, left),
        right=_choose(over, begun, right),
        leaf=_choose(over, begun, _choose(joined, edge, leaf)),
        tree=_choose(over, Tree(begun, jnp.zeros(()), momentum), _choose(joined, tree, state.tree)),
        half=half,
        checkpoints=checkpoints,
        direction=turned,
        depth=jnp.where(over, none, depth),
        index=jnp.where(over | joined, none, state.index + 1),
        start_energy=jnp.where(over, begun.energy, state.start_energy),
        acceptance=jnp.where(over, 0.0, acceptance),
        steps=jnp.where(over, none, steps),
        fresh=jnp.zeros((), bool),
        averaging=_choose(out.done & adapting, _averaged(state.averaging, rate, target), state.averaging),
    )
    return after, out


def _leapfrog(state: State, density: Callable) -> Point:
    step = jnp.where(state.fresh, 0.0, state.direction * jnp.exp(state.averaging.log_step))
    half = state.leaf.p - 0.5 * step * state.leaf.gradient
    z = state.leaf.z + step * half
    potential, gradient = density(z)
    p = half - 0.5 * step * gradient
    return Point(z, p, gradient, potential, potential + 0.5 * p @ p)


def _grown(half: Tree, leaf: Point, weight: Any, first: Any, uniform: Any) -> Tree:
    total = jnp.where(first, weight, jnp.logaddexp(half.weight, weight))
    # The first leaf is always taken: its share of the weight is one, unless that is nothing.
    proposal = _choose(first | (jnp.log(uniform) < weight - total), leaf, half.proposal)
    return Tree(proposal, total, jnp.where(first, leaf.p, half.momentum + leaf.p))


def _turns_within(checkpoints: tuple[Any, Any], index: Any, p: Any, total: Any) -> tuple[tuple[Any, Any], Any]:
    """Look for a U-turn in every balanced subtree that ends at this leaf.

    The momentum at the beginning of such a subtree, and the sum up to there, are kept in as many slots as a tree has
    levels: a leaf of even index in slot number (ones in its index but the last bit).
    """
    kept_p, kept_total = checkpoints
    slots, even = jnp.arange(MAX_TREE_DEPTH), index % 2 == 0
    last = jnp.bitwise_count(index >> 1).astype(int)
    ends = jnp.bitwise_count((~index & (index + 1)) - 1).astype(int)  # how many subtrees do
    write = (even & (slots == last))[:, None]
    kept_p, kept_total = jnp.where(write, p, kept_p), jnp.where(write, total, kept_total)
    turning = _turning(kept_p, p, total - kept_total + kept_p)
    return (kept_p, kept_total), (turning & (slots > last - ends) & (slots <= last) & ~even).any()


def _turning(first: Any, last: Any, total: Any) -> Any:
    middle = total - 0.5 * (first + last)
    return ((first * middle).sum(-1) <= 0) | ((last * middle).sum(-1) <= 0)


def _averaged(state: Averaging, rate: Any, target: Any) -> Averaging:
    count = state.count + 1
    error = state.error + (target - rate - state.error) / (count + _T0)
    log_step = state.centre - jnp.sqrt(count) / _GAMMA * error
    share = count**-_KAPPA
    return Averaging(log_step, share * log_step + (1 - share) * state.average, error, count, state.centre)


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)
