"""What is fitted: each task makes one table, which every contender reads from the same file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from shared import STUDIES, place

from bayesmix import Card, Model, Runs, simulate

CURVES = 200
NOISE = {"sigma": 0.004, "nu": 4.0}


@dataclass(frozen=True)
class Task:
    """A model, and how to make its table.

    Parameters
    ----------
    name : str
        How the task is asked for; the part before a colon asks for all that share it.
    model : str
        Name of the model in bayesmix.
    make : callable
        Returns the runs, and a sentence that says what they are.
    fits : int
        Number of fits; where it is more than one, the column ``curve`` tells their runs apart.
    options : tuple of str
        Further arguments of the contender's script.
    """

    name: str
    model: str
    make: Callable[[], tuple[Runs, str]]
    fits: int = 1
    options: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The part of the name before a colon."""
        return self.name.split(":")[0]

    def write(self, folder: Path) -> str:
        """Write the table to a folder and return what it is."""
        runs, caption = self.make()
        (folder / "runs.csv").write_text(runs.text(), encoding="utf-8")
        return caption


def measured(folder: str) -> Path | None:
    """Return a folder of measured tables, or nothing where they are not at hand."""
    return path if (path := place(folder)).is_dir() else None


def chinchilla() -> tuple[Runs, str]:
    if folder := measured("chinchilla_epoch"):
        return Runs.read(folder / "chinchilla_245.csv"), "the 245 digitised runs of Hoffmann et al. (2022)"
    return ladder(245), "245 simulated runs, since the measured ones are not at hand"


def mixing7() -> tuple[Runs, str]:
    if folder := measured("slimpajama-7-and-pile-4"):
        card = STUDIES / "slimpajama" / "runs.toml"
        runs = Runs.read(folder / "dmsl_llm_slimpajama.csv", card).where("N=122e6", "D=9.998e9")
        # The first split of the case study: 48 mixtures to fit, and the targets that are training domains.
        rows = np.sort(np.random.default_rng(0).permutation(len(runs))[:48])
        table = runs.table.drop(columns=[t for t in runs.targets if t.split(".")[1] not in runs.domains])
        return Runs.of(table.iloc[rows].reset_index(drop=True)), "48 mixtures of SlimPajama's 7 domains, 7 targets"
    return mixtures(48, 7, 7), "48 simulated mixtures of 7 domains, 7 targets, since the measured ones are not at hand"


def mixing17() -> tuple[Runs, str]:
    if folder := measured("regmix-pile17"):
        mixture, loss = (pd.read_csv(folder / f"train_{name}_1m.csv") for name in ("mixture", "pile_loss"))
        table = mixture.merge(loss, on="index", validate="1:1").rename(columns={"index": "run"})
        # Rounded to three decimals, sums are off by up to 0.004.
        columns = {"train_the_pile_{domain}": "w.{domain}", "metric/the_pile_{target}_val_loss": "loss.{target}"}
        runs = Runs.of(table, Card(columns, sum_tolerance=0.005))
        return runs, "the 512 small runs of RegMix: 17 domains of the Pile, 13 targets"
    return mixtures(512, 17, 13), "512 simulated mixtures of 17 domains, 13 targets, since the measured are not at hand"


def curves() -> tuple[Runs, str]:
    rng = np.random.default_rng(7)
    tables = []
    for i in range(CURVES):
        D = np.geomspace(1e8, 1e11, rng.integers(24, 31))
        E, A, c = rng.uniform([1.6, 0.5, 0.2], [2.4, 1.5, 0.5])
        loss = (E + A * (D / 1e9) ** -c) * np.exp(0.005 * rng.standard_normal(len(D)))
        tables.append(pd.DataFrame({"D": D, "loss": loss, "curve": str(i)}))
    runs = Runs.of(pd.concat(tables, ignore_index=True))
    return runs, f"{CURVES} simulated curves of 24 to 30 points over three decades of D, 0.5 % noise"


def ladder(count: int, checkpoints: int = 1, targets: int = 1) -> Runs:
    """Simulate runs of many sizes from published constants, each with checkpoints of equal spacing in log D."""
    rng = np.random.default_rng(1)
    N = np.exp(rng.uniform(np.log(5e7), np.log(5e9), count))
    D = N * np.exp(rng.uniform(np.log(5), np.log(200), count))
    parts = np.geomspace(0.1, 1, checkpoints) if checkpoints > 1 else np.ones(1)
    design = pd.DataFrame(
        {
            "run": np.repeat(np.arange(count).astype(str), checkpoints),
            "N": np.repeat(N, checkpoints),
            "D": np.outer(D, parts).ravel(),
        }
    )
    names = tuple(f"loss.{i}" for i in range(targets)) if targets > 1 else ("loss",)
    model = Model.read("chinchilla")
    constants = {**model.published["besiroglu2024"], **NOISE}
    return simulate(model, Runs.of(design, planned=True), constants, targets=names, seed=2)


def mixtures(count: int, domains: int, targets: int) -> Runs:
    """Simulate mixtures from the published constants of five domains; further domains and targets repeat these."""
    rng = np.random.default_rng(3)
    names = [f"w.{i}" for i in range(domains)]
    design = Runs.of(pd.DataFrame(rng.dirichlet(np.ones(domains), count), columns=names), planned=True)
    model = Model.read("ye_m4")
    published = model.published["ye2024_5domains"]
    i, j = np.arange(targets) % 5, np.arange(domains) % 5
    t = np.array(published["t"])[np.ix_(i, j)]
    constants = {**{n: np.array(published[n])[i] for n in ("L0", "floor")}, "t": t, "w0": np.zeros(domains), **NOISE}
    return simulate(model, design, constants, targets=tuple(f"loss.{i}" for i in range(targets)), seed=4)


def observations(count: int, checkpoints: int) -> tuple[Runs, str]:
    return ladder(count, checkpoints, 5), f"{count:,} simulated runs, {checkpoints} checkpoints, 5 targets"


def domains(count: int) -> tuple[Runs, str]:
    return mixtures(512, count, 5), f"512 simulated mixtures of {count} domains, 5 targets"


def own(count: int) -> tuple[Runs, str]:
    """Simulate effective_tokens, with worths drawn from its prior, by eight runs a domain and two targets."""
    rng = np.random.default_rng(5)
    design = rng.dirichlet(np.full(count, 0.5), 8 * count)
    t = rng.standard_normal((2, count))
    constants = {
        **{"L0": 2.5, "floor": 0.7, "k": 0.1, "rise": 1.35, "rho": 0.4, "epsilon": 0.0015, "tau": 1.0},
        **{"t": t - t.mean(axis=1, keepdims=True), "w0": design.mean(axis=0), **NOISE},
    }
    planned = Runs.of(pd.DataFrame(design, columns=[f"w.{i}" for i in range(count)]), planned=True)
    runs = simulate(Model.read("effective_tokens"), planned, constants, targets=("loss.0", "loss.1"), seed=6)
    return runs, f"{8 * count} simulated mixtures of {count} domains, 2 targets"


TASKS = (
    Task("chinchilla", "chinchilla", chinchilla),
    Task("mixing7", "ye_m4", mixing7),
    Task("mixing17", "ye_m4_shrunk", mixing17),
    Task("curves200", "alab_m2", curves, fits=CURVES),
    Task("growth:1,000 responses", "chinchilla", partial(observations, 200, 1)),
    Task("growth:10,000 responses", "chinchilla", partial(observations, 2000, 1)),
    Task("growth:100,000 responses", "chinchilla", partial(observations, 2000, 10)),
    *(Task(f"growth:{n} domains", "ye_m4", partial(domains, n)) for n in (4, 8, 16, 32, 64)),
    *(Task(f"domains:{n}", "effective_tokens", partial(own, n)) for n in (4, 8, 16, 32, 64)),
    *(
        Task(f"growth:{n} chains", "chinchilla", partial(observations, 200, 1), options=(str(n),))
        for n in (4, 8, 16, 32)
    ),
)
