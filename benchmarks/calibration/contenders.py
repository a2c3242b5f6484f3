"""Who takes part: each gives predictive draws of the hidden rows, shape (draw, observation)."""

from __future__ import annotations

import numpy as np
from rivals import RIVALS
from store import DRAWS, Store
from task import Task

from bayesmix import Posterior, predict
from bayesmix.discrepancy import Discrepancy

OURS, INFORMED, TEXTBOOK, BEST = "bayesmix", "bayesmix, backtested", "textbook posterior", "best law by LOO"
CONTENDERS = {
    OURS: "the default law and noise, with priors and the discrepancy learned from all other studies",
    INFORMED: "the same, once the largest rows at hand had been hidden and forecast (`bayesmix extrapolate`)",
    TEXTBOOK: "the same law and noise, with priors that say little, taken for true beyond the rows",
    BEST: "as the textbook, of the law that LOO prefers",
    "Huber bootstrap": "the law by Huber loss, 1,000 resamples, with residual noise",
    "least squares": "the law by least squares, with an interval of its residuals",
}


def forecasts(store: Store, task: Task, learned: Discrepancy) -> dict[str, np.ndarray]:
    """Return the draws of every contender; `learned` is of other studies than the task's."""
    posterior, backtest = store.posterior(task), store.backtest(task)
    ours = posterior.bending(learned)
    found = {
        OURS: _draws(task, ours),
        INFORMED: _draws(task, backtest.informing(ours) if backtest else ours),
        TEXTBOOK: _draws(task, store.textbook(task, task.laws[0]).bending(None)),
        BEST: _draws(task, store.best_by_loo(task).bending(None)),
    }
    return found | {rival: store.draws(task, rival) for rival in RIVALS}


def _draws(task: Task, posterior: Posterior) -> np.ndarray:
    drawn = predict(posterior, task.split()[1], seed=0).measured[:, :, 0]
    return drawn[np.linspace(0, len(drawn) - 1, DRAWS).astype(int)]
