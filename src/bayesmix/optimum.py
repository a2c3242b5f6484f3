"""compute_optimal(): how to split a compute budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.beyond import factors
from bayesmix.covariates import signs
from bayesmix.errors import BayesmixError, listed
from bayesmix.evaluation import expected_draws
from bayesmix.grids import grid
from bayesmix.parabola import vertex
from bayesmix.posterior import Posterior
from bayesmix.prediction import decades_outside

# Tokens per parameter are searched for the optimum between these.
_LEAST, _MOST = 1e-6, 1e8


@dataclass(frozen=True, eq=False, repr=False)
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

    def __repr__(self) -> str:
        return f"<Optimum at {len(self.C)} budgets: {len(self.N)} draws of N and D for {listed(self.targets)}>"

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


def compute_optimal(posterior: Posterior, C: Sequence[float], labels: Mapping[str, str] | None = None) -> Optimum:
    """Find the parameters and tokens of the best response at given compute, C = 6ND.

    The minimum is taken for each draw, over a grid in log N refined by a parabola, so that it holds for any law in
    N and D (or C and D/N).

    Parameters
    ----------
    posterior : Posterior
        Of a law whose covariates are among N, D, C and M.
    C : sequence of float
        Budgets, FLOP.
    labels : mapping of str to str, optional
        Level of each label column that the model pools over, such as ``{"architecture": "moe"}``.

    Raises
    ------
    BayesmixError
        The law needs something else, or not both N and D; or a label is missing.
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
    labels = labels or {}
    results = [_optimum_at(posterior, float(budget), labels) for budget in C]
    bends = posterior.model.discrepancy is not None
    N, D, response = (np.stack([r[i] for r in results], axis=1) for i in range(3))
    response = response * _beyond(posterior, N, D, labels)
    warnings = [str(p) for p in posterior.problems()]
    if missing := int(np.isnan(N).any(axis=(1, 2)).sum()):
        warnings.append(
            f"{missing} of {len(N)} draws have no optimum between {_LEAST:g} and {_MOST:g} tokens per parameter."
        )
    warnings += [
        f"C lies up to {decades:.1f} decades {side} the fitted runs: N and D are split as the law has it, taken for "
        f"true there; the response {'allows for laws bending as in past studies' if bends else 'takes it so too'}."
        for side, decades in decades_outside(posterior.runs.column("C"), np.asarray(C, dtype=float))
    ]
    return Optimum(np.asarray(C, dtype=float), N, D, response, posterior.targets, tuple(warnings))


def _beyond(posterior: Posterior, N: np.ndarray, D: np.ndarray, labels: Mapping[str, str]) -> np.ndarray:
    """Return what the discrepancy makes of the response, from draws of allocations, (draw, budget, target)."""
    factor = np.ones(N.shape)
    found = np.isfinite(N).any(axis=0)
    places = list(zip(*np.nonzero(found), strict=True))
    if places:
        rows = {n: [np.nanmedian(v[:, i, j]) for i, j in places] for n, v in (("N", N), ("D", D))}
        names = {"run": [f"budget {i}, target {j}" for i, j in places]}
        planned = grid(posterior, names | rows, labels, "compute-optimal allocations")
        inputs, _ = posterior.model.inputs(planned, posterior.coordinates)
        if bending := factors(posterior, inputs, posterior.seed):
            for k, (i, j) in enumerate(places):
                factor[:, i, j] = bending[1][:, k, j]
    return factor


def _optimum_at(
    posterior: Posterior, budget: float, labels: Mapping[str, str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    per_parameter = np.geomspace(_MOST, _LEAST, 600)
    N = np.sqrt(budget / 6 / per_parameter)
    tried = grid(posterior, {"N": N, "D": budget / 6 / N}, labels, "compute-optimal grid")
    inputs, _ = posterior.model.inputs(tried, posterior.coordinates)
    better = signs(posterior.targets)
    losses = expected_draws(posterior, inputs) * better
    best = losses.argmin(axis=1)
    inside = (best > 0) & (best < len(N) - 1)
    middle = np.clip(best, 1, len(N) - 2)
    at, least = vertex(np.log(N), losses, middle)
    optimal, response = (np.where(inside, v, np.nan) for v in (np.exp(at), least * better))
    return optimal, budget / 6 / optimal, response
