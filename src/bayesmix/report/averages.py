"""One forecast from several laws, where a report has those of several; and that of the mixture that was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bayesmix.averaging import NEGLIGIBLE, average, shares
from bayesmix.decision import Decision
from bayesmix.decision.planned import chosen_run
from bayesmix.extrapolation import Extrapolation
from bayesmix.linking import linked
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction, predict, unused
from bayesmix.report.groups import Average, Group


def averages(
    groups: Sequence[Group], predictions: Mapping[str, Prediction], extrapolations: Sequence[Extrapolation]
) -> Iterator[Average]:
    """Yield the average of the forecasts of the same runs and targets by laws of the same data.

    By how well each law forecast hidden scales, if all did; else by the comparison shown, or one made for it. None
    where a single law has all the weight.
    """
    for group in groups:
        alike: dict[tuple, list[str]] = {}
        for name in (n for n in group.posteriors if n in predictions):
            prediction = predictions[name]
            alike.setdefault((prediction.targets, prediction.planned.hash), []).append(name)
        for names in (n for n in alike.values() if len(n) > 1):
            weights = _weights(group, names, extrapolations)
            if sum(weight >= NEGLIGIBLE for weight in weights.values()) > 1:
                own = {n: predictions[n] for n in names}
                seed = group.posteriors[names[0]].seed
                yield Average(weights, average(own, weights, seed=seed))


def reached(
    posteriors: Mapping[str, Posterior], decision: Decision | None, links: Sequence[Posterior] = ()
) -> Average | None:
    """Return the forecast of the planned run with the chosen mixture, by the laws that chose it, and links.

    None where one of them is not here, or cannot say what the planned N and D change.
    """
    weights = {n: w for n, w in decision.model_weights.items() if w >= NEGLIGIBLE} if decision else {}
    if decision is None or not weights or not set(weights) <= set(posteriors):
        return None
    own = {n: posteriors[n] for n in weights}
    runs = {n: chosen_run(p, decision) for n, p in own.items()}
    if not any("w" in p.model.columns.values() for p in own.values()) or any(unused(own[n], runs[n]) for n in own):
        return None
    seed = next(iter(own.values())).seed
    forecasts = {n: linked(predict(p, runs[n], seed=p.seed), links, seed=p.seed) for n, p in own.items()}
    shares = {n: weight / sum(weights.values()) for n, weight in weights.items()}
    found = average(forecasts, shares, seed=seed) if len(own) > 1 else next(iter(forecasts.values()))
    return Average(shares, found)


def _weights(group: Group, names: Sequence[str], extrapolations: Sequence[Extrapolation]) -> dict[str, float]:
    own = {n: group.posteriors[n] for n in names}
    if {e.model for e in extrapolations} >= {p.model.name for p in own.values()}:
        return shares(own, extrapolations)
    for comparison in group.comparisons:
        stated = {n: comparison.weights.get(n, float("nan")) for n in names}
        if (total := sum(stated.values())) > 0:
            return {n: weight / total for n, weight in stated.items()}
    return shares(own)
