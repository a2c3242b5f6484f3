"""Hugging Face Trainer: `trainer_state.json`, the losses of one run at its steps.

```json
{"log_history": [{"step": 500, "loss": 2.9, "learning_rate": 3e-4, "num_input_tokens_seen": 1048576000},
                 {"step": 500, "eval_loss": 2.85, "eval_code_loss": 1.92, "eval_accuracy": 0.41}]}
```

One row a step: `loss` is `eval_loss`, `loss.<set>` is `eval_<set>_loss`, likewise `accuracy`; `loss.train` is the
loss of training, a mean over the steps since the entry before, or `eval_train_loss` alone where any file has that.
`num_input_tokens_seen` is D; files without it say only `step`, which a batch of so many tokens makes D: `--map step=D
--unit D=2097152`. A run is named `RUN=FILE`, or after the folder of the file that is no `checkpoint-*`. N and the
mixture come from `--runs` or `--set`.

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
from bayesmix.covariates import is_target
from bayesmix.errors import Fault, InputError, listed
from bayesmix.interchange._reading import Source, Table, cells, every, number, read_json, settled

_EVALUATED = re.compile(r"eval_(?:(.+)_)?(loss|accuracy)")
_TRAIN = "loss.train"
_RUNNING = "loss of training"  # until it is known whether any file has the loss of training as evaluated, too
_KEPT = {"step": "step", "loss": _RUNNING, "learning_rate": "learning_rate", "num_input_tokens_seen": "D"}

_Row = dict[str, str]


def read(sources: Sequence[Source], card: Card) -> Table:
    """Read the logs of any number of runs."""
    logs = every(sources, _rows, "trainer_state")
    repeated = [
        Fault(
            f"{source.path}: the run was read from another file already", "Name the runs: RUN=FILE", run=log[0]["run"]
        )
        for at, (source, (log, _)) in enumerate(zip(sources, logs, strict=True))
        if log[0]["run"] in {before[0]["run"] for before, _ in logs[:at]}
    ]
    if repeated:
        raise InputError("trainer_state", repeated)
    paths = {log[0]["run"]: source.path for source, (log, _) in zip(sources, logs, strict=True)}
    rows, said = _one_loss_of_training([row for log, _ in logs for row in log])
    hints = tuple(hint for _, found in logs for hint in found)
    frame = pd.DataFrame(rows).fillna("")
    if "D" in frame and "" in cells(frame, "D"):
        raise InputError("trainer_state", [Fault("only some entries have num_input_tokens_seen", "Read the others "
                                                 "by themselves: --map step=D --unit D=TOKENS_A_BATCH")])  # fmt: skip
    seen = tuple(map(str, frame.columns))
    places = tuple(f"{paths[row['run']]} step {row['step']}" for row in rows)
    table = Table(settled(frame, card, {}, "trainer_state"), places, card, seen, (*hints, *said))
    if "D" not in table.frame:
        hint = "no file says num_input_tokens_seen: state the tokens of a batch, --map step=D --unit D=TOKENS_A_BATCH"
        return replace(table, hints=(*table.hints, hint))
    return table


def _one_loss_of_training(rows: list[_Row]) -> tuple[list[_Row], list[str]]:
    """Call the running loss `loss.train`, or drop it for one that was evaluated; return the rows left, and hints."""
    if not any(_TRAIN in row for row in rows):
        return [{_TRAIN if name == _RUNNING else name: cell for name, cell in row.items()} for row in rows], []
    if not any(_RUNNING in row for row in rows):
        return rows, []
    left = [{name: cell for name, cell in row.items() if name != _RUNNING} for row in rows]
    left = [row for row in left if _is_measured(row)]
    stay = {row["run"] for row in left}
    gone = list(dict.fromkeys(row["run"] for row in rows if row["run"] not in stay))
    what = f"{_TRAIN} is eval_train_loss; the loss that training logs was left out, and steps that have no other"
    return left, [f"{what}: all of {listed(gone)}" if gone else what]


def _is_measured(row: _Row) -> bool:
    return any(is_target(name) or name == _RUNNING for name in row)


def _rows(source: Source) -> tuple[list[_Row], list[str]]:
    """Return one row a step of a file, and what to say of it."""
    content = read_json(source.path)
    history = content.get("log_history") if isinstance(content, dict) else None
    if not isinstance(history, list) or not all(isinstance(entry, Mapping) for entry in history):
        raise InputError(str(source.path), [Fault("no list 'log_history' of entries", "Name a trainer_state.json")])
    run = source.run or _folder(source.path)
    steps: dict[str, _Row] = {}
    again = set()
    for entry in history:
        step, found = number(entry.get("step")), _cells(entry)
        # What was measured before the first step says nothing of training.
        if step is None or float(step) <= 0 or not found:
            continue
        row = steps.setdefault(step, {"run": run, "step": step})
        again |= {step} if any(row.get(name, value) != value for name, value in found.items()) else set()
        row |= found
    measured = [row for row in steps.values() if _is_measured(row)]
    if not measured:
        raise InputError(str(source.path), [Fault("log_history holds no loss", "Log losses, or name another file")])
    hints = [f"{source.path}: logged twice, the later values are read, at steps {', '.join(sorted(again, key=float))}"]
    return measured, hints if again else []


def _cells(entry: Mapping[str, Any]) -> _Row:
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
