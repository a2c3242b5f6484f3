"""Long tables: one row for every run and metric, as CSV.

```
run,N,D,target,loss              run,step,metric,value
a,1e8,2e9,c4,3.11                a,1000,loss.c4,3.11
a,1e8,2e9,code,1.42              a,1000,accuracy.arc,0.31
```

Left: a column `target`, and the responses and items in columns of their kind (`loss`, `accuracy`, `items.accuracy`,
...): read as `loss.c4`, `loss.code`. Right: a column `metric` with whole names, and a column `value`; metrics may be
mapped by name (`--map 'eval/{set}/loss=loss.{set}'`), and those that are no response are left out, and said. Other
columns are kept; where they are the same in all rows of a run, or differ as checkpoints do, each combination is one
row. Foreign names of columns are mapped: `--map val_set=target --map name=run`.

Source: the common shape of data frames melted by pandas or queried from trackers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import MISSING, is_target, name_fault
from bayesmix.errors import Fault, InputError, suggest
from bayesmix.interchange._reading import Source, Table, cells, one_table

Measured = tuple[tuple[str, ...], tuple[str, ...]]  # responses, and their cells


def read(sources: Sequence[Source], card: Card) -> Table:
    """Read one long table."""
    frame, lines, seen, file = one_table(sources, "LONG.csv", "long_table", card)
    kinds = [str(name) for name in frame.columns if is_target(str(name).removeprefix("items."))]
    left_out: list[str] = []
    if {"metric", "value"} <= set(frame.columns):
        seen += list(dict.fromkeys(cells(frame, "metric")))
        left_out, measured = _by_metric(frame, card, file)
        keys = [name for name in frame.columns if name not in ("metric", "value")]
    elif "target" in frame and kinds:
        rows = zip(frame["target"], frame[kinds].itertuples(index=False, name=None), strict=True)
        measured = [(tuple(f"{kind}.{target}" for kind in kinds), values) for target, values in rows]
        keys = [name for name in frame.columns if name not in ("target", *kinds)]
    else:
        what = f"neither columns metric and value, nor target and a response, among {', '.join(seen)}"
        raise InputError(file, [Fault(what, "Map them: --map val_set=target --map nll=loss")])
    if "run" not in frame:
        remedy = suggest("run", seen) + " Map it: NAME=run"
        raise InputError(file, [Fault("no column 'run' that says which rows belong together", remedy)])
    wide, places = _wide(pd.DataFrame(frame[keys]), measured, lines, file)
    hints = (f"metrics that are no response, left out: {', '.join(left_out)}",) if left_out else ()
    return Table(wide, places, card, tuple(seen), hints)


def _by_metric(frame: pd.DataFrame, card: Card, file: str) -> tuple[list[str], list[Measured]]:
    """Return the metrics that are no response, and what each row measured of the others."""
    metrics = cells(frame, "metric")
    given, _ = card.rename(list(dict.fromkeys(metrics)))
    names = [given.get(metric, metric) for metric in metrics]
    known = {name for name in names if is_target(name.removeprefix("items.")) and not name_fault(name)}
    left_out = sorted(set(names) - known)
    if not known:
        remedy = f"Map them by name: --map {left_out[0]}=loss.{left_out[0]}"
        raise InputError(file, [Fault(f"no metric is a response: {', '.join(left_out[:5])}", remedy)])
    rows = zip(names, cells(frame, "value"), strict=True)
    return left_out, [((name,), (value,)) if name in known else ((), ()) for name, value in rows]


def _wide(
    keys: pd.DataFrame, measured: Sequence[Measured], lines: Sequence[int], file: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Gather what was measured on equal keys in one row.

    Raises
    ------
    InputError
        A response is in two rows of one run.
    """
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    at: dict[tuple[str, ...], dict[str, int]] = {}
    faults = []
    for key, (names, values), line in zip(keys.itertuples(index=False, name=None), measured, lines, strict=True):
        row, places = rows.setdefault(key, dict(zip(keys.columns, key, strict=True))), at.setdefault(key, {})
        for name, value in zip(names, values, strict=True):
            if value.casefold() in MISSING:
                continue
            if name in row:
                what = f"{file} row {line}: {name} is in row {places[name]} too, with equal {', '.join(keys.columns)}"
                faults.append(Fault(what, "Keep one, or tell them apart in a column such as step", run=row["run"]))
            row[name], places[name] = value, line
    if faults:
        raise InputError(file, faults[:20])
    kept = [key for key in rows if at[key]]
    frame = pd.DataFrame([rows[key] for key in kept]).fillna("")
    return frame, tuple(f"{file} {_rows(at[key])}" for key in kept)


def _rows(places: Mapping[str, int]) -> str:
    lines = sorted(set(places.values()))
    return f"row {lines[0]}" if len(lines) == 1 else f"rows {lines[0]} to {lines[-1]}"
