"""What a problem may say: every fault of every key at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bayesmix.decision.heuristics import SHAPE, parsed
from bayesmix.decision.risk import Risk
from bayesmix.errors import Fault, InputError, suggest
from bayesmix.toml import is_number

_TABLES = ("objective", "planned", "bounds", "groups", "available", "epochs", "trusted", "candidates", "budget")
_CHOICES = {"combine": ("mean", "worst", "worst excess"), "within": ("simplex", "fitted mixtures")}
_KEYS = (*_TABLES, *_CHOICES, "baseline", "risk", "near")
_WEIGHT = "Give a weight of at least 0"


def checked(table: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the parameters of a problem from the tables of its file, or from themselves.

    Raises
    ------
    InputError
        Everything that is wrong with them.
    """
    if _number(table.get("epochs")):
        table = {**table, "epochs": {"default": table["epochs"]}}
    faults = [Fault(f"unknown key {k!r}", suggest(k, _KEYS)) for k in table if k not in _KEYS]
    faults += [
        Fault(f"{k} is {table[k]!r}", f"Write a table [{k}]")
        for k in _TABLES
        if not isinstance(table.get(k, {}), Mapping)
    ]
    table = {k: v for k, v in table.items() if k in _KEYS and (k not in _TABLES or isinstance(v, Mapping))}
    for key, check in _CHECKS.items():
        if key in table:
            faults += check(table[key])
    if table.get("budget") and (both := sorted({"N", "D"} & set(table.get("planned", {})))):
        faults.append(Fault(f"planned states {' and '.join(both)}, which the budget is to choose", "State one of them"))
    for key, known in _CHOICES.items():
        if table.get(key, known[0]) not in known:
            faults.append(Fault(f"{key} is {table[key]!r}", f"Give one of {', '.join(map(repr, known))}"))
    if faults:
        raise InputError(source, faults)
    table = {**table, "planned": _sized(table["planned"])} if "planned" in table else table
    bounds = {d: (pair, pair) if _number(pair) else pair for d, pair in table.get("bounds", {}).items()}
    if bounds:
        table = {**table, "bounds": {d: (float(low), float(high)) for d, (low, high) in bounds.items()}}
    return table


def _sized(planned: Mapping[str, Any]) -> dict[str, Any]:
    """Return a planned run with the one of N and D that follows from the other and C = 6ND."""
    known = {s: float(planned[s]) for s in ("N", "D", "C") if _number(planned.get(s)) and planned[s] > 0}
    absent = {"N", "D"} - planned.keys()
    if len(absent) != 1 or len(known) != 2 or "C" not in known:
        return dict(planned)
    (missing,), (other,) = absent, known.keys() - {"C"}
    return {**planned, missing: known["C"] / (6 * known[other])}


def _number(value: Any) -> bool:
    # What is stated in Python may be NumPy's.
    return is_number(value.item() if isinstance(value, np.generic) else value)


def _weights(weights: Any, what: str) -> Iterator[Fault]:
    if not isinstance(weights, Mapping):
        yield Fault(f"{what} is {weights!r}", "Write a table with a weight per domain")
        return
    for domain, weight in weights.items():
        if not _number(weight) or weight < 0:
            yield Fault(f"{what} of {domain} is {weight!r}", _WEIGHT)


def _objective(table: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _weights(table, "objective")
    if table and all(weight == 0 for weight in table.values()):
        yield Fault("all weights of the objective are 0", "Give at least one target a positive weight")


def _bounds(table: Mapping[str, Any]) -> Iterator[Fault]:
    for domain, pair in table.items():
        ends = list(pair) if isinstance(pair, list | tuple) else [pair, pair]
        if len(ends) != 2 or not all(map(_number, ends)) or not 0 <= ends[0] <= ends[1] <= 1:
            yield Fault(
                f"bounds of {domain} are {pair!r}",
                "Give [least, greatest] with 0 <= least <= greatest <= 1, or one number to fix it",
            )


def _baseline(stated: Any) -> Iterator[Fault]:
    yield from _mixture(stated, "baseline")


def _mixture(stated: Any, what: str) -> Iterator[Fault]:
    if isinstance(stated, Mapping):
        yield from _weights(stated, what)
    elif not isinstance(stated, str) or parsed(stated) is None:
        yield Fault(f"{what} is {stated!r}", f"Give {SHAPE}, or a table with a weight per domain")


def _risk(stated: Any) -> Iterator[Fault]:
    try:
        Risk.of(stated)
    except InputError as error:
        yield from error.faults


def _groups(table: Mapping[str, Any]) -> Iterator[Fault]:
    for name, group in table.items():
        domains = group.get("domains") if isinstance(group, Mapping) else None
        listed = isinstance(domains, list | tuple) and domains and all(isinstance(d, str) for d in domains)
        counted = isinstance(domains, Mapping) and domains and all(map(_number, domains.values()))
        if not (listed or counted):
            yield Fault(
                f"group {name} is {group!r}",
                f'Write {name} = {{ domains = ["web", "code"], least = 0.1, greatest = 0.4 }}; domains may also be a '
                "table of coefficients",
            )
            continue
        ends = {k: v for k, v in group.items() if k != "domains"}
        if not ends or not set(ends) <= {"least", "greatest"} or not all(map(_number, ends.values())):
            yield Fault(f"group {name} has {ends!r}", "Give least or greatest or both, as numbers")


def _positive(what: str) -> Any:
    def check(table: Mapping[str, Any]) -> Iterator[Fault]:
        for domain, value in table.items():
            if not _number(value) or value <= 0:
                yield Fault(f"{what} of {domain} is {value!r}", "Give a number above 0")

    return check


def _trusted(table: Mapping[str, Any]) -> Iterator[Fault]:
    if not table:
        return
    if set(table) != {"mixture", "divergence"} or not _number(table["divergence"]) or table["divergence"] <= 0:
        yield Fault(
            f"trusted has {', '.join(map(str, table)) or 'nothing'}",
            "Give mixture, a table with a weight per domain, and divergence, a number of nats above 0",
        )
    else:
        yield from _weights(table["mixture"], "trusted mixture")


def _candidates(table: Mapping[str, Any]) -> Iterator[Fault]:
    for name, weights in table.items():
        if name in ("chosen", "baseline", "uniform"):
            yield Fault(f"a candidate is named {name!r}, as one that is always compared", "Give it another name")
        yield from _mixture(weights, f"candidate {name}")


def _budget(table: Mapping[str, Any]) -> Iterator[Fault]:
    if not table:
        return
    for key in table:
        if key not in ("C", "served"):
            yield Fault(f"budget has an unknown {key!r}", suggest(key, ("C", "served")))
    if not _number(table.get("C")) or table["C"] <= 0:
        yield Fault(f"budget has C = {table.get('C')!r}", "Give the compute, FLOP, as a number above 0")
    if not _number(served := table.get("served", 0)) or served < 0:
        yield Fault(f"budget has served = {served!r}", "Give a number of tokens of at least 0")


def _near(value: Any) -> Iterator[Fault]:
    if not _number(value) or not 0 < value < 1:
        yield Fault(f"near is {value!r}", "Give the share of the gain that may be lost, between 0 and 1")


_CHECKS = {
    "objective": _objective,
    "bounds": _bounds,
    "baseline": _baseline,
    "risk": _risk,
    "groups": _groups,
    "available": _positive("available"),
    "epochs": _positive("epochs"),
    "trusted": _trusted,
    "candidates": _candidates,
    "budget": _budget,
    "near": _near,
}
