"""What has been computed already: one folder a task, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpyro.distributions import LogNormal
from quantities import Priors, wide
from rivals import RIVALS
from task import Task

from bayesmix import Model, Posterior, compare, extrapolate, fit
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.files import write_whole
from bayesmix.results import load_extrapolation, save

DRAWS = 1000  # of each rival, kept
# The largest runs that may be seen are hidden once more, to learn from them how the law bends: those beyond this share
# of the largest, or beyond this part of the logarithmic range of a curve.
BACKTEST = {"share": 0.3, "part": 0.7}


class Store:
    """Posteriors, extrapolations and rivals' draws of every task, computed when first asked for.

    Parameters
    ----------
    folder : path
        Where they are kept.
    priors : mapping
        What is believed of quantities where a study is left out; see `quantities.left_out`.
    """

    def __init__(self, folder: Path, priors: Priors) -> None:
        self.folder, self.priors = folder, priors

    def model(self, task: Task) -> Model:
        """Return the default model of a task, with priors that its own study did not inform."""
        return task.model(**self._learned(task))

    def _learned(self, task: Task) -> Mapping[str, LogNormal]:
        return self.priors.get((task.table, task.laws[0]), {})

    def place(self, task: Task) -> Path:
        """Return the folder of a task, made if need be."""
        place = self.folder / task.folder
        place.mkdir(parents=True, exist_ok=True)
        return place

    def posterior(self, task: Task) -> Posterior:
        """Return the posterior of the default model given the rows that are not hidden, converged or not."""
        if not self._learned(task):  # the same
            return self.textbook(task, task.laws[0])
        return self._fitted(task, self.model(task), "ours")

    def textbook(self, task: Task, law: str) -> Posterior:
        """Return that of a law with priors that say little."""
        return self._fitted(task, wide(task, law), law.replace(":", "."))

    def _fitted(self, task: Task, model: Model, name: str) -> Posterior:
        path = self.place(task) / f"{name}.nc"
        # A law of this benchmark has to be imported, as it is by now, before a file may name it.
        if path.exists():
            return Posterior.load(path).accept()
        posterior = fit(model, task.split()[0], seed=0)
        posterior.save(path)
        return posterior.accept()

    def backtest(self, task: Task) -> Extrapolation | None:
        """Return how forecasts of the largest rows that are not hidden went, or None where they are too few."""
        path, none = self.place(task) / "backtest.json", self.place(task) / "no_backtest"
        if path.exists():
            return load_extrapolation(path)
        if none.exists():
            return None
        small, _ = task.split()
        cut = dataclasses.replace(task.cut, **{n: BACKTEST[n] for n in BACKTEST if getattr(task.cut, n) is not None})
        at = cut.at(small.column(cut.by))
        inner = dataclasses.replace(task, make=lambda: small.table, cut=cut)
        if at < small.column(cut.by).min() or inner.fault():
            none.touch()
            return None
        found = extrapolate(self.model(task), small, by=cut.by, at=at, seed=0, accept_unconverged=True)
        save(found, path)
        return found

    def draws(self, task: Task, rival: str) -> np.ndarray:
        """Return a rival's predictive draws of the hidden rows."""
        path = self.place(task) / f"{rival.replace(' ', '_')}.npy"
        if not path.exists():
            small, large = task.split()
            drawn = RIVALS[rival](wide(task, task.laws[0]), small, large, seed=0)
            kept = drawn[np.linspace(0, len(drawn) - 1, DRAWS).astype(int)]
            write_whole(path, lambda p: _write(p, kept))
        return np.load(path, allow_pickle=False)

    def best_by_loo(self, task: Task) -> Posterior:
        """Return the posterior of the law that LOO prefers; the default where it cannot be computed."""
        posteriors = {law: self.textbook(task, law) for law in task.laws}
        if len(posteriors) == 1:
            return posteriors[task.laws[0]]
        try:
            return posteriors[str(compare(posteriors).table.index[0])]
        except BayesmixError:
            return posteriors[task.laws[0]]


def _write(path: Path, array: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, array)
