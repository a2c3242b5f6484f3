"""Every number of a report, as plain values that strict JSON can hold."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayesmix.comparison import Comparison
from bayesmix.decision import Decision, Proposal
from bayesmix.diagnostics import mixing
from bayesmix.extrapolation import Extrapolation
from bayesmix.law import Prior, Reference
from bayesmix.model import Model
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction
from bayesmix.priors import describe
from bayesmix.provenance import versions
from bayesmix.report.groups import Average, Results
from bayesmix.report.verdict import Verdict
from bayesmix.results import strict
from bayesmix.runs import Runs

LEVEL = 0.9


def gather(title: str, found: Verdict, results: Results, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return all numbers of a report; what is not a number is null."""
    posteriors, decision = results.posteriors, results.decision
    everything = {
        "title": title,
        "verdict": vars(found),
        "converged": all(p.converged for p in posteriors.values()),
        "notices": list(notices(posteriors, results.predictions)),
        "versions": versions(),
        "posteriors": {n: _posterior(p) for n, p in posteriors.items()},
        "comparisons": [_comparison(c) for c in comparisons],
        "chosen": None if results.reached is None else _averaged(results.reached),
        "averages": [_averaged(a) for a in results.averages],
        "predictions": {n: _prediction(p) for n, p in results.predictions.items()},
        "optima": {n: {"table": _records(o.table(LEVEL)), "warnings": o.warnings} for n, o in results.optima.items()},
        "extrapolations": [_extrapolation(e) for e in results.extrapolations],
        "next": None if results.proposal is None else _proposal(results.proposal),
        "decision": None if decision is None else _decision(decision),
    }
    return strict(everything)


def notices(posteriors: Mapping[str, Posterior], predictions: Mapping[str, Prediction]) -> dict[str, None]:
    """Return what must be said about the data before anything else, each once."""
    runs = [*(p.runs for p in posteriors.values()), *(p.planned for p in predictions.values())]
    return dict.fromkeys(r.card.notice for r in runs if r.card.notice)


def diagnostics(posterior: Posterior) -> dict[str, Any]:
    """Return R-hat, effective sample sizes and divergences, each with the quantity that is worst."""
    draws = posterior.tree["posterior"].to_dataset()
    with np.errstate(all="ignore"):
        worst = mixing({str(n): v.values for n, v in draws.data_vars.items()})
    return {
        "chains": draws.sizes["chain"],
        "draws": draws.sizes["draw"],
        **{name: value for name, (_, value) in worst.items()},
        **{f"{name}_of": quantity for name, (quantity, _) in worst.items()},
        "divergences": int(posterior.tree["sample_stats"].to_dataset()["diverging"].sum()),
        "converged": posterior.converged,
        "accepted": posterior.accepted,
        "problems": [{"kind": p.kind, "sentence": p.sentence, "fatal": p.fatal} for p in posterior.problems()],
    }


def data(runs: Runs) -> dict[str, Any]:
    """Return where runs come from, how many there are and what they span."""
    spans = {s: runs.column(s) for s in ("N", "D", "C", "M", "U") if s in runs.symbols}
    return {
        "source": runs.source,
        "about": dict(runs.card.about),
        "hash": runs.hash,
        "rows": len(runs),
        "runs": len(set(runs.names)),
        "mixtures": len(np.unique(runs.column("w"), axis=0)) if runs.domains else 0,
        "domains": runs.domains,
        "targets": runs.targets,
        "ranges": {s: [float(np.nanmin(v)), float(np.nanmax(v))] for s, v in spans.items()},
        "hints": runs.hints,
    }


def quantities(posterior: Posterior) -> dict[str, dict[str, Any]]:
    """Return prior and posterior of every quantity of law and noise; arrays have the dimensions named."""
    values = posterior.values()
    kept = posterior.prior_kept
    return {
        n: {
            "meaning": q.meaning,
            "unit": q.unit,
            "prior": describe(q.distribution) + (" × reference" if q.relative else ""),
            "dims": posterior.model.dims(n),
            "prior_sd_kept": kept.get(n),
            **summary(values[n]),
        }
        for n, q in posterior.model.quantities.items()
        if isinstance(q, Prior)
    }


def constants(posterior: Posterior) -> dict[str, Any]:
    """Return the numbers of the law that are not unknown: references, and what was fixed."""
    fixed = {n: q for n, q in posterior.model.quantities.items() if not isinstance(q, Prior | Reference)}
    return {**posterior.coordinates.references, **fixed}


def summary(draws: np.ndarray) -> dict[str, Any]:
    """Return mean, standard deviation and central interval over the first axis."""
    low, middle, high = np.quantile(draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], axis=0)
    return {
        "mean": draws.mean(axis=0),
        "sd": draws.std(axis=0, ddof=1),
        "median": middle,
        "low90%": low,
        "high90%": high,
    }


def derived(posterior: Posterior) -> dict[str, dict[str, Any]]:
    """Return the coefficients that follow from the quantities, in the units of the paper."""
    found = posterior.derived()
    return {
        str(n): {"dims": tuple(str(d) for d in v.dims[2:]), **summary(v.values.reshape(-1, *v.shape[2:]))}
        for n, v in found.data_vars.items()
    }


def published(posterior: Posterior) -> dict[str, dict[str, Any]]:
    """Return the published constants that may be compared with this fit, by the name of the publication.

    An amplitude anchored at a reference means something else at another reference; those are compared through the
    derived coefficients instead. Constants of single targets of other data are left out.
    """
    law = posterior.model.law
    found = {}
    for name, stated in posterior.model.published.items():
        numbers = {n: float(v) for n, v in stated.items() if isinstance(v, int | float)}
        same = all(numbers.get(n) == v for n, v in posterior.coordinates.references.items())
        comparable = {
            n: v
            for n, v in numbers.items()
            if isinstance(law.quantities[n], Prior) and (same or not anchored(posterior.model, n))
        }
        wanted = inspect.signature(law.derived).parameters if law.derived else {}
        known = numbers | {n: q for n, q in law.quantities.items() if isinstance(q, int | float) and n not in numbers}
        if law.derived and all(n in known for n in wanted):
            comparable |= {n: float(v) for n, v in law.derived(**{n: known[n] for n in wanted}).items()}
        if comparable:
            found[name] = {"source": str(stated.get("source", "")), **comparable}
    return found


def anchored(model: Model, name: str) -> bool:
    """Say whether a quantity is stated at a reference: its meaning names one, or speaks of references."""
    quantity = model.law.quantities[name]
    words = re.findall(r"\w+", quantity.meaning) if isinstance(quantity, Prior) else []
    return not {*words}.isdisjoint({"reference", "references", *model.references})


def _posterior(posterior: Posterior) -> dict[str, Any]:
    model = posterior.model
    return {
        "model": model.name,
        "law": model.law.name,
        "law_fingerprint": model.law.fingerprint,
        "noise": model.noise.name,
        "paper": model.law.paper,
        "targets": posterior.targets,
        "seed": posterior.seed,
        "modes": posterior.modes,
        "diagnostics": diagnostics(posterior),
        "data": data(posterior.runs),
        "quantities": quantities(posterior),
        "constants": constants(posterior),
        "derived": derived(posterior),
        "published": published(posterior),
    }


def _records(table: Any) -> list[dict[str, Any]]:
    return table.to_dict("records")


def _comparison(comparison: Comparison) -> dict[str, Any]:
    table = comparison.table.rename_axis("model").reset_index()
    return {
        "left_out": comparison.left_out,
        "units": comparison.units,
        "table": _records(table),
        "warnings": comparison.warnings,
    }


def _extrapolation(extrapolation: Extrapolation) -> dict[str, Any]:
    return {
        "model": extrapolation.model,
        "by": extrapolation.by,
        "sentence": extrapolation.sentence(),
        "scores": _records(extrapolation.scores()),
        "hidden": _records(extrapolation.table),
        "warnings": extrapolation.warnings,
    }


def _prediction(prediction: Prediction) -> dict[str, Any]:
    planned = _records(prediction.planned.table)
    tables = {of: _records(prediction.table(of)) for of in ("measured", "expected")}  # pyright: ignore
    return {"planned": planned, **tables, "warnings": prediction.warnings}


def _averaged(averaged: Average) -> dict[str, Any]:
    return {"weights": averaged.weights, **_prediction(averaged.prediction)}


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "sentence": proposal.sentence(),
        "runs": _records(proposal.table),
        "perfect": proposal.perfect,
        "gain": proposal.gain,
        "by": proposal.by,
        "candidates": proposal.candidates,
        "warnings": proposal.warnings,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "mixture": _records(decision.table(LEVEL)),
        "candidates": _records(decision.candidates(LEVEL)),
        "alternatives": _records(decision.alternatives()),
        "facts": decision.facts(LEVEL),
        "model_weights": decision.model_weights,
        "problem": vars(decision.problem),
        "warnings": decision.warnings,
    }
