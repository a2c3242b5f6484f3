"""lm-evaluation-harness: results of benchmarks as JSON, one file a model.

```json
{"results": {"arc_easy": {"alias": "arc_easy", "acc,none": 0.41, "acc_stderr,none": 0.0144,
                          "acc_norm,none": 0.44, "acc_norm_stderr,none": 0.0145}},
 "higher_is_better": {"arc_easy": {"acc": true, "acc_norm": true}},
 "n-samples": {"arc_easy": {"original": 1172, "effective": 1172}},
 "config": {"model_num_parameters": 411616256}, "model_name": "ckpts/run-7"}
```

A task becomes `accuracy.<task>` (`error.<task>` where lower is better), `items.accuracy.<task>` for binomial noise
and the label `stderr.accuracy.<task>`; its bits per byte become `bpb.<task>`. Of several accuracies `acc` is taken,
else `exact_match`; others by name, as `<task>/<metric>` or `<task>/<metric>,<filter>`: `--map
'{task}/acc_norm=accuracy.{task}'`. The items of a group of tasks are those of its parts; where no number is given
they are what the standard error implies, items = p (1 - p) / stderr^2 + 1. A run is the last part of the model's
name, or `RUN=FILE`; several files of one run are put together, if they are of one model and one N. N is
`model_num_parameters`, where all files have it.

Source: EleutherAI/lm-evaluation-harness, `lm_eval/loggers` and `lm_eval/evaluator.py`, version 0.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.card import Card
from bayesmix.covariates import is_fraction
from bayesmix.errors import Fault, InputError, listed
from bayesmix.interchange._reading import Source, Table, cells, every, number, read_json

_USUAL = ("acc", "exact_match")
_BPB = "bits_per_byte"


@dataclass(frozen=True)
class _File:
    """What a file holds: its run and model, cells, names of its metrics, and which of several filters were taken."""

    path: Path
    run: str
    model: str
    cells: dict[str, str]
    seen: list[str]
    filtered: list[str]


def read(sources: Sequence[Source], card: Card) -> Table:
    """Read the results of any number of runs."""
    found = every(sources, lambda source: _run_of(source, card), "lm_eval")
    files: dict[str, list[_File]] = {}
    faults = []
    for file in found:
        before = files.setdefault(file.run, [])
        faults += islice(_clashes(file, before), 1)
        before.append(file)
    if faults:
        raise InputError("lm_eval", faults)
    rows = [{"run": run} | {n: cell for file in of for n, cell in file.cells.items()} for run, of in files.items()]
    frame = pd.DataFrame(rows).fillna("")
    hints = []
    if "N" in frame and "" in cells(frame, "N"):
        frame = frame.drop(columns="N")
        hints.append("only some files say model_num_parameters: N was not read")
    seen = tuple(dict.fromkeys(name for file in found for name in file.seen))
    if filtered := list(dict.fromkeys(text for file in found for text in file.filtered)):
        remedy = "--map TASK/METRIC,FILTER=accuracy.TASK takes another"
        hints.append(f"of several filters the first was taken: {listed(filtered)}; {remedy}")
    frame, unsure = _whole_items(frame)
    places = tuple(" and ".join(str(file.path) for file in of) for of in files.values())
    return Table(frame, places, card, seen, (*hints, *unsure))


def _clashes(file: _File, before: Sequence[_File]) -> Iterator[Fault]:
    """Yield what speaks against a file's being of the run that other files are of."""
    for other in before:
        if file.model and other.model and file.model != other.model:
            what = f"{file.path}: the model is {file.model}, and in {other.path} it is {other.model}"
            yield Fault(what, "Name the run of each, alike if they are one: RUN=FILE", run=file.run)
        elif len({float(f.cells["N"]) for f in (file, other) if "N" in f.cells}) > 1:
            sizes = f"is {file.cells['N']}, and in {other.path} it is {other.cells['N']}"
            remedy = "Name their runs apart: RUN=FILE"
            yield Fault(f"{file.path}: model_num_parameters {sizes}", remedy, run=file.run)
        elif twice := [name for name in file.cells if name in other.cells and name != "N"]:
            what = f"{file.path}: {', '.join(twice[:3])} of this run were read from {other.path} already"
            yield Fault(what, "Keep one of the files, or name their runs: RUN=FILE", run=file.run)


def _run_of(source: Source, card: Card) -> _File:
    """Return what a file holds."""
    content = read_json(source.path)
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, Mapping) or not all(isinstance(task, Mapping) for task in results.values()):
        remedy = "Name a results_*.json of the harness"
        raise InputError(str(source.path), [Fault("no object 'results' with an object a task", remedy)])
    model = _model_name(content)
    run = source.run or Path(model).name
    if not run:
        remedy = f"Name it: RUN={source.path}"
        raise InputError(str(source.path), [Fault("the file does not say which model it is of", remedy)])
    measured: dict[str, str] = {}
    seen: list[str] = []
    filtered: list[str] = []
    for task in results:
        known = _metrics(task, results[task])
        by_name, _ = card.rename(list(known))
        seen += known
        for name, (metric, key) in _chosen(task, known, card, content, str(source.path)).items():
            measured |= _cells(name, task, metric, key, content)
            others = [k.partition(",")[2] for m, k in known.values() if m == metric and k != key]
            if others and f"{task}/{key}" not in by_name:
                filtered.append(f"{task}/{key} (there is {' and '.join(dict.fromkeys(others))})")
    if not measured:
        remedy = "Map one by name: --map '{task}/acc_norm=accuracy.{task}'"
        raise InputError(str(source.path), [Fault("no task has acc, exact_match or bits_per_byte", remedy)])
    parameters = number(_part(content, "config").get("model_num_parameters"))
    size = {"N": parameters} if parameters and float(parameters) > 0 else {}
    # Where the user names the run, the model may go by several names.
    return _File(source.path, run, "" if source.run else model, size | measured, seen, filtered)


def _model_name(content: Mapping[str, Any]) -> str:
    arguments = _part(content, "config").get("model_args")
    if isinstance(arguments, str):
        match = re.search(r"(?:^|,)(?:pretrained|model)=([^,]+)", arguments)
        arguments = {"pretrained": match[1]} if match else {}
    name = content.get("model_name") or (arguments or {}).get("pretrained") or ""
    return str(Path(str(name))) if name else ""


def _metrics(task: str, values: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return every name of every metric of a task: the metric and its key in the file."""
    names: dict[str, tuple[str, str]] = {}
    for key, value in values.items():
        metric = key.partition(",")[0]
        if number(value) is None or metric.endswith("_stderr") or metric in ("alias", "sample_len"):
            continue
        names[f"{task}/{key}"] = (metric, key)
        names.setdefault(f"{task}/{metric}", (metric, key))
    return names


def _chosen(
    task: str, known: Mapping[str, tuple[str, str]], card: Card, content: Mapping[str, Any], file: str
) -> dict[str, tuple[str, str]]:
    """Return the responses to read from a task: those that the user mapped, or the usual one, and bits per byte."""
    given, _ = card.rename(list(known))
    chosen: dict[str, tuple[str, str]] = {}
    for old, new in given.items():
        if chosen.setdefault(new, known[old]) != known[old]:
            fault = Fault(f"{old} and another metric would both be called {new!r}", "Map one of them to another name")
            raise InputError(file, [fault])
    usual = next((known[f"{task}/{metric}"] for metric in _USUAL if f"{task}/{metric}" in known), None)
    if usual and not any(is_fraction(name) for name in chosen):
        # Groups of tasks may say null, which is neither.
        worse = _part(content, "higher_is_better", task).get(usual[0]) is False
        chosen[f"{'error' if worse else 'accuracy'}.{task}"] = usual
    if f"{task}/{_BPB}" in known and not any(name.startswith("bpb") for name in chosen):
        chosen[f"bpb.{task}"] = known[f"{task}/{_BPB}"]
    return chosen


def _cells(name: str, task: str, metric: str, key: str, content: Mapping[str, Any]) -> dict[str, str]:
    values = content["results"][task]
    found = {name: number(values[key]) or ""}
    error = number(values.get(key.replace(metric, f"{metric}_stderr", 1)))
    if error is not None:
        found[f"stderr.{name}"] = error
    if is_fraction(name) and (items := _items(task, content) or _implied(float(found[name]), error)):
        found[f"items.{name}"] = str(items)
    return found


def _items(task: str, content: Mapping[str, Any]) -> int | None:
    """Return the number of items of a task, or of all parts of a group of tasks."""
    stated = (_part(content, "n-samples", task).get("effective"), _part(content, "results", task).get("sample_len"))
    for known in stated:
        if isinstance(known, int) and known > 0:
            return known
    parts = _part(content, "group_subtasks").get(task) or ()
    numbers = [_items(part, content) for part in parts if part != task]
    return sum(n for n in numbers if n) if numbers and all(numbers) else None


def _implied(fraction: float, error: str | None) -> int | None:
    """Return the items that a standard error implies: error^2 = p (1 - p) / (items - 1)."""
    if error is None or float(error) <= 0 or not 0 < fraction < 1:
        return None
    return round(fraction * (1 - fraction) / float(error) ** 2) + 1


def _whole_items(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Drop a column of items that is not known for every run that has the response."""
    names = [str(name).removeprefix("items.") for name in frame if str(name).startswith("items.")]
    pairs = {name: zip(cells(frame, name), cells(frame, f"items.{name}"), strict=True) for name in names}
    partly = [name for name in names if any(response and not items for response, items in pairs[name])]
    hints = [f"{name}: the number of items is not known for every run, and was not read" for name in partly]
    return frame.drop(columns=[f"items.{name}" for name in partly]), hints


def _part(content: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        content = content.get(name) if isinstance(content, Mapping) else None
    return content if isinstance(content, Mapping) else {}
