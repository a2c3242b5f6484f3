"""decide(): the mixture of least risk, with the evidence for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmix import averaging
from bayesmix.comparison import require_alike
from bayesmix.covariates import signs
from bayesmix.decision import evidence
from bayesmix.decision.allowed import Allowed
from bayesmix.decision.budget import afford, first_sizes
from bayesmix.decision.cautions import cautions, together, uncertain_optima, untold_sizes
from bayesmix.decision.constraints import choices
from bayesmix.decision.decision import Decision
from bayesmix.decision.objective import Objective, build, every_target, target_weights
from bayesmix.decision.problem import Problem, gather
from bayesmix.decision.risk import WORST_LAW, Risk
from bayesmix.errors import BayesmixError
from bayesmix.linking import Link, arranged
from bayesmix.posterior import Posterior
from bayesmix.precision import in_double

RANDOM_CANDIDATES = 1000
STARTS = 4
OWN_OPTIMA = 500
FEW_DRAWS = 200  # for each size that a budget is tried on


@in_double
def decide(
    posteriors: Posterior | Mapping[str, Posterior],
    problem: Problem,
    *,
    seed: int,
    weights: Mapping[str, float] | None = None,
    draws: int = 1000,
    objective: Callable[[Any], Any] | None = None,
    links: Sequence[Posterior] = (),
) -> Decision:
    """Choose the mixture that minimises the risk of the objective.

    The draws are held fixed, so that the risk is a function of the mixture with exact derivatives; it is minimised from
    several starts, with a certificate, and checked against random and observed mixtures.

    Parameters
    ----------
    posteriors : Posterior or mapping of str to Posterior
        Of the same runs and targets; at least one of a law in w.
    problem : Problem
        Objective, risk, planned run, constraints and baseline.
    seed : int
        Chooses draws and starts.
    weights : mapping of str to float, optional
        Share of each posterior in the draws, scaled to sum to one; by default the stacking weights of `compare`. For
        the risk of the worst law they count for nothing: all have the same share.
    draws : int
        How many.
    objective : callable, optional
        Makes one objective of the targets instead of the problem: responses, shape (draw, target), to an array of
        shape (draw,) of which smaller is better; written with JAX, smooth, and of one draw at a time.
    links : sequence of Posterior
        Of laws that read scores off predicted losses, whose targets the problem may then name; see `bayesmix.linking`.

    Raises
    ------
    BayesmixError
        No law depends on the mixture, or the problem cannot be satisfied.
    NotConvergedError
        A posterior has not converged.
    """
    posteriors = {posteriors.model.name: posteriors} if isinstance(posteriors, Posterior) else dict(posteriors)
    if not any("w" in p.model.columns.values() for p in posteriors.values()):
        raise BayesmixError(
            f"none of the laws ({', '.join(p.model.law.name for p in posteriors.values())}) depends on the mixture w. "
            "Fit a mixing law, e.g. ye_m4"
        )
    require_alike(posteriors)
    first = next(iter(posteriors.values()))
    domains, observed = first.runs.domains, first.runs.column("w")
    read = arranged(links, first.targets)
    targets, sizes = every_target(first, read), pd.DataFrame()
    if problem.budget:
        problem, sizes, weights = _afforded(posteriors, problem, weights, seed, objective, read)
    allowed, baseline, named, risk, _ = gather(
        lambda: choices(problem, domains, observed),
        lambda: problem.baseline_mixture(domains),
        lambda: problem.named(domains),
        lambda: Risk.of(problem.risk),
        lambda: target_weights(targets, problem, objective),
    )
    shares = _shares(posteriors, risk, weights)
    stated = state(posteriors, shares, problem, draws, seed, allowed, objective, read)
    several = {n: p for n, p in posteriors.items() if shares[n] and len(posteriors) > 1}
    laws = {n: build({n: p}, {n: 1.0}, problem, draws, seed, objective, read) for n, p in several.items()}
    laws = {n: replace(law, weights=stated.weights) for n, law in laws.items()}
    candidates = _candidates(allowed, observed, seed)
    scores = stated.risk(stated.draws(allowed.mixtures(candidates)))
    chosen = evidence.best(stated, allowed, candidates[np.argsort(scores)[:STARTS]])
    rivals = {name: w for name, w in named.items() if name != "baseline"}
    found = stated.draws(np.stack([chosen.w[0], baseline, *rivals.values()]))
    value, before = stated.risk(found[:2])
    optima, regret, uncertain = evidence.own_optima(stated, chosen, allowed, OWN_OPTIMA)
    residual = float(chosen.residual[0])
    return Decision(
        domains=domains,
        mixture=chosen.w[0],
        baseline=baseline,
        objective=found[0],
        baseline_objective=found[1],
        compared=dict(zip(rivals, found[2:], strict=True)),
        optima=optima,
        regret=regret,
        near=evidence.near_range(stated, chosen, allowed, problem.near * (before - value)),
        near_loss=float(problem.near * max(before - value, 0.0)),
        corrected_gain=evidence.corrected_gain(stated, chosen, baseline, allowed),
        kkt_residual=residual,
        candidate_gap=float(scores.min() - value),
        under=evidence.under(stated, laws, chosen, baseline, allowed),
        observed=(observed.min(axis=0), observed.max(axis=0)),
        model_weights=shares,
        counts=dict(stated.counts),
        problem=problem,
        sizes=sizes,
        warnings=(
            *cautions(posteriors, shares, problem, allowed, chosen.w[0], baseline, rivals, observed),
            *evidence.outside_links(stated, chosen, read),
            *together(posteriors, stated),
            *(untold_sizes(first.runs) if len(sizes) else []),
            *_at_an_end(sizes),
            *uncertain_optima(residual, float(before - value), uncertain, len(regret)),
        ),
        targets=targets,
        own_objective=objective is not None,
    )


def state(
    posteriors: Mapping[str, Posterior],
    shares: Mapping[str, float],
    problem: Problem,
    draws: int,
    seed: int,
    allowed: Allowed,
    objective: Callable[[Any], Any] | None = None,
    links: Sequence[Link] = (),
) -> Objective:
    """Return the objective over draws, with the best that each target could reach if the problem asks for that."""
    stated = build(posteriors, shares, problem, draws, seed, objective, links)
    if problem.combine != "worst excess" or objective is not None:
        return stated
    return replace(stated, weights=(stated.weights[0], evidence.least_responses(stated, allowed)))


def shares_of(posteriors: Mapping[str, Posterior], weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the share of each posterior in the draws: its weight, or by default what `compare` gives it.

    Raises
    ------
    BayesmixError
        The weights are of other posteriors, or are none.
    """
    if weights is None:
        return averaging.shares(posteriors)
    if set(weights) != set(posteriors):
        raise BayesmixError(
            f"the weights are of {', '.join(weights)}, but the posteriors are {', '.join(posteriors)}. "
            "Give one weight to each, by name; stacking weights come from a comparison of exactly these"
        )
    if not all(weight >= 0 for weight in weights.values()) or not 0 < (total := sum(weights.values())) < np.inf:
        raise BayesmixError(f"the weights are {dict(weights)}: give numbers of at least 0, some above")
    return {name: float(weights[name]) / total for name in posteriors}


def _shares(posteriors: Mapping[str, Posterior], risk: Risk, weights: Mapping[str, float] | None) -> dict[str, float]:
    return shares_of(posteriors, dict.fromkeys(posteriors, 1.0) if risk.kind == WORST_LAW else weights)


def _afforded(
    posteriors: Mapping[str, Posterior],
    problem: Problem,
    weights: Mapping[str, float] | None,
    seed: int,
    objective: Callable[[Any], Any] | None,
    links: Sequence[Link],
) -> tuple[Problem, pd.DataFrame, dict[str, float]]:
    """Choose planned N and D for the problem's budget, by the least risk of any mixture: few draws, one start.

    Returns the problem at that size, all sizes tried, and the share of each posterior.
    """
    first = next(iter(posteriors.values()))
    observed = first.runs.column("w")
    targets = every_target(first, links)
    risk, _ = gather(lambda: Risk.of(problem.risk), lambda: target_weights(targets, problem, objective))
    shares = _shares(posteriors, risk, weights)

    def stated_at(size: Problem) -> tuple[Objective, Allowed]:
        allowed = choices(size, first.runs.domains, observed)
        return build(posteriors, shares, size, FEW_DRAWS, seed, objective, links), allowed

    # An excess over the best at the same size would praise sizes at which all targets are equally bad: of all sizes it
    # is over the best at any.
    bests = []
    for size in first_sizes(problem) if problem.combine == "worst excess" and objective is None else ():
        with suppress(BayesmixError):  # its constraints may conflict for so many tokens
            bests.append(evidence.least_responses(*stated_at(size)))
    better = signs(targets)
    common = better * np.min([better * best for best in bests], axis=0) if bests else 0.0

    def least(size: Problem) -> tuple[float, np.ndarray]:
        stated, allowed = stated_at(size)
        stated = replace(stated, weights=(stated.weights[0], stated.weights[1] + common))
        chosen = evidence.best(stated, allowed, _candidates(allowed, observed, seed)[:1])
        draws = stated.draws(chosen.w)
        return float(stated.risk(draws)[0]), draws[0]

    return *afford({n: p for n, p in posteriors.items() if shares[n]}, problem, least), shares


def _at_an_end(sizes: pd.DataFrame) -> list[str]:
    if not len(sizes) or 0 < (k := int(sizes["risk"].argmin())) < len(sizes) - 1:
        return []
    return [f"Of the sizes tried the {'smallest' if k == 0 else 'largest'} is best: N lies at the end of the search."]


def _candidates(allowed: Allowed, observed: np.ndarray, seed: int) -> np.ndarray:
    """Return shares of random mixtures and of the observed ones, all moved into what is allowed."""
    size, domains = allowed.corners.shape
    # Of many corners few at a time: the mean of all would be everywhere the same.
    random = np.random.default_rng(seed).dirichlet(np.full(size, domains / size), RANDOM_CANDIDATES)
    fitted = np.unique(observed, axis=0) if size == domains else np.eye(size)
    return allowed.pull(np.concatenate([fitted, random]))
