"""What is ahead: planned runs, compute-optimal allocations, the mixture; and where everything came from."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

from collections.abc import Mapping

from bayesmix import modelfile, scores
from bayesmix.decision import Decision
from bayesmix.decision.constraints import limits
from bayesmix.figures import extrapolation_figure, gain_figure, has_scale, mixture_figure, scaling_figure
from bayesmix.figures.gain import probability
from bayesmix.prediction import LEVELS, Prediction
from bayesmix.provenance import versions
from bayesmix.report import numbers
from bayesmix.report.answers import mixture_sentences, objective_unit, outside
from bayesmix.report.blocks import Block, Heading, Picture, Points, Section, Table, Text, Verbatim
from bayesmix.report.groups import Results


def predictions(results: Results) -> Section | None:
    """Return planned runs with their intervals; without any, scaling laws against the runs alone."""
    blocks: list[Block] = []
    for name in results.by_weight(results.predictions):
        prediction = results.predictions[name]
        blocks += [Heading(name), _prediction(prediction)]
        posterior = results.posteriors[name]
        own = tuple(outside(results, prediction, name))
        blocks += [Text(backtest.sentence()) for backtest in results.backtests(name)]
        blocks += [Points(own, "caution")] if own else []
        if has_scale(posterior) and "C" in prediction.planned.symbols:
            blocks.append(_scaling(name, scaling_figure(posterior, prediction)))
    for name, posterior in results.posteriors.items():
        if name not in results.predictions and has_scale(posterior) and not results.predictions:
            blocks += [Heading(name), _scaling(name, scaling_figure(posterior))]
    if not blocks:
        return None
    return Section("Predictions", (_lead(results), *blocks) if results.predictions else tuple(blocks))


def _lead(results: Results) -> Text:
    said = "Intervals are for one run's measured response, noise included"
    bending = [results.posteriors[name].model.discrepancy is not None for name in results.predictions]
    if not any(bending):
        return Text(f"{said}, and take the law for true.")
    some = "" if all(bending) else " of models with a discrepancy"
    return Text(
        f"{said}. Beyond the fitted runs those{some} allow for the response to fall more or less than the law says, as "
        "it did in past studies, or as the fitted runs themselves showed where the largest were hidden."
    )


def _scaling(name: str, figure) -> Picture:
    return Picture(
        figure, f"scaling-{name}", f"{name}: runs against compute. Outside the shaded range there are no runs."
    )


def _prediction(prediction: Prediction) -> Table:
    runs = prediction.planned
    given = [s for s in ("N", "D", "C", "U") if s in runs.symbols]
    header = ("run", "target", *given, "median", *(f"{level:.0%}".replace("%", " %") for level in LEVELS))
    rows = []
    for k, row in enumerate(prediction.table().to_dict("records")):
        i = k // len(prediction.targets)
        ends = [row[f"{side}{level:.0%}"] for level in LEVELS for side in ("low", "high")]
        texts = numbers.together([row["median"], *ends], row["high80%"] - row["low80%"])
        spans = [f"{a} to {b}" for a, b in zip(texts[1::2], texts[2::2], strict=True)]
        rows.append((row["run"], row["target"], *(numbers.amount(runs.column(s)[i]) for s in given), texts[0], *spans))
    return Table.of(header, rows, words=2)


def backtests(results: Results) -> Section | None:
    """Return what forecasts of hidden runs were worth."""
    blocks: list[Block] = []
    for k, backtest in enumerate(results.extrapolations):
        rows = [
            (
                row["at"] if isinstance(row["at"], str) else f"{backtest.by} ≤ {numbers.amount(row['at'])}",
                row["target"],
                str(row["responses"]),
                f"{row['decades']:.1f}",
                *(numbers.percent(row[f"coverage{level:.0%}"]) for level in scores.LEVELS),
                *(f"{100 * row[column]:.2f}" for column in ("bias", "rmse", "crps", "interval_score95%")),
            )
            for row in backtest.scores().to_dict("records")
        ]
        levels = tuple(f"{level:.0%} covers".replace("%", " %") for level in scores.LEVELS)
        header = ("fitted", "target", "hidden", "decades beyond", *levels, "bias (%)", "error (%)", "CRPS (%)",
                  "interval score (%)")  # fmt: skip
        blocks += [
            Heading(backtest.model),
            Text(backtest.sentence()),
            Table.of(header, rows, words=2),
            Picture(
                extrapolation_figure(backtest),
                f"extrapolation-{k}",
                f"{backtest.model}: runs that were hidden from the fit. Left: what was measured against the forecast "
                "and its 90 % interval. Middle: share inside intervals. Right: flat if forecasts are calibrated.",
            ),
            *([Points(backtest.warnings, "caution")] if backtest.warnings else []),
        ]
    return Section("Forecasts of hidden runs", tuple(blocks)) if blocks else None


def optima(results: Results) -> Section | None:
    """Return compute-optimal allocations with their intervals."""
    blocks: list[Block] = []
    for name in results.by_weight(results.optima):
        optimum = results.optima[name]
        rows = []
        for row in optimum.table().to_dict("records"):
            values = row["median"], row["low90%"], row["high90%"]
            shown = numbers.interval(*values) if row["quantity"] == "response" else numbers.amounts(*values)
            label = row["target"] if row["quantity"] == "response" else row["quantity"]
            rows.append((numbers.amount(row["C"]), row["target"], label, *shown))
        header = ("C (FLOP)", "target", "quantity", "median", "90 % interval")
        blocks += [Heading(name), Table.of(header, rows, words=3)]
        own = tuple(outside(results, optimum, name))
        blocks += [Points(own, "caution")] if own else []
    return Section("Compute-optimal allocation", tuple(blocks)) if blocks else None


def mixture(results: Results) -> Section | None:
    """Return the chosen mixture and what is gained by it."""
    decision = results.decision
    if decision is None:
        return None
    unit = objective_unit(results)
    bounds = zip(*limits(decision.problem, decision.domains), strict=True)
    rows = [
        (r["domain"], numbers.percent(r["weight"]), _span(r["low90%"], r["high90%"]),
         _span(r["near_low"], r["near_high"]), numbers.percent(r["baseline"]),
         _span(r["observed_low"], r["observed_high"]), _span(*limits))
        for r, limits in zip(decision.table().to_dict("records"), bounds, strict=True)
    ]  # fmt: skip
    header = ("domain", "weight", "90 % interval of the optimum", "nearly as good", "baseline", "fitted runs", "bounds")
    blocks: list[Block] = [
        *(Text(s) for s in mixture_sentences(decision, unit)),
        Table.of(header, rows),
        *([Points(decision.warnings, "caution")] if decision.warnings else []),
        Picture(
            mixture_figure(decision),
            "mixture",
            "Chosen weights, where the best weight may lie, which others are nearly as good, the baseline and the "
            "range of the fitted runs.",
        ),
        Picture(gain_figure(decision, unit), "gain", "Gain over the baseline, paired draw by draw."),
        Heading("Mixtures compared"),
        _candidates(decision),
        *([Heading("What the choice rests on"), _alternatives(decision)] if decision.under else []),
        Heading("In numbers"),
        _decision_facts(decision, unit),
    ]
    return Section("Mixture", tuple(blocks))


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


def _decision_facts(decision: Decision, unit: str) -> Table:
    facts, problem = decision.facts(), decision.problem
    gain, span = numbers.interval(facts["gain"], facts["gain_low90%"], facts["gain_high90%"])
    stated = ", ".join(f"{t} × {w:g}" for t, w in problem.objective.items())
    planned = (f"{k} = {v if isinstance(v, str) else numbers.amount(v)}" for k, v in problem.planned.items())
    rows = (
        ("objective", stated or "all targets equally"),
        ("planned run", ", ".join(planned) or "any"),
        ("models", ", ".join(f"{n} {numbers.percent(w)}" for n, w in decision.model_weights.items())),
        ("expected objective", numbers.plain(facts["expected_objective"], 5)),
        ("expected objective of the baseline", numbers.plain(facts["baseline_expected_objective"], 5)),
        *_risk_rows(decision, facts),
        (f"gain ({unit})" if unit else "gain", f"{gain} (90 %: {span})"),
        ("gain on draws that it was not chosen by", numbers.plain(facts["corrected_gain"])),
        ("probability of beating the baseline", probability(decision.p_better, len(decision.gain))),
        ("expected regret: value of perfect information", numbers.plain(facts["expected_regret"], 2)),
        ("nearly as good: loses at most", numbers.plain(facts["near_loss"], 2)),
        ("optimality: to first order, others are better by at most", numbers.plain(facts["kkt_residual"], 2)),
        ("best of random and observed mixtures, worse by", numbers.plain(facts["candidate_gap"], 2)),
    )
    return Table.of(("", ""), rows, words=2)


def _risk_rows(decision: Decision, facts: Mapping[str, float]) -> list[tuple[str, str]]:
    if "risk" not in facts:
        return []
    values = numbers.plain(facts["risk"], 5), numbers.plain(facts["baseline_risk"], 5)
    return [(f"risk: {decision.risk}", values[0]), ("risk of the baseline", values[1])]


def _listed(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in packages.items())


def provenance(results: Results) -> Section:
    """Return what is needed to do it again."""
    rows = [
        (
            n,
            str(p.seed),
            p.model.law.fingerprint,
            p.runs.hash[:16],
            str(p.tree["posterior"].attrs.get("created_at", ""))[:19],
        )
        for n, p in results.posteriors.items()
    ]
    sampled: dict[str, list[str]] = {}
    for name, posterior in results.posteriors.items():
        sampled.setdefault(_listed(posterior.versions), []).append(name)
    return Section(
        "Provenance",
        (
            Table.of(("posterior", "seed", "law fingerprint", "runs hash", "sampled (UTC)"), rows, words=5),
            *(Text(f"{', '.join(names)} sampled with {packages}.") for packages, names in sampled.items()),
            Text(f"Written with {_listed(versions())}."),
            *(Verbatim(f"Model {n} as TOML", modelfile.dumps(p.model)) for n, p in results.posteriors.items()),
        ),
    )
