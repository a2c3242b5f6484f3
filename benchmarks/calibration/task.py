"""A task: one table of runs, one response, and the scale beyond which it is hidden."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpyro.distributions import Distribution

from bayesmix import Card, Model, Runs, laws
from bayesmix.law import Quantity
from bayesmix.noise import NOISES

Kind = Literal["curve", "design", "mixture", "downstream"]
# What a task must have: rows fitted; sizes N among them, or values of the covariate of a curve; rows hidden.
LEAST = {"curve": (6, 6, 3), "design": (10, 3, 3), "mixture": (10, 3, 3), "downstream": (10, 3, 3)}


@dataclass(frozen=True)
class Cut:
    """Where a table is cut, from the covariates alone.

    Parameters
    ----------
    by : str
        Covariate that says what is large.
    share : float, optional
        Rows up to this share of the largest value are fitted.
    part : float, optional
        Or: rows in the first part of the range of its logarithm.
    """

    by: str
    share: float | None = None
    part: float | None = None

    def at(self, values: np.ndarray) -> float:
        """Return the largest value that is fitted."""
        if self.share is not None:
            return float(self.share * values.max())
        low, high = np.log(values.min()), np.log(values.max())
        return float(np.exp(low + self.part * (high - low)))

    @property
    def label(self) -> str:
        """Short name, for names of tasks."""
        return f"{self.by}{100 * (self.share or self.part):.0f}"


@dataclass(frozen=True)
class Task:
    """Runs to fit and larger ones to forecast.

    Parameters
    ----------
    name : str
        Unique; begins with the table's name.
    table : str
        Study that the runs come from: what is left out together where anything is chosen by these tasks.
    kind : str
        curve, design, mixture or downstream.
    make : callable
        Returns the rows, in the standard names of `Runs`.
    cut : Cut
        Which rows are hidden.
    laws : tuple of str
        Laws that fit this kind of table, the default first; see `bayesmix.laws.get`.
    target : str
        Column of the response.
    covariates : mapping of str to str
        Columns of covariates whose name is no column, as in `Model`.
    noise : str
        Default noise.
    """

    name: str
    table: str
    kind: Kind
    make: Callable[[], pd.DataFrame]
    cut: Cut
    laws: tuple[str, ...]
    target: str = "loss"
    covariates: Mapping[str, str] = field(default_factory=dict)
    noise: str = "log_student_t"

    @property
    def folder(self) -> str:
        """Name of the folder of what was computed for it."""
        return re.sub(r"[^\w.-]+", "_", self.name)

    @cached_property
    def runs(self) -> Runs:
        """All rows with the response, fitted and hidden."""
        frame = self.make().dropna(subset=[self.target])
        return Runs.of(frame.reset_index(drop=True), Card(sum_tolerance=0.005), source=self.name)

    @cached_property
    def at(self) -> float:
        """Rows with `cut.by` up to this are fitted."""
        return self.cut.at(self.runs.column(self.cut.by))

    def split(self) -> tuple[Runs, Runs]:
        """Return the rows to fit, and those to forecast."""
        return self.runs.split(self.cut.by, at=self.at)

    @cached_property
    def beyond(self) -> np.ndarray:
        """Decades of every hidden row above the largest fitted one, in the covariate that is cut."""
        small, large = (part.column(self.cut.by) for part in self.split())
        return np.log10(large / small.max())

    @property
    def decades(self) -> float:
        """Decades of the farthest hidden row beyond the fitted ones."""
        return float(self.beyond.max())

    @property
    def truth(self) -> np.ndarray:
        """What the hidden rows measured, shape (observation,)."""
        return self.split()[1].column(self.target)

    def model(self, law: str = "", noise: str = "", **quantities: Quantity | Distribution | float) -> Model:
        """Return a model of this task: its default, or with another of its laws, another noise, other quantities."""
        chosen = laws.get(law or self.laws[0]).given(**quantities)
        columns = {c: name for c, name in self.covariates.items() if c in chosen.covariates}
        return Model(chosen, NOISES[noise or self.noise], covariates=columns, targets=(self.target,))

    def among(self, asked: list[str] | None) -> bool:
        """Say whether this task is asked for, by its name, its table or its kind."""
        return not asked or bool({self.name, self.table, self.kind} & set(asked))

    def fault(self) -> str:
        """Return what this task lacks, or nothing."""
        small, large = self.split()
        rows, scales, hidden = LEAST[self.kind]
        sizes = len(np.unique(small.column(self.cut.by if self.kind == "curve" else "N")))
        if len(small) < rows or sizes < scales or len(large) < hidden:
            return f"{self.name}: {len(small)} rows of {sizes} sizes to fit, {len(large)} hidden"
        return ""


def named(frame: pd.DataFrame, **columns: str) -> pd.DataFrame:
    """Return the columns named by keyword."""
    return pd.DataFrame({new: frame[old] for new, old in columns.items()})


def spaced(frame: pd.DataFrame, by: str, count: int) -> pd.DataFrame:
    """Thin one run to at most `count` rows, those nearest to equal steps of the logarithm of `by`."""
    x = np.log(frame[by].to_numpy())
    grid = np.linspace(x.min(), x.max(), count)
    nearest = np.unique(np.abs(x[:, None] - grid).argmin(axis=0))
    return frame.iloc[nearest].sort_values(by)


def thinned(frame: pd.DataFrame, by: str, count: int) -> pd.DataFrame:
    """Thin every run of a table, told apart by its column `run`."""
    return pd.concat([spaced(part, by, count) for _, part in frame.groupby("run")], ignore_index=True)
