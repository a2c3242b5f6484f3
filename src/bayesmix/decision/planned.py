"""The planned run of a problem, as a law sees it."""

from __future__ import annotations

import pandas as pd

from bayesmix.decision.decision import Decision
from bayesmix.decision.problem import Problem
from bayesmix.errors import Fault, InputError, suggest
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs


def planned_run(posterior: Posterior, problem: Problem, domains: tuple[str, ...]) -> Runs:
    """Return the planned run with a uniform mixture, and what there is of each domain, as a table of one row."""
    row = {"run": "planned", **problem.planned, **{f"w.{d}": 1 / len(domains) for d in domains}}
    row |= {f"unique.{d}": problem.available[d] for d in domains if d in problem.available}
    runs = Runs.of(pd.DataFrame([row]), planned=True, source="the problem's planned run")
    known = {"N", "D", "C", "U", *posterior.runs.labels}
    faults = [Fault(f"planned has an unknown {k!r}", suggest(k, known)) for k in problem.planned if k not in known]
    faults += [
        Fault(
            f"law {posterior.model.law.name} needs {c} of the planned run",
            "State the tokens of domains that run out: [available]"
            if c == "unique"
            else f"Add planned.{c}" + (", as decide chose it for the budget" if problem.budget else ""),
        )
        for c in posterior.model.columns.values()
        if c not in ("w", *runs.symbols, *runs.labels)
    ]
    if faults:
        raise InputError("problem", faults)
    return runs


def chosen_run(posterior: Posterior, decision: Decision) -> Runs:
    """Return the planned run with the chosen mixture, as a table of one row."""
    table = planned_run(posterior, decision.problem, decision.domains).table.assign(run="chosen")
    table[[f"w.{d}" for d in decision.domains]] = decision.mixture
    return Runs.of(table, planned=True, source="the chosen mixture")
