"""Proposal: the runs to do next, and what they are worth to the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.decision.problem import Problem
from bayesmix.decision.value import SURE

# Of the gain: what is left to learn is little below this share.
_LITTLE = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class Proposal:
    """Runs in the order in which to do them, and what they are worth.

    Attributes
    ----------
    table : DataFrame
        One row a run: ``run``, covariates and mixture, ``cost``, and for all runs up to this one ``spent``, ``value``
        and ``se``: what they are expected to save in the objective of the choice, with the standard error of the
        Monte Carlo estimate.
    in_flop : bool
        Whether costs are FLOP; otherwise each run costs 1.
    budget : float
        Not to be exceeded by all costs.
    perfect : tuple of (float, float)
        What it would save to know the law's quantities exactly, and its standard error.
    gain : float
        What the choice gains over the baseline as it stands, for comparison.
    by : {"regret", "information"}
        What the runs were chosen by.
    candidates : int
        How many there were.
    problem : Problem
        The decision.
    model_weights : dict of str to float
        Share of draws from each model.
    warnings : tuple of str
        What to know about it.
    """

    table: pd.DataFrame
    in_flop: bool
    budget: float
    perfect: tuple[float, float]
    gain: float
    by: str
    candidates: int
    problem: Problem
    model_weights: Mapping[str, float]
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Proposal of {len(self.table)} runs, of {self.candidates} candidates, by {self.by}>"

    @property
    def worthwhile(self) -> bool:
        """Whether the runs are known to be worth anything: by more than two standard errors."""
        return len(self.table) > 0 and self.value[0] > SURE * self.value[1]

    @property
    def value(self) -> tuple[float, float]:
        """What all runs are expected to save, and its standard error."""
        if not len(self.table):
            return 0.0, 0.0
        last = self.table.iloc[-1]
        return float(last["value"]), float(last["se"])

    @property
    def enough(self) -> int:
        """How many of the runs bring nine tenths of what all of them do."""
        value = self.table["value"].to_numpy()
        return int(np.argmax(value >= 0.9 * value[-1])) + 1 if len(value) else 0

    def runs(self) -> pd.DataFrame:
        """Return the runs as a table to plan by: without what they cost and are worth."""
        return self.table.drop(columns=["cost", "spent", "value", "se"])

    def sentence(self) -> str:
        """Return the advice."""
        perfect = f"{self.perfect[0]:.2g}"
        if not self.worthwhile:
            return (
                f"None of {self.candidates} candidates within the budget is known to improve the choice: do no more "
                f"small runs for it. Perfect knowledge would be worth {perfect} of the objective."
            )
        count, (value, error) = len(self.table), self.value
        what = f"{count} more run{'s' if count > 1 else ''}"
        if self.in_flop:
            what += f" of {self.table['cost'].sum():.3g} FLOP together"
        said = (
            f"{what[0].upper()}{what[1:]} would be worth {value:.2g} (standard error {error:.1g}) of the objective, "
            f"of the {perfect} that perfect knowledge would be."
        )
        if self.enough < count:
            said += (
                f" The first {self.enough} bring most of it." if self.enough > 1 else " The first brings most of it."
            )
        if self.perfect[0] < _LITTLE * self.gain:
            said += f" The choice as it stands gains {self.gain:.2g} over the baseline: little is left to learn."
        return said
