"""Posteriors that are of the same runs belong together: only they can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bayesmix.averaging import NEGLIGIBLE
from bayesmix.comparison import Comparison
from bayesmix.decision import Decision, Proposal
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.optimum import Optimum
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction
from bayesmix.runs import Runs


@dataclass(frozen=True)
class Group:
    """The posteriors of one table of runs, and the comparisons among them."""

    name: str
    runs: Runs
    posteriors: Mapping[str, Posterior]
    comparisons: tuple[Comparison, ...]

    @property
    def weights(self) -> dict[str, float]:
        """Stacking weight of each model; equal ones where nothing was compared."""
        stated = self.comparisons[0].weights if self.comparisons else {}
        return {n: stated.get(n, 0.0 if stated else 1.0) for n in self.posteriors}


@dataclass(frozen=True)
class Average:
    """One forecast from several laws, by the weight of each, or from a single one."""

    weights: Mapping[str, float]
    prediction: Prediction

    @property
    def name(self) -> str:
        """What it is called, by the laws that count."""
        if len(self.weights) == 1:
            return f"model {next(iter(self.weights))}"
        return "average of " + " and ".join(
            f"{n} ({w:.0%})".replace("%", " %") for n, w in self.weights.items() if w >= NEGLIGIBLE
        )


@dataclass(frozen=True)
class Results:
    """All that a report is about."""

    groups: tuple[Group, ...]
    decision: Decision | None
    predictions: Mapping[str, Prediction]
    optima: Mapping[str, Optimum]
    extrapolations: tuple[Extrapolation, ...] = ()
    averages: tuple[Average, ...] = ()
    proposal: Proposal | None = None
    reached: Average | None = None

    def backtests(self, name: str) -> list[Extrapolation]:
        """Return the forecasts of hidden runs by the model of a posterior."""
        return [e for e in self.extrapolations if e.model == self.posteriors[name].model.name]

    @property
    def posteriors(self) -> dict[str, Posterior]:
        """Every posterior by name."""
        return {n: p for g in self.groups for n, p in g.posteriors.items()}

    @property
    def weights(self) -> dict[str, float]:
        """Stacking weight of every posterior among those of its data."""
        return {n: w for g in self.groups for n, w in g.weights.items()}

    def by_weight(self, names: Mapping[str, object]) -> list[str]:
        """Return names in the order of the weights of their posteriors, as given where there are none."""
        return sorted(names, key=lambda n: -self.weights.get(n, 0.0))


def group(posteriors: Mapping[str, Posterior], comparisons: Sequence[Comparison]) -> tuple[Group, ...]:
    """Sort posteriors by the runs they were fitted to.

    Raises
    ------
    BayesmixError
        Nothing was given, or a comparison names models that are not here or were fitted to different runs.
    """
    if not posteriors:
        raise BayesmixError("there is nothing to report: give at least one posterior")
    of_runs: dict[str, dict[str, Posterior]] = {}
    for name, posterior in posteriors.items():
        of_runs.setdefault(posterior.runs.hash, {})[name] = posterior
    mine: dict[str, list[Comparison]] = {h: [] for h in of_runs}
    for comparison in comparisons:
        names = [str(n) for n in comparison.table.index]
        if missing := [n for n in names if n not in posteriors]:
            raise BayesmixError(
                f"a comparison names {', '.join(missing)}, but the posteriors are {', '.join(posteriors)}. Give the "
                "posteriors under the names they were compared by"
            )
        hashes = {posteriors[n].runs.hash for n in names}
        if len(hashes) > 1:
            raise BayesmixError(f"a comparison of {', '.join(names)} is of posteriors of different runs")
        mine[hashes.pop()].append(comparison)
    several = len(of_runs) > 1
    return tuple(
        Group(f"Data {k}" if several else "Data", next(iter(members.values())).runs, members, tuple(mine[h]))
        for k, (h, members) in enumerate(of_runs.items(), start=1)
    )
