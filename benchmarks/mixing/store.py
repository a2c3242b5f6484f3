"""Forecasts of every task, split and contender, kept in a folder: a run that was stopped goes on where it was."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from rivals import RIVALS, Rival
from splits import Task

from bayesmix import Model, Posterior, Runs, compare, fit, predict
from bayesmix.averaging import average
from bayesmix.files import write_whole
from bayesmix.prediction import Prediction

LEVELS = (0.5, 0.8, 0.9, 0.95)
AVERAGE = "average by stacking"


@dataclass(frozen=True)
class Split:
    """One split of a task, and the folder where its results are kept.

    Parameters
    ----------
    task : Task
        What is asked.
    seed : int
        Of the split.
    results : Path
        Where folders of splits are.
    """

    task: Task
    seed: int
    results: Path

    @cached_property
    def runs(self) -> tuple[Runs, Runs]:
        """Runs to fit, and runs to forecast."""
        return self.task.split(self.seed)

    @cached_property
    def folder(self) -> Path:
        """Where results of this split are kept, made if need be."""
        folder = self.results / re.sub(r"\W+", "_", f"{self.task.name} {self.seed}")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def forecasts(self) -> pd.DataFrame:
        """Return the forecasts of all contenders, one row a contender, hidden run and target."""
        found = [self._kept(name, lambda name=name: self._points(RIVALS[name])) for name in self.task.rivals]
        found += [self._kept(law, lambda law=law: self._intervals(self._forecast(law))) for law in self.task.laws]
        return pd.concat([*found, self._kept(AVERAGE, lambda: self._intervals(self._average()))], ignore_index=True)

    def posterior(self, law: str) -> Posterior:
        """Return the posterior of a ready model with default settings, converged or not."""
        path = self.folder / f"{law}.nc"
        if not path.exists():
            fit(Model.read(law), self.runs[0], seed=0).save(path)
        return Posterior.load(path)

    @property
    def comparison(self) -> pd.DataFrame:
        """What leaving out mixtures says of the laws that converged; see `bayesmix.compare`."""
        return compare(self._converged(), leave_out="mixture").table

    def _converged(self) -> dict[str, Posterior]:
        posteriors = {law: self.posterior(law) for law in self.task.laws}
        return {law: posterior for law, posterior in posteriors.items() if posterior.converged}

    def _kept(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        path = self.folder / f"{re.sub(r'[^a-z_]+', '_', name.lower())}.csv"
        if not path.exists():
            begin = time.perf_counter()
            table = make()
            table = table.assign(contender=name, seconds=time.perf_counter() - begin)
            write_whole(path, lambda p: table.to_csv(p, index=False))
            print(f"{self.task.name}, split {self.seed}: {name}, {table['seconds'].iloc[0]:.1f} s", flush=True)
        return pd.read_csv(path)

    def _points(self, rival: Rival) -> pd.DataFrame:
        small, large = self.runs
        return self._table(np.stack([rival(small, large, target) for target in small.targets], axis=1))

    def _forecast(self, law: str) -> Prediction:
        return predict(self.posterior(law).accept(), self.runs[1], seed=0)

    def _average(self) -> Prediction:
        """Return the forecast of all laws that converged, by their stacking weights."""
        posteriors = self._converged()
        weights = compare(posteriors, leave_out="mixture").weights
        forecasts = {law: predict(posterior, self.runs[1], seed=0) for law, posterior in posteriors.items()}
        return average(forecasts, weights, seed=0)

    def _intervals(self, forecast: Prediction) -> pd.DataFrame:
        ends = {}
        for level in LEVELS:
            for end, q in (("low", (1 - level) / 2), ("high", (1 + level) / 2)):
                ends[f"{end}{level:.0%}"] = np.quantile(forecast.measured, q, axis=0)
        return self._table(np.median(forecast.expected, axis=0), **ends)

    def _table(self, median: np.ndarray, **ends: np.ndarray) -> pd.DataFrame:
        """Return arrays (run, target) as rows beside what was measured."""
        small, large = self.runs
        truth = np.stack([large.column(target) for target in small.targets], axis=1)
        runs, targets = np.repeat(large.names, len(small.targets)), np.tile(small.targets, len(large))
        columns = {"truth": truth, "median": median, **ends}
        return pd.DataFrame({"run": runs, "target": targets, **{n: v.ravel() for n, v in columns.items()}})
