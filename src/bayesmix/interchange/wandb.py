"""Weights & Biases: runs as CSV or JSON, and charts as CSV, as exported; nothing is fetched.

```
runs.csv:  "Name","State","parameter_count","throughput/total_tokens","eval/paloma/c4_en/bpb"
           "swarm-1","finished","60000000","1200000000","1.21"
chart.csv: "Step","swarm-1 - eval/loss","swarm-1 - eval/loss__MIN","swarm-1 - eval/loss__MAX"
           "500","2.91","2.91","2.91"
```

JSON (or one object a line, `.jsonl`) is what the client's objects hold, such as `[{"name": r.name, "state": r.state,
"config": r.config, "summary": dict(r.summary)} for r in Api().runs("TEAM/PROJECT")]`; nested names are joined by
dots, as in the CSV. No setting of `config` is a response: `loss.z_weight` there is the label `loss/z_weight`.

`Name` is the run. Levanter's names are known: `parameter_count` is N, `throughput/total_tokens` D,
`throughput/total_gflops` C, `eval/<set>/bpb` and `eval/<set>/loss` responses; others are mapped: `--map
'val/{set}_nll=loss.{set}'`. Where there is a column `loss` beside `eval/loss`, you are asked which to read. Other
columns are labels, without the tracker's own (`_timestamp`, ...) and without those that are blank or equal in every
run. The first column of a chart is `step`, which is D after `--map step=D --unit D=TOKENS_A_BATCH`.

Source: table and chart export of the web application and `wandb.Api` of version 0.2x; names of metrics of
marin-community/levanter, as of November 2026.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import RESPONSES, VECTORS, head, is_numeric
from bayesmix.errors import Fault, InputError
from bayesmix.interchange._reading import Source, Table, cells, every, number, read_cells, read_json, settled

_USUAL = {
    "Name": "run",
    "name": "run",
    "parameter_count": "N",
    "throughput/total_tokens": "D",
    "throughput/total_gflops": "C",
}
_MEASURED = re.compile(r"eval/(?:(.+)/)?(loss|bpb)")
_GFLOP = 1e9


def read(sources: Sequence[Source], card: Card) -> Table:
    """Read any number of exports of one shape."""
    frames = every(sources, _cells, "wandb")
    whole = pd.concat([frame for frame, _ in frames], ignore_index=True).fillna("")
    places = tuple(place for _, places in frames for place in places)
    columns = [str(name) for name in whole.columns]
    if faults := _demoted(columns, card):
        raise InputError("wandb", faults)
    frame = settled(whole, card, {name: new for name in columns if (new := _usual_name(name))}, "wandb")
    if "run" not in frame:
        raise InputError("wandb", [Fault("no column 'Name' of the runs", "Export it, or map another: --map ID=run")])
    frame, dropped = _without_noise(frame, set(card.rename(columns)[0].values()))
    if "C" in frame and "throughput/total_gflops" in columns and "throughput/total_gflops" not in card.columns:
        card = Card(units={"C": _GFLOP}).merged(card)
    hints = [f"left out {dropped} columns that are the tracker's own, blank, or equal in every run"] if dropped else []
    states = Counter(frame["State"]) if "State" in frame else Counter()
    if unfinished := ", ".join(f"{count} {state}" for state, count in states.items() if state != "finished"):
        hints.append(f"not all runs have finished ({unfinished}): --where State=finished leaves them out")
    return Table(frame, places, card, tuple(columns), tuple(hints))


def _usual_name(name: str) -> str | None:
    """Return what a column is called where the user does not say.

    A name with a dot is a setting such as `optimizer.lr`: `/` keeps it apart from vectors such as `loss.web`.
    """
    if name in _USUAL:
        return _USUAL[name]
    if match := _MEASURED.fullmatch(name):
        return f"{match[2]}.{match[1]}" if match[1] else match[2]
    if name == "state":
        return "State"
    return name.replace(".", "/") if "." in name and head(name) not in VECTORS else None


def _demoted(columns: Sequence[str], card: Card) -> list[Fault]:
    """Return a fault for every evaluation whose name another column has, which may be what training logged."""
    given, _ = card.rename(columns)
    free = [name for name in columns if name not in given]
    usual = {name: _usual_name(name) for name in free if _MEASURED.fullmatch(name)}
    return [
        Fault(
            f"{name!r} is to be called {new!r}, as another column is, which may be of training",
            f"Say which to read: --map '{new}=train/{new.replace('.', '/')}' makes that one a label, "
            f"--map '{new}={new}' this one",
        )
        for name, new in usual.items()
        if new and new in free
    ]


def _without_noise(frame: pd.DataFrame, mapped: set[str]) -> tuple[pd.DataFrame, int]:
    """Drop labels that say nothing of the runs; `mapped` are the names that the user asked for."""
    wanted = {"run", "State", "step", *mapped}
    kept = []
    for name in map(str, frame.columns):
        varied = set(cells(frame, name))
        telling = varied != {""} if is_numeric(name) else len(varied) > 1 and not name.startswith("_") and name
        kept += [name] if name in wanted or telling else []
    return pd.DataFrame(frame[kept]), len(frame.columns) - len(kept)


def _cells(source: Source) -> tuple[pd.DataFrame, list[str]]:
    if source.path.suffix in (".json", ".jsonl"):
        return _objects(source.path)
    frame, lines = read_cells(source.path)
    columns = [str(name) for name in frame.columns]
    if "Name" not in columns and any(f"{name}__MIN" in columns for name in columns):
        return _chart(source.path, frame, lines)
    return frame, [f"{source.path} row {line}" for line in lines]


def _chart(path: Path, frame: pd.DataFrame, lines: Sequence[int]) -> tuple[pd.DataFrame, list[str]]:
    """Return one row for every run and step of a chart's columns `RUN - METRIC`."""
    axis, *columns = [str(name) for name in frame.columns if not str(name).endswith(("__MIN", "__MAX"))]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    places = []
    for name in columns:
        run, sign, metric = name.rpartition(" - ")
        if not sign:
            raise InputError(str(path), [Fault(f"column {name!r} is not RUN - METRIC", "Export the chart again")])
        for step, cell, line in zip(frame[axis], frame[name], lines, strict=True):
            if cell:
                if (run, step) not in rows:
                    places.append(f"{path} row {line}")
                rows.setdefault((run, step), {"run": run, "step" if axis == "Step" else axis: step})[metric] = cell
    if not rows:
        raise InputError(str(path), [Fault("the chart holds no value", "Export one that shows runs")])
    return pd.DataFrame(list(rows.values())).fillna(""), places


def _objects(path: Path) -> tuple[pd.DataFrame, list[str]]:
    content = read_json(path)
    content = [content] if isinstance(content, Mapping) else content
    if not isinstance(content, list) or not content or not all(isinstance(run, Mapping) for run in content):
        raise InputError(str(path), [Fault("not a list of runs", "Write one object a run: name, config, summary")])
    rows, places = [], []
    for at, run in enumerate(content):
        parts = {key: value for key, value in run.items() if key not in ("config", "summary")}
        row = {_setting(name): cell for name, cell in _flat(run.get("config") or {})}
        for part in (run.get("summary"), parts):
            row |= dict(_flat(part or {}))
        rows.append(row)
        places.append(f"{path} object {at + 1}")
    return pd.DataFrame(rows).fillna(""), places


def _setting(name: str) -> str:
    """Return what a setting is called; one named like a response is still none.

    >>> _setting("optimizer.lr"), _setting("loss.z_weight"), _setting("loss")
    ('optimizer.lr', 'loss/z_weight', 'config/loss')
    """
    if head(name) not in (*RESPONSES, "items"):
        return name
    return name.replace(".", "/") if "." in name else f"config/{name}"


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts and numbers of nested objects, names joined by dots; lists are left out."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, str | bool) and name:
        yield name, str(value).strip()
    elif name and (cell := number(value)):
        yield name, cell
