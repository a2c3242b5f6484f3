"""Tasks of mixtures at several scales: the loss of one domain, fitted up to a share of the largest compute.

Few checkpoints are kept of a run, in equal steps of log D, and at most 20 mixtures of SlimPajama, drawn with a fixed
seed out of those trained at every size. The table of 4 domains is left out: too few of its runs are of a third size.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from shared import own, read
from task import Cut, Task, thinned

LAWS = ("effective_data", "effective_tokens_nd")
MIXTURES = 20
TOKENS = 1048576  # of a step of mixinglaws
SIZES = {"70M": 18.9e6, "160M": 85.1e6, "305M": 201.5e6, "410M": 302.3e6, "1B": 805.7e6}  # without embeddings
DOMAINS = {
    "5Mix": ("academic", "prose", "dialogue", "symbolic", "internet"),
    "RedPajama": ("CommonCrawl", "C4", "GitHub", "ArXiv", "Books", "StackExchange", "Wikipedia"),
}
FIXME = "0.125-0.5-0.0-0.0625-0.1875-0.0-0.125"  # which the authors ask to remove


def slimpajama(target: str) -> pd.DataFrame:
    frame = read("slimpajama-7-and-pile-4", "dmsl_llm_slimpajama.csv")
    frame = frame.rename(columns=lambda c: c.replace("weight_", "w."))
    frame = frame.rename(columns={"model_size": "N", "n_tokens": "D", f"{target}_loss": "loss"})
    weights = [c for c in frame if c.startswith("w.")]
    frame["mixture"] = frame[weights].round(6).astype(str).agg("-".join, axis=1)
    sizes = frame.groupby("mixture")["N"].nunique()
    everywhere = sorted(sizes[sizes == frame["N"].nunique()].index)
    kept = [everywhere[i] for i in np.random.default_rng(0).permutation(len(everywhere))[:MIXTURES]]
    frame = frame[frame["mixture"].isin(kept)].dropna(subset=["loss"])
    frame["run"] = frame["N"].astype(str) + " " + frame["mixture"]
    # The last two checkpoints are the same one.
    frame = frame[frame["D"] < frame.groupby("run")["D"].transform("max")]
    return _columns(thinned(frame, "D", 3), weights)


def mixinglaws(setting: str, target: str) -> pd.DataFrame:
    names = [f"w.{domain}" for domain in DOMAINS[setting]]
    frame = read("mixinglaws", f"{setting}_wide.csv")
    frame = frame.rename(columns={f"w{i + 1}": name for i, name in enumerate(names)})
    frame = frame[~frame["run"].str.endswith(FIXME)]
    frame = frame.assign(N=frame["model_size"].map(SIZES), D=TOKENS * frame["step"], loss=frame[target])
    # One run's weights sum to 1.02 by a misprint.
    frame[names] = frame[names].div(frame[names].sum(axis=1), axis=0)
    return _columns(thinned(frame.dropna(subset=["loss"]), "D", 2), names)


def tiny_lm(target: str) -> pd.DataFrame:
    frame = own("tiny_lm", "runs.csv").query("checkpoint == 'end' and epochs_spanish <= 40")
    frame = frame.assign(loss=frame[f"loss.{target}"])
    return _columns(frame, [c for c in frame if c.startswith("w.")])


def _columns(frame: pd.DataFrame, weights: list[str]) -> pd.DataFrame:
    return frame[["run", "N", "D", *weights, "loss"]]


def tasks() -> list[Task]:
    """Return all tasks of this kind."""
    tenth, third = Cut("C", share=0.1), Cut("C", share=0.3)
    found = []

    def add(name, table, make, *cuts):
        found.extend(Task(f"{table}:{name} {c.label}", table, "mixture", make, c, LAWS) for c in cuts)

    for target in ("c4", "github", "openhermes", "wikipedia"):
        cuts = (tenth, third) if target in ("c4", "github") else (tenth,)
        add(f"7 domains on {target}", "slimpajama-7-and-pile-4", partial(slimpajama, target), *cuts)
    for target in ("Pile-CC", "Books3", "Github"):
        add(f"5 domains on {target}", "mixinglaws", partial(mixinglaws, "5Mix", target), tenth)
    for target in ("Pile-CC", "Wikipedia_en"):
        add(f"7 domains on {target}", "mixinglaws", partial(mixinglaws, "RedPajama", target), tenth)
    for target in ("python", "prose", "spanish", "javascript"):
        add(f"7 domains on {target}", "tiny_lm", partial(tiny_lm, target), tenth)
    return found
