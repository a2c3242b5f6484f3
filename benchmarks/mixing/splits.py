"""Tasks: runs to fit, and runs of other mixtures or of larger models to forecast, whole runs hidden.

Checkpoints of a run are thinned to a few in equal steps of log D, since neighbours say the same. Of a random split,
the seed is that of NumPy's `default_rng`, which permutes the mixtures in the order of the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd
from rivals import ADDITIVE, JOINT, LINE, LOG_LINEAR, RIDGE, TREES
from shared import data

from bayesmix import Card, Runs

MIXTURE = ("effective_tokens", "ye_m4_shrunk", "ye_m4", "olmix_loglinear")
SCALE = ("effective_data", "effective_tokens_nd", "ye_nested", "shukor_joint", "shukor_additive")
BY_MIXTURE = (TREES, LOG_LINEAR, RIDGE)
BY_SCALE = (TREES, ADDITIVE, JOINT)
CHECKPOINTS = 4
TOKENS = 1048576  # of a step of mixinglaws
SIZES = {"70M": 18.9e6, "160M": 85.1e6, "305M": 201.5e6, "410M": 302.3e6, "1B": 805.7e6}  # without embeddings
FIVE = ("academic", "prose", "dialogue", "symbolic", "internet")
SEVEN = ("CommonCrawl", "C4", "GitHub", "ArXiv", "Books", "StackExchange", "Wikipedia")
TARGETS = ("Pile-CC", "Github", "ArXiv", "Books3", "StackExchange", "Wikipedia_en")
FIXME = "0.125-0.5-0.0-0.0625-0.1875-0.0-0.125"  # which the authors ask to remove


@dataclass(frozen=True)
class Task:
    """Runs to fit and runs to forecast.

    Parameters
    ----------
    name : str
        Unique.
    table : str
        Folder of the measured table.
    known : str
        Error of the best point estimate known before, per cent.
    split : callable
        Seed to (runs to fit, runs to forecast).
    laws, rivals : tuple of str
        Those that take what the runs vary.
    carrying : tuple of str
        Laws of a loss from that of the same mixture in the smallest model.
    seeds : tuple of int
        Of the split; one where it follows from scale.
    """

    name: str
    table: str
    known: str
    split: Callable[[int], tuple[Runs, Runs]]
    laws: tuple[str, ...] = MIXTURE
    rivals: tuple[str, ...] = BY_MIXTURE
    carrying: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)


def thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep of every run the checkpoints nearest to equal steps of log D, the first and the last among them."""

    def spaced(run: pd.DataFrame) -> pd.DataFrame:
        x = np.log(run["D"].to_numpy())
        grid = np.linspace(x.min(), x.max(), CHECKPOINTS)
        return run.iloc[np.unique(np.abs(x[:, None] - grid).argmin(axis=0))]

    return pd.concat([spaced(run) for _, run in frame.groupby("run", sort=False)], ignore_index=True)


def mixtures(frame: pd.DataFrame) -> pd.Series:
    """Return a label of each row's mixture."""
    weights = [c for c in frame if c.startswith("w.")]
    return frame[weights].round(4).astype(str).agg(" ".join, axis=1)


def runs(frame: pd.DataFrame, hidden: pd.Series) -> tuple[Runs, Runs]:
    """Return the rows that are not hidden, and those that are."""
    first, second = (
        Runs.of(part.reset_index(drop=True), Card(sum_tolerance=0.005)) for part in (frame[~hidden], frame[hidden])
    )
    return first, second


def drawn(frame: pd.DataFrame, count: int, seed: int) -> tuple[Runs, Runs]:
    """Fit so many mixtures, chosen at random, and hide the others."""
    label = mixtures(frame)
    names = label.unique()
    fitted = names[np.random.default_rng(seed).permutation(len(names))[:count]]
    return runs(frame, ~label.isin(fitted))


@cache
def slimpajama() -> pd.DataFrame:
    frame = pd.read_csv(data("slimpajama-7-and-pile-4") / "dmsl_llm_slimpajama.csv")
    frame = frame.rename(columns=lambda c: f"w.{c.removeprefix('weight_')}" if c.startswith("weight_") else c)
    frame = frame.rename(columns=lambda c: f"loss.{c.removesuffix('_loss')}" if c.endswith("_loss") else c)
    frame = frame.rename(columns={"model_size": "N", "n_tokens": "D"}).astype({"N": float, "D": float})
    frame.insert(0, "run", frame["N"].map("{:.3g} ".format) + mixtures(frame))
    # The last two checkpoints are the same one.
    return frame[frame["D"] < frame.groupby("run")["D"].transform("max")].reset_index(drop=True)


def seven_domains(seed: int) -> tuple[Runs, Runs]:
    frame = slimpajama().query("N == 122e6 and 9.99e9 < D < 10.01e9")
    return drawn(frame.drop(columns="loss.openhermes"), 48, seed)


def unseen_mixtures(seed: int) -> tuple[Runs, Runs]:
    frame = thinned(slimpajama().query("N <= 310e6"))
    return drawn(frame.dropna(), 45, seed)


def larger_models(_: int) -> tuple[Runs, Runs]:
    frame = thinned(slimpajama().dropna())
    return runs(frame, frame["N"] > 310e6)


def larger_and_longer(_: int) -> tuple[Runs, Runs]:
    frame = thinned(slimpajama().dropna())
    small, large = (frame["N"] <= 310e6) & (frame["D"] <= 10.1e9), frame["N"] > 900e6
    return runs(frame[small | large], large[small | large])


def four_domains(seed: int) -> tuple[Runs, Runs]:
    frame = pd.read_csv(data("slimpajama-7-and-pile-4") / "domain4.csv")
    frame = frame.rename(columns=lambda c: c.replace("w_", "w.").replace("loss_", "loss."))
    frame = frame.query("model_size_M == 200 and tokens_B == 8").dropna()
    frame = frame.assign(N=1e6 * frame["model_size_M"], D=1e9 * frame["tokens_B"], run=frame["mixture_id"].astype(str))
    return drawn(frame.drop(columns=["model_size_M", "tokens_B", "mixture_id"]), 17, seed)


def pile(name: str, size: str) -> pd.DataFrame:
    """Return one of RegMix's tables, a billion tokens a run."""
    folder = data("regmix-pile17")
    weights, losses = (pd.read_csv(folder / f"{name}_{kind}_{size}.csv") for kind in ("mixture", "pile_loss"))
    frame = weights.merge(losses, on="index", validate="1:1")
    frame = frame.rename(columns=lambda c: c.replace("train_the_pile_", "w."))
    frame = frame.rename(columns=lambda c: c.replace("metric/the_pile_", "loss.").removesuffix("_val_loss"))
    return frame.assign(run=f"{name} {size} " + frame["index"].astype(str)).drop(columns="index")


def regmix(_: int) -> tuple[Runs, Runs]:
    frame = pd.concat([pile("train", "1m"), pile("test", "1m")], ignore_index=True)
    return runs(frame, frame["run"].str.startswith("test"))


def regmix_larger(count: int, seed: int) -> tuple[Runs, Runs]:
    """Fit all mixtures at 1M and so many of them at 60M, hide the others there."""
    large, small = pile("test", "60m").assign(N=60e6), pile("test", "1m").assign(N=1e6)
    fitted = np.isin(np.arange(len(large)), np.random.default_rng(seed).permutation(len(large))[:count])
    frame = pd.concat([small, large], ignore_index=True).assign(D=1e9)
    return runs(frame, pd.Series(np.r_[np.zeros(len(small), bool), ~fitted]))


def mixinglaws(file: str, domains: tuple[str, ...]) -> tuple[Runs, Runs]:
    """Fit up to 410M, forecast 1B, whose mixtures no smaller model has."""
    names = [f"w.{d}" for d in domains]
    frame = pd.read_csv(data("mixinglaws") / file)
    frame = frame.rename(columns={f"w{i + 1}": name for i, name in enumerate(names)})
    frame = frame[~frame["run"].str.endswith(FIXME)]
    frame = frame.assign(N=frame["model_size"].map(SIZES), D=TOKENS * frame["step"].astype(float))
    # One run's weights sum to 1.02 by a misprint.
    frame[names] = frame[names].div(frame[names].sum(axis=1), axis=0)
    frame = frame.rename(columns={t: f"loss.{t}" for t in TARGETS})
    frame = thinned(frame[["run", "N", "D", *names, *(f"loss.{t}" for t in TARGETS)]].dropna())
    return runs(frame, frame["N"] > 500e6)


TASKS = (
    Task("SlimPajama-7, 122M/10B: 48 mixtures, 12 hidden", "slimpajama-7-and-pile-4", "0.39", seven_domains,
         seeds=(0, 1, 2, 3, 4)),
    Task("Pile-4, 200M/8B: 17 mixtures, 7 hidden", "slimpajama-7-and-pile-4", "0.18 to 0.22", four_domains,
         seeds=(0, 1, 2, 3, 4)),
    Task("RegMix, 1M: 512 mixtures, 256 hidden", "regmix-pile17", "1.12", regmix, laws=MIXTURE[:3]),
    *(
        Task(f"RegMix, 256 of 1M and {count} of 60M: {256 - count} of 60M hidden", "regmix-pile17", "",
             partial(regmix_larger, count), ("effective_data",), (TREES, LINE), ("loss_to_loss",), (0, 1, 2))
        for count in (8, 16, 32)
    ),
    Task("SlimPajama-7 up to 310M: 45 mixtures, 15 hidden", "slimpajama-7-and-pile-4", "0.55", unseen_mixtures,
         SCALE, BY_SCALE, seeds=(0, 1, 2)),
    Task("SlimPajama-7 up to 310M: 680M and 937M hidden", "slimpajama-7-and-pile-4", "1.8", larger_models, SCALE,
         BY_SCALE),
    Task("SlimPajama-7 up to 310M and 10B: 937M hidden", "slimpajama-7-and-pile-4", "2.56", larger_and_longer, SCALE,
         BY_SCALE),
    Task("Ye et al., 5 domains up to 410M: 1B hidden", "mixinglaws", "", lambda _: mixinglaws("5Mix_wide.csv", FIVE),
         SCALE, BY_SCALE),
    Task("Ye et al., RedPajama up to 410M: 1B hidden", "mixinglaws", "",
         lambda _: mixinglaws("RedPajama_wide.csv", SEVEN), SCALE, BY_SCALE),
)  # fmt: skip
