"""Forecasts of every task, split and contender, kept in a folder: a run that was stopped goes on where it was."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from carried import by_law
from rivals import RIVALS, Rival
from splits import Task

from bayesmix import Model, Posterior, Runs, compare, fit, predict
from bayesmix.averaging import average
from bayesmix.comparison import Comparison
from bayesmix.discrepancy import Discrepancy, past
from bayesmix.files import write_whole
from bayesmix.prediction import Prediction

PAST = Path(__file__).parents[1] / "results" / "past_without.toml"
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
    preview : bool
        Take previews of posteriors that are not at hand yet.
    """

    task: Task
    seed: int
    results: Path
    preview: bool = False

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
        for law, posterior in self.posteriors.items():
            name = f"{law}, preview" if posterior.preview else law
            found.append(self._kept(name, lambda p=posterior: self._intervals(predict(p, self.runs[1], seed=0))))
        found += [self._kept(f"{law}, same mixtures", lambda law=law: self._carried(law)) for law in self.task.carrying]
        if len(self._sampled) > 1:
            found.append(self._kept(AVERAGE, lambda: self._intervals(self._average())))
        return pd.concat(found, ignore_index=True)

    @cached_property
    def posteriors(self) -> dict[str, Posterior]:
        """Posteriors of ready models with default settings, converged or not; the bend is that of other studies."""
        return {law: self._posterior(law).bending(self._bend).accept() for law in self.task.laws}

    @property
    def _bend(self) -> Discrepancy:
        return _past().get(self.task.table, past())

    def _posterior(self, law: str) -> Posterior:
        sampled, approximated = self.folder / f"{law}.nc", self.folder / f"{law}.preview.nc"
        path = approximated if self.preview and not sampled.exists() else sampled
        if not path.exists():
            begin = time.perf_counter()
            fit(Model.read(law), self.runs[0], seed=0, preview=self.preview).save(path)
            print(f"{self.task.name}, split {self.seed}: {path.stem}, {time.perf_counter() - begin:.1f} s", flush=True)
        return Posterior.load(path)

    @cached_property
    def comparison(self) -> Comparison | None:
        """What leaving out mixtures says of the laws that were sampled and converged; see `bayesmix.compare`."""
        return compare(self._sampled, leave_out="mixture") if len(self._sampled) > 1 else None

    @cached_property
    def _sampled(self) -> dict[str, Posterior]:
        return {law: p for law, p in self.posteriors.items() if p.converged and not p.preview}

    def _kept(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        path = self.folder / f"{re.sub(r'[^a-z_]+', '_', name.lower())}.csv"
        if not path.exists():
            begin = time.perf_counter()
            table = make()
            table = table.assign(contender=name)
            write_whole(path, lambda p: table.to_csv(p, index=False))
            print(f"{self.task.name}, split {self.seed}: {name}, {time.perf_counter() - begin:.1f} s", flush=True)
        return pd.read_csv(path)

    def _points(self, rival: Rival) -> pd.DataFrame:
        small, large = self.runs
        return self._table(np.stack([rival(small, large, target) for target in small.targets], axis=1))

    def _average(self) -> Prediction:
        """Return the forecast of all laws that converged, by their stacking weights."""
        assert self.comparison is not None
        forecasts = {law: predict(posterior, self.runs[1], seed=0) for law, posterior in self._sampled.items()}
        return average(forecasts, self.comparison.weights, seed=0)

    def _carried(self, law: str) -> pd.DataFrame:
        small, large = self.runs
        return self._intervals(*(by_law(law, small, large, target, self._bend) for target in small.targets))

    def _intervals(self, *forecasts: Prediction) -> pd.DataFrame:
        """Return the rows of one forecast of all targets, or of one forecast a target."""
        expected = np.concatenate([f.expected for f in forecasts], axis=2)
        measured = np.concatenate([f.measured for f in forecasts], axis=2)
        ends = {}
        for level in LEVELS:
            for end, q in (("low", (1 - level) / 2), ("high", (1 + level) / 2)):
                ends[f"{end}{level:.0%}"] = np.quantile(measured, q, axis=0)
        return self._table(np.median(expected, axis=0), **ends)

    def _table(self, median: np.ndarray, **ends: np.ndarray) -> pd.DataFrame:
        """Return arrays (run, target) as rows beside what was measured."""
        small, large = self.runs
        truth = np.stack([large.column(target) for target in small.targets], axis=1)
        runs, targets = np.repeat(large.names, len(small.targets)), np.tile(small.targets, len(large))
        columns = {"truth": truth, "median": median, **ends}
        return pd.DataFrame({"run": runs, "target": targets, **{n: v.ravel() for n, v in columns.items()}})


@cache
def _past() -> dict[str, Discrepancy]:
    """Return what all studies but one showed of the bend."""
    return {study: Discrepancy.of(table) for study, table in tomllib.loads(PAST.read_text(encoding="utf-8")).items()}
