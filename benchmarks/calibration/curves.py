"""Tasks of one run each: its first checkpoints are fitted, up to 25 or 50 % of the range of log D.

Of every curve, checkpoints from 5 % of its last D on, since warm-up and the drop after it follow no power law, and at
most 25 of them in equal steps of log D; of fine-tuning, every amount of data, by the law of Lin et al. (2024), whose
table it is. Which curves: for each table and family,
some drawn with a fixed seed out of those that span a decade and have enough checkpoints. Every other curve is cut at
25 % where that leaves enough to fit, else at 50 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from shared import present, read
from task import LEAST, Cut, Task, spaced

LAW, TUNING = "alab_m2", "rectified_sft"
BEGIN, POINTS = 0.05, 25
DECADES = 1.0  # of log D that a curve must span
# Family of ColPret: the study that its runs come from, and how many curves. Left out, their response being no loss in
# known units: lamda-revisiting and pile-t5. Pythia and the mixtures of 1.3B have too few early checkpoints.
FAMILIES = {
    "datablations-c4": ("datablations", 2),
    "datablations-oscar": ("datablations", 2),
    "gadre-c4_original": ("gadre_scaling", 2),
    "gadre-rpj": ("gadre_scaling", 2),
    "gadre-rw_original": ("gadre_scaling", 2),
    "gpt3-figure": ("colpret_curves", 3),
    "olmo": ("colpret_curves", 2),
    "opt": ("colpret_curves", 3),
    "other": ("colpret_curves", 1),
    "redpajama-incite": ("colpret_curves", 1),
}
# Neither evaluations with examples nor continued runs; repeated data up to the four epochs that are nearly fresh.
ODD = r"5shot|intervention|baseline|-(?:5|7|14|44)\.0$"


def colpret(family: str) -> dict[str, pd.DataFrame]:
    about = read("colpret_curves", "colpret_curve_metadata.csv")
    about = about[(about["family"] == family) & ~about["model"].str.contains(ODD)]
    frame = read("colpret_curves", "colpret_curves.csv").rename(columns={"tokens_seen": "D"})
    if family == "opt":
        frame = frame.assign(loss=np.log(frame["loss"]))  # these are perplexities
    # Digitised curves have many points at one D.
    frame = frame.groupby(["model", "D"], as_index=False)["loss"].mean()
    return {m: frame.loc[frame["model"] == m, ["D", "loss"]] for m in sorted(about["model"])}


def xlstm() -> dict[str, pd.DataFrame]:
    frame = read("xlstm", "xlstm_val_curves.csv").rename(columns={"tokens": "D", "val_loss": "loss"})
    return {run: part[["D", "loss"]] for run, part in frame.groupby("run_id")}


def misfitting() -> dict[str, pd.DataFrame]:
    frame = read("misfitting", "scaling_results.csv")
    keys = ["model", "total_steps", "peak_lr", "sweep"]
    curves = {f"{k[0]}-{k[1]:.0f}-{k[2]:g}-{k[3]}": part[["D", "loss"]] for k, part in frame.groupby(keys)}
    return {name: part.drop_duplicates("D") for name, part in curves.items()}


def multipowerlaw() -> dict[str, pd.DataFrame]:
    frame = read("multipowerlaw", "loss_curves.csv")
    frame = frame[frame["schedule"] == "constant_72000"]
    return {f"{size:.0f}M": part[["step", "loss"]] for size, part in frame.groupby("model_M")}


def mixinglaws() -> dict[str, pd.DataFrame]:
    frame = read("mixinglaws", "3Mix_wide.csv")
    frame = frame[frame["step"] > 0].assign(D=1048576 * frame["step"])
    targets = ("Github", "Books3", "Pile-CC")
    return {
        f"{run} {target}": part.assign(loss=part[target])[["D", "loss"]].dropna()
        for run, part in frame.groupby("run")
        for target in targets
    }


def finetuning(dataset: str) -> dict[str, pd.DataFrame]:
    frame = read("sft_rectified", "sft_rectified_long.csv")
    frame = frame[(frame["dataset"] == dataset) & (frame["sft_data_size"] > 0)]
    frame = frame.rename(columns={"sft_data_size": "examples", "test_loss": "loss"})
    return {m.split("/")[-1]: part[["examples", "loss"]] for m, part in frame.groupby("model")}


def _pools() -> Iterator[tuple[str, str, Callable[[], dict[str, pd.DataFrame]], int, str]]:
    for family, (study, count) in FAMILIES.items():
        if present("colpret_curves"):
            yield study, "curve ", partial(colpret, family), count, "D"
    yield "xlstm", "curve ", xlstm, 3, "D"
    yield "misfitting", "curve ", misfitting, 3, "D"
    yield "multipowerlaw", "curve ", multipowerlaw, 3, "step"
    yield "mixinglaws", "curve ", mixinglaws, 3, "D"
    for dataset in ("flan", "gigaword", "wmt19"):
        yield "sft_rectified", f"{dataset}, ", partial(finetuning, dataset), 2, "examples"


def _ready(curve: pd.DataFrame, by: str) -> pd.DataFrame:
    late = curve if by == "examples" else curve[curve[by] >= BEGIN * curve[by].max()]
    return spaced(late, by, POINTS)


def _decades(curve: pd.DataFrame, by: str) -> float:
    return float(np.ptp(np.log10(curve[by])))


def _fitted(curve: pd.DataFrame, cut: Cut) -> int:
    x = curve[cut.by].to_numpy()
    return int((x <= cut.at(x)).sum())


def tasks() -> list[Task]:
    """Return all tasks of this kind."""
    rng, found = np.random.default_rng(0), []
    least, _, hidden = LEAST["curve"]
    for table, prefix, pool, count, by in _pools():
        if not present(table):
            continue
        half = Cut(by, part=0.5)
        curves = {name: _ready(curve, by) for name, curve in pool().items()}
        able = [
            n for n, c in curves.items() if _decades(c, by) >= DECADES and least <= _fitted(c, half) <= len(c) - hidden
        ]
        for i in sorted(rng.permutation(len(able))[:count]):
            curve, quarter = curves[able[i]], Cut(by, part=0.25)
            early = len(found) % 2 == 0 and _fitted(curve, quarter) >= least
            cut = quarter if early else half
            name = f"{table}:{prefix}{able[i].strip()} {cut.label}"
            law, covariate = (TUNING, "samples") if by == "examples" else (LAW, "x")
            # Amounts of fine-tuning data are runs of their own; all else are checkpoints of one.
            curve = curve if by == "examples" else curve.assign(run=able[i])
            found.append(Task(name, table, "curve", curve.copy, cut, (law,), covariates={covariate: by}))
    return found
