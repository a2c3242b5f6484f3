"""Hugging Face Trainer: `trainer_state.json`, the losses of one run at its steps.

```json
{"log_history": [{"step": 500, "loss": 2.9, "learning_rate": 3e-4, "num_input_tokens_seen": 1048576000},
                 {"step": 500, "eval_loss": 2.85, "eval_code_loss": 1.92, "eval_accuracy": 0.41}]}
```

One row a step: `loss` is `eval_loss`, `loss.<set>` is `eval_<set>_loss`, likewise `accuracy`; `loss.train` is the
loss of training, a mean over the steps since the entry before. `num_input_tokens_seen` is D; files without it say
only `step`, which a batch of so many tokens makes D: `--map step=D --unit D=2097152`. A run is named `RUN=FILE`, or
after the folder of the file that is no `checkpoint-*`. N and the mixture come from `--runs` or `--set`.

Source: huggingface/transformers, `src/transformers/trainer_callback.py` (`TrainerState`), versions 4 and 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.card import Card
from bayesmix.errors import Fault, InputError
from bayesmix.interchange._reading import Source, Table, cells, every, number, read_json, settled

_EVALUATED = re.compile(r"eval_(?:(.+)_)?(loss|accuracy)")
_KEPT = {"step": "step", "loss": "loss.train", "learning_rate": "learning_rate", "num_input_tokens_seen": "D"}


def read(sources: Sequence[Source], card: Card) -> Table:
    """Read the logs of any number of runs."""
    logs = every(sources, _rows, "trainer_state")
    rows = [row for log, _ in logs for row in log]
    repeated = [
        Fault(
            f"{source.path}: the run was read from another file already", "Name the runs: RUN=FILE", run=log[0]["run"]
        )
        for at, (source, (log, _)) in enumerate(zip(sources, logs, strict=True))
        if log[0]["run"] in {before[0]["run"] for before, _ in logs[:at]}
    ]
    if repeated:
        raise InputError("trainer_state", repeated)
    frame = pd.DataFrame(rows).fillna("")
    if "D" in frame and "" in cells(frame, "D"):
        raise InputError("trainer_state", [Fault("only some entries have num_input_tokens_seen", "Read the others "
                                                 "by themselves: --map step=D --unit D=TOKENS_A_BATCH")])  # fmt: skip
    seen = tuple(map(str, frame.columns))
    places = tuple(
        f"{source.path} step {row['step']}" for source, (log, _) in zip(sources, logs, strict=True) for row in log
    )
    hints = tuple(hint for _, found in logs for hint in found)
    table = Table(settled(frame, card, {}, "trainer_state"), places, card, seen, hints)
    if "D" not in table.frame:
        hint = "no file says num_input_tokens_seen: state the tokens of a batch, --map step=D --unit D=TOKENS_A_BATCH"
        return replace(table, hints=(*hints, hint))
    return table


def _rows(source: Source) -> tuple[list[dict[str, str]], list[str]]:
    """Return one row a step of a file, and what to say of it."""
    content = read_json(source.path)
    history = content.get("log_history") if isinstance(content, dict) else None
    if not isinstance(history, list) or not all(isinstance(entry, Mapping) for entry in history):
        raise InputError(str(source.path), [Fault("no list 'log_history' of entries", "Name a trainer_state.json")])
    run = source.run or _folder(source.path)
    steps: dict[str, dict[str, str]] = {}
    again = set()
    for entry in history:
        step, found = number(entry.get("step")), _cells(entry)
        # What was measured before the first step says nothing of training.
        if step is None or float(step) <= 0 or not found:
            continue
        row = steps.setdefault(step, {"run": run, "step": step})
        again |= {step} if any(row.get(name, value) != value for name, value in found.items()) else set()
        row |= found
    measured = [row for row in steps.values() if any(name.startswith(("loss", "accuracy")) for name in row)]
    if not measured:
        raise InputError(str(source.path), [Fault("log_history holds no loss", "Log losses, or name another file")])
    hints = [f"{source.path}: logged twice, the later values are read, at steps {', '.join(sorted(again, key=float))}"]
    return measured, hints if again else []


def _cells(entry: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for key, value in entry.items():
        cell = number(value)
        if cell is None or key == "step":
            continue
        if key in _KEPT:
            found[_KEPT[key]] = cell
        elif match := _EVALUATED.fullmatch(key):
            found[f"{match[2]}.{match[1]}" if match[1] else match[2]] = cell
    return found


def _folder(path: Path) -> str:
    folders = [part for part in path.absolute().parent.parts if not re.fullmatch(r"checkpoint-\d+", part)]
    return folders[-1]
