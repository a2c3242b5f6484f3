"""What the hidden rows of tasks show of the bend, from which `bayesmix.history` learns what to believe of the next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import optimize, stats
from store import Store
from task import Task

from bayesmix import beyond, history
from bayesmix.discrepancy import Discrepancy

_TINY = 1e-6
_MIDDLE = stats.norm.ppf(0.75)  # of the absolute value of a standard normal number


@dataclass(frozen=True)
class Evidence:
    """What the hidden rows of a task say of its bend.

    Attributes
    ----------
    study : str
        The table that it is of.
    bend, error : float
        The bend that they show, and its standard error; see `bayesmix.beyond.bends`.
    before : (float, float)
        The same of the largest rows that were not hidden, from a fit without them; NaN where unknown.
    promised, left, noise : array
        One entry a row: the fall that the law promises, what the bend leaves unexplained, and the scale of the noise;
        in units of the log response. None where all rows are of one run, whose own departure the bend has in it.
    """

    study: str
    bend: float
    error: float
    before: tuple[float, float]
    promised: np.ndarray
    left: np.ndarray
    noise: np.ndarray


def read(path: Path) -> dict[str, Evidence]:
    """Return what `written` wrote: what every task showed, by its name."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Evidence(
            e["study"],
            e["bend"],
            e["error"],
            tuple(e["before"] or (np.nan, np.nan)),
            *(np.array(e[n]) for n in ("promised", "left", "noise")),
        )
        for name, e in found.items()
    }


def written(found: Mapping[str, Evidence]) -> str:
    """Return what tasks showed as JSON, one line a task, so that it need not be computed again to learn from it."""
    lines = []
    for name, each in found.items():
        before = None if np.isnan(each.before[0]) else [_short(v) for v in each.before]
        rows = {n: [_short(v) for v in getattr(each, n)] for n in ("promised", "left", "noise")}
        told = {"study": each.study, "bend": _short(each.bend), "error": _short(each.error), "before": before} | rows
        lines.append(f"{json.dumps(name)}: {json.dumps(told)}")
    return "{" + ",\n".join(lines) + "}\n"


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def evidence(store: Store, task: Task) -> Evidence:
    """Compare the hidden rows of a task with what the law says of them."""
    posterior, large = store.posterior(task), task.split()[1]
    inputs, _ = posterior.model.inputs(large, posterior.coordinates)
    ((bend, error),) = beyond.bends(posterior, inputs, 0)
    law, fall, _ = beyond.promised(posterior, inputs)
    promised = np.median(fall[:, :, 0], axis=0)
    missed = np.log(task.truth) - np.log(np.maximum(np.median(law[:, :, 0], axis=0), _TINY))
    noise = beyond.noise(posterior, inputs, 0)[:, 0]
    backtest = store.backtest(task)
    before = backtest.bend if backtest else None
    rows = slice(None) if len(set(large.names)) > 1 else slice(0)
    of_rows = (each[rows] for each in (promised, missed + bend * promised, noise))
    return Evidence(task.table, bend, error, before or (np.nan, np.nan), *of_rows)


def learn(found: Iterable[Evidence], *, without: str = "") -> Discrepancy:
    """Return what the tasks of all studies but one, or of all, say of a new one."""
    kept = [e for e in found if e.study != without]
    return history.learn(records(kept), run=_run(kept))


def records(found: Iterable[Evidence]) -> list[history.Shown]:
    """Return what tasks showed as the package takes it."""
    return [history.Shown(e.study, e.bend, e.error, *e.before) for e in found]


def _run(found: Sequence[Evidence]) -> float:
    """Return the departure of single runs with which the middle row scatters as a normal number would."""
    promised, left, noise = (np.concatenate([getattr(e, n) for e in found]) for n in ("promised", "left", "noise"))

    def excess(run: float) -> float:
        return float(np.median(np.abs(left) / np.hypot(noise, run * promised)) - _MIDDLE)

    return float(optimize.brentq(excess, 1e-4, 1.0)) if excess(1e-4) > 0 else 0.0
