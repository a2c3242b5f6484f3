"""Model: law, noise, pooling and discrepancy together; calling it is the NumPyro program."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpyro

from bayesmix.discrepancy import Discrepancy, past
from bayesmix.errors import BayesmixError, suggest
from bayesmix.inputs import Coordinates, Inputs
from bayesmix.law import Law, Prior, Quantity, Reference, replaced
from bayesmix.noise import NOISES, Noise
from bayesmix.pooling import Pooling, sample_partial, scaled
from bayesmix.priors import rebuild
from bayesmix.shrinkage import Shrinkage, shrinkable

if TYPE_CHECKING:
    from numpyro.distributions import Distribution

    from bayesmix.posterior import Posterior

Values = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Model:
    """A joint distribution of runs: a law, a noise, the pooling of their quantities, and what the law misses.

    Parameters
    ----------
    law : Law
        Mean response of one observation.
    noise : Noise
        Distribution around it.
    name : str
        How the model is called in tables and files.
    covariates : mapping of str to str
        Column for each covariate whose name is not itself a column, e.g. ``{"x": "D"}``.
    targets : tuple of str
        Columns to model; empty for all columns of the law's response.
    pooling : mapping of str to Pooling
        Quantities that vary over a label column.
    shrinkage : mapping of str to Shrinkage
        What is known before of effects of domains whose scale is learned.
    discrepancy : Discrepancy, optional
        What the law misses beyond the fitted runs; by default as in past studies. None takes the law for true.
    published : mapping of str to mapping
        Constants of papers, by the name of the fit, in the law's quantities, each with its ``source``.
    description : str
        What the model is for.
    """

    law: Law
    noise: Noise = NOISES["log_student_t"]
    name: str = ""
    covariates: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    pooling: Mapping[str, Pooling] = field(default_factory=dict)
    shrinkage: Mapping[str, Shrinkage] = field(default_factory=dict)
    discrepancy: Discrepancy | None = field(default_factory=past)
    published: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    description: str = ""

    def __repr__(self) -> str:
        return f"<Model {self.name}: law {self.law.name}, noise {self.noise.name}>"

    def __post_init__(self) -> None:
        if not isinstance(self.law, Law):
            raise BayesmixError(f'law is {self.law!r}: give laws.get("chinchilla"), or take Model.read("chinchilla")')
        if not self.name:
            object.__setattr__(self, "name", self.law.name)
        if clash := set(self.law.quantities) & set(self.noise.quantities):
            raise BayesmixError(f"law {self.law.name} and noise {self.noise.name} both have a quantity {min(clash)!r}")
        for kind, names, known in (
            ("pooled quantity", self.pooling, self.unknowns),
            ("covariate", self.covariates, self.law.covariates),
            ("shrunk quantity", self.shrinkage, shrinkable(self)),
        ):
            for name in names:
                if name not in known:
                    raise BayesmixError(f"model {self.name}: unknown {kind} {name!r}. {suggest(name, known)}")
        if (by := self.noise.by) and by not in self.uses and not (by in ("C", "M") and {"N", "D"} <= self.uses):
            raise BayesmixError(
                f"model {self.name}: noise {self.noise.name} needs {by}, which does not follow from what law "
                f"{self.law.name} takes ({', '.join(self.columns.values())}); planned runs would have no noise"
            )
        for name, quantity in self.unknowns.items():
            if quantity.scaled_by:
                self._check_scale(name, quantity.scaled_by)

    def _check_scale(self, name: str, by: str) -> None:
        if by not in self.quantities or isinstance(self.quantities[by], Reference):
            raise BayesmixError(
                f"model {self.name}: {name} is scaled by {by!r}, which is no quantity of it. "
                f"{suggest(by, self.quantities)}"
            )
        for pooled in (name, by):
            if pooled in self.pooling:
                raise BayesmixError(f"model {self.name}: {pooled} cannot be pooled, since {name} is scaled by {by}")
        if by in self.unknowns and self.dims(by) != self.dims(name)[: len(self.dims(by))]:
            raise BayesmixError(f"model {self.name}: {by} must have the leading dimensions of {name}, which it scales")

    @classmethod
    def read(cls, path: str | Path) -> Model:
        """Read a model from a TOML file, or a ready one by its name; see `bayesmix.modelfile`."""
        from bayesmix.modelfile import read

        return read(path)

    def write(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the model as TOML; reading it gives the same log density."""
        from bayesmix.modelfile import write

        return write(self, path, overwrite=overwrite)

    def given(self, **changes: Any) -> Model:
        """Return the model with quantities of its law or noise fixed or re-judged; errors are those of `Law.given`."""
        everything = replaced(self.quantities, changes, f"model {self.name}")
        return dataclasses.replace(
            self,
            law=dataclasses.replace(self.law, quantities={n: everything[n] for n in self.law.quantities}),
            noise=dataclasses.replace(self.noise, quantities={n: everything[n] for n in self.noise.quantities}),
        )

    def after(self, posterior: Posterior) -> Model:
        """Return the model with its effects of domains expected where an earlier study found them.

        Targets and domains are known by their names; effects of others are expected at zero. How far effects depart
        from what is expected, their scale, is learned; its prior is around how unsure the earlier study left them and
        how far worths drift between studies (see `bayesmix.shrinkage`), for new targets and domains too, since the
        scale is one for all. Effects that a law states at the reference mixture
        are compared as if both studies had the same one.

        Raises
        ------
        BayesmixError
            The laws have no such effects in common.
        NotConvergedError
            The posterior has not converged.
        """
        from bayesmix.shrinkage import after

        return after(self, posterior)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """Quantities of law and noise by name."""
        return {**self.law.quantities, **self.noise.quantities}

    @property
    def unknowns(self) -> dict[str, Prior]:
        """Quantities that have a prior, by name."""
        return {n: q for n, q in self.quantities.items() if isinstance(q, Prior)}

    @property
    def columns(self) -> dict[str, str]:
        """Column of the runs that feeds each covariate of the law."""
        return {c: self.covariates.get(c, c) for c in self.law.covariates}

    @property
    def uses(self) -> set[str]:
        """What the law knows of a run: its covariates, such as N, and the columns that feed them."""
        return {*self.columns, *self.columns.values()}

    @property
    def references(self) -> dict[str, str]:
        """Column of the runs that each reference is resolved from."""
        of_law = {n: self.columns.get(q.covariate, q.covariate) for n, q in _references(self.law)}
        return of_law | {n: q.covariate for n, q in _references(self.noise)}

    def dims(self, name: str) -> tuple[str, ...]:
        """Return the named dimensions of a quantity: its group, its target, then its own."""
        quantity = self.unknowns[name]
        grouped = (self.pooling[name].by,) if self._varies(name) else ()
        replicated = ("target",) if name in self.noise.quantities or not self.law.vector else ()
        return grouped + replicated + quantity.dims

    def _varies(self, name: str) -> bool:
        return name in self.pooling and self.pooling[name].kind != "complete"

    def __call__(self, inputs: Inputs, *, observe: bool = True) -> None:
        """Run the NumPyro program.

        Parameters
        ----------
        inputs : Inputs
            Runs as arrays.
        observe : bool
            Condition on the responses; otherwise they are sampled.
        """
        values: dict[str, Any] = {}
        for name in self.order:
            values[name] = self._sample(name, values, inputs)
        distribution = self.measured(values, self.mean(values, inputs), inputs)
        with numpyro.handlers.mask(mask=inputs.observed if observe else True):  # pyright: ignore
            numpyro.sample("response", distribution, obs=inputs.response if observe else None)

    @property
    def order(self) -> list[str]:
        """Unknowns in an order of sampling: what scales another comes before it."""
        return sorted(self.unknowns, key=lambda n: bool(self.unknowns[n].scaled_by))

    def _sample(self, name: str, values: Values, inputs: Inputs) -> Any:
        quantity, pooling, dims = self.unknowns[name], self.pooling.get(name), self.dims(name)
        centring = inputs.centring.get(name)
        if pooling and pooling.kind == "partial":
            one = self.element(name, inputs, dims[1:])
            groups = inputs.shape(dims)[0]
            value = sample_partial(self.site(name), one, groups, pooling.spread, quantity.zero_sum, centring)
        elif quantity.scaled_by:
            scale, known = self.scale_of(name, values, inputs), inputs.shrinkage.get(name)
            value = scaled(name, scale, inputs.shape(dims), centring, quantity.zero_sum, known)
        else:
            value = numpyro.sample(self.site(name), self.element(name, inputs, dims))
            if not quantity.relative:
                return value
        return numpyro.deterministic(name, value * self.unit(name, inputs))

    def scale_of(self, name: str, values: Values, inputs: Inputs) -> Any:
        """Return the scale of an unknown whose scale is unknown too, from the values of all sites."""
        if by := self.unknowns[name].scaled_by:
            return jnp.asarray(inputs.priors[name]["scale"] * values.get(by, self.quantities[by]))
        return jnp.full(jnp.shape(inputs.centring[name]), values[self.site_of_scale(name)])

    def site_of_scale(self, name: str) -> str:
        """Return the site that `scale_of` is sampled at; a scale that is fixed has none of that name."""
        return self.unknowns[name].scaled_by or f"{self.site(name)}.spread"

    def site(self, name: str) -> str:
        """Return the name under which a quantity is sampled."""
        return f"{name}.relative" if self.unknowns[name].relative else name

    def element(self, name: str, inputs: Inputs, dims: tuple[str, ...]) -> Distribution:
        """Return the prior of a quantity over the named dimensions (of its relative value, where it is relative)."""
        quantity, shape = self.unknowns[name], inputs.shape(dims)
        one = rebuild(quantity.distribution, inputs.priors[name])
        if quantity.zero_sum:
            normal = numpyro.distributions.ZeroSumNormal(one.scale, shape[-1:])  # pyright: ignore
            return normal.expand(shape[:-1]).to_event(len(shape) - 1)
        return one.expand(shape).to_event(len(shape))

    def unit(self, name: str, inputs: Inputs) -> Any:
        """Return what the prior of a quantity is relative to: the response reference, or 1."""
        quantity, dims = self.unknowns[name], self.dims(name)
        if not quantity.relative:
            return 1.0
        if "target" not in dims:
            return jnp.exp(jnp.log(inputs.scale).mean())
        return inputs.scale.reshape(tuple(-1 if d == "target" else 1 for d in dims))

    def mean(self, values: Values, inputs: Inputs) -> jax.Array:
        """Return the law's response, shape (observation, target).

        Parameters
        ----------
        values : mapping of str to array
            One draw of the quantities, shaped by `dims`.
        inputs : Inputs
            Runs as arrays.
        """
        own = {n: self._per_run(n, v, inputs) for n, v in values.items() if n in self.law.quantities}
        constants = inputs.constants(self.law.quantities)

        def one(covariates, quantities):
            return self.law.function(**covariates, **quantities, **constants)

        over_runs = {n: 0 if self._varies(n) else None for n in own}
        size = inputs.response.shape
        run_by_run = jax.vmap(one, in_axes=(0, over_runs), axis_size=size[0])
        if self.law.vector:
            return run_by_run(inputs.covariates, own)
        # Runs come first in what varies over them, so the target is the second axis there.
        over_targets = {n: 1 if self._varies(n) else 0 for n in own}
        targets = jax.vmap(run_by_run, in_axes=(None, over_targets), out_axes=1, axis_size=size[1])
        return targets(inputs.covariates, own)

    def measured(self, values: Values, mean: jax.Array, inputs: Inputs) -> Distribution:
        """Return the distribution of the measured response around its mean, batch shape (observation, target)."""
        own = {n: self._per_run(n, v, inputs) for n, v in values.items() if n in self.noise.quantities}
        return self.noise.around(mean, own | inputs.constants(self.noise.quantities), inputs.items, inputs.noise_by)

    def _per_run(self, name: str, value: Any, inputs: Inputs) -> Any:
        return value[inputs.groups[self.pooling[name].by]] if self._varies(name) else value

    def inputs(self, runs: Any, like: Coordinates | None = None) -> tuple[Inputs, Coordinates]:
        """Turn runs into arrays for this model; parameters and errors are those of `bayesmix.binding.bind`."""
        from bayesmix.binding import bind

        return bind(self, runs, like)


def _references(part: Law | Noise) -> list[tuple[str, Reference]]:
    return [(n, q) for n, q in part.quantities.items() if isinstance(q, Reference)]
