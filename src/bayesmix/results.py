"""Comparisons, extrapolations, decisions and proposals as JSON files: each step writes what the next one reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.comparison import Comparison
from bayesmix.decision import Decision, Problem, Proposal
from bayesmix.decision.decision import Under
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.files import write_text
from bayesmix.provenance import versions

FORMAT = 5  # 2: bends in extrapolations; 3: more evidence in decisions; 4: sizes in decisions; 5: undecided comparisons
_COMMANDS = {"comparison": "compare", "extrapolation": "extrapolate", "decision": "decide", "proposal": "next"}
Result = Comparison | Extrapolation | Decision | Proposal


def strict(value: Any) -> Any:
    """Return a value as strict JSON can say it: arrays as lists, what is not finite as null.

    >>> strict({"a": np.array([1.0, np.nan]), "b": (np.float64(2), np.bool_(True))})
    {'a': [1.0, None], 'b': [2.0, True]}
    """
    if isinstance(value, pd.DataFrame):
        return strict(value.to_dict(orient="index"))
    if isinstance(value, np.ndarray | np.generic):
        return strict(value.tolist())
    if isinstance(value, Mapping):
        return {str(k): strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [strict(v) for v in value]
    if isinstance(value, Problem | Under):
        return strict(vars(value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def save(result: Result, path: str | Path, *, notice: str = "", overwrite: bool = False) -> Path:
    """Write a result as JSON, whole or not at all, with what must be said of its data."""
    content = {
        "bayesmix": type(result).__name__.lower(),
        "format": FORMAT,
        "versions": versions(),
        "notice": notice,
        **{f.name: strict(getattr(result, f.name)) for f in fields(result)},
    }
    if isinstance(result, Decision):
        content["facts"] = strict(result.facts())
    if isinstance(result, Extrapolation | Proposal):
        content["sentence"] = result.sentence()
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    return write_text(path, text, overwrite=overwrite)


def load_comparison(path: str | Path) -> Comparison:
    """Read a comparison."""
    content = _read(path, "comparison")
    table = pd.DataFrame(pd.DataFrame.from_dict(content["table"], orient="index").apply(pd.to_numeric))
    warnings, undecided = tuple(content["warnings"]), tuple(content["undecided"])
    return Comparison(table, content["left_out"], content["units"], content["method"], warnings, undecided)


def load_extrapolation(path: str | Path) -> Extrapolation:
    """Read an extrapolation."""
    content = _read(path, "extrapolation")
    table = pd.DataFrame.from_dict(content["table"], orient="index").reset_index(drop=True)
    bends = pd.DataFrame.from_dict(content["bends"], orient="index").reset_index(drop=True)
    # What has no density has an infinite score, which JSON cannot hold.
    table["log_score"] = table["log_score"].astype(float).fillna(np.inf)
    warnings = tuple(content["warnings"])
    return Extrapolation(content["model"], content["by"], table, bends, warnings, content["discrete"])


def load_decision(path: str | Path) -> Decision:
    """Read a decision."""
    content = _read(path, "decision")
    arrays = ("mixture", "baseline", "objective", "baseline_objective", "optima", "regret")
    return Decision(
        domains=tuple(content["domains"]),
        **{name: np.array(content[name], dtype=float) for name in arrays},
        **{name: (np.array(content[name][0]), np.array(content[name][1])) for name in ("near", "observed")},
        **{n: content[n] for n in ("near_loss", "corrected_gain", "kkt_residual", "candidate_gap", "model_weights")},
        compared={name: np.array(draws, dtype=float) for name, draws in content["compared"].items()},
        under={name: Under(**{**u, "mixture": np.array(u["mixture"])}) for name, u in content["under"].items()},
        counts=content["counts"],
        sizes=pd.DataFrame.from_dict(content["sizes"], orient="index").reset_index(drop=True),
        problem=Problem.of(content["problem"], source=str(path)),
        warnings=tuple(content["warnings"]),
        targets=tuple(content["targets"]),
        own_objective=content["own_objective"],
    )


def load_proposal(path: str | Path) -> Proposal:
    """Read a proposal."""
    content = _read(path, "proposal")
    return Proposal(
        table=pd.DataFrame.from_dict(content["table"], orient="index").reset_index(drop=True),
        budget=np.inf if content["budget"] is None else content["budget"],
        perfect=(content["perfect"][0], content["perfect"][1]),
        **{n: content[n] for n in ("in_flop", "gain", "by", "candidates", "model_weights")},
        problem=Problem.of(content["problem"], source=str(path)),
        warnings=tuple(content["warnings"]),
    )


class _Content(dict[str, Any]):
    """What a file of the present format says; an error names what is missing of it."""

    def __init__(self, path: str | Path, content: Mapping[str, Any], remedy: str):
        super().__init__(content)
        self._path, self._remedy = path, remedy

    def __missing__(self, name: str) -> Any:
        raise BayesmixError(f"{self._path} is damaged: it has no {name!r}. {self._remedy}")


def _read(path: str | Path, kind: str) -> dict[str, Any]:
    remedy = f"Make it with: bayesmix {_COMMANDS[kind]}"
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BayesmixError(f"there is no file {path}. {remedy}") from None
    except OSError as error:
        raise BayesmixError(f"{path} cannot be read: {error.strerror}. {remedy}") from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("bayesmix") != kind:
        article = "an" if kind[0] in "aeiou" else "a"
        raise BayesmixError(f"{path} is not {article} {kind} written by bayesmix. {remedy}")
    content = _Content(path, content, remedy)
    if content["format"] > FORMAT:
        raise BayesmixError(
            f"{path} was written by bayesmix {content['versions']['bayesmix']}, which is newer. Upgrade"
        )
    if content["format"] < FORMAT:
        raise BayesmixError(f"{path} was written by an older bayesmix. {remedy}")
    return content
