"""The answer to a planning question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.errors import listed
from bayesmix.posterior import Posterior
from bayesmix.prediction import distance
from bayesmix.runs import Runs


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """Draws of an answer for every target, and what to know about it.

    Attributes
    ----------
    draws : dict of str to array, shape (draw, case, target)
        By the name of what was asked; infinite where a draw says that nothing tried is enough, NaN where it has no
        answer.
    cases : tuple of str
        Along the second axis: what was asked about.
    targets : tuple of str
        Along the last axis.
    warnings : tuple of str
        Problems inherited, and how far the question lies outside the fitted runs.
    """

    draws: dict[str, np.ndarray]
    cases: tuple[str, ...]
    targets: tuple[str, ...]
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Answer: {listed(list(self.draws))} of {listed(self.cases)}, for {listed(self.targets)}>"

    def table(self, level: float = 0.9) -> pd.DataFrame:
        """Return medians and central intervals over the draws that have an answer, and the share of those that do."""
        quantiles = {"median": 0.5, f"low{level:.0%}": (1 - level) / 2, f"high{level:.0%}": (1 + level) / 2}
        rows = []
        for i, case in enumerate(self.cases):
            for j, target in enumerate(self.targets):
                for name, draws in self.draws.items():
                    found = draws[:, i, j][~np.isnan(draws[:, i, j])]
                    # One of the draws, not a point between two: some may be infinite.
                    ends = {
                        n: float(np.quantile(found, q, method="inverted_cdf")) if len(found) else np.nan
                        for n, q in quantiles.items()
                    }
                    share = float(np.isfinite(draws[:, i, j]).mean())
                    rows.append({"case": case, "target": target, "quantity": name, **ends, "answered": share})
        return pd.DataFrame(rows)


def inherited(posterior: Posterior, planned: Runs) -> list[str]:
    """Return what is wrong with the posterior, and how far outside its runs the planned ones lie."""
    return [*(str(p) for p in posterior.problems()), *distance(posterior, planned, bent=False)]
