"""predict(): what planned runs will reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bayesmix.beyond import ROUNDED, factors, in_hull, measuring
from bayesmix.covariates import BY_DOMAIN
from bayesmix.errors import listed
from bayesmix.evaluation import measured_draws
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs
from bayesmix.scores import LEVELS


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """Predictive draws for planned runs.

    One draw's responses of several targets belong together, as do its observations: a function of them, such as a mean
    over targets, is taken draw by draw; see `bayesmix.pairing`. Draws are in the order of ``posterior.paired``, which
    is not that of ``posterior.values()`` where targets were sampled apart.

    Attributes
    ----------
    expected : array, shape (draw, observation, target)
        What many runs of this kind would average: the law's response, and beyond the fitted runs its discrepancy.
    measured : array, shape (draw, observation, target)
        One run's measured response, noise included.
    planned : Runs
        The runs asked about.
    targets : tuple of str
        Along the last axis.
    warnings : tuple of str
        How far outside the fitted runs this is, and every problem inherited.
    """

    expected: np.ndarray
    measured: np.ndarray
    planned: Runs
    targets: tuple[str, ...]
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Prediction of {len(self.planned)} runs: {len(self.expected)} draws of {listed(self.targets)}>"

    @property
    def rows(self) -> list[str]:
        """Name of each planned run; rows of one run say by what they differ."""
        names, columns = list(self.planned.names), self.planned.table.drop(columns="run")
        places: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            places.setdefault(name, []).append(row)
        for name, rows in places.items():
            if len(rows) == 1:
                continue
            differing = [c for c in columns if len(columns[c].iloc[rows].unique()) > 1]
            for i in rows:
                cells = {c: columns[c].iloc[i] for c in differing}
                names[i] = " ".join(
                    [name, *(f"{c}={v:.4g}" if isinstance(v, float) else f"{c}={v}" for c, v in cells.items())]
                )
        return names

    def table(self, of: Literal["measured", "expected"] = "measured") -> pd.DataFrame:
        """Return median and the intervals of `scores.LEVELS`, one row a run and target."""
        draws = getattr(self, of)
        levels = {"median": 0.5}
        for level in LEVELS:
            levels[f"low{level:.0%}"], levels[f"high{level:.0%}"] = (1 - level) / 2, (1 + level) / 2
        quantiles = np.quantile(draws, list(levels.values()), axis=0)
        rows = [
            {"run": run, "target": target, **dict(zip(levels, quantiles[:, i, j].tolist(), strict=True))}
            for i, run in enumerate(self.rows)
            for j, target in enumerate(self.targets)
        ]
        return pd.DataFrame(rows)


def predict(posterior: Posterior, planned: Runs, *, seed: int) -> Prediction:
    """Predict planned runs.

    Parameters
    ----------
    posterior : Posterior
        A model and what it learned.
    planned : Runs
        Runs with the covariates of the law; read them with ``planned=True``.
    seed : int
        Source of the noise in `Prediction.measured`.

    Raises
    ------
    InputError
        What the planned runs lack.
    NotConvergedError
        The posterior has not converged.
    """
    posterior.require_converged()
    model, posterior = posterior.model, posterior.paired
    inputs, _ = model.inputs(planned, posterior.coordinates)
    shared, own = factors(posterior, inputs, seed) or (None, None)
    expected, measured = measured_draws(model, posterior.values(), inputs, seed, own, posterior.together)
    if own is not None and shared is not None:
        # What many runs would average has no departure of one of them.
        expected = expected * (shared / own)
    warnings = [*(str(p) for p in posterior.problems()), *distance(posterior, planned)]
    return Prediction(expected, measured, planned, posterior.targets, tuple(warnings))


def distance(posterior: Posterior, planned: Runs, *, bent: bool = True) -> list[str]:
    """Return a sentence for each covariate that lies outside the fitted runs, used by the law or not.

    `bent` says whether the answer allows for the discrepancy, where the model has one.
    """
    found = []
    trust = (
        "the intervals allow for laws bending there as they did in past studies."
        if bent and posterior.model.discrepancy
        else "the intervals take the law for true there, and are too narrow if it bends."
    )
    # Taken from the inputs, where the domains of both are in the same order.
    inputs, _ = posterior.model.inputs(planned, posterior.coordinates)
    groups = measuring(posterior)
    for covariate, column in posterior.model.columns.items():
        fitted, asked = (np.asarray(i.covariates[covariate]) for i in (posterior.inputs, inputs))
        if column == "w":
            found += _mixtures(fitted, asked, posterior.coordinates.domains)
        if column in BY_DOMAIN or fitted.min() <= 0:
            continue  # a label of numbers, of which decades say nothing
        if asked.min() <= 0:
            found.append(
                f"{column} is {asked.min():.3g} in a planned run, from where no decades can be counted: the law is "
                "taken for true there."
            )
        asked = asked[asked > 0]
        each = {posterior.targets[t[0]]: decades_outside(fitted[rows], asked) for t, rows in groups if len(asked)}
        for target, decades in each.items():
            of = f" that measured {target}" if len(set(each.values())) > 1 else ""
            said = (
                f"{column} lies up to {d} decades {side} the fitted runs{of}: {trust}" for side, d in _rounded(decades)
            )
            found += [sentence for sentence in said if sentence not in found]
    found += [
        f"Law {posterior.model.law.name} does not use {symbol}: the answer is for runs like the fitted ones, of "
        f"{symbol} = {spanned(*span)}."
        for symbol, span in unused(posterior, planned).items()
    ]
    found += [
        f"The fitted runs do not say their {symbol}, nor does law {posterior.model.law.name} use it: the answer is for "
        f"runs like them, whatever {symbol} is planned."
        for symbol in unstated(posterior, planned)
    ]
    return found


def _rounded(decades: Sequence[tuple[str, float]]) -> list[tuple[str, str]]:
    return [(side, f"{d:.1f}" if d >= 0.1 else f"{d:.1g}") for side, d in decades]


def _mixtures(fitted: np.ndarray, asked: np.ndarray, domains: Sequence[str]) -> list[str]:
    """Return a sentence if a planned mixture lies outside the fitted ones, shape (observation, domain) both."""
    outside = (asked < fitted.min(axis=0) - ROUNDED) | (asked > fitted.max(axis=0) + ROUNDED)
    if outside.any():
        names = ", ".join(d for d, out in zip(domains, outside.any(axis=0), strict=True) if out)
        return [f"Weights of {names} lie outside those of the fitted runs: the answer rests on the law there."]
    corners = np.unique(fitted, axis=0)
    if all(in_hull(w, corners, ROUNDED) for w in np.unique(asked, axis=0)):
        return []
    return ["A mixture lies outside the convex hull of the fitted mixtures: the answer rests on the law there."]


def decades_outside(fitted: np.ndarray, asked: np.ndarray) -> tuple[tuple[str, float], ...]:
    """Return how many decades numbers asked about lie above and below the fitted ones, where they do."""
    above, below = np.log10(asked.max() / fitted.max()), np.log10(fitted.min() / asked.min())
    return tuple((side, round(float(d), 6)) for side, d in (("above", above), ("below", below)) if d > 0.01)


def spanned(low: float, high: float) -> str:
    """Return a range in words, or the number where there is only one."""
    return f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"


def unused(posterior: Posterior, planned: Runs) -> dict[str, tuple[float, float]]:
    """Return N or D, with their fitted range, where the law does not use them and the planned runs lie outside it."""
    used = posterior.model.uses
    known = set(planned.symbols) & set(posterior.runs.symbols)
    found = {}
    for symbol in ("N", "D"):
        # A link is a law of a response: all else acts through it.
        if symbol not in known or used & {symbol, "C", "M", *posterior.runs.targets}:
            continue
        fitted, asked = posterior.runs.column(symbol), planned.column(symbol)
        if asked.min() < 0.95 * fitted.min() or asked.max() > 1.05 * fitted.max():
            found[symbol] = (float(fitted.min()), float(fitted.max()))
    return found


def unstated(posterior: Posterior, planned: Runs) -> list[str]:
    """Return N or D where planned runs have it, but neither the law nor the fitted runs."""
    used, known = posterior.model.uses, set(posterior.runs.symbols)
    if used & {"C", "M", *posterior.runs.targets}:
        return []
    return [s for s in ("N", "D") if s in planned.symbols and s not in known | used]
