"""Olmix: a swarm as `ratios.csv` and `metrics.csv`; a launch as YAML.

```
ratios.csv                          metrics.csv
run,name,index,web,code             run,name,index,arc_easy,minerva
hz0dfydj,swarm-0000,0,0.45,0.55     hz0dfydj,swarm-0000,0,1.12,0.84
```

Joined by `run` (or `run_id`). A ratio is `w.<domain>`. A metric is `bpb.<metric>`, Olmix's measure, unless its name
says loss or accuracy, and is said to be so. The files do not say N and D: add them (`--set N=30e6`).

```yaml
mix:
  wikipedia: {weight: 0.2, repetition_factor: 2.0}
  dclm:
    weight: 0.8
    software_development: {weight: 0.625}      # weights of children are relative to their parent
    science: {weight: 0.375}
```

A domain called `dclm:science` is a child of `dclm`. `repetition_factor` is written where the data's size is known and
one pass over it is not enough. A domain of weight zero is left out.

Source: allenai/olmix, README and launch configuration, as of November 2026 (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from bayesmix.card import Card
from bayesmix.errors import Fault, InputError, listed
from bayesmix.interchange._join import paired
from bayesmix.interchange._launch import Launch, Share, apportion, as_yaml
from bayesmix.interchange._reading import Source, Table, every, file_count, read_cells, settled

FILES = ("RATIOS.csv", "METRICS.csv")
_KEYS = ("run", "run_id", "name", "index", "")


def read(sources: Sequence[Source], card: Card) -> Table:
    """Read a pair of files, ratios first."""
    file_count(sources, FILES, "olmix")
    paths = [source.path for source in sources]
    (ratios, first), (metrics, second) = every(paths, read_cells, "olmix")
    seen = (*map(str, ratios.columns), *map(str, metrics.columns))
    domains = {name: f"w.{name}" for name in map(str, ratios.columns) if name not in _KEYS}
    targets = {name: f"{_kind(name)}.{name}" for name in map(str, metrics.columns) if name not in _KEYS}
    left = _keyed(settled(ratios, card, domains | {"run_id": "run"}, str(paths[0])), str(paths[0]))
    right = _keyed(settled(metrics, card, targets | {"run_id": "run"}, str(paths[1])), str(paths[1]))
    table = paired((paths[0], left, first), (paths[1], right, second), card)
    if usual := [name for name in targets if targets[name].startswith("bpb.") and targets[name] in right]:
        remedy = f"Map one that is not: --map '{usual[0]}=score.{usual[0]}'"
        what = f"read as bits per byte, Olmix's measure: {listed(usual)}. {remedy}"
        return replace(table, seen=seen, hints=(*table.hints, what))
    return replace(table, seen=seen)


def _kind(metric: str) -> str:
    folded = metric.casefold()
    if "bpb" not in folded and "bits_per_byte" not in folded:
        if "loss" in folded:
            return "loss"
        if "acc" in folded.replace("/", "_").split("_") or "accuracy" in folded:
            return "accuracy"
    return "bpb"


def _keyed(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    if "run" not in frame:
        raise InputError(file, [Fault("no column 'run' or 'run_id' to join by", "Map one: --map NAME=run")])
    return frame.drop(columns=[name for name in ("index",) if name in frame])


def write(launch: Launch) -> str:
    """Return the part `mix` of a launch configuration."""
    mix: dict[str, dict] = {}
    parents: dict[str, list[Share]] = {}
    for share in launch.positive:
        parents.setdefault(share.domain.partition(":")[0], []).append(share)
    totals = apportion([sum(s.weight for s in shares) for shares in parents.values()])
    for (parent, shares), total in zip(parents.items(), totals, strict=True):
        if len(shares) > 1 and any(share.domain == parent for share in shares):
            what = f"{parent!r} is a domain, and the parent of others"
            raise InputError("olmix", [Fault(what, "Rename the domain in the table of runs, and fit again")])
        if shares[0].domain == parent:
            mix[parent] = {"weight": total, **_repetition(shares[0])}
            continue
        own = apportion([share.weight for share in shares])
        children = {
            share.domain.partition(":")[2]: {"weight": weight, **_repetition(share)}
            for share, weight in zip(shares, own, strict=True)
            if weight > 0
        }
        mix[parent] = {"weight": total, **children}
    return as_yaml({"mix": mix}, launch)


def _repetition(share: Share) -> dict[str, float]:
    return {} if share.repetition is None or share.repetition <= 1 else {"repetition_factor": share.repetition}
