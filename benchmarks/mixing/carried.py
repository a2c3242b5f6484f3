"""Losses of larger models from those of the same mixtures in the smallest one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bayesmix import Model, Runs, fit, predict
from bayesmix.discrepancy import Discrepancy
from bayesmix.prediction import Prediction

BEFORE, AFTER = "loss.before", "loss.after"


def pairs(small: Runs, large: Runs, target: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the few larger runs that are fitted, and those to forecast, each beside its mixture's smallest model."""
    columns = [c for c in small.table if c.startswith("w.")]
    smallest = small.table["N"] == small.table["N"].min()
    known = small.table[smallest].set_index(columns)[target]

    def paired(table: pd.DataFrame) -> pd.DataFrame:
        before = known.loc[pd.MultiIndex.from_frame(table[columns])].to_numpy()
        return pd.DataFrame({"run": table["run"].to_numpy(), BEFORE: before, AFTER: table[target].to_numpy()})

    return paired(small.table[~smallest]), paired(large.table)


def line(small: Runs, large: Runs, target: str) -> np.ndarray:
    """Return forecasts by a line of log losses through the few larger models, shape (observation,)."""
    few, asked = pairs(small, large, target)
    return np.exp(np.polyval(np.polyfit(np.log(few[BEFORE]), np.log(few[AFTER]), 1), np.log(asked[BEFORE])))


def by_law(law: str, small: Runs, large: Runs, target: str, bend: Discrepancy) -> Prediction:
    """Return the forecast of a law of one loss from another, fitted with default settings; converged or not."""
    few, asked = (Runs.of(table) for table in pairs(small, large, target))
    model = replace(Model.read(law), covariates={"L": BEFORE}, targets=(AFTER,))
    return predict(fit(model, few, seed=0).accept().bending(bend), asked, seed=0)
