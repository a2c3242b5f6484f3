"""bayesmix: Bayesian scaling and data-mixing laws.

Public names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesmix.card import Card as Card
    from bayesmix.comparison import compare as compare
    from bayesmix.decision import Decision as Decision
    from bayesmix.decision import Problem as Problem
    from bayesmix.decision import decide as decide
    from bayesmix.decision import propose as propose
    from bayesmix.errors import BayesmixError as BayesmixError
    from bayesmix.extrapolation import extrapolate as extrapolate
    from bayesmix.inference import fit as fit
    from bayesmix.inference import fit_many as fit_many
    from bayesmix.law import Law as Law
    from bayesmix.model import Model as Model
    from bayesmix.optimum import compute_optimal as compute_optimal
    from bayesmix.pooling import Pooling as Pooling
    from bayesmix.posterior import Posterior as Posterior
    from bayesmix.prediction import predict as predict
    from bayesmix.report import write_report as write_report
    from bayesmix.runs import Runs as Runs
    from bayesmix.shrinkage import Shrinkage as Shrinkage
    from bayesmix.simulation import prior_predictive as prior_predictive
    from bayesmix.simulation import simulate as simulate

_HOME = {
    "BayesmixError": "errors",
    "Card": "card",
    "Decision": "decision",
    "Law": "law",
    "Model": "model",
    "Pooling": "pooling",
    "Posterior": "posterior",
    "Problem": "decision",
    "Runs": "runs",
    "Shrinkage": "shrinkage",
    "compare": "comparison",
    "compute_optimal": "optimum",
    "decide": "decision",
    "extrapolate": "extrapolation",
    "fit": "inference",
    "fit_many": "inference",
    "predict": "prediction",
    "prior_predictive": "simulation",
    "propose": "decision",
    "simulate": "simulation",
    "write_report": "report",
}

__all__ = sorted(_HOME)  # pyright: ignore


def __getattr__(name: str) -> Any:
    if name == "laws":
        return importlib.import_module("bayesmix.laws")
    if name not in _HOME:
        raise AttributeError(f"module 'bayesmix' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bayesmix.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "laws"]
