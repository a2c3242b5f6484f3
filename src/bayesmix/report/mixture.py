"""The chosen mixture, what is gained by it, and how sure both are."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from bayesmix.covariates import RESPONSES, head, is_better_higher
from bayesmix.decision import Decision, Problem
from bayesmix.decision.constraints import limits
from bayesmix.figures import gain_figure, mixture_figure
from bayesmix.figures.gain import probability
from bayesmix.report import numbers
from bayesmix.report.blocks import Block, Heading, Picture, Points, Section, Table, Text
from bayesmix.report.groups import Results

_OF_SIZE = {"expected_regret_of_N_and_D": "expected regret of N and D"}
_MOVED = 0.005  # of the weight: less is the same mixture
_FUNCTION = "a function given in Python"
_ENDS = {"least": "at least", "greatest": "at most"}
_COMBINED = {"worst": "the worst of ", "worst excess": "the worst excess, over the best of each alone, of "}


def objective_targets(results: Results) -> list[str]:
    """Return the targets that the decision's objective weighs; none where a function makes it of them."""
    decision = results.decision
    if decision is None or decision.own_objective:
        return []
    stated = [target for target, weight in decision.problem.objective.items() if weight > 0]
    own = (p.targets for p in results.posteriors.values() if p.runs.domains == decision.domains)
    return stated or list(decision.targets or next(own, ()))


def objective_unit(results: Results) -> str:
    """Return the unit of the decision's objective."""
    named = next(iter(objective_targets(results)), "")
    return RESPONSES[head(named)].unit if head(named) in RESPONSES else ""


def baseline_name(decision: Decision) -> str:
    """Return what the baseline is called."""
    stated = decision.problem.baseline
    return f"the {stated} mixture" if isinstance(stated, str) else "the baseline"


def reached(results: Results, decision: Decision) -> str:
    """Return what the chosen mixture is expected to reach, as what the objective is, with its 90 % interval."""
    targets, unit = objective_targets(results), objective_unit(results)
    higher = {is_better_higher(t) for t in targets}
    plain = decision.problem.combine == "mean" and len(higher) == 1
    draws = -decision.objective if plain and higher == {True} else decision.objective
    low, high = np.quantile(draws, [0.05, 0.95])
    value = numbers.united(numbers.bracketed(float(draws.mean()), low, high), unit)
    if plain and len(targets) == 1:
        return f"{targets[0]} {value}"
    if plain:
        named = "a weighted mean of" if decision.problem.objective else "the mean of all"
        return f"{named} {len(targets)} targets of {value}"
    return f"an objective{f', {_FUNCTION},' if decision.own_objective else ''} of {value}"


def section(results: Results) -> Section | None:
    """Return the chosen mixture and what is gained by it."""
    decision = results.decision
    if decision is None:
        return None
    unit = objective_unit(results)
    blocks: list[Block] = [
        *(Text(s) for s in _steadiness(decision)),
        Picture(
            mixture_figure(decision),
            "mixture",
            _shift(decision),
            "Chosen weights, where the best weight may lie, which others are nearly as good, the baseline and the "
            "range of the fitted runs.",
        ),
        _weights(decision),
        *([Points(own, "caution")] if (own := _own_warnings(results, decision)) else []),
        Picture(
            gain_figure(decision, unit),
            "gain",
            _gained(decision, unit),
            "Gain over the baseline, paired draw by draw: what lies right of zero is better than the baseline.",
        ),
        Heading("Mixtures compared"),
        _candidates(decision),
        *([Heading("What the choice rests on"), _alternatives(decision)] if decision.under else []),
        Heading("In numbers"),
        _facts(decision, unit),
    ]
    return Section("Mixture", tuple(blocks))


def _own_warnings(results: Results, decision: Decision) -> tuple[str, ...]:
    """Return the warnings that the decision did not inherit from its posteriors, which have said them."""
    inherited = {f"{name}: {problem}" for name, p in results.posteriors.items() for problem in p.problems()}
    return tuple(warning for warning in decision.warnings if warning not in inherited)


def _shift(decision: Decision) -> str:
    """Return the claim of the figure: the domain that the decision moves most."""
    i = int(np.abs(decision.mixture - decision.baseline).argmax())
    near = _span(decision.near[0][i], decision.near[1][i])
    return (
        f"The largest change is {decision.domains[i]}, from {numbers.percent(decision.baseline[i])} in the baseline to "
        f"{numbers.percent(decision.mixture[i])}; anything from {near} is nearly as good."
    )


def _gained(decision: Decision, unit: str) -> str:
    facts = decision.facts()
    gain = numbers.bracketed(facts["gain"], facts["gain_low90%"], facts["gain_high90%"])
    better = probability(decision.p_better, len(decision.gain))
    return (
        f"The chosen mixture beats {baseline_name(decision)} with probability {better}, by "
        f"{numbers.united(gain, unit)} (90 % interval)."
    )


def _steadiness(decision: Decision) -> Iterator[str]:
    """Return how much room there is around the mixture, and whether another law would choose another one."""
    if len(decision.sizes):
        yield _sized(decision)
    if decision.risk.kind != "mean":
        yield f"The mixture is that of least {decision.risk} of the objective."
    widest = decision.table().assign(width=decision.near[1] - decision.near[0]).nlargest(3, "width")
    ranges = ", ".join(f"{r['domain']} {_span(r['near_low'], r['near_high'])}" for r in widest.to_dict("records"))
    if decision.near_loss > 0:
        yield (
            f"Mixtures that keep {numbers.percent(1 - decision.problem.near)} of the gain reach, with all other "
            f"weights at their best: {ranges}."
        )
    moved = decision.alternatives().sort_values("moved").tail(1).to_dict("records")
    if moved and moved[0]["moved"] > _MOVED:
        lost = moved[0]["own_gain"] - moved[0]["chosen_gain"]
        yield (
            f"Believing only {moved[0]['under']} would move {numbers.percent(moved[0]['moved'])} of the weight; if it "
            f"is right, the chosen mixture loses {numbers.plain(lost, 2)}."
        )


def _sized(decision: Decision) -> str:
    """Return what was chosen for the budget, and what half or twice the size would lose."""
    N, D = (float(decision.problem.planned[symbol]) for symbol in ("N", "D"))
    half, twice = (_lost(decision.sizes, N * times) for times in (0.5, 2.0))
    return (
        f"N = {numbers.amount(N)} and D = {numbers.amount(D)} are chosen with the mixture, for the budget: half the "
        f"size {half} at the same compute, twice the size {twice}."
    )


def _lost(sizes: pd.DataFrame, N: float) -> str:
    """Return what a size would lose, by the two tried around it; a size without a finite risk allows no mixture."""
    tried, risk = sizes["N"].to_numpy(float), sizes["risk"].to_numpy(float)
    if not tried[0] <= N <= tried[-1]:
        return "was not tried"
    k = int(np.clip(np.searchsorted(tried, N), 1, len(tried) - 1))
    around = slice(k - 1, k + 1)
    possible = np.isfinite(risk[around])
    if not possible.all():
        return "was not tried" if possible.any() else "is not possible"
    loss = float(np.interp(np.log(N), np.log(tried[around]), risk[around]) - np.nanmin(risk))
    return f"would lose {numbers.plain(max(loss, 0.0), 2)}"


def _weights(decision: Decision) -> Table:
    bounds = zip(*limits(decision.problem, decision.domains), strict=True)
    rows = [
        (r["domain"], numbers.percent(r["weight"]), _span(r["low90%"], r["high90%"]),
         _span(r["near_low"], r["near_high"]), numbers.percent(r["baseline"]),
         _span(r["observed_low"], r["observed_high"]), _span(*ends))
        for r, ends in zip(decision.table().to_dict("records"), bounds, strict=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: -decision.mixture[decision.domains.index(row[0])])
    header = ("domain", "weight", "90 % interval of the optimum", "nearly as good", "baseline", "fitted runs", "bounds")
    return Table.of(header, rows, title="Weights")


def _span(low: float, high: float) -> str:
    return f"{numbers.percent(low)} to {numbers.percent(high)}"


def _candidates(decision: Decision) -> Table:
    rows = []
    for row in decision.candidates().to_dict("records"):
        gain, span = numbers.interval(row["gain"], row["low90%"], row["high90%"])
        best = probability(row["p_best"], len(decision.gain))
        rows.append((row["mixture"], numbers.plain(row["risk"], 5), gain, span, best))
    header = ("mixture", str(decision.risk), "gain over the baseline", "90 % interval", "probability of being the best")
    return Table.of(header, rows)


def _alternatives(decision: Decision) -> Table:
    rows = [
        (row["under"], *(numbers.plain(row[c]) for c in ("own_gain", "chosen_gain")), numbers.percent(row["moved"]))
        for row in decision.alternatives().to_dict("records")
    ]
    header = ("believing only", "gain of what it would choose", "gain of the chosen mixture", "weight moved")
    return Table.of(header, rows)


def _facts(decision: Decision, unit: str) -> Table:
    facts, problem = decision.facts(), decision.problem
    gain, span = numbers.interval(facts["gain"], facts["gain_low90%"], facts["gain_high90%"])
    planned = (f"{k} = {v if isinstance(v, str) else numbers.amount(v)}" for k, v in problem.planned.items())
    rows = (
        ("objective", _stated(decision)),
        ("planned run", ", ".join(planned) or "any"),
        *_constraints(problem),
        ("models", ", ".join(f"{n} {numbers.percent(w)}" for n, w in decision.model_weights.items())),
        ("expected objective", numbers.plain(facts["expected_objective"], 5)),
        ("expected objective of the baseline", numbers.plain(facts["baseline_expected_objective"], 5)),
        *_risk_rows(decision, facts),
        (f"gain ({unit})" if unit else "gain", f"{gain} (90 %: {span})"),
        ("gain on draws that it was not chosen by", numbers.plain(facts["corrected_gain"])),
        ("probability of beating the baseline", probability(decision.p_better, len(decision.gain))),
        ("expected regret: value of perfect information", numbers.plain(facts["expected_regret"], 2)),
        *((words, numbers.plain(facts[name], 2)) for name, words in _OF_SIZE.items() if name in facts),
        ("nearly as good: loses at most", numbers.plain(facts["near_loss"], 2)),
        ("optimality: to first order, others are better by at most", numbers.plain(facts["kkt_residual"], 2)),
        ("best of random and observed mixtures, worse by", numbers.plain(facts["candidate_gap"], 2)),
    )
    return Table.of(("", ""), rows, words=2)


def _stated(decision: Decision) -> str:
    """Return what the objective is, in words."""
    if decision.own_objective:
        return _FUNCTION
    weighed = ", ".join(f"{t} × {w:g}" for t, w in decision.problem.objective.items())
    return _COMBINED.get(decision.problem.combine, "") + (weighed or "all targets equally")


def _constraints(problem: Problem) -> Iterator[tuple[str, str]]:
    """Yield the constraints that no column of weights shows."""
    for name, group in problem.groups.items():
        domains = group["domains"]
        summed = [f"{d} × {domains[d]:g}" for d in domains] if isinstance(domains, Mapping) else domains
        ends = [f"{words} {numbers.plain(group[key])}" for key, words in _ENDS.items() if key in group]
        yield f"group {name}", f"{' + '.join(summed)}: {', '.join(ends)}"
    if problem.trusted:
        mixture = ", ".join(f"{d} {numbers.percent(w)}" for d, w in problem.trusted["mixture"].items())
        yield "trusted mixture", f"{mixture}: at most {numbers.plain(problem.trusted['divergence'])} nats from it"
    if problem.within != "simplex":
        yield "within", f"the convex hull of the {problem.within}"


def _risk_rows(decision: Decision, facts: Mapping[str, float]) -> list[tuple[str, str]]:
    if "risk" not in facts:
        return []
    values = numbers.plain(facts["risk"], 5), numbers.plain(facts["baseline_risk"], 5)
    return [(f"risk: {decision.risk}", values[0]), ("risk of the baseline", values[1])]
