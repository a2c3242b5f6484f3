"""extrapolate(): hide the largest runs, fit the others, and see what the intervals were worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmix import scores
from bayesmix.beyond import bends, factors
from bayesmix.errors import BayesmixError
from bayesmix.evaluation import log_density, measured_draws
from bayesmix.inference import fit_many
from bayesmix.model import Model
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs
from bayesmix.splits import by_scale

# Coverage of 90 % intervals below which they cannot be trusted, and above which they are too wide.
_TRUSTED = (0.8, 0.99)


@dataclass(frozen=True, eq=False, repr=False)
class Extrapolation:
    """Forecasts of runs that were measured but hidden, and how good they were.

    Attributes
    ----------
    model : str
        Name of the model.
    by : str
        The covariate that was split on.
    table : DataFrame
        One row a hidden response: ``at`` (runs above it were hidden), ``run``, ``target``, ``decades`` (how far the run
        lies above the largest fitted one), ``truth``, the predictive ``median``, ends of intervals (``low90%``,
        ``high90%`` and so on), and the scores: ``pit``, ``crps``, ``log_score``, ``interval_score95%``, ``bias``.
        Scores are in units of the log response, about relative errors; where a hidden response is not positive, in
        multiples of the reference of the fitted ones.
    bends : DataFrame
        One row a threshold and target: ``at``, ``target``, and the ``bend`` of the discrepancy that the hidden runs
        show, with its standard ``error``.
    warnings : tuple of str
        Problems of the fits, and hidden rows of runs that were fitted too.
    discrete : bool
        Whether log scores are of probabilities, as of counts, and not of densities.
    """

    model: str
    by: str
    table: pd.DataFrame
    bends: pd.DataFrame
    warnings: tuple[str, ...]
    discrete: bool = False

    def __repr__(self) -> str:
        return f"<Extrapolation of {self.model} by {self.by}: {len(self.table)} hidden responses>"

    @property
    def reach(self) -> float:
        """How many decades beyond the fitted runs the farthest hidden one lies."""
        return float(np.max(self.table["decades"].to_numpy()))

    def scores(self, by: Sequence[str] = ("at", "target")) -> pd.DataFrame:
        """Return mean scores and coverages of the hidden responses, one row a group and one for all.

        ``coverage90%`` and so on: share inside central intervals; ``rmse``: root mean square of the error of the
        median; other columns as in `table`.
        """
        rows: list[dict[str, Any]] = []
        for values in sorted(set(zip(*(self.table[n] for n in by), strict=True))):
            group = dict(zip(by, values, strict=True))
            kept = np.all([self.table[n] == v for n, v in group.items()], axis=0)
            rows.append({**group, **_mean(self.table[kept])})
        if len(rows) != 1:
            rows.append({**dict.fromkeys(by, "all"), **_mean(self.table)})
        return pd.DataFrame(rows)

    def untested(self, fitted: Runs, planned: Runs) -> str:
        """Return a warning if planned runs lie farther beyond the fitted ones than hidden runs did, else nothing."""
        if self.by not in {*planned.symbols, *planned.table} or self.by not in {*fitted.symbols, *fitted.table}:
            return ""
        decades = float(np.log10(planned.column(self.by).max() / fitted.column(self.by).max()))
        if decades <= self.reach:
            return ""
        return (
            f"{self.by} lies {decades:.1f} decades beyond the fitted runs, but hidden runs were forecast only up to "
            f"{self.reach:.1f} decades: what intervals are worth so far out, nobody has seen."
        )

    @property
    def bend(self) -> tuple[float, float] | None:
        """The bend that the hidden runs show, and its standard error: of the highest threshold where they show one.

        That of all targets together, weighted by their precision; the error is what it is if these err together
        entirely, as targets of the same runs nearly do.
        """
        if not len(self.bends):
            return None
        at, bend, error = self.bends[["at", "bend", "error"]].to_numpy(dtype=float).T
        last = at == at.max()
        weights = error[last] ** -2.0
        return float(np.average(bend[last], weights=weights)), float(np.average(error[last], weights=weights))

    def informing(self, posterior: Posterior) -> Posterior:
        """Return a posterior whose forecasts know the bend that the hidden runs show; see `Discrepancy.given`."""
        discrepancy, bend = posterior.model.discrepancy, self.bend
        if discrepancy is None or bend is None:
            return posterior
        return posterior.bending(discrepancy.given(*bend))

    def sentence(self) -> str:
        """Return how far the intervals can be trusted."""
        table = self.table
        inside, error = _inside(table, 0.9), float(np.sqrt(np.mean(table["bias"] ** 2)))
        thresholds = ", ".join(f"{self.by} = {at:.3g}" for at in sorted(set(table["at"])))
        said = (
            f"Fitted on runs up to {thresholds} and asked about {len(table)} hidden responses up to {self.reach:.1f} "
            f"decades beyond, 90 % intervals of {self.model} covered {100 * inside.mean():.0f} %; the medians were "
            f"off by {100 * error:.1f} % (root mean square). "
        )
        if self.bend:
            bend, off = self.bend
            said += (
                f"Beyond {self.by} = {np.max(self.bends['at']):.3g} responses fell {1 + bend:.2f} ± {off:.2f} times as "
                "far as the law says. "
            )
        return said + self.judgement

    @property
    def judgement(self) -> str:
        """What follows from that for the intervals, in one sentence."""
        inside, (low, high) = _inside(self.table, 0.9), _TRUSTED
        if inside.mean() > high and len(inside) >= 20:
            return "The intervals are wider than they need be."
        if inside.mean() >= low:
            return "That is what they promise, as far as so few forecasts can tell: runs of one fit share its error."
        near = inside[self.table["decades"].to_numpy() <= 0.5]
        if len(near) >= 5 and near.mean() >= low:
            return "They can be trusted for half a decade, and not beyond."
        return "They cannot be trusted beyond the fitted runs: take them for a lower bound of the uncertainty."


def _inside(table: Any, level: float) -> np.ndarray:
    low, truth, high = (table[n].to_numpy() for n in (f"low{level:.0%}", "truth", f"high{level:.0%}"))
    return (low <= truth) & (truth <= high)


def _mean(table: Any) -> dict[str, float]:
    numbers = {"responses": len(table), "decades": float(np.max(table["decades"]))}
    numbers |= {f"coverage{level:.0%}": float(_inside(table, level).mean()) for level in scores.LEVELS}
    numbers["rmse"] = float(np.sqrt(np.mean(table["bias"] ** 2)))
    return numbers | {n: float(np.mean(table[n])) for n in ("bias", "crps", "log_score", "interval_score95%")}


def extrapolate(
    model: Model,
    runs: Runs,
    *,
    by: str = "C",
    at: float | Sequence[float] | None = None,
    mixtures: float = 0.0,
    seed: int,
    processes: int = 1,
    progress: bool = False,
    accept_unconverged: bool = False,
) -> Extrapolation:
    """Fit the runs with `by` up to a threshold, predict those above it, and score the forecasts.

    LOO answers "another run like these"; this answers "a larger one".

    Parameters
    ----------
    model : Model
        The model.
    runs : Runs
        All runs.
    by : str
        What is large: C, N, D or any other column of numbers.
    at : float or sequence of float, optional
        Thresholds; 3, 10 and 30 % of the largest by default, as far as they leave enough runs on both sides.
    mixtures : float
        Share of the mixtures to hide too: small runs of the others are fitted, and large runs of these are asked about.
    seed : int
        Source of randomness.
    processes : int
        How many to use for several thresholds.
    progress : bool
        Show how far the fits are.
    accept_unconverged : bool
        Forecast with fits that did not converge too; `warnings` say which.

    Raises
    ------
    InputError
        One side of a split is empty.
    BayesmixError
        No threshold leaves enough runs on both sides.
    NotConvergedError
        A fit did not converge, and that is not accepted.
    """
    splits = by_scale(model, runs, by, at, mixtures, seed)
    names = [f"{threshold:.6g}" for threshold in splits]
    posteriors = fit_many(
        model, [small for small, _ in splits.values()], seed=seed, names=names, processes=processes, progress=progress
    )
    parts, found, warnings = [], [], []
    for (threshold, (_, large)), fitted in zip(splits.items(), posteriors.values(), strict=True):
        posterior = fitted.accept() if accept_unconverged else fitted
        parts.append(_scored(posterior, large, by, seed).assign(at=threshold))
        found.append(_bends(posterior, large, seed).assign(at=threshold))
        said = [*map(str, posterior.problems()), *_continued(posterior.runs, large)]
        warnings += [f"{by} <= {threshold:.3g}: {sentence}" for sentence in said]
    table, shown = (pd.concat(p, ignore_index=True) for p in (parts, found))
    return Extrapolation(model.name, by, table, shown, tuple(warnings), model.noise.discrete)


def informed(posteriors: Mapping[str, Posterior], extrapolations: Sequence[Extrapolation]) -> dict[str, Posterior]:
    """Return the posteriors, each informed by the extrapolations of its model.

    Raises
    ------
    BayesmixError
        An extrapolation is of a model that no posterior is of.
    """
    models = list(dict.fromkeys(p.model.name for p in posteriors.values()))
    if strangers := [e.model for e in extrapolations if e.model not in models]:
        raise BayesmixError(
            f"extrapolation of model {strangers[0]}, but the posteriors are of {', '.join(models)}. Give a posterior "
            "of the same model"
        )
    if twice := [m for m, count in Counter(e.model for e in extrapolations).items() if count > 1]:
        raise BayesmixError(f"two extrapolations are of model {twice[0]}. Give one, which hides what both did")
    for one in extrapolations:
        posteriors = {n: one.informing(p) if p.model.name == one.model else p for n, p in posteriors.items()}
    return dict(posteriors)


def _continued(fitted: Runs, hidden: Runs) -> list[str]:
    """Return a sentence if hidden rows are of runs that have fitted rows too."""
    later = np.isin(hidden.names, fitted.names).sum()
    if not later:
        return []
    return [
        f"{later} of the {len(hidden)} hidden rows are later checkpoints of fitted runs, which are easier to forecast "
        "than new runs. Split by N, with by= or --by, to hide whole runs."
    ]


def _bends(posterior: Posterior, large: Runs, seed: int) -> pd.DataFrame:
    inputs, _ = posterior.model.inputs(large, posterior.coordinates)
    found = zip(posterior.targets, bends(posterior, inputs, seed), strict=True)
    rows = [{"target": target, "bend": bend, "error": error} for target, (bend, error) in found]
    return pd.DataFrame(rows).dropna()


def _scored(posterior: Posterior, large: Runs, by: str, seed: int) -> pd.DataFrame:
    posterior.require_converged()
    inputs, _ = posterior.model.inputs(large, posterior.coordinates)
    _, factor = factors(posterior, inputs, seed) or (None, None)  # of a forecast by `predict` and of its density alike
    _, measured = measured_draws(posterior.model, posterior.values(), inputs, seed, factor)
    densities = log_density(posterior, large, factor)
    decades = np.log10(large.column(by) / posterior.runs.column(by).max())
    parts = []
    for j, target in enumerate(posterior.targets):
        if target not in large.targets:
            continue
        truth = large.column(target)
        seen = np.isfinite(truth)
        unit = scores.Logarithm() if truth[seen].min() > 0 else scores.Multiple(posterior.coordinates.scale[j])
        draws, y = (unit.of(v) for v in (measured[:, seen, j], truth[seen]))
        ends = {level: [unit.back(e) for e in scores.interval(draws, level)] for level in scores.LEVELS}
        parts.append(
            pd.DataFrame(
                {
                    "run": np.array(large.names)[seen],
                    "target": target,
                    "decades": decades[seen],
                    "truth": truth[seen],
                    "median": unit.back(np.median(draws, axis=0)),
                    **{f"low{level:.0%}": low for level, (low, _) in ends.items()},
                    **{f"high{level:.0%}": high for level, (_, high) in ends.items()},
                    **{f.__name__: f(draws, y) for f in (scores.pit, scores.crps, scores.bias)},
                    "interval_score95%": scores.interval_score(draws, y),
                    # Probabilities are those of counts, in whatever unit; densities are not.
                    "log_score": -densities[seen, j] - (0.0 if posterior.model.noise.discrete else unit.slope(y)),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
