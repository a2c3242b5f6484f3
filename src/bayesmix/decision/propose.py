"""propose(): the small runs to do next, by what they are worth to the decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.covariates import is_target
from bayesmix.decision.constraints import choices
from bayesmix.decision.decide import decide, state
from bayesmix.decision.decision import Decision
from bayesmix.decision.outcomes import outcomes
from bayesmix.decision.pool import Pool, candidates, scales_of
from bayesmix.decision.problem import Problem
from bayesmix.decision.proposal import Proposal
from bayesmix.decision.value import Information, Regret, greedy
from bayesmix.errors import BayesmixError
from bayesmix.linking import arranged
from bayesmix.posterior import Posterior
from bayesmix.precision import in_double
from bayesmix.prediction import spanned, unused
from bayesmix.runs import Runs

BY = ("regret", "information")
# Shares of the way from the chosen mixture to the best ones of single draws: what one may come to choose.
_WAY = (0.25, 0.5, 1.0)
_OWN = 48
_LEAST = 400  # draws: a quarter of them fits a regression on all targets


@in_double
def propose(
    posteriors: Posterior | Mapping[str, Posterior],
    problem: Problem,
    *,
    seed: int,
    budget: float = np.inf,
    most: int = 8,
    pool: Runs | None = None,
    at: Sequence[Mapping[str, float | str]] = (),
    by: str = "regret",
    weights: Mapping[str, float] | None = None,
    draws: int = 4000,
    objective: Callable[[Any], Any] | None = None,
    links: Sequence[Posterior] = (),
) -> Proposal:
    """Choose the runs that most improve the choice of the mixture; see `bayesmix.decision.value`.

    Half of the draws choose the runs; the other half say what these are worth.

    Parameters
    ----------
    posteriors, problem, seed, weights, objective, links
        As for `decide`.
    budget : float
        Training FLOP of all runs together.
    most : int
        How many runs at most.
    pool : Runs, optional
        Candidates, with all covariates of the laws; each is done once at most. By default mixtures that fill the
        simplex and those that may turn out to be the best, at several scales.
    at : sequence of mapping
        These scales, e.g. ``{"N": 1e8, "D": 2e9}``, with all columns that the laws know a run's size by; by default
        some of those that were done.
    by : {"regret", "information"}
        Expected regret that the runs save, or what they tell about the law.
    draws : int
        At most so many.

    Raises
    ------
    BayesmixError
        As `decide`; or there is no candidate within the budget, or there are too few draws.
    InputError
        What the candidates lack.
    """
    posteriors = {posteriors.model.name: posteriors} if isinstance(posteriors, Posterior) else dict(posteriors)
    if by not in BY:
        raise BayesmixError(f"runs are to be chosen by {by!r}. Choose one of {', '.join(BY)}")
    if not budget > 0 or most < 1:
        raise BayesmixError(f"the budget is {budget:g} and at most {most} runs are wanted: give more than nothing")
    decision = decide(posteriors, problem, seed=seed, weights=weights, objective=objective, links=links)
    problem = decision.problem  # with N and D, if they were chosen too
    shares = decision.model_weights  # those that were asked for, but for the risk of the worst law
    observed = next(iter(posteriors.values())).runs.column("w")
    allowed = choices(problem, decision.domains, observed)
    if pool is None:
        pool = candidates(posteriors, decision, allowed, at or scales_of(posteriors), seed)
    offered = Pool.of(pool)
    _refuse_other_scales(posteriors, shares, pool)
    if np.isfinite(budget) and not offered.in_flop:
        raise BayesmixError(
            "neither the fitted runs nor the candidates say their N and D, so that nobody knows what a run costs. Give "
            "N and D of candidates, or how many runs at most in place of a budget"
        )
    offered = _affordable(offered, budget)
    read = arranged(links, next(iter(posteriors.values())).targets)
    stated = state(posteriors, shares, problem, draws, seed, allowed, objective, read)
    if (total := sum(stated.counts.values())) < _LEAST:
        raise BayesmixError(f"there are {total} draws to judge candidates by. Ask for {_LEAST}, or more")
    choosable = stated.draws(_choosable(decision)).T
    expected, measured = outcomes(posteriors, stated.counts, offered.runs, seed)
    choosing, judging = np.arange(0, total, 2), np.arange(1, total, 2)
    one, other = choosing[::2], choosing[1::2]
    worth = (
        Regret.of(choosable, measured, [(one, other), (other, one)])
        if by == "regret"
        else Information.of(expected[choosing], measured[choosing])
    )
    taken = greedy(worth, offered.cost, budget, most)
    value = _values(choosable, measured[:, taken], (choosing, judging))
    return Proposal(
        table=_table(offered, taken, value),
        in_flop=offered.in_flop,
        budget=float(budget),
        perfect=_mean(decision.regret),
        gain=float(decision.gain.mean()),
        by=by,
        candidates=len(offered.cost),
        problem=problem,
        model_weights=shares,
        warnings=_warnings(decision),
    )


def _refuse_other_scales(posteriors: Mapping[str, Posterior], shares: Mapping[str, float], pool: Runs) -> None:
    """Raise an error if a law would take a run of another size for one like the fitted ones, as if it told as much."""
    for posterior in (p for n, p in posteriors.items() if shares[n]):
        for symbol, span in unused(posterior, pool).items():
            raise BayesmixError(
                f"law {posterior.model.law.name} does not use {symbol}, and cannot say what runs tell whose {symbol} "
                f"is not {spanned(*span)}. Offer runs like the fitted ones, or fit a law that does, such as "
                "effective_tokens_nd"
            )


def _affordable(pool: Pool, budget: float) -> Pool:
    kept = pool.cost <= budget
    if not kept.any():
        raise BayesmixError(
            f"no candidate costs less than the budget of {budget:.3g}; the cheapest costs {pool.cost.min():.3g}. "
            "Raise the budget, or offer smaller runs"
        )
    return Pool(pool.runs.rows(kept), pool.cost[kept], pool.in_flop)


def _choosable(decision: Decision) -> np.ndarray:
    """Return mixtures that one may come to choose, shape (mixture, domain); all are allowed if the chosen one is."""
    own = decision.some_optima(_OWN)
    ways = [decision.mixture + share * (own - decision.mixture) for share in _WAY]
    return np.unique(np.concatenate([decision.mixture[None], *ways]), axis=0)


def _values(
    choosable: np.ndarray, measured: np.ndarray, split: tuple[np.ndarray, np.ndarray]
) -> list[tuple[float, float]]:
    """Return what the runs up to each are worth, with the standard error."""
    worth, found = Regret.of(choosable, measured, [split]), []
    for k in range(measured.shape[1]):
        worth = worth.after(k)
        found.append(_mean(worth.saved()))
    return found


def _mean(saved: np.ndarray) -> tuple[float, float]:
    return float(saved.mean()), float(saved.std(ddof=1) / np.sqrt(len(saved)))


def _table(offered: Pool, taken: list[int], value: list[tuple[float, float]]) -> pd.DataFrame:
    """Return the runs taken with all that laws may need of them, what they cost and what they are worth."""
    whole = offered.runs.table
    measured = [name for name in whole if is_target(str(name).removeprefix("items."))]
    # C = 6ND follows by itself from N and D.
    known = {"N", "D", "C"} <= set(whole) and np.allclose(whole["C"], 6 * whole["N"] * whole["D"], rtol=1e-9, atol=0.0)
    left = whole.drop(columns=[*measured, *(["C"] if known else [])])
    table = pd.DataFrame(left.iloc[taken].reset_index(drop=True))
    cost = offered.cost[taken]
    saved, error = np.array(value).reshape(-1, 2).T
    return table.assign(cost=cost, spent=cost.cumsum(), value=saved, se=error)


def _warnings(decision: Decision) -> tuple[str, ...]:
    found = [w for w in decision.warnings if "outside the convex hull" not in w]
    if decision.risk.kind != "mean":
        found.append(f"Runs are valued by the mean of the objective, not by the {decision.risk} that decides.")
    return tuple(found)
