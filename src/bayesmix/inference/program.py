"""The compiled functions of a model: log density with gradient, sampler, constrained values.

Runs, references, priors' numbers and whitening are arguments of every compiled function, and rows are padded to round
numbers, so that another table of the same kind needs no compilation. All of them take a batch of posteriors at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from threading import RLock
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro.distributions import biject_to, constraints
from numpyro.infer.util import constrain_fn, potential_energy

from bayesmix.inference import coordinates, nuts
from bayesmix.inference.funnel import outside
from bayesmix.inference.maps import make_room
from bayesmix.inputs import Inputs
from bayesmix.law import Prior
from bayesmix.model import Model
from bayesmix.pooling import INTERNAL, quantity_of, widening
from bayesmix.precision import double
from bayesmix.priors import rebuild

# Points whose density is computed at once: enough to be quick, few enough for 100,000 responses to fit into memory.
_POINTS, _VALUES = 64, 2**20
_FEW = 24  # rows, of which the noise's scale may not be known


@dataclass(frozen=True, eq=False)
class Program:
    """A model on runs of one shape, in flat unconstrained coordinates u of length `size`."""

    model: Model
    example: Inputs
    _compiled: dict[Any, Future] = field(default_factory=dict)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Unconstrained shape of each sampled site, in the order of the coordinates."""

        def unconstrained(inputs):
            with numpyro.validation_enabled(False):
                trace = numpyro.handlers.trace(numpyro.handlers.seed(self.model, 0)).get_trace(inputs)
            sites = {n: s for n, s in trace.items() if s["type"] == "sample" and not s["is_observed"]}
            return {n: biject_to(s["fn"].support).inv(s["value"]) for n, s in sites.items()}

        with double(), _TRACING:
            return {n: v.shape for n, v in sorted(jax.eval_shape(unconstrained, self.example).items())}

    @cached_property
    def smooth(self) -> Program:
        """The same, with a noise whose log density has no kink, for whatever needs second derivatives."""
        noise = self.model.noise.smooth
        return Program(replace(self.model, noise=noise), self.example) if noise else self

    @cached_property
    def labels(self) -> list[str]:
        """Name of the site that each coordinate belongs to."""
        return [name for name, shape in self.shapes.items() for _ in range(int(np.prod(shape)))]

    @property
    def size(self) -> int:
        """Number of unconstrained coordinates."""
        return len(self.labels)

    @cached_property
    def of_law(self) -> np.ndarray:
        """Coordinates of the law: those of the noise matter to no residual."""
        noise = self.model.noise.quantities
        return np.flatnonzero([quantity_of(label)[0] not in noise for label in self.labels])

    @cached_property
    def terms(self) -> list[list[str]]:
        """Sites that are sampled by their sum and their ratios."""
        return coordinates.terms(self.model)

    @cached_property
    def noise(self) -> int | None:
        """Coordinate of the noise's scale where a funnel is to be expected: it has one, and runs are few."""
        found = [i for i, n in enumerate(self.labels) if n in ("sigma", "sigma.relative")]
        log = found and self.model.unknowns["sigma"].distribution.support is constraints.positive
        return found[0] if log and len(found) == 1 and len(self.example.response) <= _FEW else None

    def pieces(self, u: Any) -> dict[str, Any]:
        """Return the part of the flat u that belongs to each site, in its shape."""
        values, begin = {}, 0
        for name, shape in self.shapes.items():
            end = begin + int(np.prod(shape))
            values[name] = u[begin:end].reshape(shape)
            begin = end
        return values

    def unravel(self, u: Any) -> dict[str, Any]:
        """Return the unconstrained value of each site from the flat u."""
        return coordinates.apart(self.pieces(u), self.terms)

    def ravel(self, sites: Mapping[str, Any]) -> Any:
        """Return the flat u from the unconstrained value of each site: the inverse of `unravel`."""
        together = coordinates.together(sites, self.terms)
        return jnp.concatenate([together[n].ravel() for n in self.shapes])

    def potential(self, u: Any, inputs: Inputs) -> Any:
        """Return the negative log joint density of u."""
        return potential_energy(self.model, (inputs,), {}, self.unravel(u))

    def values(self, u: Any, inputs: Inputs) -> dict[str, Any]:
        """Return every site and quantity by name."""
        return constrain_fn(self.model, (inputs,), {}, self.unravel(u), return_deterministic=True)

    def drawn(self, rng: np.random.Generator, count: int, inputs: Inputs | None = None) -> dict[str, np.ndarray]:
        """Draw the unconstrained sites, independently, from the prior with the numbers of these inputs, or the example.

        The first axis is the draw.
        """
        priors = (inputs or self.example).priors
        return {n: coordinates.drawn(self.model, n, priors, rng, (count, *s)) for n, s in self.shapes.items()}

    def prior(self, rng: np.random.Generator, count: int, inputs: Inputs | None = None) -> np.ndarray:
        """Draw u from the prior, as `drawn`; shape (draw, coordinate)."""
        together = coordinates.together(self.drawn(rng, count, inputs), self.terms)
        return np.concatenate([together[n].reshape(count, -1) for n in self.shapes], axis=1)

    def density(self, u: np.ndarray, batch: Inputs) -> tuple[np.ndarray, np.ndarray]:
        """Return the potential and its gradient at points u, shape (posterior, point, coordinate)."""
        count, points = u.shape[1], _points(batch)
        function, pieces = self.compiled("density", self._density, u[:, :1].repeat(points, axis=1), batch), []
        for begin in range(0, count, points):
            piece = u[:, begin : begin + points]
            missing = points - piece.shape[1]
            padded = np.concatenate([piece, np.repeat(piece[:, :1], missing, axis=1)], axis=1) if missing else piece
            pieces.append(jax.device_get(function(padded, batch)))
        values, gradients = (np.concatenate(parts, axis=1)[:, :count] for parts in zip(*pieces, strict=True))
        return values, gradients

    def _density(self, u, batch):
        def at(u, inputs):
            return jax.vmap(jax.value_and_grad(self.potential), in_axes=(0, None))(u, inputs)

        return jax.vmap(at)(u, batch)

    def prepare(self, *advance: Any) -> None:
        """Begin to compile the density, and the sampler for arguments like these, beside whatever is done next."""
        batch = advance[3]
        points = np.zeros((len(batch.response), _points(batch), self.size))
        self.smooth.compiling("density", self.smooth._density, points, batch)
        self.compiling("advance", self._advance, *advance)

    def constrain(self, u: np.ndarray, inputs: Inputs) -> dict[str, np.ndarray]:
        """Return quantities by name from draws of u, shape (draw, coordinate)."""

        def one(u, inputs):
            return {n: v for n, v in self.values(u, inputs).items() if not n.endswith(INTERNAL)}

        function, size, count = jax.vmap(one, in_axes=(0, None)), 1000, len(u)
        padded = np.concatenate([u, np.repeat(u[:1], -count % size, axis=0)])
        pieces = [padded[i : i + size] for i in range(0, len(padded), size)]
        found = [jax.device_get(self.compiled("constrain", function, p, inputs)(p, inputs)) for p in pieces]
        return {n: np.concatenate([f[n] for f in found])[:count] for n in found[0]}

    def free(self, name: str, values: np.ndarray, inputs: Inputs | None = None) -> np.ndarray:
        """Return values of an unknown on its unconstrained scale, e.g. the logarithm of a positive one.

        That of the priors' numbers in these inputs, or of the model's own.
        """
        numbers = inputs.priors[name] if inputs else None
        return coordinates.free(rebuild(self.model.unknowns[name].distribution, numbers), values)

    def recentred(self, u: np.ndarray, before: Inputs, after: Inputs) -> np.ndarray:
        """Return where u lies when sites are centred as in `after`; see `pooling.scaled`."""
        return np.asarray(self.compiled("recentred", self._recentred, u, before, after)(u, before, after))

    def _recentred(self, u, before, after):
        values, sites = self.values(u, before), self.unravel(u)
        for name, centring in after.centring.items():
            site = f"{self.model.site(name)}.offset"
            scale = self.model.scale_of(name, values, before)
            ratio = widening(scale, centring) / widening(scale, before.centring[name])
            sites[site] = sites[site] * ratio.reshape(*ratio.shape, *(1,) * (sites[site].ndim - ratio.ndim))
        return self.ravel(sites)

    def advance(self, *arguments: Any) -> tuple[nuts.State, nuts.Draw]:
        """Make `nuts.STEPS` leapfrog steps in every lane; the arguments are those of `_advance`.

        Lanes are (posterior, chain), in whitened coordinates z, where v = centre + scale z and v is as in `Funnel`.
        """
        return self.compiled("advance", self._advance, *arguments)(*arguments)

    def _advance(self, state, uniform, momentum, inputs, funnel, centre, scale, target, adapting):
        def posterior(state, uniform, momentum, inputs, funnel, centre, scale, target, adapting):
            def potential(z):
                u, volume = outside(funnel, centre + scale @ z)
                return self.potential(u, inputs) - volume

            def density(z):
                return jax.value_and_grad(potential)(z)

            def lane(state, uniform, momentum):
                return nuts.advance(state, uniform, momentum, density, target, adapting)

            return jax.vmap(lane)(state, uniform, momentum)

        def step(state, random):
            uniform, momentum = random
            return jax.vmap(posterior)(state, uniform, momentum, inputs, funnel, centre, scale, target, adapting)

        return jax.lax.scan(step, state, (uniform, momentum))

    def compiled(self, name: Hashable, function: Callable, *arguments: Any) -> Callable:
        """Return a function compiled for arguments of these shapes, once."""
        return self.compiling(name, function, *arguments).result()

    def compiling(self, name: Hashable, function: Callable, *arguments: Any) -> Future:
        """Begin to compile a function, which goes on beside whatever else is done."""
        key = (name, *((np.shape(a), getattr(a, "dtype", type(a))) for a in jax.tree.leaves(arguments)))
        with _TRACING:
            if key not in self._compiled:
                make_room()
                self._compiled[key] = _COMPILERS.submit(_compile, jax.jit(function).lower(*arguments))
            return self._compiled[key]


_TRACING = RLock()  # NumPyro's handlers are global, so only compiling is safe in threads
_COMPILERS = ThreadPoolExecutor(2, thread_name_prefix="bayesmix-compile")


def _compile(lowered: Any) -> Callable:
    with double():
        return lowered.compile()


def _points(batch: Inputs) -> int:
    """Return how many points of every posterior are evaluated at once."""
    return int(np.clip(_VALUES // max(1, np.size(batch.response)), 4, _POINTS))


@dataclass(frozen=True)
class _Key:
    """Equal for models that differ in nothing but numbers of priors, on runs of the same shape."""

    structure: tuple
    shapes: tuple
    model: Model = field(compare=False)
    example: Inputs = field(compare=False)


@lru_cache(maxsize=64)
def _program(key: _Key) -> Program:
    return Program(key.model, key.example)


def program(model: Model, inputs: Inputs) -> Program:
    """Return the program of a model for runs of this shape, made once and kept for the next fit."""
    leaves, tree = jax.tree.flatten(inputs)
    shapes = (str(tree), *(np.shape(leaf) for leaf in leaves))
    return _program(_Key(structure(model), shapes, model, inputs))


def structure(model: Model) -> tuple:
    """Return what the equations of a model depend on; its priors' numbers are arguments, and not part of it."""

    def kind(quantity: Any) -> Any:
        if not isinstance(quantity, Prior):
            return repr(quantity)
        family = type(quantity.distribution).__name__
        return (family, quantity.unit, quantity.dims, quantity.relative, quantity.zero_sum, quantity.scaled_by)

    quantities = tuple((n, kind(q)) for n, q in model.quantities.items())
    pooling = tuple(sorted(model.pooling.items(), key=lambda p: p[0]))
    return (model.law.function, model.noise.name, quantities, pooling, tuple(sorted(model.shrinkage)))
