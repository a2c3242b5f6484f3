"""decide(): the mixture of least expected objective, with the evidence for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import numpy as np
import pandas as pd
from scipy.optimize import linprog

from bayesmix.averaging import shares
from bayesmix.comparison import require_alike
from bayesmix.decision.objective import Objective, build, planned_run, target_weights
from bayesmix.decision.optimise import minimise, project
from bayesmix.decision.problem import Problem, gather
from bayesmix.errors import BayesmixError
from bayesmix.posterior import Posterior
from bayesmix.precision import in_double
from bayesmix.prediction import unused
from bayesmix.runs import Runs

RANDOM_CANDIDATES = 2000
STARTS = 6
OWN_OPTIMA = 200


@dataclass(frozen=True)
class Decision:
    """A mixture and the evidence for it.

    Attributes
    ----------
    domains : tuple of str
        Along every mixture.
    mixture : array, shape (domain,)
        Minimises the expected objective within the bounds.
    baseline : array, shape (domain,)
        What it is compared with.
    objective, baseline_objective : array, shape (draw,)
        Objective of the two in the same draws; smaller is better.
    optima : array, shape (own, domain)
        The best mixture of single draws: where the optimum may lie.
    regret : array, shape (own,)
        What is lost, in those draws, by choosing `mixture` instead of their own optimum.
    kkt_residual : float
        Certificate of the optimum, in units of the objective per unit of weight.
    candidate_gap : float
        Expected objective of the best random or observed mixture, less that of the chosen one: not negative.
    observed : tuple of array
        Least and greatest weight among the fitted runs.
    model_weights : dict of str to float
        Share of draws from each model.
    problem : Problem
        What was asked.
    warnings : tuple of str
        Problems inherited, and where the answer leaves the fitted runs.
    """

    domains: tuple[str, ...]
    mixture: np.ndarray
    baseline: np.ndarray
    objective: np.ndarray
    baseline_objective: np.ndarray
    optima: np.ndarray
    regret: np.ndarray
    kkt_residual: float
    candidate_gap: float
    observed: tuple[np.ndarray, np.ndarray]
    model_weights: dict[str, float]
    problem: Problem
    warnings: tuple[str, ...]

    @property
    def gain(self) -> np.ndarray:
        """Objective saved against the baseline, draw by draw; positive is better."""
        return self.baseline_objective - self.objective

    @property
    def p_better(self) -> float:
        """Probability that the mixture beats the baseline."""
        return float((self.gain > 0).mean())

    def table(self, level: float = 0.9) -> pd.DataFrame:
        """Return weight, credible interval of the optimal weight, baseline, and range observed, one row a domain."""
        low, high = np.quantile(self.optima, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return pd.DataFrame(
            {
                "domain": self.domains,
                "weight": self.mixture,
                f"low{level:.0%}": low,
                f"high{level:.0%}": high,
                "baseline": self.baseline,
                "observed_low": self.observed[0],
                "observed_high": self.observed[1],
            }
        )

    def facts(self, level: float = 0.9) -> dict[str, float]:
        """Return the numbers of the decision: expected objectives, gain with interval, chance of gain, regret."""
        low, high = np.quantile(self.gain, [(1 - level) / 2, (1 + level) / 2])
        return {
            "expected_objective": float(self.objective.mean()),
            "baseline_expected_objective": float(self.baseline_objective.mean()),
            "gain": float(self.gain.mean()),
            f"gain_low{level:.0%}": float(low),
            f"gain_high{level:.0%}": float(high),
            "p_better": self.p_better,
            "expected_regret": float(self.regret.mean()),
            "kkt_residual": self.kkt_residual,
            "candidate_gap": self.candidate_gap,
        }


@in_double
def decide(
    posteriors: Posterior | Mapping[str, Posterior],
    problem: Problem,
    *,
    seed: int,
    weights: Mapping[str, float] | None = None,
    draws: int = 1000,
) -> Decision:
    """Choose the mixture that minimises the expected objective.

    The draws are held fixed, so that the expectation is a smooth function of the mixture with exact gradients; it is
    minimised from several starts and checked against random and observed mixtures.

    Parameters
    ----------
    posteriors : Posterior or mapping of str to Posterior
        Of the same runs and targets; at least one of a law in w.
    problem : Problem
        Objective, planned run, bounds and baseline.
    seed : int
        Chooses draws and starts.
    weights : mapping of str to float, optional
        Share of each posterior in the draws, scaled to sum to one; by default the stacking weights of `compare`.
    draws : int
        How many.

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
    runs = first.runs
    (low, high), baseline, _ = gather(
        lambda: problem.limits(runs.domains),
        lambda: problem.baseline_mixture(runs.domains),
        lambda: target_weights(first.targets, problem),
    )
    shares = _shares(posteriors, weights)
    key_draws, key_starts = jax.random.split(jax.random.key(seed))
    objective = build(posteriors, shares, problem, draws, key_draws)
    candidates = _candidates(runs, baseline, low, high, key_starts)
    scores = np.array([objective.expected(w)[0] for w in candidates])
    best = minimise(objective.expected, low, high, candidates[np.argsort(scores)[:STARTS]])
    optima, regret = _own_optima(objective, best.w, low, high)
    observed = runs.column("w")
    return Decision(
        domains=runs.domains,
        mixture=best.w,
        baseline=baseline,
        objective=objective.draws(best.w),
        baseline_objective=objective.draws(baseline),
        optima=optima,
        regret=regret,
        kkt_residual=best.kkt_residual,
        candidate_gap=float(scores.min() - best.value),
        observed=(observed.min(axis=0), observed.max(axis=0)),
        model_weights=shares,
        problem=problem,
        warnings=tuple(_warnings(posteriors, shares, problem, best.w, observed)),
    )


def _shares(posteriors: Mapping[str, Posterior], weights: Mapping[str, float] | None) -> dict[str, float]:
    if weights is None:
        return shares(posteriors)
    if set(weights) != set(posteriors):
        raise BayesmixError(
            f"the weights are of {', '.join(weights)}, but the posteriors are {', '.join(posteriors)}. "
            "Give one weight to each, by name; stacking weights come from a comparison of exactly these"
        )
    if not all(weight >= 0 for weight in weights.values()) or not 0 < (total := sum(weights.values())) < np.inf:
        raise BayesmixError(f"the weights are {dict(weights)}: give numbers of at least 0, some above")
    return {name: float(weights[name]) / total for name in posteriors}


def _candidates(runs: Runs, baseline: np.ndarray, low: np.ndarray, high: np.ndarray, key) -> np.ndarray:
    """Return random mixtures, the observed ones and the baseline, all within the bounds."""
    random = np.asarray(jax.random.dirichlet(key, np.ones(len(low)), (RANDOM_CANDIDATES,)))
    observed = np.unique(runs.column("w"), axis=0)
    return np.array([project(w, low, high) for w in (baseline, *observed, *random)])


def _own_optima(
    objective: Objective, start: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    optima, regret = [], []
    for function in objective.single(OWN_OPTIMA):
        own = minimise(function, low, high, start[None])
        optima.append(own.w)
        regret.append(function(start)[0] - own.value)
    return np.array(optima), np.array(regret)


def _warnings(
    posteriors: Mapping[str, Posterior],
    shares: Mapping[str, float],
    problem: Problem,
    w: np.ndarray,
    observed: np.ndarray,
) -> list[str]:
    found = [
        f"{name}: {p}" for name, posterior in posteriors.items() if shares[name] > 0.01 for p in posterior.problems()
    ]
    blind = sum(shares[n] for n, p in posteriors.items() if "w" not in p.model.columns.values())
    if blind > 0.01:
        found.append(f"{blind:.0%} of the draws come from laws in which the mixture does not matter.")
    found += _unused(posteriors, problem)
    if not _in_hull(w, observed):
        found.append(
            "The mixture lies outside the convex hull of the fitted mixtures: the answer rests on the law there."
        )
    return found


def _unused(posteriors: Mapping[str, Posterior], problem: Problem) -> list[str]:
    """Return a sentence for N or D of the planned run if no law here can say what it changes."""
    each = [unused(p, planned_run(p, problem, p.runs.domains)) for p in posteriors.values()]
    return [
        f"No law here uses {symbol}: this is the best mixture for runs like the fitted ones, of {symbol} = {low:.3g} "
        f"to {high:.3g}. That it stays the best at {symbol} = {float(problem.planned[symbol]):.3g} is an assumption."
        for symbol, (low, high) in each[0].items()
        if all(symbol in other for other in each)
    ]


def _in_hull(w: np.ndarray, observed: np.ndarray) -> bool:
    points = np.unique(observed, axis=0)
    system = np.vstack([points.T, np.ones(len(points))])
    # Slack of 1e-3 in every weight: nearer than that, rounding decides.
    slack = np.vstack([system, -system])
    bound = np.concatenate([np.append(w, 1.0) + 1e-3, -(np.append(w, 1.0) - 1e-3)])
    return bool(linprog(np.zeros(len(points)), A_ub=slack, b_ub=bound, bounds=(0, None)).success)
