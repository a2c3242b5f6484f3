"""Decision: the chosen mixture with its evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.decision.problem import Problem
from bayesmix.decision.risk import Risk
from bayesmix.errors import listed

_SAME = 1e-6  # of the objective, within which mixtures are equally good


@dataclass(frozen=True)
class Under:
    """What would be chosen if a single law, or no discrepancy, were believed.

    Attributes
    ----------
    mixture : array, shape (domain,)
        Of least risk under it.
    gain, chosen_gain : float
        Risk of the baseline less that of this mixture, and less that of the chosen one, both under it.
    """

    mixture: np.ndarray
    gain: float
    chosen_gain: float


@dataclass(frozen=True, eq=False, repr=False)
class Decision:
    """A mixture and the evidence for it.

    Attributes
    ----------
    domains : tuple of str
        Along every mixture.
    mixture : array, shape (domain,)
        Of least risk among those allowed.
    baseline : array, shape (domain,)
        What it is compared with.
    objective, baseline_objective : array, shape (draw,)
        Objective of the two in the same draws; smaller is better.
    compared : dict of str to array, shape (draw,)
        Objective of the other named candidates.
    optima : array, shape (own, domain)
        The best mixture of single draws: where the optimum may lie.
    regret : array, shape (own,)
        What is lost, in those draws, by choosing `mixture` instead of their own optimum.
    near : tuple of two arrays, shape (domain,)
        Least and greatest weight of a domain, the others at their best for it, among mixtures that lose at most
        `near_loss`. What was found: the true range may be a little wider.
    near_loss : float
        The problem's share `near` of the risk that is gained over the baseline.
    corrected_gain : float
        Expected gain of the procedure on draws that it did not choose by: the mixture is chosen on one half of the
        draws and its gain taken on the other, both ways round. This corrects for choosing on a finite sample of draws.
        It does not correct for the law: under the model the expected gain of the best mixture is unbiased, however it
        was chosen, since the posterior has allowed for noise already; but if the law is wrong where the optimum lies,
        both numbers are wrong alike. See `under`, and the discrepancy.
    kkt_residual : float
        Certificate of the optimum, in units of the objective: to first order no mixture that is allowed is better by
        more. See `bayesmix.decision.optimise`.
    candidate_gap : float
        Risk of the best random or observed mixture, less that of the chosen one: not negative.
    under : dict of str to Under
        What each law alone would have chosen, of several, and what "no discrepancy" would, where there is one.
    observed : tuple of array
        Least and greatest weight among the fitted runs.
    model_weights : dict of str to float
        Share of draws from each model.
    counts : dict of str to int
        Draws of each model, which follow one another in this order.
    problem : Problem
        What was asked, with the planned N and D that were chosen if it has a budget.
    sizes : DataFrame
        Where N and D were chosen: ``N``, ``D``, the least ``risk`` there, and the ``regret`` of choosing it: what is
        lost to the best size of each draw; by few draws, of every size tried.
    warnings : tuple of str
        Problems inherited, and where the answer leaves the fitted runs.
    targets : tuple of str
        What laws and links predicted.
    own_objective : bool
        Whether a function given in Python made one objective of them, in place of the problem's weights.
    """

    domains: tuple[str, ...]
    mixture: np.ndarray
    baseline: np.ndarray
    objective: np.ndarray
    baseline_objective: np.ndarray
    compared: dict[str, np.ndarray]
    optima: np.ndarray
    regret: np.ndarray
    near: tuple[np.ndarray, np.ndarray]
    near_loss: float
    corrected_gain: float
    kkt_residual: float
    candidate_gap: float
    under: dict[str, Under]
    observed: tuple[np.ndarray, np.ndarray]
    model_weights: dict[str, float]
    counts: dict[str, int]
    problem: Problem
    sizes: pd.DataFrame
    warnings: tuple[str, ...]
    targets: tuple[str, ...] = ()
    own_objective: bool = False

    def __repr__(self) -> str:
        weights = listed([f"{d} {w:.1%}" for d, w in zip(self.domains, self.mixture, strict=True)], most=8)
        return f"<Decision {weights}: gain {self.gain.mean():.3g}, better with probability {self.p_better:.2f}>"

    @property
    def gain(self) -> np.ndarray:
        """Objective saved against the baseline, draw by draw; positive is better."""
        return self.baseline_objective - self.objective

    @property
    def p_better(self) -> float:
        """Probability that the mixture beats the baseline."""
        return float((self.gain > 0).mean())

    @property
    def risk(self) -> Risk:
        """What of the objective's draws was minimised."""
        return Risk.of(self.problem.risk)

    def some_optima(self, count: int) -> np.ndarray:
        """Return the best mixtures of so many of the draws, evenly spaced, shape (count, domain)."""
        return self.optima[np.linspace(0, len(self.optima) - 1, count).round().astype(int)]

    def table(self, level: float = 0.9) -> pd.DataFrame:
        """Return weight, credible interval of the optimal weight, range of nearly as good ones, baseline, and range
        observed, one row a domain.
        """  # noqa: D205
        low, high = np.quantile(self.optima, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return pd.DataFrame(
            {
                "domain": self.domains,
                "weight": self.mixture,
                f"low{level:.0%}": low,
                f"high{level:.0%}": high,
                "near_low": self.near[0],
                "near_high": self.near[1],
                "baseline": self.baseline,
                "observed_low": self.observed[0],
                "observed_high": self.observed[1],
            }
        )

    def candidates(self, level: float = 0.9) -> pd.DataFrame:
        """Return the named mixtures: risk, gain over the baseline with interval, probability of being the best.

        Draws in which several are equally good, but for how far an optimum stays off its bounds, are shared among them.
        """
        named = {"chosen": self.objective, "baseline": self.baseline_objective, **self.compared}
        draws = np.stack(list(named.values()))
        least = draws.min(axis=0)
        best = draws <= least + _SAME * abs(least)
        gains = self.baseline_objective - draws
        low, high = np.quantile(gains, [(1 - level) / 2, (1 + level) / 2], axis=1)
        counts = list(self.counts.values())
        return pd.DataFrame(
            {
                "mixture": list(named),
                "risk": [self.risk(each, counts) for each in draws],
                "gain": gains.mean(axis=1),
                f"low{level:.0%}": low,
                f"high{level:.0%}": high,
                "p_best": (best / best.sum(axis=0)).mean(axis=1),
            }
        )

    def alternatives(self) -> pd.DataFrame:
        """Return what each law alone would have gained by its own choice, and what the chosen mixture gains under it.

        ``moved`` is the share of weight that its choice has elsewhere.
        """
        return pd.DataFrame(
            [
                {
                    "under": name,
                    "own_gain": found.gain,
                    "chosen_gain": found.chosen_gain,
                    "moved": float(np.abs(found.mixture - self.mixture).sum() / 2),
                }
                for name, found in self.under.items()
            ],
            columns=["under", "own_gain", "chosen_gain", "moved"],
        )

    def facts(self, level: float = 0.9) -> dict[str, float]:
        """Return the numbers of the decision: expected objectives, gain with interval, chance of gain, regret.

        The expected regret is the expected value of perfect information: what knowing the truth before choosing would
        save on average, where the risk is the mean; that of N and D, where they were chosen, is apart.
        """
        low, high = np.quantile(self.gain, [(1 - level) / 2, (1 + level) / 2])
        counts = list(self.counts.values())
        averse = {
            "risk": self.risk(self.objective, counts),
            "baseline_risk": self.risk(self.baseline_objective, counts),
        }
        return {
            "expected_objective": float(self.objective.mean()),
            "baseline_expected_objective": float(self.baseline_objective.mean()),
            **({} if self.risk.kind == "mean" else averse),
            "gain": float(self.gain.mean()),
            f"gain_low{level:.0%}": float(low),
            f"gain_high{level:.0%}": float(high),
            "corrected_gain": self.corrected_gain,
            "p_better": self.p_better,
            "expected_regret": float(self.regret.mean()),
            **self._regret_of_size(),
            "near_loss": self.near_loss,
            "kkt_residual": self.kkt_residual,
            "candidate_gap": self.candidate_gap,
        }

    def _regret_of_size(self) -> dict[str, float]:
        if "regret" not in self.sizes:
            return {}
        return {"expected_regret_of_N_and_D": float(self.sizes["regret"].iloc[int(self.sizes["risk"].argmin())])}
