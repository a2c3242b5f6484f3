"""Tasks of benchmark errors: against the loss of the same run, fitted up to a share of the largest compute.

And of the loss on a benchmark's answers, against parameters and tokens.
"""

from __future__ import annotations

from functools import partial

import pandas as pd
from shared import read
from task import Cut, Task, named, thinned

LINKS, SCALE = ("gadre_error",), ("chinchilla", "gadre_overtraining", "kaplan_nd")
TENTH = Cut("C", share=0.1)


def gadre(corpus: str, error: str) -> pd.DataFrame:
    frame = read("gadre_scaling", "gadre_models.csv")
    frame = frame[frame["train_set"] == corpus]
    return named(frame, run="name", N="N", D="D", C="C_6ND", input="loss_c4_val", error=f"err_{error}")


def gemstones_error(task: str) -> pd.DataFrame:
    scores = read("gemstones", "gemstones_light_eval_df.csv").rename(columns={"Unnamed: 0": "checkpoint"})
    losses = read("gemstones", "gemstones_fineweb_edu_val_with_sizes.csv").copy()
    scores[["run_name", "at"]] = scores["checkpoint"].str.extract(r"(Gemstone-\d+x\d+)-(.+)")
    # "main" is the last checkpoint.
    last = losses["step"].max()
    scores["step"] = scores["at"].str.removeprefix("step_").replace("main", str(last)).astype(float)
    frame = scores.merge(losses, on=["run_name", "step"], validate="1:1")
    frame["error"] = 1 - frame[task]
    frame = named(frame, run="run_name", N="params_active_precise", D="tokens", input="final_loss", error="error")
    return thinned(frame, "D", 4)


def gemstones_loss(task: str) -> pd.DataFrame:
    losses = read("gemstones", "gemstones_task_losses_aggregated.csv")
    losses = losses[losses["task"] == task].rename(columns={"model": "run_name"})
    sizes = read("gemstones", "gemstones_fineweb_edu_val_with_sizes.csv")
    losses = losses.assign(step=losses["step"].fillna(sizes["step"].max()))
    losses = losses.groupby(["run_name", "step"], as_index=False)["mean_task_loss"].mean()
    frame = losses.merge(sizes, on=["run_name", "step"], validate="1:1")
    frame = named(frame, run="run_name", N="params_active_precise", D="tokens", loss="mean_task_loss")
    return thinned(frame, "D", 5)


def tasks() -> list[Task]:
    """Return all tasks of this kind."""
    found = []

    def link(name, table, make):
        link = {"L": "input"}
        new = Task(f"{table}:{name} C10", table, "downstream", make, TENTH, LINKS, "error", link, "normal")
        found.append(new)

    for corpus in ("c4_original", "rpj", "rw_original"):
        short = corpus.removesuffix("_original")
        link(f"{short} error, 17 tasks", "gadre_scaling", partial(gadre, corpus, "avg17"))
        link(f"{short} error, hellaswag", "gadre_scaling", partial(gadre, corpus, "hellaswag"))
    for task in ("hellaswag", "arc:easy", "piqa"):
        link(f"error, {task}", "gemstones", partial(gemstones_error, task))
    for task in ("hellaswag", "piqa", "siqa"):
        make = partial(gemstones_loss, task)
        found.append(Task(f"gemstones:loss, {task} C10", "gemstones", "downstream", make, TENTH, SCALE))
    return found
