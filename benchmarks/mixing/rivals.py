"""Point estimates that people use today, each fitted to one target at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import shared  # noqa: F401, finds the next
from carried import line
from objective import EXACT, FEW, MANY, Objective
from scipy.optimize import least_squares

from bayesmix import Model, Runs

RIDGES = (0.003, 0.01, 0.03, 0.1, 0.3)
FOLDS = 5
HUBER = 0.02  # of Olmix
STARTS = 300  # of Olmix

# Runs to fit, runs to forecast, target: forecasts, shape (observation,).
Rival = Callable[[Runs, Runs, str], np.ndarray]


def covariates(runs: Runs, fitted: Runs) -> np.ndarray:
    """Return weights, and the logarithms of N and D where they vary; shape (observation, covariate)."""
    weights = [runs.table[c] for c in sorted(runs.table) if c.startswith("w.")]
    varying = [s for s in ("N", "D") if s in fitted.table and np.ptp(fitted.column(s)) > 0]
    return np.stack([*weights, *(np.log(runs.column(s)) for s in varying)], axis=1)


def lightgbm(small: Runs, large: Runs, target: str) -> np.ndarray:
    """RegMix: 1,000 rounds at a learning rate of 0.01, without its early stopping on what is to be forecast.

    It has leaves of 20 runs or more. Where that leaves hardly a split, in fewer than 100 runs, a tenth of them do.
    """
    from lightgbm import LGBMRegressor

    leaf = 20 if len(small) >= 100 else max(2, len(small) // 10)
    trees = LGBMRegressor(
        n_estimators=1000, learning_rate=0.01, min_child_samples=leaf, random_state=42, n_jobs=2, verbosity=-1
    )
    fitted = trees.fit(covariates(small, small), small.column(target))
    return np.asarray(fitted.predict(covariates(large, small)))


def optimised(law: str, delta: float) -> Rival:
    """Return a fit of a law by Huber or least squares on log losses, from many starts."""

    def rival(small: Runs, large: Runs, target: str) -> np.ndarray:
        objective = Objective(replace(Model.read(law), targets=(target,)), small)
        starts = objective.starts(np.random.default_rng(0), STARTS)
        u, values = objective.minimise(starts, np.ones((STARTS, len(small))), delta=delta, steps=FEW)
        first = np.argsort(np.where(np.isfinite(values), values, np.inf))[:4]
        u, values = objective.minimise(u[first], np.ones((4, len(small))), delta=delta, steps=MANY, tolerance=EXACT)
        return np.exp(objective.log_means(u[[np.nanargmin(values)]], large)[0])

    return rival


def ridge(small: Runs, large: Runs, target: str) -> np.ndarray:
    """E + exp(k + t w) + A (own weight + 0.001)^-a, a ridge on t; its strength by cross-validation on the fitted."""
    x, y, new = covariates(small, small), np.log(small.column(target)), covariates(large, small)
    domains = sorted(c.removeprefix("w.") for c in small.table if c.startswith("w."))
    name = target.split(".", 1)[1]
    own = domains.index(name) if name in domains else None
    centre = x.mean(axis=0)

    def mean(u: np.ndarray, x: np.ndarray) -> np.ndarray:
        floor, k, amplitude, exponent, t = np.exp(u[0]), u[1], np.exp(u[2]), np.exp(u[3]), u[4:]
        power = 0.0 if own is None else amplitude * (x[:, own] + 1e-3) ** -exponent
        return floor + np.exp(np.clip(k + (x - centre) @ t, -50, 50)) + power

    def fitted(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
        scale = np.exp(y.mean())
        penalty = np.sqrt(strength * len(y)) * 0.01

        def residuals(u: np.ndarray) -> np.ndarray:
            return np.concatenate([np.log(mean(u, x)) - y, penalty * u[4:], 0.01 * (u[:4] - begin[:4])])

        best = None
        for share in (0.3, 0.6, 0.85):
            begin = np.array([np.log(share * scale), np.log((1 - share) * scale / 2), np.log(0.1 * scale), -1.0])
            begin = np.concatenate([begin, np.zeros(x.shape[1])])
            found = least_squares(residuals, begin, x_scale=np.r_[1, 1, 1, 1, np.full(x.shape[1], 3.0)], max_nfev=200)
            if best is None or found.cost < best.cost:
                best = found
        assert best is not None
        return best.x

    fold = np.random.default_rng(0).permutation(len(y)) % FOLDS
    errors = [
        sum(
            np.square(np.log(mean(fitted(x[fold != f], y[fold != f], s), x[fold == f])) - y[fold == f]).sum()
            for f in range(FOLDS)
        )
        for s in RIDGES
    ]
    return mean(fitted(x, y, RIDGES[int(np.argmin(errors))]), new)


TREES, LOG_LINEAR, RIDGE = "LightGBM (RegMix)", "log-linear, Huber (Olmix)", "exponential and own power, ridge"
ADDITIVE, JOINT = "Shukor additive, least squares", "Shukor joint, least squares"
LINE = "line through losses of the same mixtures"
RIVALS: Mapping[str, Rival] = {
    TREES: lightgbm,
    LOG_LINEAR: optimised("olmix_loglinear", HUBER),
    RIDGE: ridge,
    ADDITIVE: optimised("shukor_additive", np.inf),
    JOINT: optimised("shukor_joint", np.inf),
    LINE: line,
}
