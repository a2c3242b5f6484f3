"""Models as TOML: names and numbers that are looked up, never evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bayesmix import laws, noise, ready, toml
from bayesmix.discrepancy import Discrepancy, past
from bayesmix.errors import BayesmixError, Fault, InputError, suggest
from bayesmix.files import write_text
from bayesmix.law import Law, Prior, Reference
from bayesmix.model import Model
from bayesmix.pooling import Pooling
from bayesmix.priors import from_table, to_table
from bayesmix.shrinkage import Shrinkage

_TABLES = ("covariates", "priors", "pooling", "shrinkage", "published")
_KEYS = ("law", "noise", "name", "description", "targets", "discrepancy", *_TABLES)
_NO_DISCREPANCY = "none"


def read(path: str | Path) -> Model:
    """Read a model file, or a ready model by its name.

    Raises
    ------
    BayesmixError
        There is no such file and no such ready model.
    InputError
        Everything that is wrong with the file.
    """
    file = Path(path)
    if not file.is_file():
        file = ready.model(str(path))
    return loads(toml.read_text(file), source=str(file), name=file.stem)


def loads(text: str, *, source: str = "model", name: str = "", trusted: bool = True) -> Model:
    """Build a model from TOML text.

    Parameters
    ----------
    text : str
        The model file's content.
    source : str
        Named in errors.
    name : str
        Name of the model where the text gives none.
    trusted : bool
        Whether a law of another package may be imported; see `bayesmix.laws.get`.

    Raises
    ------
    InputError
        It is no TOML, or no model; with every fault.
    """
    table = toml.parse(text, source)
    faults = [Fault(f"unknown key {k!r}", suggest(k, _KEYS)) for k in table if k not in _KEYS]
    table = _well_typed(table, faults)
    law = _attempt(faults, lambda: laws.get(str(table.get("law", "")), trusted=trusted))
    measured = _attempt(faults, lambda: noise.get(str(table.get("noise", "log_student_t"))))
    pooling = {q: p for q, t in table.get("pooling", {}).items() if (p := _pooling(q, t, faults))}
    changes = {q: c for q, t in table.get("priors", {}).items() if (c := _change(q, t, faults)) is not None}
    shrinkage = {
        q: _attempt(faults, lambda t=t, q=q: Shrinkage.of(t, q)) for q, t in table.get("shrinkage", {}).items()
    }
    discrepancy = _discrepancy(table["discrepancy"], faults) if "discrepancy" in table else past()
    faults += _mistyped(table)
    if law is not None:
        _check_published(law, table.get("published", {}), faults)
    if law is not None and measured is not None:
        _check_names(law, measured, table, faults)
    if not faults and law is not None and measured is not None:
        model = _attempt(
            faults,
            lambda: Model(
                law=law,
                noise=measured,
                name=str(table.get("name", name)),
                covariates=table.get("covariates", {}),
                targets=tuple(table.get("targets", ())),
                pooling=pooling,
                shrinkage=shrinkage,
                discrepancy=discrepancy,
                published=table.get("published", {}),
                description=str(table.get("description", "")),
            ).given(**changes),
        )
        if model is not None:
            return model
    raise InputError(source, faults)


def _well_typed(table: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return the known keys whose values are of the right kind."""
    kept = {}
    for key in (k for k in table if k in _KEYS):
        value = table[key]
        if key in _TABLES:
            fits, wanted = isinstance(value, Mapping), f"Write a table [{key}]"
        elif key == "targets":
            fits = isinstance(value, list) and all(isinstance(v, str) for v in value)
            wanted = 'Write a list of columns, such as ["loss.web"]'
        elif key == "discrepancy":
            fits = isinstance(value, Mapping) or value == _NO_DISCREPANCY
            wanted = f'Write "{_NO_DISCREPANCY}", a table [discrepancy], or nothing for that of past studies'
        else:
            fits, wanted = isinstance(value, str), "Write text in quotes"
        if key == "published" and isinstance(value, Mapping):
            fits = all(isinstance(v, Mapping) for v in value.values())
            wanted = "Write a table [published.NAME]"
        if fits:
            kept[key] = value
        else:
            faults.append(Fault(f"{key} is {value!r}", wanted))
    return kept


def _mistyped(table: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the entries of well-typed tables that are not of the right kind themselves."""
    for name, column in table.get("covariates", {}).items():
        if not (isinstance(column, str) and column):
            yield Fault(f"covariates has {name} = {column!r}", "Write the name of a column in quotes")
    for fit, constants in table.get("published", {}).items():
        for name, value in constants.items():
            if name == "source" and not isinstance(value, str):
                yield Fault(f"source of published.{fit} is {value!r}", "Write text in quotes")
            elif name != "source" and not _is_numeric(value):
                yield Fault(f"published.{fit} has {name} = {value!r}", "Write a finite number, or a list of them")


def _is_numeric(value: Any) -> bool:
    return toml.is_number(value) or (isinstance(value, list) and bool(value) and all(map(_is_numeric, value)))


def _check_names(law: Law, measured: noise.Noise, table: Mapping[str, Any], faults: list[Fault]) -> None:
    quantities = {**law.quantities, **measured.quantities}
    unknown = [n for n, q in quantities.items() if isinstance(q, Prior)]
    for key, kind, known in (
        ("priors", "quantity", list(quantities)),
        ("pooling", "pooled quantity", unknown),
        ("shrinkage", "shrunk quantity", unknown),
        ("covariates", "covariate", law.covariates),
    ):
        for name in table.get(key, {}):
            if name not in known:
                faults.append(Fault(f"{key} has an unknown {kind} {name!r}", suggest(name, known)))


def _attempt(faults: list[Fault], build: Any, of: str = "") -> Any:
    """Return what is built, or None and note what is wrong with it, and of what it is."""
    try:
        return build()
    except InputError as error:
        faults += [Fault(of + fault.what, fault.remedy) for fault in error.faults]
    except BayesmixError as error:
        what, _, remedy = str(error).partition(". ")
        faults.append(Fault(of + what, remedy))
    return None


def _pooling(name: str, table: Any, faults: list[Fault]) -> Pooling | None:
    known = ("by", "kind", "spread")
    if not isinstance(table, Mapping) or "by" not in table or not set(table) <= set(known):
        faults.append(Fault(f"pooling of {name!r} is {table!r}", 'Write { by = "column", kind = "partial" }'))
        return None
    return _attempt(faults, lambda: Pooling(**{"kind": "partial", **table}), f"pooling of {name!r}: ")


def _discrepancy(value: Any, faults: list[Fault]) -> Discrepancy | None:
    return _attempt(faults, lambda: Discrepancy.of(value)) if isinstance(value, Mapping) else None


def _change(name: str, value: Any, faults: list[Fault]) -> Any:
    if isinstance(value, Mapping):
        return _attempt(faults, lambda: from_table(value), f"prior of {name!r}: ")
    if toml.is_number(value):
        return float(value)
    wanted = "Write a finite number, or a prior such as { LogNormal = [0, 1] }"
    faults.append(Fault(f"prior of {name!r} is {value!r}", wanted))
    return None


def _check_published(law: Law, published: Mapping[str, Any], faults: list[Fault]) -> None:
    for fit, constants in published.items():
        for name in (n for n in constants if n != "source" and n not in law.quantities):
            faults.append(Fault(f"published.{fit} has {name!r}", suggest(name, law.quantities)))
        if missing := [n for n in law.quantities if n not in constants]:
            faults.append(Fault(f"published.{fit} lacks {', '.join(missing)}", "Give every quantity and reference"))
        if "source" not in constants:
            faults.append(Fault(f"published.{fit} has no source", "Say where the numbers come from"))


def write(model: Model, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a model as TOML; `read` gives the same log density."""
    return write_text(path, dumps(model), overwrite=overwrite)


def dumps(model: Model, *, complete: bool = False) -> str:
    """Return a model as TOML text, with every prior that differs from the law's own.

    Complete, it has all priors: it then stays the same model once the law's own are learned from more studies.
    """
    lines = [
        f"law = {toml.value(model.law.identifier)}",
        f"noise = {toml.value(model.noise.name)}",
        f"name = {toml.value(model.name)}",
    ]
    if model.description:
        lines.append(f"description = {toml.value(model.description)}")
    if model.targets:
        lines.append(f"targets = {toml.value(list(model.targets))}")
    if model.discrepancy is None:
        lines.append(f"discrepancy = {toml.value(_NO_DISCREPANCY)}")
    tables = {
        "covariates": dict(model.covariates),
        "priors": _stated(model, complete),
        **{f"pooling.{toml.key(q)}": vars(p) for q, p in model.pooling.items()},
        **{f"shrinkage.{toml.key(q)}": vars(s) for q, s in model.shrinkage.items()},
        # Its numbers always, so that a saved posterior forecasts the same once more studies are known.
        "discrepancy": asdict(model.discrepancy) if model.discrepancy else {},
        **{f"published.{toml.key(fit)}": dict(constants) for fit, constants in model.published.items()},
    }
    for title, table in tables.items():
        if table:
            lines += ["", f"[{title}]", *(f"{toml.key(k)} = {toml.value(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


def _stated(model: Model, complete: bool) -> dict[str, Any]:
    original = {**laws.get(model.law.identifier).quantities, **noise.get(model.noise.name).quantities}
    stated = {}
    for name, quantity in model.quantities.items():
        if _statement(quantity) == _statement(original[name]) and _kind(quantity) == _kind(original[name]):
            if complete and isinstance(quantity, Prior):
                stated[name] = _statement(quantity)
            continue
        if isinstance(quantity, Reference):
            raise BayesmixError(f"{name} of model {model.name} was made a reference, which a model file cannot say")
        if isinstance(quantity, Prior) and _kind(quantity) != _kind(original[name]):
            raise BayesmixError(
                f"{name} of model {model.name} has other dimensions, or is relative to something else, than the law "
                "declares, which a model file cannot say. Declare a law of its own"
            )
        stated[name] = _statement(quantity)
    return stated


def _statement(quantity: Any) -> Any:
    if isinstance(quantity, Prior):
        return to_table(quantity.distribution)
    return quantity


def _kind(quantity: Any) -> Any:
    if isinstance(quantity, Prior):
        return quantity.dims, quantity.relative, quantity.zero_sum, quantity.scaled_by
    return None
