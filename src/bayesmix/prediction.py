"""predict(): what planned runs will reach; compute_optimal(): how to split a compute budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bayesmix.beyond import factors
from bayesmix.covariates import BY_DOMAIN
from bayesmix.errors import BayesmixError
from bayesmix.evaluation import expected_draws, measured_draws
from bayesmix.parabola import vertex
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs

LEVELS = (0.5, 0.8, 0.95)
# Tokens per parameter are searched for the optimum between these.
_LEAST, _MOST = 1e-6, 1e8


@dataclass(frozen=True)
class Prediction:
    """Predictive draws for planned runs.

    One draw's responses of several targets belong together, as do its observations: a function of them, such as a mean
    over targets, is taken draw by draw; see `bayesmix.pairing`.

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

    def table(self, of: Literal["measured", "expected"] = "measured") -> pd.DataFrame:
        """Return median and 50, 80 and 95 % intervals, one row a run and target."""
        draws = getattr(self, of)
        levels = {"median": 0.5}
        for level in LEVELS:
            levels[f"low{level:.0%}"], levels[f"high{level:.0%}"] = (1 - level) / 2, (1 + level) / 2
        quantiles = np.quantile(draws, list(levels.values()), axis=0)
        rows = [
            {"run": run, "target": target, **dict(zip(levels, quantiles[:, i, j].tolist(), strict=True))}
            for i, run in enumerate(self.planned.names)
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
    factor = factors(posterior, inputs, seed)
    expected, measured = measured_draws(model, posterior.values(), inputs, seed, factor, posterior.together)
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
    for covariate, column in posterior.model.columns.items():
        fitted, asked = (np.asarray(i.covariates[covariate]) for i in (posterior.inputs, inputs))
        if column == "w":
            low, high = fitted.min(axis=0), fitted.max(axis=0)
            outside = ((asked < low - 1e-3) | (asked > high + 1e-3)).any(axis=0)
            if outside.any():
                names = ", ".join(d for d, out in zip(posterior.coordinates.domains, outside, strict=True) if out)
                found.append(
                    f"Weights of {names} lie outside those of the fitted runs: the answer rests on the law there."
                )
            continue
        if column in BY_DOMAIN or min(fitted.min(), asked.min()) <= 0:
            continue  # a label of numbers, of which decades say nothing
        above, below = np.log10(asked.max() / fitted.max()), np.log10(fitted.min() / asked.min())
        for decades, side in ((above, "above"), (below, "below")):
            if decades > 0.01:
                found.append(f"{column} lies up to {decades:.1f} decades {side} the fitted runs: {trust}")
    found += [
        f"Law {posterior.model.law.name} does not use {symbol}: the answer is for runs like the fitted ones, of "
        f"{symbol} = {spanned(*span)}."
        for symbol, span in unused(posterior, planned).items()
    ]
    return found


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


@dataclass(frozen=True)
class Optimum:
    """Compute-optimal allocations, as draws.

    Attributes
    ----------
    C : array, shape (budget,)
        Compute budgets, FLOP.
    N, D, response : array, shape (draw, budget, target)
        Parameters, tokens, and what they are expected to reach, with the discrepancy at the median allocation; NaN in
        draws without an optimum.
    targets : tuple of str
        Along the last axis.
    warnings : tuple of str
        Problems inherited, and what else to know.
    """

    C: np.ndarray
    N: np.ndarray
    D: np.ndarray
    response: np.ndarray
    targets: tuple[str, ...]
    warnings: tuple[str, ...]

    def table(self, level: float = 0.9) -> pd.DataFrame:
        """Return medians and central intervals, one row a budget, target and quantity."""
        low, high = (1 - level) / 2, (1 + level) / 2
        rows = []
        for i, budget in enumerate(self.C):
            for j, target in enumerate(self.targets):
                for name, draws in {
                    "N": self.N,
                    "D": self.D,
                    "D/N": self.D / self.N,
                    "response": self.response,
                }.items():
                    found = draws[:, i, j][np.isfinite(draws[:, i, j])]
                    quantiles = np.quantile(found, [0.5, low, high]) if len(found) else [np.nan] * 3
                    labels = ("median", f"low{level:.0%}", f"high{level:.0%}")
                    rows.append(
                        {
                            "C": budget,
                            "target": target,
                            "quantity": name,
                            **dict(zip(labels, quantiles, strict=True)),
                        }
                    )
        return pd.DataFrame(rows)


def compute_optimal(posterior: Posterior, C: Sequence[float]) -> Optimum:
    """Find parameters and tokens that minimise the response at given compute, C = 6ND.

    The minimum is taken for each draw, over a grid in log N refined by a parabola, so that it holds for any law in
    N and D (or C and D/N).

    Parameters
    ----------
    posterior : Posterior
        Of a law whose covariates are among N, D, C and M.
    C : sequence of float
        Budgets, FLOP.

    Raises
    ------
    BayesmixError
        The law needs something else, or not both N and D.
    NotConvergedError
        The posterior has not converged.
    """
    posterior.require_converged()
    needs = set(posterior.model.columns.values())
    if not (needs >= {"N", "D"} or needs >= {"C", "M"}) or not needs <= {"N", "D", "C", "M"}:
        raise BayesmixError(
            f"law {posterior.model.law.name} is one of {', '.join(sorted(needs)) or 'nothing'}: a compute-optimal N "
            "and D needs a law of N and D alone. Use chinchilla, kaplan_nd or gadre_overtraining"
        )
    if not len(C) or not all(0 < float(budget) < np.inf for budget in C):
        raise BayesmixError(f"compute budgets are {list(C)}: give at least one, each a finite number of FLOP above 0")
    results = [_optimum_at(posterior, float(budget)) for budget in C]
    bends = posterior.model.discrepancy is not None
    N, D, response = (np.stack([r[i] for r in results], axis=1) for i in range(3))
    response = response * _beyond(posterior, N, D)
    warnings = [str(p) for p in posterior.problems()]
    if missing := int(np.isnan(N).any(axis=(1, 2)).sum()):
        warnings.append(
            f"{missing} of {len(N)} draws have no optimum between {_LEAST:g} and {_MOST:g} tokens per parameter."
        )
    fitted = posterior.runs.column("C")
    if (decades := np.log10(max(C) / fitted.max())) > 0.01:
        warnings.append(
            f"C lies up to {decades:.1f} decades above the fitted runs: N and D are split as the law has it, taken for "
            f"true there; the response {'allows for laws bending as in past studies' if bends else 'takes it so too'}."
        )
    return Optimum(np.asarray(C, dtype=float), N, D, response, posterior.targets, tuple(warnings))


def _beyond(posterior: Posterior, N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Return what the discrepancy makes of the response, from draws of allocations, (draw, budget, target)."""
    factor = np.ones(N.shape)
    found = np.isfinite(N).any(axis=0)
    places = list(zip(*np.nonzero(found), strict=True))
    if places:
        rows = [{"N": np.nanmedian(N[:, i, j]), "D": np.nanmedian(D[:, i, j])} for i, j in places]
        planned = Runs.of(pd.DataFrame(rows), planned=True, source="compute-optimal allocations")
        inputs, _ = posterior.model.inputs(planned, posterior.coordinates)
        if (bent := factors(posterior, inputs, posterior.seed)) is not None:
            for k, (i, j) in enumerate(places):
                factor[:, i, j] = bent[:, k, j]
    return factor


def _optimum_at(posterior: Posterior, budget: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    per_parameter = np.geomspace(_MOST, _LEAST, 600)
    N = np.sqrt(budget / 6 / per_parameter)
    grid = Runs.of(pd.DataFrame({"N": N, "D": budget / 6 / N}), planned=True, source="compute-optimal grid")
    inputs, _ = posterior.model.inputs(grid, posterior.coordinates)
    losses = expected_draws(posterior, inputs)
    best = losses.argmin(axis=1)
    inside = (best > 0) & (best < len(N) - 1)
    middle = np.clip(best, 1, len(N) - 2)
    at, least = vertex(np.log(N), losses, middle)
    optimal, response = (np.where(inside, v, np.nan) for v in (np.exp(at), least))
    return optimal, budget / 6 / optimal, response
