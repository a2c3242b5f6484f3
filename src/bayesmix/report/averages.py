"""One forecast from several laws, where a report has those of several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bayesmix.averaging import average, shares
from bayesmix.extrapolation import Extrapolation
from bayesmix.prediction import Prediction
from bayesmix.report.groups import Average, Group

_LEAST = 0.01  # weight of a law that counts


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
            if sum(weight >= _LEAST for weight in weights.values()) > 1:
                own = {n: predictions[n] for n in names}
                seed = group.posteriors[names[0]].seed
                yield Average(weights, average(own, weights, seed=seed))


def _weights(group: Group, names: Sequence[str], extrapolations: Sequence[Extrapolation]) -> dict[str, float]:
    own = {n: group.posteriors[n] for n in names}
    if {e.model for e in extrapolations} >= {p.model.name for p in own.values()}:
        return shares(own, extrapolations)
    for comparison in group.comparisons:
        stated = {n: comparison.weights.get(n, float("nan")) for n in names}
        if (total := sum(stated.values())) > 0:
            return {n: weight / total for n, weight in stated.items()}
    return shares(own)
