"""The first thing on the page: the answer, and what speaks against it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bayesmix.covariates import RESPONSES, head
from bayesmix.decision import Decision
from bayesmix.figures.gain import probability
from bayesmix.prediction import Optimum, Prediction
from bayesmix.report import numbers
from bayesmix.report.blocks import Block, Points, Section, Text
from bayesmix.report.groups import Group, Results

_RUNS, _TARGETS = 4, 3
_MOVED = 0.005  # of the weight: less is the same mixture


def alarm(results: Results) -> Points | None:
    """Return the sentences of every posterior that did not converge."""
    found = [
        f"{n}: {p.sentence}" for n, posterior in results.posteriors.items() for p in posterior.problems() if p.fatal
    ]
    return Points(tuple(found), "alarm", "NOT CONVERGED: the numbers below are no answer") if found else None


def answer(results: Results) -> Section:
    """Return what was asked, in a few sentences."""
    sentences = [*_forecasts(results), *_allocations(results)]
    verdict = Text(_verdict(results))
    if results.decision is not None:
        sentences += mixture_sentences(results.decision, objective_unit(results))
    sentences += [s for g in results.groups for s in _law(g)]
    return Section("Answer", (verdict, *(Text(s) for s in sentences or _fits(results))))


def _verdict(results: Results) -> str:
    failed = [name for name, posterior in results.posteriors.items() if not posterior.converged]
    if failed:
        return f"Diagnostics: {', '.join(failed)} did not converge."
    return "Diagnostics: every posterior converged; the table is below."


def _fits(results: Results) -> list[str]:
    """Return what the laws were found to be, where nothing else was asked."""
    sentences = []
    for name, posterior in results.posteriors.items():
        values = {n: v for n, v in posterior.values().items() if n in posterior.model.law.quantities and v[0].size == 1}
        found = []
        for quantity, draws in values.items():
            low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
            found.append("{} = {} ({})".format(quantity, *numbers.interval(middle, low, high)))
        listed = f": {', '.join(found)}, with 90 % intervals" if found else ""
        sentences.append(f"Model {name} of {len(posterior.runs):,} rows of {Path(posterior.runs.source).name}{listed}.")
    return sentences


def _forecasts(results: Results) -> list[str]:
    if not results.predictions:
        return []
    best, *others = results.by_weight(results.predictions)
    prediction = results.predictions[best]
    sentences = []
    for i in range(min(len(prediction.planned), _RUNS)):
        parts = [_forecast(prediction, i, j) for j in range(min(len(prediction.targets), _TARGETS))]
        rival = ""
        if others and len(prediction.targets) == 1:
            said = [f"{o} {_forecast(results.predictions[o], i, 0, brief=True)}{_weight(results, o)}" for o in others
                    if len(results.predictions[o].planned) == len(prediction.planned)]  # fmt: skip
            rival = f" Other models say: {'; '.join(said)}." if said else ""
        sentences.append(
            f"At {place(prediction, i)}: {'; '.join(parts)}, by model {best}{_weight(results, best)}.{rival}"
        )
    if len(prediction.planned) > _RUNS or len(prediction.targets) > _TARGETS:
        sentences.append("More runs and targets are in the table of predictions.")
    tested = [backtest.sentence() for backtest in results.backtests(best)]
    return sentences + outside(results, prediction, best) + tested


def outside(results: Results, result: Prediction | Optimum, name: str) -> list[str]:
    """Return the caveats of a result that are its own, not those of its posterior."""
    posterior = results.posteriors[name]
    inherited = {str(p) for p in posterior.problems()}
    own = [w for w in result.warnings if w not in inherited]
    if isinstance(result, Prediction):
        own += filter(None, (b.untested(posterior.runs, result.planned) for b in results.backtests(name)))
    return own


def _weight(results: Results, name: str) -> str:
    """Return the stacking weight of a model, where it was compared."""
    compared = any(name in c.weights for g in results.groups for c in g.comparisons)
    return f" [weight {results.weights[name]:.2f}]" if compared else ""


def place(prediction: Prediction, i: int) -> str:
    """Return where a planned run lies, in words."""
    runs = prediction.planned
    parts = [f"{s} = {numbers.amount(runs.column(s)[i])}" for s in ("N", "D", "U") if s in runs.symbols]
    return ", ".join(parts) or f"run {runs.names[i]}"


def _forecast(prediction: Prediction, i: int, j: int, *, brief: bool = False) -> str:
    row = prediction.table().to_dict("records")[i * len(prediction.targets) + j]
    middle, span = numbers.interval(row["median"], row["low80%"], row["high80%"])
    return f"{middle} ({span})" if brief else f"{prediction.targets[j]} {middle} (80 %: {span})"


def _allocations(results: Results) -> list[str]:
    if not results.optima:
        return []
    name = results.by_weight(results.optima)[0]
    table = results.optima[name].table()
    sentences = []
    for _, rows in list(table.groupby(["C", "target"], sort=False))[:_RUNS]:
        first = rows.to_dict("records")[0]
        budget, target = first["C"], first["target"]
        of = {r["quantity"]: (r["median"], r["low90%"], r["high90%"]) for r in rows.to_dict("records")}
        N, D, per = (numbers.amounts(*of[q]) for q in ("N", "D", "D/N"))
        best = numbers.interval(*of["response"])
        sentences.append(
            f"Compute-optimal at C = {numbers.amount(budget)} FLOP: N = {N[0]} (90 %: {N[1]}), D = {D[0]} ({D[1]}), "
            f"{per[0]} tokens per parameter, {target} {best[0]} ({best[1]}), by model {name}."
        )
    return sentences


def objective_unit(results: Results) -> str:
    """Return the unit of the decision's objective."""
    decision = results.decision
    named = next(iter(decision.problem.objective), None) if decision else ""
    if decision and named is None:
        own = (p for p in results.posteriors.values() if p.runs.domains == decision.domains)
        named = next((p.targets[0] for p in own), "")
    return RESPONSES[head(named)].unit if named and head(named) in RESPONSES else ""


def mixture_sentences(decision: Decision, unit: str) -> list[str]:
    """Return the mixture, its gain and how sure both are."""
    order = sorted(range(len(decision.domains)), key=lambda i: -decision.mixture[i])
    weights = ", ".join(f"{decision.domains[i]} {numbers.percent(decision.mixture[i])}" for i in order)
    facts = decision.facts()
    gain, span = numbers.interval(facts["gain"], facts["gain_low90%"], facts["gain_high90%"])
    baseline = "the uniform mixture" if decision.problem.baseline == "uniform" else "the baseline"
    averse = "" if decision.risk.kind == "mean" else f" (least {decision.risk} of the objective)"
    return [
        f"Best mixture{averse}: {weights}.",
        f"Expected gain over {baseline}: {gain} {unit} (90 %: {span}); probability of beating it: ".replace("  ", " ")
        + f"{probability(decision.p_better, len(decision.gain))}. "
        f"Expected regret for not knowing better: {numbers.plain(facts['expected_regret'], 2)} {unit}".rstrip()
        + ".",
        *_steadiness(decision),
    ]


def _steadiness(decision: Decision) -> list[str]:
    """Return how much room there is around the mixture, and whether another law would choose another one."""
    widest = decision.table().assign(width=decision.near[1] - decision.near[0]).nlargest(3, "width")
    ranges = ", ".join(
        f"{r['domain']} {numbers.percent(r['near_low'])} to {numbers.percent(r['near_high'])}"
        for r in widest.to_dict("records")
    )
    found = []
    if decision.near_loss > 0:
        found.append(
            f"Mixtures that keep {numbers.percent(1 - decision.problem.near)} of the gain reach, with all other "
            f"weights at their best: {ranges}."
        )
    moved = decision.alternatives().sort_values("moved").tail(1).to_dict("records")
    if moved and moved[0]["moved"] > _MOVED:
        lost = moved[0]["own_gain"] - moved[0]["chosen_gain"]
        found.append(
            f"Believing only {moved[0]['under']} would move {numbers.percent(moved[0]['moved'])} of the weight; if it "
            f"is right, the chosen mixture loses {numbers.plain(lost, 2)}."
        )
    return found


def _law(group: Group) -> list[str]:
    sentences = []
    for comparison in group.comparisons:
        if len(comparison.table) < 2:
            continue
        best = comparison.table.index[0]
        close = next((w for w in comparison.warnings if w.startswith("Not told apart")), "")
        sentences.append(
            f"Of {len(comparison.table)} models of {Path(group.runs.source).name}, {best} "
            f"predicts a left-out {comparison.left_out} best. {close}".strip()
        )
    return sentences


def warnings(results: Results) -> Section:
    """Return every caveat once, with the models that it is about."""
    found: dict[str, dict[str, None]] = {}
    names = results.posteriors

    def add(sentence: str, about: str) -> None:
        # The same problem comes back with everything made from the posterior, under its name or under none.
        for name in sorted(names, key=len, reverse=True):
            if sentence.startswith(f"{name}: "):
                about, sentence = name, sentence.removeprefix(f"{name}: ")
                break
        if not sentence.startswith("NOT CONVERGED: "):
            found.setdefault(sentence.removeprefix("caution: "), {}).setdefault(about)

    for name, posterior in names.items():
        for problem in posterior.problems():
            add(str(problem), name)
    for comparison in (c for g in results.groups for c in g.comparisons):
        for sentence in comparison.warnings:
            add(sentence, "comparison")
    for kind in (results.predictions, results.optima):
        for name, result in kind.items():
            for sentence in result.warnings:
                add(sentence, name)
    for sentence in results.decision.warnings if results.decision else ():
        add(sentence, "mixture")
    lines = tuple(f"{', '.join(about)}: {sentence}" for sentence, about in found.items())
    blocks: tuple[Block, ...] = (Points(lines, "caution"),) if lines else (Text("None."),)
    return Section("Warnings", blocks)
