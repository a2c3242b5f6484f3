"""The first thing on the page: what to train, what to expect of it, and how far that can be relied on."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bayesmix.beyond import edges
from bayesmix.decision import Decision
from bayesmix.figures.gain import probability
from bayesmix.prediction import Prediction, unstated, unused
from bayesmix.report import numbers
from bayesmix.report.blocks import Section, Text
from bayesmix.report.caveats import caveats
from bayesmix.report.groups import Results
from bayesmix.report.mixture import baseline_name, objective_unit, reached
from bayesmix.runs import Runs

LEVEL = 0.9
_DOMAINS, _TARGETS, _RIVALS = 6, 3, 3
_SAME = 0.005  # of a weight: less is the same mixture
_SCALE = {"N", "D", "C", "M"}


@dataclass(frozen=True)
class Verdict:
    """The answer in words, and the forecast that it quotes.

    Attributes
    ----------
    headline : tuple of str
        What to train and what to expect; first what did not converge, if anything.
    sentences : tuple of str
        What the headline rests on.
    forecasts : tuple of dict
        The model, run and target of each forecast of the headline, with its median and 90 % interval.
    """

    headline: tuple[str, ...]
    sentences: tuple[str, ...]
    forecasts: tuple[dict[str, Any], ...]


def verdict(results: Results) -> Verdict:
    """Return the answer to what was asked, or what can be said where nothing was."""
    chosen = _chosen(results)
    headline = (*_reservations(results), *_headline(results, chosen))
    sentences = [
        *(_gain(results, results.decision) if results.decision else ()),
        *([_allocation(results)] if results.optima else ()),
        *([results.proposal.sentence()] if results.proposal else ()),
        *_tested(results, chosen),
        *_laws(results),
        *_quantities(results),
        _state(results),
    ]
    return Verdict(headline, tuple(sentences), tuple(_forecasts(chosen)) if chosen else ())


def section(found: Verdict) -> Section:
    """Return the verdict as a part of the page."""
    return Section("Verdict", (*(Text(s, "lead") for s in found.headline), *(Text(s) for s in found.sentences)))


def _reservations(results: Results) -> Iterator[str]:
    failed = [name for name, posterior in results.posteriors.items() if not posterior.converged]
    previews = [name for name, posterior in results.posteriors.items() if posterior.preview and name not in failed]
    if failed:
        yield f"NO VERDICT, since not converged: {', '.join(failed)}. If those draws were right:"
    if previews:
        yield f"PREVIEW, approximated and not sampled: {', '.join(previews)}. As a first look:"


def _headline(results: Results, chosen: _Forecast | None) -> Iterator[str]:
    if results.decision is not None:
        yield _mixture(results.decision)
    if chosen is not None:
        yield _expectation(results, chosen)
    elif results.decision is not None:
        value = reached(results, results.decision)
        yield f"Expect {value} (90 % interval{_like_fitted(results, results.decision)})."
    if results.decision is None and chosen is None:
        yield "No mixture was decided and no run was forecast: this is what the fitted runs alone show."


def _mixture(decision: Decision) -> str:
    order = np.argsort(-decision.mixture, kind="stable")
    # A single domain more takes no more room by its name.
    named = _DOMAINS if len(order) > _DOMAINS + 1 else len(order)
    parts = [f"{decision.domains[i]} {numbers.percent(float(decision.mixture[i]))}" for i in order[:named]]
    if len(rest := order[named:]):
        share = numbers.percent(float(decision.mixture[rest].sum()))
        parts.append(f"{len(rest)} others {share} (table below)")
    better = probability(decision.p_better, len(decision.gain))
    return f"Train {', '.join(parts)}: it beats {baseline_name(decision)} with probability {better}."


@dataclass(frozen=True)
class _Forecast:
    """The forecast to quote: of one model or the average of several, and which of its planned runs."""

    name: str
    models: tuple[str, ...]
    prediction: Prediction
    run: int


def _chosen(results: Results) -> _Forecast | None:
    """Return the forecast of the chosen mixture, if there is one.

    Else the best model that forecasts, or the average that it is in, and the run decided on, or the largest.
    """
    if found := results.reached:
        models = tuple(sorted(found.weights, key=lambda n: -found.weights[n]))
        return _Forecast(found.name, models, found.prediction, 0)
    if not results.predictions:
        return None
    best = results.by_weight(results.predictions)[0]
    name, models, prediction = f"model {best}", (best,), results.predictions[best]
    for averaged in (a for a in results.averages if best in a.weights):
        name, prediction = averaged.name, averaged.prediction
        models = tuple(sorted(averaged.weights, key=lambda n: -averaged.weights[n]))
    runs, decision = prediction.planned, results.decision
    rank = np.zeros(len(runs))
    if decision is not None:
        same = [np.isclose(_column(runs, s), v) for s, v in decision.problem.planned.items() if not isinstance(v, str)]
        rank += 2 * np.all(same, axis=0) if same else 0
        if set(runs.domains) == set(decision.domains):
            order = [runs.domains.index(d) for d in decision.domains]
            rank += 4 * (np.abs(runs.column("w")[:, order] - decision.mixture).max(axis=1) < _SAME)
    size = _column(runs, next((s for s in ("C", "N", "D") if s in runs.symbols), ""))
    return _Forecast(name, models, prediction, int(np.lexsort((size, rank))[-1]))


def _column(runs: Any, name: str) -> np.ndarray:
    return runs.column(name) if name in runs.symbols else np.zeros(len(runs))


def _forecasts(chosen: _Forecast) -> Iterator[dict[str, Any]]:
    prediction, i = chosen.prediction, chosen.run
    low, middle, high = np.quantile(prediction.measured[:, i], [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], axis=0)
    for j, target in enumerate(prediction.targets):
        yield {
            "model": chosen.name.removeprefix("model "), "run": prediction.planned.names[i], "target": target,
            "median": float(middle[j]), "low90%": float(low[j]), "high90%": float(high[j]),
        }  # fmt: skip


def _expectation(results: Results, chosen: _Forecast) -> str:
    wanted = results.decision.problem.objective if results.decision else {}
    found = sorted(_forecasts(chosen), key=lambda f: -wanted.get(f["target"], 0.0))
    said = [f"{f['target']} {numbers.bracketed(f['median'], f['low90%'], f['high90%'])}" for f in found[:_TARGETS]]
    more = f" ({len(found) - _TARGETS} more targets in the table)" if len(found) > _TARGETS else ""
    aside = ""
    mixed = any("w" in results.posteriors[n].model.columns.values() for n in chosen.models)
    if results.decision is not None and not mixed:
        aside = ", for mixtures like that of its runs"
    planned = chosen.prediction.planned
    ignored = set.intersection(
        *({*unused(results.posteriors[n], planned), *unstated(results.posteriors[n], planned)} for n in chosen.models)
    )
    if ignored:
        aside += f", for runs of {' and '.join(sorted(ignored))} like the fitted ones"
    place = _place(planned, chosen.run, ignored)
    return f"Expect {', '.join(said)}{more} at {place} (90 % interval; {chosen.name}{aside})."


def _place(runs: Runs, i: int, ignored: Set[str]) -> str:
    """Return where a planned run lies, in words, but for what the laws ignore."""
    known = [s for s in ("N", "D", "U") if s in runs.symbols and s not in ignored]
    parts = [f"{s} = {numbers.amount(runs.column(s)[i])}" for s in known]
    return ", ".join(parts) or f"run {runs.names[i]}"


def _like_fitted(results: Results, decision: Decision) -> str:
    """Return for which runs the objective is expected, where none of the laws knows the planned size."""
    own = [results.posteriors[n] for n in decision.model_weights if n in results.posteriors]
    sized = any(_SCALE & p.model.uses for p in own)
    return "; for runs as large as the fitted ones" if own and not sized else ""


def _allocation(results: Results) -> str:
    name = results.by_weight(results.optima)[0]
    optimum = results.optima[name]
    C, target = float(optimum.C.max()), optimum.targets[0]
    rows = [r for r in optimum.table(LEVEL).to_dict("records") if r["C"] == C and r["target"] == target]
    of = {r["quantity"]: (r["median"], r["low90%"], r["high90%"]) for r in rows}
    N, D = (numbers.amounts(*of[q]) for q in ("N", "D"))
    return (
        f"Compute-optimal at C = {numbers.amount(C)} FLOP: N = {N[0]} ({N[1]}), D = {D[0]} ({D[1]}), {target} "
        f"{numbers.bracketed(*of['response'])} (90 % intervals; model {name})."
    )


def _gain(results: Results, decision: Decision) -> Iterator[str]:
    facts, unit = decision.facts(LEVEL), objective_unit(results)
    gain = numbers.bracketed(facts["gain"], facts["gain_low90%"], facts["gain_high90%"])
    regret = numbers.plain(facts["expected_regret"], 2)
    yield (
        f"Gain over {baseline_name(decision)}: {numbers.united(gain, unit)} (mean, 90 % interval). Not knowing better "
        f"costs {numbers.united(regret, unit)} (expected regret)."
    )


def _tested(results: Results, chosen: _Forecast | None) -> Iterator[str]:
    """Return what forecasts of hidden runs say of the intervals, or that there are none."""
    if chosen is not None:
        names = list(chosen.models)
    elif results.decision is not None:
        names = [n for n in results.decision.model_weights if n in results.posteriors]
    else:
        names = list(results.posteriors)
    own = {results.posteriors[n].model.name for n in names}
    tests = [backtest for backtest in results.extrapolations if backtest.model in own]
    for backtest in tests:
        covered = backtest.scores(by=()).iloc[0]
        yield (
            f"Backtest of {backtest.model}: 90 % intervals covered {numbers.percent(covered['coverage90%'], 0)} of "
            f"{covered['responses']:.0f} hidden responses up to {backtest.reach:.1f} decades beyond the runs fitted. "
            f"{backtest.judgement}"
        )
    if not tests and _beyond(results, chosen):
        yield (
            "No backtest: no large run was hidden from the fit and forecast, so that nobody has seen what these "
            "intervals are worth beyond the fitted runs (bayesmix extrapolate does it)."
        )
    if chosen is not None:
        yield from _distance(results, chosen)


def _beyond(results: Results, chosen: _Forecast | None) -> bool:
    """Say whether what is expected may lie beyond the runs that a model was fitted to."""
    if results.optima:
        return True
    if chosen is None:
        return results.decision is not None and not _like_fitted(results, results.decision)
    return any(
        edge.decades[chosen.run] > 0
        for posterior in (results.posteriors[name] for name in chosen.models)
        for edge in edges(posterior, posterior.model.inputs(chosen.prediction.planned, posterior.coordinates)[0])
    )


def _distance(results: Results, chosen: _Forecast) -> Iterator[str]:
    fitted, planned = results.posteriors[chosen.models[0]].runs, chosen.prediction.planned
    if "C" in fitted.symbols and "C" in planned.symbols:
        times = float(planned.column("C")[chosen.run] / np.nanmax(fitted.column("C")))
        if times > 1.05:
            amount = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
            yield f"The planned run takes {amount} times the compute of the largest fitted one."


def _laws(results: Results) -> list[str]:
    """Return in one paragraph which law of each table predicts best."""
    sentences = []
    for comparison in (c for g in results.groups for c in g.comparisons):
        best, *others = comparison.table.index
        if not others:
            continue
        than = f"better than by {', '.join(others)}" if len(others) <= _RIVALS else f"best of {len(others) + 1} laws"
        doubt = ", but that is within the error of the comparison" if comparison.undecided else ""
        sentences.append(f"Left out by {comparison.left_out}, runs are predicted by {best} {than}{doubt}.")
    return [" ".join(sentences)] if sentences else []


def _quantities(results: Results) -> Iterator[str]:
    """Return what the laws were found to be, where nothing else was asked."""
    if results.decision or results.predictions or results.optima:
        return
    for name, posterior in results.posteriors.items():
        values = {n: v for n, v in posterior.values().items() if n in posterior.model.law.quantities and v[0].size == 1}
        found = []
        for quantity, draws in values.items():
            low, middle, high = np.quantile(draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
            found.append(f"{quantity} = {numbers.bracketed(middle, low, high)}")
        listed = f": {', '.join(found)} (medians and 90 % intervals)" if found else ""
        yield f"Model {name} of {len(posterior.runs):,} rows of {Path(posterior.runs.source).name}{listed}."


def _state(results: Results) -> str:
    """Return whether the posteriors converged and how much must be borne in mind."""
    failed = [name for name, posterior in results.posteriors.items() if not posterior.converged]
    previews = [name for name, posterior in results.posteriors.items() if posterior.preview]
    count = sum(map(len, caveats(results).values()))
    bear = f"{count} caveat{'s' if count > 1 else ''} to bear in mind, below" if count else "no caveat was found"
    if failed:
        return f"{', '.join(failed)} did not converge; {bear}."
    return f"Every posterior {'that was sampled ' if previews else ''}converged; {bear}."
