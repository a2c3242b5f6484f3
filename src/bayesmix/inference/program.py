"""The compiled functions of one model: log density, gradient, Hessian, prior draws, sampler.

Runs, references and whitening are arguments of every compiled function, so that another table of the same shape
needs no compilation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpyro
from jax.flatten_util import ravel_pytree
from numpyro.distributions import biject_to
from numpyro.infer.hmc import hmc
from numpyro.infer.util import constrain_fn, potential_energy

from bayesmix import modelfile
from bayesmix.inputs import Inputs
from bayesmix.model import Model
from bayesmix.precision import in_double

CHUNK = 50  # draws between two looks at the progress
TARGET_ACCEPTANCE = 0.9
MAX_TREE_DEPTH = 10


def _latent(trace: dict[str, Any]) -> dict[str, Any]:
    return {n: s for n, s in trace.items() if s["type"] == "sample" and not s["is_observed"]}


@dataclass(frozen=True, eq=False)
class Program:
    """A model on runs of one shape, in flat unconstrained coordinates u of length `size`."""

    model: Model
    example: Inputs
    _samplers: dict[int, tuple[Callable, Callable]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _ = self._flat  # now, since a value first made inside a compiled function could not be kept

    def _trace(self, inputs: Inputs, key: Any) -> dict[str, Any]:
        seeded = numpyro.handlers.seed(self.model, key)
        return numpyro.handlers.trace(seeded).get_trace(inputs)

    def _unconstrained(self, trace: dict[str, Any]) -> dict[str, Any]:
        return {n: biject_to(s["fn"].support).inv(s["value"]) for n, s in _latent(trace).items()}

    @cached_property
    def _flat(self) -> tuple[Any, Callable[[Any], dict[str, Any]]]:
        # Only its shape is of interest: one wild draw of a wide prior shall not be refused.
        with numpyro.validation_enabled(False):
            return ravel_pytree(self._unconstrained(self._trace(self.example, jax.random.key(0))))

    def unravel(self, u: Any) -> dict[str, Any]:
        """Return the unconstrained value of each site from the flat u."""
        return self._flat[1](u)

    @property
    def size(self) -> int:
        """Number of unconstrained coordinates."""
        return self._flat[0].size

    @cached_property
    def labels(self) -> list[str]:
        """Name of the site that each coordinate belongs to."""
        template = self._flat[1](self._flat[0])
        return [name for name, value in template.items() for _ in range(value.size)]

    def potential(self, u: Any, inputs: Inputs) -> Any:
        """Return the negative log joint density of u."""
        return potential_energy(self.model, (inputs,), {}, self.unravel(u))

    @cached_property
    def value_and_grad(self) -> Callable:
        """Potential and its gradient."""
        return jax.jit(jax.value_and_grad(self.potential))

    def pointwise(self, u: Any, inputs: Inputs) -> Any:
        """Return the log likelihood of every response, shape (observation, target); 0 where none was observed."""
        values = constrain_fn(self.model, (inputs,), {}, self.unravel(u), return_deterministic=True)
        measured = self.model.measured(values, self.model.mean(values, inputs), inputs)
        return jnp.where(inputs.observed, measured.log_prob(inputs.response), 0.0)

    @cached_property
    def information(self) -> Callable:
        """Curvature of the potential: (u, inputs) -> (size, size).

        The Hessian; for a kinked noise, whose Hessian misses the likelihood, that of the prior plus the outer
        products of each response's score.
        """

        def scores(u, inputs):
            prior = jax.hessian(lambda v: self.potential(v, inputs) + self.pointwise(v, inputs).sum())(u)
            score = jax.jacrev(lambda v: self.pointwise(v, inputs).ravel())(u)
            return prior + score.T @ score

        return jax.jit(scores if self.model.noise.kinked else jax.hessian(self.potential))

    @cached_property
    def prior_draws(self) -> Callable:
        """Draws of u from the prior: (keys, inputs) -> (draw, size)."""

        def one(key, inputs):
            return ravel_pytree(self._unconstrained(self._trace(inputs, key)))[0]

        return jax.jit(jax.vmap(one, in_axes=(0, None)))

    @cached_property
    def constrain(self) -> Callable:
        """Quantities by name from draws of u: (draws, inputs) -> {name: (draw, ...)}."""

        def one(u, inputs):
            values = constrain_fn(self.model, (inputs,), {}, self.unravel(u), return_deterministic=True)
            return {n: v for n, v in values.items() if not n.endswith((".relative", ".offset"))}

        return jax.jit(jax.vmap(one, in_axes=(0, None)))

    def sampler(self, warmup: int) -> tuple[Callable, Callable]:
        """Return `start` and `advance` of NUTS in whitened coordinates z, where u = centre + scale z.

        start(keys, z, inputs, centre, scale) gives the state of all chains; advance(state, inputs, centre, scale)
        gives the state `CHUNK` draws later, and the draws.
        """
        if warmup not in self._samplers:
            self._samplers[warmup] = _sampler(self, warmup)
        return self._samplers[warmup]


def _sampler(program: Program, warmup: int) -> tuple[Callable, Callable]:
    def potential_of_z(inputs, centre, scale):
        return lambda z: program.potential(centre + scale @ z, inputs)

    # Partial pooling makes a funnel, whose shape the Laplace approximation at the mode does not show.
    funnel = any(p.kind == "partial" for p in program.model.pooling.values())
    init_kernel, sample_kernel = hmc(potential_fn_gen=potential_of_z, algo="NUTS")

    def start(keys, z, inputs, centre, scale):
        def one(key, z):
            return init_kernel(
                z,
                warmup,
                step_size=0.5,
                dense_mass=funnel,
                target_accept_prob=TARGET_ACCEPTANCE,
                max_tree_depth=MAX_TREE_DEPTH,
                model_args=(inputs, centre, scale),
                rng_key=key,
            )

        return jax.vmap(one)(keys, z)

    def advance(state, inputs, centre, scale):
        def step(state, _):
            state = jax.vmap(lambda s: sample_kernel(s, (inputs, centre, scale), {}))(state)
            kept = {
                "u": centre + state.z @ scale.T,
                "diverging": state.diverging,
                "energy": state.energy,
                "acceptance_rate": state.accept_prob,
                "n_steps": state.num_steps,
                "lp": -state.potential_energy,
            }
            return state, kept

        return jax.lax.scan(step, state, None, length=CHUNK)

    return jax.jit(start), jax.jit(advance)


@dataclass(frozen=True)
class _Key:
    """Equal for models of the same text and the same equation on runs of the same shape."""

    text: str
    equation: Callable
    shapes: tuple
    model: Model = field(compare=False)
    example: Inputs = field(compare=False)


@in_double
@lru_cache(maxsize=8)
def _program(key: _Key) -> Program:
    return Program(key.model, key.example)


def program(model: Model, inputs: Inputs) -> Program:
    """Return the program of a model for runs of this shape, made once and kept for the next fit."""
    leaves, structure = jax.tree.flatten(inputs)
    shapes = (str(structure), *(jnp.shape(leaf) for leaf in leaves))
    return _program(_Key(modelfile.dumps(model), model.law.function, shapes, model, inputs))
