"""Posterior: a model conditioned on runs, with its draws and its problems."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import arviz_base
import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.errors import NotConvergedError, listed
from bayesmix.inputs import Coordinates, Inputs
from bayesmix.model import Model
from bayesmix.pooling import quantity_of
from bayesmix.provenance import versions
from bayesmix.runs import Runs

if TYPE_CHECKING:
    from bayesmix.diagnostics import Problem
    from bayesmix.discrepancy import Discrepancy


@dataclass(frozen=True, eq=False, repr=False)
class Posterior:
    """A model conditioned on runs; made by `fit`, kept as a file by `save`.

    Attributes
    ----------
    tree : xarray.DataTree
        Groups ``posterior`` (quantities by name, dimensions chain, draw and their own), ``unconstrained`` (the
        coordinates that were sampled) and ``sample_stats``, in ArviZ's schema.
    model : Model
        The model.
    runs : Runs
        The runs it was conditioned on.
    coordinates : Coordinates
        Names and references that were resolved from the runs.
    seed : int
        Seed of the fit.
    modes : int
        Number of separate modes found that matter.
    prior_kept : mapping of str to float
        Per quantity, the share of an element's prior standard deviation that the runs left.
    versions : mapping of str to str
        Versions of the packages that sampled it.
    attempts : tuple of str
        What was wrong with the attempts to sample it before.
    pareto_k : float
        Of a preview: how far the approximation is from the posterior; NaN if it was sampled.
    notes : tuple of str
        What was noticed when it was loaded.
    accepted : bool
        The user insists on using it although it has not converged.
    together : array, shape (target, target), optional
        Correlation of the errors of a run's targets, where draws are in pairs accordingly; see `paired`.
    """

    tree: xr.DataTree
    model: Model
    runs: Runs
    coordinates: Coordinates
    seed: int
    modes: int
    prior_kept: Mapping[str, float]
    versions: Mapping[str, str]
    attempts: tuple[str, ...] = ()
    pareto_k: float = float("nan")
    notes: tuple[str, ...] = ()
    accepted: bool = False
    together: np.ndarray | None = None

    def __repr__(self) -> str:
        chains, draws = (self.tree["posterior"].sizes[d] for d in ("chain", "draw"))
        verdict = "converged" if self.converged else "not converged"
        return (
            f"<Posterior {self.model.name}: {chains} x {draws} draws of {listed(list(self.model.unknowns))} given "
            f"{len(self.runs)} rows; {verdict}>"
        )

    @cached_property
    def paired(self) -> Posterior:
        """The same, targets that were sampled apart drawn as they go together; see `bayesmix.pairing`."""
        from bayesmix.pairing import paired

        return paired(self)

    @cached_property
    def _problems(self) -> list[Problem]:
        from bayesmix.diagnostics import find_problems

        return find_problems(self)

    def problems(self) -> list[Problem]:
        """Return what a reader must know, in sentences, the worst first; empty if all is well."""
        return list(self._problems)

    @property
    def preview(self) -> bool:
        """Whether the draws are of an approximation."""
        return not np.isnan(self.pareto_k)

    @property
    def converged(self) -> bool:
        """Whether the draws can be trusted."""
        return not any(p.fatal for p in self._problems)

    def accept(self) -> Posterior:
        """Return the posterior to be used even if it has not converged; its problems stay with it."""
        return dataclasses.replace(self, accepted=True)

    def bending(self, discrepancy: Discrepancy | None) -> Posterior:
        """Return the posterior with another discrepancy, or none: the draws are the same."""
        return dataclasses.replace(self, model=dataclasses.replace(self.model, discrepancy=discrepancy))

    def require_converged(self) -> None:
        """Raise `NotConvergedError` unless the posterior converged or was accepted."""
        if not (self.converged or self.accepted):
            sentences = "\n".join(f"  {p}" for p in self._problems if p.fatal)
            raise NotConvergedError(
                f"the posterior of model {self.model.name} did not converge and is no answer:\n{sentences}\n"
                "To use it all the same: accept() it, or --accept-unconverged"
            )

    @property
    def apart(self) -> bool:
        """Whether targets share no quantity and were sampled as posteriors of their own."""
        return "target" in self.tree["unconstrained"]["u"].dims

    @cached_property
    def inputs(self) -> Inputs:
        """The runs as arrays."""
        return self.model.inputs(self.runs)[0]

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets that the model predicts."""
        return self.coordinates.targets

    def values(self) -> dict[str, np.ndarray]:
        """Return the draws of every quantity of law and noise, all chains in one: {name: (draw, ...)}."""
        group = self.tree["posterior"].to_dataset()
        return {n: group[n].values.reshape(-1, *group[n].shape[2:]) for n in self.model.unknowns}

    def summary(self, of: Literal["quantities", "derived"] = "quantities") -> pd.DataFrame:
        """Return mean, standard deviation, 90 % interval, effective sample sizes and R-hat.

        Parameters
        ----------
        of : {"quantities", "derived"}
            What was sampled, or the law's derived coefficients; empty for a law without any.
        """
        import arviz_stats

        from bayesmix.diagnostics import TAIL

        draws = self.tree["posterior"].to_dataset() if of == "quantities" else self.derived()
        if not draws.data_vars:
            return pd.DataFrame()
        table: pd.DataFrame = arviz_stats.summary(draws, ci_prob=0.9, ci_kind="eti", round_to="none")  # pyright: ignore
        # By the quantiles that convergence is judged by.
        tails = arviz_stats.ess(draws, method="tail", prob=TAIL)
        return table.assign(ess_tail=np.concatenate([np.ravel(v) for v in tails.data_vars.values()]))

    def derived(self) -> xr.Dataset:
        """Return the law's derived coefficients, such as amplitudes in the units of the paper.

        Returns
        -------
        xarray.Dataset
            Dimensions (chain, draw, ...): those of the groups and targets that a coefficient differs between, then its
            own. Empty for a law without any.
        """
        from bayesmix.derived import derived

        return derived(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the posterior, its model and its runs to one NetCDF file; see `bayesmix.storage`."""
        from bayesmix.storage import save

        return save(self, path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> Posterior:
        """Read what `save` wrote. Nothing in the file is executed."""
        from bayesmix.storage import load

        return load(path)


def assemble(
    model: Model,
    runs: Runs,
    coordinates: Coordinates,
    quantities: Mapping[str, np.ndarray],
    u: np.ndarray,
    stats: Mapping[str, np.ndarray],
    seed: int,
    *,
    modes: int,
    prior_kept: Mapping[str, float],
    attempts: tuple[str, ...] = (),
    pareto_k: float = float("nan"),
) -> Posterior:
    """Put the draws of a fit, shaped (chain, draw, ...), into a `Posterior`.

    Targets that were sampled apart have coordinates and sampler statistics of their own, with the target as third
    dimension.
    """
    dims = {n: list(_dims_of(model, n)) for n in quantities}
    apart = ["target"] if u.ndim == 4 else []
    # Group by group: a law's quantity may have the name of a sampler's statistic, or be called u.
    groups = {
        "posterior": (quantities, dims),
        "sample_stats": (stats, dict.fromkeys(stats, apart)),
        "unconstrained": ({"u": u}, {"u": [*apart, "coordinate"]}),
    }
    tree = xr.DataTree.from_dict(
        {
            name: arviz_base.dict_to_dataset(dict(values), dims=named, coords=_coords(coordinates, named))  # pyright: ignore
            for name, (values, named) in groups.items()
        }
    )
    return Posterior(tree, model, runs, coordinates, seed, modes, prior_kept, versions(), attempts, pareto_k)


def _coords(coordinates: Coordinates, named: Mapping[str, list[str]]) -> dict[str, list[str]]:
    used = {d for names in named.values() for d in names} - {"coordinate"}
    return {d: list(coordinates.of(d)) for d in sorted(used)}


def _dims_of(model: Model, site: str) -> tuple[str, ...]:
    name, part = quantity_of(site)
    if part == "spread":
        return ()
    return model.dims(name)[1:] if part == "population" else model.dims(name)
