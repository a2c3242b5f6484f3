"""extrapolate(): hide the largest runs, fit the others, and see what the intervals were worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.inference import fit
from bayesmix.model import Model
from bayesmix.prediction import Prediction, predict
from bayesmix.runs import Runs

LEVELS = (0.5, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Extrapolation:
    """A forecast of runs that were measured but hidden.

    Attributes
    ----------
    by : str
        The covariate that was split on.
    at : float
        Runs above this were hidden.
    decades : float
        How far the largest hidden run lies above the largest fitted one.
    prediction : Prediction
        Of the hidden runs.
    truth : array, shape (observation, target)
        What was measured; NaN where nothing was.
    warnings : tuple of str
        Problems of the fit.
    """

    by: str
    at: float
    decades: float
    prediction: Prediction
    truth: np.ndarray
    warnings: tuple[str, ...]

    def scores(self) -> pd.DataFrame:
        r"""Return scores of the predictive draws of the log response, one row a target.

        ``runs``; ``coverage50%`` and so on: share of hidden responses inside central intervals; ``bias``: mean of truth
        minus predictive median; ``crps``: $\mathrm{E}|X - y| - \mathrm{E}|X - X'|/2$ (Gneiting and Raftery 2007, eq.
        21); ``interval_score95%``: width plus 40 times the miss (eq. 43). Bias, crps and interval score are in units of
        the log response, about relative errors.
        """
        draws, truth = np.log(self.prediction.measured), np.log(self.truth)
        rows = []
        for j, target in enumerate(self.prediction.targets):
            seen = np.isfinite(truth[:, j])
            rows.append({"target": target, "runs": int(seen.sum()), **_scores(draws[:, seen, j], truth[seen, j])})
        return pd.DataFrame(rows)

    def sentence(self) -> str:
        """Return what this says about the intervals."""
        table = self.scores()
        covered = np.average(table["coverage90%"], weights=table["runs"])
        return (
            f"Fitted on {self.by} up to {self.at:.3g} and asked about up to {self.decades:.1f} decades more, 90 % "
            f"intervals covered {covered:.0%} of {len(np.flatnonzero(np.isfinite(self.truth)))} hidden responses."
        )


def _scores(draws: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    scores: dict[str, float] = {}
    low = high = truth
    for level in LEVELS:
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        scores[f"coverage{level:.0%}"] = float(((low <= truth) & (truth <= high)).mean())
    miss = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)  # of the last and widest level
    ordered = np.sort(draws, axis=0)
    count = len(draws)
    # E|X - X'| over all pairs of draws, from their order.
    ranks = (2 * np.arange(1, count + 1) - count - 1)[:, None]
    spread = 2 * (ranks * ordered).sum(axis=0) / count**2
    scores["bias"] = float((truth - np.median(draws, axis=0)).mean())
    scores["crps"] = float((np.abs(draws - truth).mean(axis=0) - spread / 2).mean())
    scores["interval_score95%"] = float((high - low + 40 * miss).mean())
    return scores


def extrapolate(
    model: Model, runs: Runs, *, by: str = "C", at: float, seed: int, progress: bool = False
) -> Extrapolation:
    """Fit the runs with `by` up to `at`, predict those above it.

    LOO answers "another run like these"; this answers "a larger one".

    Parameters
    ----------
    model : Model
        The model.
    runs : Runs
        All runs.
    by : str
        Covariate that says what is large: C, N or D.
    at : float
        Runs above this are hidden.
    seed : int
        Source of randomness.
    progress : bool
        Show how far the fit is.

    Raises
    ------
    InputError
        One side of the split is empty.
    NotConvergedError
        The fit did not converge.
    """
    small, large = runs.split(by, at=at)
    posterior = fit(model, small, seed=seed, progress=progress)
    prediction = predict(posterior, large, seed=seed)
    columns = [large.column(t) if t in large.targets else np.full(len(large), np.nan) for t in posterior.targets]
    decades = float(np.log10(large.column(by).max() / small.column(by).max()))
    warnings = tuple(str(p) for p in posterior.problems())
    return Extrapolation(by, at, decades, prediction, np.stack(columns, axis=1), warnings)
