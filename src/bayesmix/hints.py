"""Hints: what is suspicious of a table of runs, but not wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from bayesmix.card import PERPLEXITY, UNITS
from bayesmix.covariates import COVARIATES, head, is_numeric, name_hint, stating
from bayesmix.errors import listed

# Units of N and D, the usual ones first: of N alone or of D alone they count too.
_USUAL_UNITS = (
    ("millions", "billions"),
    ("billions", "billions"),
    ("billions", "trillions"),
    ("millions", "millions"),
    ("thousands", "millions"),
)
_SIZES = (1e5, 1e13)  # model parameters of a table whose unit is right, roughly
_TOKENS_EACH = (0.3, 3e3)  # tokens per parameter of such a table
_TINY = (0.1, 1e4)  # tokens per parameter of tables that are small in truth, whatever their D
_EPOCHS = 1e4
_NATS = 20.0  # guessing among half a billion tokens
_TWICE = 2.0
_CLEARLY = 0.01


def hints_of(table: pd.DataFrame) -> list[str]:
    """Say what is suspicious. It depends on the table alone, so that a table read back has the same hints."""
    unnamed = list(table["run"]) == [str(position + 1) for position in range(len(table))]
    heads = {head(name) for name in table.columns if name != "run" or not unnamed}
    hints = [name_hint(name, heads) for name in table.columns if name != "run" and not is_numeric(name)]
    hints += [*_unit_hints(table), _loss_hint(table), _compute_hint(table)]
    hints += [_checkpoint_hint(table) if unnamed else _run_hint(table)]
    return [hint for hint in hints if hint]


def _unit_hints(table: pd.DataFrame) -> Iterator[str]:
    """Ask about the unit of N, D or U where values are hard to believe."""
    values = {symbol: table[symbol].to_numpy() for symbol in ("N", "D", "U") if symbol in table}
    middle = {symbol: float(np.median(column)) for symbol, column in values.items()}
    low = {symbol for symbol, column in values.items() if column.min() < COVARIATES[symbol].plausible[0]}
    if not {"N", "D"} <= low and _within(middle, "D", "N", _TINY):
        low -= {"N", "D"}
    if "D" not in low and _within(middle, "D", "U", (0, _EPOCHS)):
        low -= {"U"}
    units = _believable_units(low, middle)
    for symbol, column in values.items():
        smallest, largest = COVARIATES[symbol].plausible
        if symbol in low or column.max() > largest:
            odd = column[(column > largest) | ((column < smallest) & (symbol in low))][0]
            unit = units.get(symbol) if odd < smallest else None
            remedy = f"in {unit}? {stating(symbol, unit)}" if unit else "check its unit"
            yield f"{symbol} = {odd:g}, expected {smallest:g} to {largest:g} {COVARIATES[symbol].unit}: {remedy}"


def _believable_units(low: set[str], middle: Mapping[str, float]) -> dict[str, str]:
    """Return units of what is too low with which N and D/N are believable, if there are any."""
    for of_N, of_D in _USUAL_UNITS:
        units = {symbol: unit for symbol, unit in {"N": of_N, "D": of_D, "U": of_D}.items() if symbol in low}
        stated = {symbol: value * UNITS.get(units.get(symbol, ""), 1.0) for symbol, value in middle.items()}
        sizes = "N" not in low or _SIZES[0] <= stated["N"] <= _SIZES[1]
        if sizes and (not {"N", "D"} <= stated.keys() or _within(stated, "D", "N", _TOKENS_EACH)):
            return units
    return {}


def _within(values: Mapping[str, float], above: str, below: str, bounds: tuple[float, float]) -> bool:
    """Say whether the ratio of two of the values is within bounds."""
    return {above, below} <= values.keys() and bounds[0] <= values[above] / values[below] <= bounds[1]


def _loss_hint(table: pd.DataFrame) -> str | None:
    """Tell losses that no model has for a token."""
    names = [name for name in table.columns if head(name) == "loss" and np.any(table[name].to_numpy() > _NATS)]
    if not names:
        return None
    losses = table[names].to_numpy()
    rows = np.count_nonzero((losses > _NATS).any(axis=1))
    stated = names[0] if len(names) == 1 else "loss"
    return (
        f"{listed(names)}: up to {np.nanmax(losses):g}, above {_NATS:g} nats/token in {rows} of {len(table)} rows. "
        f"Perplexity? Say so: --unit {stated}={PERPLEXITY}. A sum over tokens? Give their mean. If the run diverged, "
        "leave the cell empty"
    )


def _compute_hint(table: pd.DataFrame) -> str | None:
    """Tell compute that is nowhere near 6ND."""
    if not {"N", "D", "C"} <= set(table.columns):
        return None
    ratios = (table["C"] / (6 * table["N"] * table["D"])).to_numpy()
    if ratios.min() <= _TWICE and ratios.max() >= 1 / _TWICE:
        return None
    return (
        f"C is nowhere within a factor of {_TWICE:g} of 6ND, but {np.median(ratios):.3g} times that in the median row: "
        "check the units of C, N and D, and that C is of training alone; without a column C it is taken as 6ND"
    )


def _run_hint(table: pd.DataFrame) -> str | None:
    """Tell rows that share a name, such as that of their mixture, and are no checkpoints of one run."""
    same = [name for name in ("run", "N", "D", "step") if name in table]
    weights = [name for name in table.columns if head(name) == "w"]
    at = f" at the same {' and '.join(same[1:])}" if same[1:] else ""
    differing = {
        "different N": _differing(table, ["run"], ["N"] if "N" in table else [], 0.0),
        f"different w{at}": _differing(table, same, weights, _CLEARLY),
    }
    total = table["run"].nunique()
    told = [
        f"{len(runs)} of {total} runs have rows of {w}, such as {runs[0]!r}" for w, runs in differing.items() if runs
    ]
    if not told:
        return None
    return (
        f"{', and '.join(told)}: rows of one are its checkpoints and are left out together. Name runs apart; or map "
        'that column to a label, and say by the card what a run is: run = ["N", "w"]'
    )


def _differing(table: pd.DataFrame, same: list[str], columns: Sequence[str], by: float) -> list[str]:
    """Return the runs with rows that are the same in some columns and differ in others."""
    if not columns:
        return []
    groups = table.groupby(same, sort=False)[list(columns)]
    spread = (np.asarray(groups.transform("max")) - np.asarray(groups.transform("min"))).max(axis=1)
    return list(dict.fromkeys(table["run"].to_numpy()[spread > by].tolist()))


def _checkpoint_hint(table: pd.DataFrame) -> str | None:
    """Tell rows that look like checkpoints of one run, where runs are named by nothing but their position."""
    same = [name for name in table.columns if head(name) in ("N", "w") and is_numeric(name)]
    if not same or "D" not in table:
        return None
    rows = list(table[same].itertuples(index=False, name=None))
    tokens: dict[tuple[float, ...], set[float]] = {}
    for row, D in zip(rows, table["D"], strict=True):
        tokens.setdefault(row, set()).add(D)
    alike = sum(len(tokens[row]) > 1 for row in rows)
    if not alike:
        return None
    shared = " and ".join(dict.fromkeys(map(head, same)))
    return (
        f"every row counts as a run of its own, yet {alike} of {len(table)} share {shared} with another "
        "and differ in D, as checkpoints of one run do: if they are, a column 'run' is needed to leave out "
        "whole runs"
    )
