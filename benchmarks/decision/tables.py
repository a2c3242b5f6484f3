"""Measured tables to decide on: runs to learn from, and mixtures to choose among, whose losses are measured too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from shared import data, mixtures, pile, slimpajama

from bayesmix import Card, Runs


@dataclass(frozen=True)
class Offer:
    """Runs to learn from and mixtures to choose among.

    Parameters
    ----------
    learned : DataFrame
        Runs, of which some are shown; of other mixtures than those to choose among.
    offered : DataFrame
        One row a mixture to choose, with its measured losses, of models like those of `learned`.
    larger : DataFrame
        The same mixtures in the same order, of larger models; its losses are shown to nobody.
    habit : mapping of str to float
        What one would train without any of the runs: a mixture made by hand, or the uniform one.
    """

    learned: pd.DataFrame
    offered: pd.DataFrame
    larger: pd.DataFrame
    habit: Mapping[str, float]

    @cached_property
    def domains(self) -> list[str]:
        """Names, in alphabetical order, which is that of every array of weights here."""
        return sorted(c.removeprefix("w.") for c in self.offered if c.startswith("w."))

    @cached_property
    def w(self) -> np.ndarray:
        """The mixtures to choose among, shape (mixture, domain); they sum to one."""
        return self.weights(self.offered)

    @cached_property
    def habitual(self) -> np.ndarray:
        """What one would train by habit, shape (domain,)."""
        w = np.array([self.habit[d] for d in self.domains])
        return w / w.sum()

    @cached_property
    def baseline(self) -> int:
        """Which mixture on offer is nearest to what one would train by habit."""
        return self.nearest(self.habitual)

    def weights(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the weights of a table, shape (run, domain)."""
        w = frame[[f"w.{d}" for d in self.domains]].to_numpy(float)
        return w / w.sum(axis=1, keepdims=True)

    def nearest(self, w: np.ndarray) -> int:
        """Return which mixture has the least weight elsewhere than a mixture that is not on offer."""
        return int(np.abs(self.w - w).sum(axis=1).argmin())

    def planned(self) -> Runs:
        """Return the mixtures to choose among as planned runs."""
        return planned(self.offered)


def planned(frame: pd.DataFrame) -> Runs:
    """Return runs as if none of their losses were known."""
    return Runs.of(frame[[c for c in frame if not c.startswith("loss.")]], CARD, planned=True)


CARD = Card(sum_tolerance=0.005)


@cache
def regmix() -> Offer:
    """17 domains of the Pile at 1M: 512 runs, and 256 mixtures that were trained at 1M and at 60M.

    The habit is the mixture that RegMix calls human: that of the Pile's authors.
    """
    config = yaml.safe_load((data("regmix-pile17") / "config_1b_human.yaml").read_text(encoding="utf-8"))
    human = {name.removeprefix("train_the_pile_"): weight for name, weight in config["train"].items()}
    return Offer(pile("train", "1m"), pile("test", "1m"), pile("test", "60m"), human)


@cache
def seven() -> Offer:
    """7 domains of SlimPajama: mixtures at 122M and 10B; on offer is every other of those that 937M saw for 35B."""
    frame = slimpajama().drop(columns="loss.openhermes")
    frame = frame.assign(mixture=mixtures(frame))
    small = frame.query("N == 122e6 and 9.99e9 < D < 10.01e9").dropna().set_index("mixture")
    large = frame.query("N == 937e6 and D > 35e9").dropna().set_index("mixture")
    both = small.index.intersection(large.index, sort=False)[::2]
    domains = [c.removeprefix("w.") for c in small if c.startswith("w.")]
    tables = (part.reset_index(drop=True) for part in (small.drop(index=both), small.loc[both], large.loc[both]))
    return Offer(*tables, dict.fromkeys(domains, 1 / len(domains)))


@dataclass(frozen=True)
class Wish:
    """What is wanted of a table's mixtures.

    Parameters
    ----------
    name : str
        Unique.
    table : str
        Folder of the measured table.
    offer : callable
        Returns the runs and mixtures.
    targets : tuple of str
        Columns whose mean is to be low; none for all losses.
    shown : tuple of int
        How many runs a decision is taken from.
    start, most : int
        Runs before any is proposed, and with the last that is drawn at random; none where nothing is replayed. Half as
        many as at the start are proposed at a time.
    """

    name: str
    table: str
    offer: Callable[[], Offer]
    targets: tuple[str, ...]
    shown: tuple[int, ...]
    start: int = 0
    most: int = 0

    def path(self, folder: Path, *what: object) -> Path:
        """Return where a result of this wish is kept."""
        return folder / (re.sub(r"\W+", "_", " ".join(map(str, (self.name, *what)))) + ".csv")

    @property
    def losses(self) -> tuple[str, ...]:
        """Columns whose mean is to be low."""
        return self.targets or tuple(c for c in self.offer().offered if c.startswith("loss."))

    def measured(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the objective of every row."""
        return frame[list(self.losses)].to_numpy(float).mean(axis=1)

    def runs(self, rows: np.ndarray) -> Runs:
        """Return some of the runs to learn from, with the losses that are wanted and no others."""
        frame = self.offer().learned.iloc[rows]
        kept = [c for c in frame if not c.startswith("loss.") or c in self.losses]
        return Runs.of(frame[kept].reset_index(drop=True), CARD, source=self.name)


WISHES = (
    Wish("RegMix, loss on Pile-CC", "regmix-pile17", regmix, ("loss.pile_cc",), (32, 64, 128, 256, 512), 16, 128),
    Wish("RegMix, mean of 13 losses", "regmix-pile17", regmix, (), (32, 64, 128, 256, 512)),
    Wish("SlimPajama, mean of 7 losses", "slimpajama-7-and-pile-4", seven, (), (10, 20, 40), 8, 40),
)
