"""What people do today: a point fit with an interval of its residuals, or a bootstrap of the runs.

Both fit the same law as bayesmix does, without its priors; starts are drawn from these. Returned are draws of the
measured response of hidden rows, shape (draw, observation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from objective import DELTA, EXACT, FEW, MANY, Objective

from bayesmix import Model, Runs

STARTS, RESAMPLES, DRAWS = 200, 1000, 4000
RUNS = 10  # so many runs or more are resampled, else their rows

Rival = Callable[..., np.ndarray]


def best(objective: Objective, rng: np.random.Generator, *, delta: float, starts: int = STARTS) -> np.ndarray:
    """Return the best fit to all rows, from many starts."""
    count = len(objective.runs)
    u, values = objective.minimise(objective.starts(rng, starts), np.ones((starts, count)), delta=delta, steps=FEW)
    first = np.argsort(np.where(np.isfinite(values), values, np.inf))[:4]
    u, values = objective.minimise(u[first], np.ones((4, count)), delta=delta, steps=MANY, tolerance=EXACT)
    return u[np.nanargmin(values)]


def bootstrap(model: Model, small: Runs, large: Runs, *, seed: int, resamples: int = RESAMPLES) -> np.ndarray:
    """Refit resampled runs by Huber loss from the best fit to all, and add residuals of that fit to each forecast."""
    rng, objective = np.random.default_rng(seed), Objective(model, small)
    point = best(objective, rng, delta=DELTA)
    counts = resampled(small, rng, resamples)
    u, _ = objective.minimise(np.repeat(point[None], resamples, axis=0), counts, delta=DELTA, steps=FEW)
    forecast = objective.log_means(u, large)
    return np.exp(forecast + rng.choice(objective.residuals(point), forecast.shape))


def resampled(runs: Runs, rng: np.random.Generator, count: int) -> np.ndarray:
    """Return how often each row is drawn: whole runs with replacement, or rows where runs are few."""
    names, run = np.unique(runs.names, return_inverse=True)
    if len(names) < RUNS:
        run = np.arange(len(runs))
    number = run.max() + 1
    return rng.multinomial(number, np.full(number, 1 / number), size=count)[:, run]


def least_squares(model: Model, small: Runs, large: Runs, *, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Fit log residuals by least squares, and take their standard deviation for that of the forecast."""
    rng, objective = np.random.default_rng(seed), Objective(model, small)
    point = best(objective, rng, delta=np.inf)
    residuals = objective.residuals(point)
    sigma = np.sqrt((residuals**2).sum() / max(len(residuals) - len(point), 1))
    forecast = objective.log_means(point[None], large)
    return np.exp(forecast + sigma * rng.standard_normal((draws, forecast.shape[1])))


RIVALS: Mapping[str, Rival] = {"Huber bootstrap": bootstrap, "least squares": least_squares}
