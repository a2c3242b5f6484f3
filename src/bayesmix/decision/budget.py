r"""Budget: N and D of the planned run, chosen together with the mixture, where compute is given instead.

$$6 N D + 2 N T = C$$

with T the tokens to be served, 0 for training alone. For every N tried, D is what is left, and the mixture the best
one there, so that availability, which depends on D, counts too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from bayesmix.decision.problem import Problem
from bayesmix.errors import BayesmixError, listed
from bayesmix.parabola import vertex
from bayesmix.posterior import Posterior

_LEAST, _MOST = 0.1, 1e4  # tokens per parameter that are thought of
_FIRST, _ROUNDS = 9, 3  # sizes tried all over the range, and how often the steps either side of the best are halved
_DIGITS = 3  # of N


def afford(
    posteriors: Mapping[str, Posterior], problem: Problem, least: Callable[[Problem], tuple[float, np.ndarray]]
) -> tuple[Problem, pd.DataFrame]:
    """Return the problem with the planned N and D of least risk, and the sizes tried: N, D, risk and regret.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Those that have a share in the draws.
    problem : Problem
        With a budget.
    least : callable
        Least risk that any mixture reaches for a problem with planned N and D, and the objective's draws there.

    Raises
    ------
    BayesmixError
        A law does not use N and D, so that it would take the cheapest run for as good as any; or what is wrong with the
        problem at every size.
    """
    blind = [n for n, p in posteriors.items() if not {"N", "D"} <= set(p.model.columns.values())]
    if blind:
        raise BayesmixError(
            f"N and D cannot be chosen for a budget: {listed(blind)} does not use both. Take laws of w, N and D, such "
            "as effective_tokens_nd, or state planned N and D"
        )
    tried: dict[float, float] = {}
    draws: dict[float, np.ndarray] = {}
    refused: list[BayesmixError] = []
    sizes = _first(problem)
    for _ in range(1 + _ROUNDS):
        for N in sizes:
            try:
                tried[N], draws[N] = least(sized(problem, N))
            except BayesmixError as error:  # its constraints may conflict for so many tokens
                refused.append(error)
                tried[N] = np.inf
        order = sorted(tried)
        best = order.index(min(tried, key=lambda N: tried[N]))
        sizes = [(a * b) ** 0.5 for a, b in pairwise(order[max(best - 1, 0) : best + 2])]
    if not np.isfinite(tried[order[best]]):
        raise refused[-1]
    N = order[best]
    if 0 < best < len(order) - 1:
        risks = np.array([tried[n] for n in order])
        at, _ = vertex(np.log(order), risks[None, :, None], np.array([[best]]))
        N = float(np.exp(at.item()))
    lowest = np.min(list(draws.values()), axis=0)
    regret = {n: float((draws[n] - lowest).mean()) if n in draws else np.inf for n in order}
    table = pd.DataFrame([{"N": n, "D": tokens(problem, n), "risk": tried[n], "regret": regret[n]} for n in order])
    return sized(problem, float(f"{N:.{_DIGITS}g}")), table


def first_sizes(problem: Problem) -> list[Problem]:
    """Return the problem at the sizes that are tried first, all over the range."""
    return [sized(problem, N) for N in _first(problem)]


def tokens(problem: Problem, N: float) -> float:
    """Return the training tokens that the budget leaves a model of this size."""
    return (problem.budget["C"] / N - 2 * problem.budget.get("served", 0.0)) / 6


def sized(problem: Problem, N: float) -> Problem:
    """Return the problem with planned N and D in place of its budget."""
    return replace(problem, planned={**problem.planned, "N": N, "D": tokens(problem, N)}, budget={})


def _first(problem: Problem) -> list[float]:
    return np.geomspace(*_range(problem), _FIRST).tolist()


def _range(problem: Problem) -> tuple[float, float]:
    """Return the sizes that have the most and the least tokens per parameter: 6 r N² + 2 T N = C."""
    served = problem.budget.get("served", 0.0)
    low, high = ((np.hypot(2 * served, np.sqrt(24 * r * problem.budget["C"])) - 2 * served) / (12 * r)
                 for r in (_MOST, _LEAST))  # fmt: skip
    return float(low), float(high)
