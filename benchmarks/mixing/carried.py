"""Losses of larger models from those of the same mixtures in the smallest one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bayesmix import Model, Runs, fit, predict
from bayesmix.discrepancy import Discrepancy
from bayesmix.prediction import Prediction

BEFORE, AFTER = "loss.before", "loss.after"


def pairs(small: Runs, table: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return each row of a table with the loss of its mixture in the smallest model, and its own if it has one."""
    columns = [c for c in small.table if c.startswith("w.")]
    smallest = small.table[small.table["N"] == small.table["N"].min()]
    before = smallest.set_index(columns)[target].loc[pd.MultiIndex.from_frame(table[columns])].to_numpy()
    own = {AFTER: table[target].to_numpy()} if target in table else {}
    return pd.DataFrame({"run": table["run"].to_numpy(), BEFORE: before, **own})


def larger(small: Runs) -> pd.DataFrame:
    """Return the few rows of larger models."""
    return small.table[small.table["N"] > small.table["N"].min()]


def line(small: Runs, large: Runs, target: str) -> np.ndarray:
    """Return forecasts by a line of log losses through the few larger models, shape (observation,)."""
    few, asked = pairs(small, larger(small), target), pairs(small, large.table, target)
    return np.exp(np.polyval(np.polyfit(np.log(few[BEFORE]), np.log(few[AFTER]), 1), np.log(asked[BEFORE])))


def by_law(law: str, small: Runs, large: Runs, target: str, bend: Discrepancy) -> Prediction:
    """Return the forecast of a law of one loss from another, fitted with default settings; converged or not."""
    model = replace(Model.read(law), covariates={"L": BEFORE}, targets=(AFTER,))
    posterior = fit(model, Runs.of(pairs(small, larger(small), target)), seed=0).accept().bending(bend)
    asked = pairs(small, large.table, target).drop(columns=AFTER, errors="ignore")
    return predict(posterior, Runs.of(asked, planned=True), seed=0)
