"""Cautions: what to know of a decision before it is followed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix.beyond import ROUNDED, in_hull
from bayesmix.decision.allowed import Allowed
from bayesmix.decision.objective import Objective
from bayesmix.decision.planned import planned_run
from bayesmix.decision.problem import Problem
from bayesmix.errors import listed
from bayesmix.identifiability import scale_facts
from bayesmix.posterior import Posterior
from bayesmix.prediction import spanned, unstated, unused
from bayesmix.residuals import sentence
from bayesmix.runs import Runs


def cautions(
    posteriors: Mapping[str, Posterior],
    shares: Mapping[str, float],
    problem: Problem,
    allowed: Allowed,
    w: np.ndarray,
    baseline: np.ndarray,
    rivals: Mapping[str, np.ndarray],
    observed: np.ndarray,
) -> list[str]:
    """Return what is wrong with posteriors, planned run and mixtures: the chosen one, the baseline, and rivals."""
    found = [
        f"{name}: {p}" for name, posterior in posteriors.items() if shares[name] > 0.01 for p in posterior.problems()
    ]
    blind = sum(shares[n] for n, p in posteriors.items() if "w" not in p.model.columns.values())
    if blind > 0.01:
        found.append(f"{blind:.0%} of the draws come from laws in which the mixture does not matter.")
    found += _unused(posteriors, problem)
    outside = [
        name for name, mixture in (("mixture", w), ("baseline", baseline)) if not in_hull(mixture, observed, ROUNDED)
    ]
    if outside:
        lies = "lies" if len(outside) == 1 else "lie"
        found.append(
            f"The {' and the '.join(outside)} {lies} outside the convex hull of the fitted mixtures: the answer rests "
            "on the law there."
        )
    if not allowed.holds(baseline):
        found.append("The baseline does not satisfy the constraints itself: some of the gain may be out of reach.")
    if forbidden := [name for name, mixture in rivals.items() if not allowed.holds(mixture)]:
        found.append(f"{listed(forbidden)}, compared with the choice, may not be trained: the constraints forbid it.")
    return found


def together(posteriors: Mapping[str, Posterior], stated: Objective) -> list[str]:
    """Say whose targets err together, if the objective adds targets."""
    if stated.form.combine != "mean":
        return []
    found = {n: sentence(posteriors[n], stated.weights[0][: len(posteriors[n].targets)]) for n in stated.counts}
    return [f"{name}: {said}" for name, said in found.items() if said]


def untold_sizes(fitted: Runs) -> list[str]:
    """Say why N and D, chosen for a budget, may rest on the priors, if the fitted runs do not tell their effects apart.

    The regret of a decision is that of the mixture alone.
    """
    return [
        f"{fact} The N and D chosen rest on the priors. The expected regret is that of the mixture at these sizes: "
        "that of N and D comes on top."
        for fact in scale_facts(fitted)
    ]


def uncertain_optima(residual: float, gain: float, uncertain: int, draws: int) -> list[str]:
    """Say what the optima, of the risk and of so many of the draws, are not certified to be."""
    found = []
    if residual > 0.01 * abs(gain) + 1e-6:
        found.append(
            f"The optimum is not certified: to first order another mixture could be better by up to {residual:.2g}."
        )
    if uncertain > 0.01 * draws:
        found.append(f"The own optima of {uncertain} of {draws} draws are not certified: regret may be larger.")
    return found


def _unused(posteriors: Mapping[str, Posterior], problem: Problem) -> list[str]:
    """Return a sentence for N or D of the planned run if no law here can say what it changes."""
    planned = {n: planned_run(p, problem, p.runs.domains) for n, p in posteriors.items()}
    each = [unused(p, planned[n]) for n, p in posteriors.items()]
    unknown = [set(unstated(p, planned[n])) for n, p in posteriors.items()]
    return [
        f"The fitted runs do not say their {symbol}, nor does any law here use it: that this is the best mixture at "
        f"{symbol} = {float(problem.planned[symbol]):.3g} is an assumption."
        for symbol in sorted(set.intersection(*unknown))
    ] + [
        f"No law here uses {symbol}: this is the best mixture for runs like the fitted ones, of {symbol} = "
        f"{spanned(*span)}. That it stays the best at {symbol} = {float(problem.planned[symbol]):.3g} is an assumption."
        for symbol, span in each[0].items()
        if all(symbol in other for other in each)
    ]
