"""Binding: from runs to the arrays that a model needs, with references and names resolved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmix.covariates import BY_DOMAIN
from bayesmix.errors import Fault, InputError, suggest
from bayesmix.inputs import Coordinates, Inputs
from bayesmix.law import OWN
from bayesmix.priors import arguments

if TYPE_CHECKING:
    from bayesmix.model import Model
    from bayesmix.runs import Runs

# A law for losses applies to bits per byte too: both are cross-entropies.
_KINDS = {"loss": ("loss", "bpb")}


def bind(model: Model, runs: Runs, like: Coordinates | None = None) -> tuple[Inputs, Coordinates]:
    """Turn runs into the arrays that a model needs.

    Parameters
    ----------
    model : Model
        The model.
    runs : Runs
        Training runs, or planned ones if `like` is given.
    like : Coordinates, optional
        Those of the fit, so that planned runs are seen in the same units, targets, domains and groups.

    Raises
    ------
    InputError
        Everything that the model needs and the runs do not have.
    """
    faults: list[Fault] = []
    columns = {c: _column(runs, name, c, model, faults) for c, name in model.columns.items()}
    noise_by = _noise_by(runs, model, faults)
    levels = _levels(model, runs, like, faults)
    coordinates = like
    if not faults and coordinates is None:
        coordinates = _coordinates(model, runs, levels, faults)
    elif coordinates is not None and "w" in model.columns.values() and runs.domains != coordinates.domains:
        columns = _reorder(model, runs, coordinates, columns, faults)
    if faults or coordinates is None:
        raise InputError(f"{runs.source} for model {model.name}", faults)
    return _arrays(model, runs, coordinates, columns, noise_by), coordinates


def _column(runs: Runs, name: str, covariate: str, model: Model, faults: list[Fault]) -> Any:
    try:
        values = runs.column(name)
    except InputError as error:
        hint = f'Or name its column in the model: covariates = {{ {covariate} = "..." }}' if name == covariate else ""
        faults.extend(
            Fault(
                f.what + f" (covariate {covariate!r} of law {model.law.name})",
                _sentences(f.remedy, hint),
                f.row,
                f.run,
            )
            for f in error.faults
        )
        return None
    missing = np.isnan(values).reshape(len(values), -1).any(axis=1)
    faults.extend(
        Fault(
            f"{name} has no value, but law {model.law.name} needs it",
            "Give it, or leave the run out",
            None,
            runs.names[i],
        )
        for i in np.flatnonzero(missing)
    )
    return values


def _sentences(*parts: str) -> str:
    """Join what is said, with a full stop between."""
    said = [p for p in parts if p]
    return " ".join([*(p if p[-1] in ".?" else f"{p}." for p in said[:-1]), *said[-1:]])


def _noise_by(runs: Runs, model: Model, faults: list[Fault]) -> Any:
    if not (by := model.noise.by):
        return np.ones(len(runs))
    try:
        values = runs.column(by)
    except InputError as error:
        faults.extend(error.faults)
        return None
    faults.extend(
        Fault(f"{by} is {values[i]:g}, but noise {model.noise.name} takes its logarithm",
              "Leave the run out, or choose a noise whose scale is the same for all", None, runs.names[i])
        for i in np.flatnonzero(~(values > 0))
    )  # fmt: skip
    return values


def _levels(model: Model, runs: Runs, like: Coordinates | None, faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    levels = {}
    for by in sorted({p.by for q, p in model.pooling.items() if p.kind != "complete"}):
        if by not in runs.labels:
            faults.append(Fault(f"there is no label column {by!r} to pool over", suggest(by, runs.labels)))
            continue
        here = tuple(sorted(set(runs.table[by])))
        levels[by] = like.levels[by] if like else here
        if unknown := sorted(set(here) - set(levels[by])):
            faults.append(
                Fault(
                    f"{by} = {', '.join(unknown)} was not among the runs of the fit",
                    suggest(unknown[0], levels[by]),
                )
            )
    return levels


def targets_of(model: Model, runs: Runs) -> tuple[str, ...]:
    """Return the targets that a model is about: those it names, or all of these runs that its law may be of."""
    taken = set(model.columns.values())  # a link's own loss is no target of it
    fitting = (t for t in runs.targets if t.split(".")[0] in _kinds(model) and t not in taken)
    return tuple(dict.fromkeys(model.targets)) or tuple(fitting)


def _kinds(model: Model) -> tuple[str, ...]:
    return _KINDS.get(model.law.response, (model.law.response,))


def _coordinates(model: Model, runs: Runs, levels, faults: list[Fault]) -> Coordinates | None:
    targets = targets_of(model, runs)
    for target in targets:
        if target not in runs.targets:
            faults.append(Fault(f"there is no target {target!r}", suggest(target, runs.targets)))
    if not targets:
        kinds, have = _kinds(model), ", ".join(runs.targets) or "none"
        faults.append(Fault(f"law {model.law.name} predicts {' or '.join(kinds)}, but the targets are: {have}",
                            "Name the column by its kind, e.g. loss.web"))  # fmt: skip
    if faults:
        return None
    responses = np.stack([runs.column(t) for t in targets], axis=1)
    for i, j in zip(*np.nonzero(model.noise.excludes(responses)), strict=True):
        faults.append(
            Fault(f"{targets[j]} is {responses[i, j]:g}, which has no density under noise {model.noise.name}",
                  "Choose the noise normal or student_t, or binomial with columns items.<target>", None, runs.names[i])
        )  # fmt: skip
    for j, target in enumerate(targets):
        faults.extend(_miscounts(model, runs, target, responses[:, j]))
    sizes = np.abs(responses)  # scores may be negative; nothing else can be
    for j in np.flatnonzero(~(sizes > 0).any(axis=0)):
        faults.append(Fault(f"{targets[j]} is 0 in every run, so it has no scale", "Leave it out: targets = [...]"))
    for name, shrinkage in model.shrinkage.items():
        faults.extend(shrinkage.faults(name, targets, runs.domains))
    if faults:
        return None
    scale = np.exp(np.nanmean(np.log(np.where(sizes > 0, sizes, np.nan)), axis=0))
    references = {n: _reference(column, runs, targets, faults) for n, column in model.references.items()}
    if faults:
        return None
    if lonely := [n for n, column in model.references.items() if column == OWN and not np.any(references[n])]:
        listed, domains = ", ".join(targets), ", ".join(runs.domains)
        faults.append(Fault(f"law {model.law.name} is about a target's own weight (its {lonely[0]}), but no target "
                            f"({listed}) has the name of a domain ({domains})",
                            "Name the targets after their domains, e.g. loss.web beside w.web"))  # fmt: skip
        return None
    return Coordinates(targets, runs.domains, levels, references, tuple(scale.tolist()), usual_items(runs, targets))


def usual_items(runs: Runs, targets: Sequence[str]) -> tuple[float, ...]:
    """Return the median number of evaluation items behind each target, 1 where none is stated."""
    columns = (runs.column(f"items.{t}") if f"items.{t}" in runs.table else np.ones(1) for t in targets)
    counts = (column[np.isfinite(column)] for column in columns)
    return tuple(float(np.median(count)) if len(count) else 1.0 for count in counts)


def _miscounts(model: Model, runs: Runs, target: str, responses: np.ndarray) -> Iterator[Fault]:
    if f"items.{target}" not in runs.table:
        return
    items = runs.column(f"items.{target}")
    for i in np.flatnonzero(model.noise.miscounted(responses, items)):
        yield Fault(
            f"{target} is {responses[i]:.8g} of {items[i]:.8g} items: {responses[i] * items[i]:.8g}, no whole number",
            f"Correct items.{target}, or choose the noise beta if it is a weighted mean",
            None,
            runs.names[i],
        )


def _reference(column: str, runs: Runs, targets: tuple[str, ...], faults: list[Fault]) -> Any:
    if column == OWN:
        return [[float(target.partition(".")[2] == domain) for domain in runs.domains] for target in targets]
    values = runs.column(column)
    if column == "w":
        return values.mean(axis=0).tolist()
    faults.extend(
        Fault(f"{column} is {values[i]:g}, and must be positive to have a geometric mean",
              "Leave the run out, or fix the reference to a number", None, runs.names[i])
        for i in np.flatnonzero(~(values > 0))
    )  # fmt: skip
    return None if faults else float(np.exp(np.log(values).mean()))


def _reorder(model: Model, runs: Runs, coordinates: Coordinates, columns, faults: list[Fault]):
    if set(runs.domains) != set(coordinates.domains):
        here, there = (", ".join(names) or "(none)" for names in (runs.domains, coordinates.domains))
        faults.append(
            Fault(f"domains are {here}, but the fit had {there}", "Give each a weight, 0 where it is not used")
        )
        return columns
    order = [runs.domains.index(d) for d in coordinates.domains]
    return {c: v[:, order] if model.columns[c] in BY_DOMAIN and v is not None else v for c, v in columns.items()}


def _arrays(model: Model, runs: Runs, coordinates: Coordinates, columns: dict[str, Any], noise_by: Any) -> Inputs:
    shape = (len(runs), len(coordinates.targets))
    have = [t in runs.targets for t in coordinates.targets]
    response = np.full(shape, np.nan)
    items = np.tile(coordinates.items, (len(runs), 1))
    for i, target in enumerate(coordinates.targets):
        if have[i]:
            response[:, i] = runs.column(target)
        if f"items.{target}" in runs.table:
            counts = runs.column(f"items.{target}")
            # Where nothing was measured there may be no count either, and a NaN would reach every gradient.
            items[:, i] = np.where(np.isfinite(counts), counts, items[:, i])
    observed = np.isfinite(response)
    stated = np.array([f"items.{t}" in runs.table for t in coordinates.targets])
    if "items" in model.noise.inputs and (observed.any(axis=0) & ~stated).any():
        raise InputError(runs.source, [Fault("noise binomial needs the number of evaluation items",
                                             "Add columns items.<target>, or choose the noise beta")])  # fmt: skip
    scale = np.asarray(coordinates.scale)
    groups = {by: np.array([level.index(v) for v in runs.table[by]]) for by, level in coordinates.levels.items()}
    sizes = {
        "target": shape[1],
        "domain": len(coordinates.domains),
        **{k: len(v) for k, v in coordinates.levels.items()},
    }
    return Inputs(
        covariates=columns,
        groups=groups,
        references={n: np.asarray(v, dtype=float) for n, v in coordinates.references.items()},
        priors={n: arguments(q.distribution) for n, q in model.unknowns.items()},
        centring={n: np.zeros([sizes[d] for d in dims]) for n, dims in _scaled(model)},
        shrinkage={
            n: (s.centre(coordinates.targets, coordinates.domains), s.root(coordinates.domains))
            for n, s in model.shrinkage.items()
        },
        scale=scale,
        response=np.where(observed, response, scale),
        observed=observed,
        items=items,
        run=pd.factorize(np.array(runs.names, dtype=object))[0],
        noise_by=noise_by,
        sizes=tuple(sizes.items()),
    )


def _scaled(model: Model) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each unknown whose scale is unknown too, with the dimensions of that scale."""
    for name, quantity in model.unknowns.items():
        pooling = model.pooling.get(name)
        if pooling and pooling.kind == "partial":
            yield name, (pooling.by,)
        elif quantity.scaled_by:
            yield name, model.dims(quantity.scaled_by) if quantity.scaled_by in model.unknowns else ()
