"""What is ahead: planned runs and compute-optimal allocations; and what forecasts of hidden runs were worth."""

from __future__ import annotations

import numpy as np

from bayesmix import scores
from bayesmix.extrapolation import Extrapolation
from bayesmix.figures import extrapolation_figure, has_scale, scaling_figure
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction
from bayesmix.report import numbers
from bayesmix.report.blocks import Block, Heading, Picture, Points, Section, Table, Text
from bayesmix.report.caveats import outside
from bayesmix.report.groups import Results


def predictions(results: Results) -> Section | None:
    """Return planned runs with their intervals; without any, scaling laws against the runs alone."""
    blocks: list[Block] = []
    if results.reached:
        blocks += [Heading(f"The chosen mixture ({results.reached.name})"), _prediction(results.reached.prediction)]
    for averaged in results.averages:
        own = tuple(averaged.prediction.warnings)
        disagree = tuple(w for w in own if w.startswith("The laws disagree"))
        blocks += [Heading(averaged.name[0].upper() + averaged.name[1:]), _prediction(averaged.prediction)]
        blocks += [Points(disagree, "caution")] if disagree else []
    for name in results.by_weight(results.predictions):
        prediction = results.predictions[name]
        posterior = results.posteriors[name]
        own = tuple(outside(results, prediction, name))
        blocks += [Heading(_weighted(results, name)), _prediction(prediction)]
        if has_scale(posterior) and "C" in prediction.planned.symbols:
            blocks.append(_scaling(name, posterior, prediction))
        blocks += [Points(own, "caution")] if own else []
    for name, posterior in results.posteriors.items():
        if name not in results.predictions and has_scale(posterior) and not results.predictions:
            blocks += [Heading(name), _scaling(name, posterior, None)]
    if not blocks:
        return None
    if not (results.predictions or results.reached):
        return Section("Runs against compute", tuple(blocks))
    return Section("Forecast", (_lead(results), *blocks))


def _weighted(results: Results, name: str) -> str:
    """Return the name of a model with its stacking weight, where it was compared."""
    compared = any(name in c.weights for g in results.groups for c in g.comparisons)
    return f"{name} (stacking weight {results.weights[name]:.2f})" if compared else name


def _lead(results: Results) -> Text:
    said = "Intervals are for one run's measured response, noise included"
    names = [*results.predictions, *(results.reached.weights if results.reached else ())]
    bending = [results.posteriors[name].model.discrepancy is not None for name in names]
    if not any(bending):
        return Text(f"{said}, and take the law for true.")
    some = "" if all(bending) else " of models with a discrepancy"
    return Text(
        f"{said}. Beyond the fitted runs those{some} allow for the response to fall more or less than the law says, as "
        "it did in past studies, or as the fitted runs themselves showed where the largest were hidden."
    )


def _scaling(name: str, posterior: Posterior, prediction: Prediction | None) -> Picture:
    target = posterior.targets[0]
    fitted = posterior.runs.column("C")
    if prediction is None:
        seen = posterior.runs.column(target)
        claim = (
            f"{name} knows {target} from {numbers.amount(fitted.min())} to {numbers.amount(fitted.max())} FLOP, where "
            f"it was between {numbers.plain(np.nanmin(seen))} and {numbers.plain(np.nanmax(seen))}."
        )
    else:
        i = int(prediction.planned.column("C").argmax())
        low, middle, high = np.quantile(prediction.measured[:, i, 0], [0.05, 0.5, 0.95])
        times = prediction.planned.column("C")[i] / fitted.max()
        where = f"{times:,.3g} times the compute of the largest fitted run" if times > 1 else "within the fitted runs"
        claim = (
            f"{name} expects {target} {numbers.bracketed(middle, low, high)} (90 % interval) of "
            f"{prediction.planned.names[i]}, {where}."
        )
    drawn = "Runs against compute; outside the shaded range there are none, and intervals rest on the law."
    return Picture(scaling_figure(posterior, prediction), f"scaling-{name}", claim, drawn)


def _prediction(prediction: Prediction) -> Table:
    runs = prediction.planned
    given = [s for s in ("N", "D", "C", "U") if s in runs.symbols]
    header = ("run", "target", *given, "median", *(numbers.percent(level, 0) for level in scores.LEVELS))
    shares = [0.5, *(end for level in scores.LEVELS for end in ((1 - level) / 2, (1 + level) / 2))]
    found = np.quantile(prediction.measured, shares, axis=0)
    rows = []
    for i, run in enumerate(runs.names):
        place = tuple(numbers.amount(runs.column(s)[i]) for s in given)
        for j, target in enumerate(prediction.targets):
            low, high = np.quantile(prediction.measured[:, i, j], [0.05, 0.95])
            texts = numbers.together(found[:, i, j].tolist(), (high - low) / 2)
            spans = (f"{a} to {b}" for a, b in zip(texts[1::2], texts[2::2], strict=True))
            rows.append((run, target, *place, texts[0], *spans))
    return Table.of(header, rows, words=2, title="Medians and predictive intervals")


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
                _covered(backtest),
                "Left: errors of forecasts of runs that were hidden from the fit, in their 90 % intervals. Middle: "
                "share inside intervals. Right: flat if forecasts are calibrated.",
            ),
            *([Points(backtest.warnings, "caution")] if backtest.warnings else []),
        ]
    return Section("Backtest", tuple(blocks)) if blocks else None


def _covered(backtest: Extrapolation) -> str:
    found = backtest.scores(by=()).iloc[0]
    return (
        f"90 % intervals of {backtest.model} covered {numbers.percent(found['coverage90%'], 0)} of "
        f"{found['responses']:.0f} hidden responses, and medians were off by {numbers.percent(found['rmse'])}."
    )


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
