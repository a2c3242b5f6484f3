"""Tasks of finished runs over parameters and tokens: fitted up to a share of the largest compute.

Only runs that can be compared are kept: finished or cooled down, or all at one constant learning rate; the best of a
sweep over learning rates and batch sizes; tokens per parameter within the range that the authors use, where runs far
outside it are known to follow no such law. Nothing is chosen by looking at hidden losses of a forecast.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
from shared import read
from task import Cut, Task, named, thinned

LAWS = ("chinchilla", "gadre_overtraining", "kaplan_nd")
FEW, TENTH, THIRD, HALF = (Cut("C", share=share) for share in (0.03, 0.1, 0.3, 0.5))


def chinchilla() -> pd.DataFrame:
    frame = read("chinchilla_epoch", "chinchilla_245.csv")
    # Without the five highest losses, as Besiroglu et al. have it: misread from the figure or not trained out.
    return frame.loc[frame["besiroglu_excluded"] == 0, ["N", "D", "C", "loss"]]


def porian(dataset: str, hparams: str, warmup: str, decay: str) -> pd.DataFrame:
    frame = read("porian", "porian_isoflop_points.csv")
    asked = {"dataset": dataset, "hparams": hparams, "warmup": warmup, "decay": decay}
    asked |= {"param_count": "standard", "val": "val"}
    frame = frame[(frame[list(asked)] == pd.Series(asked)).all(axis=1)]
    # Few tokens per parameter end at losses up to 10, which no such law fits (PROVENANCE): stay around the optimum.
    ratio = frame["D_tokens"] / frame["N"]
    frame = named(frame[ratio.between(2, 500)], N="N", D="D_tokens", C="flops", loss="loss")
    # Without a decay of its own for every budget, one run a size is looked at on its way.
    return frame if decay == "chinchilla" else frame.assign(run=frame["N"].astype(str))


def gemstones_cooled() -> pd.DataFrame:
    frame = read("gemstones", "gemstones_train_loss_cool_end.csv")
    frame = named(frame, run="run_name", N="params_active_precise", D="tokens", loss="final_loss")
    return thinned(frame, "D", 5)


def gemstones_hot(corpus: str) -> pd.DataFrame:
    # Checkpoints at one constant learning rate, so that they can be compared with each other.
    frame = read("gemstones", f"gemstones_fineweb_{corpus}_val_with_sizes.csv")
    frame = named(frame, run="run_name", N="params_active_precise", D="tokens", loss="final_loss")
    return thinned(frame, "D", 5)


def misfitting() -> pd.DataFrame:
    frame = read("misfitting", "scaling_results_last_ckpt_only.csv")
    frame = frame[frame["portion_steps_elapsed"] == 1]
    best = frame.loc[frame.groupby(["model", "D"])["loss"].idxmin()]  # over learning rates
    return best[["N", "D", "C", "loss"]]


def steplaw(file: str, size: str) -> pd.DataFrame:
    frame = read("steplaw", file)
    best = frame.loc[frame.groupby([size, "D"])["smooth loss"].idxmin()]  # over learning rates and batch sizes
    return named(best, N=size, D="D", loss="smooth loss")


def xlstm(source: str) -> pd.DataFrame:
    frame = read("xlstm", "xlstm_isoflop_runs.csv")
    frame = frame[(frame["source"] == source) & (frame["complete"] == 1)]
    frame = frame[frame["D_tokens"] / frame["N"] <= 100]  # as the authors' own fits
    frame = frame[frame["val_loss"] < 5]  # three runs of mLSTM diverged, to losses of 7.6 to 10.8
    return named(frame, run="run_id", N="N", D="D_tokens", C="C_6ND", loss="val_loss")


def gadre(corpus: str, validation: str) -> pd.DataFrame:
    frame = read("gadre_scaling", "gadre_models.csv")
    frame = frame[frame["train_set"] == corpus]
    return named(frame, run="name", N="N", D="D", C="C_6ND", loss=f"loss_{validation}")


def datablations(*, repeated: bool) -> pd.DataFrame:
    frame = read("datablations", "val_losses.csv")
    # As the authors' parser: neither deduplicated nor commented out, and finished.
    frame = frame[(frame["commented_out_in_source"] == 0) & (frame["dedup_data"] == 0) & (frame["val_loss"] > 0)]
    frame = frame.assign(D=1e9 * frame["tokens_B"], U=1e9 * frame["unique_tokens_B"])
    # Models with more parameters than tokens to see, or than unique ones, overfit: losses rise beyond 7.
    frame = frame[(frame["D"] >= frame["params"]) & (frame["U"] >= frame["params"])]
    if not repeated:
        frame = frame[frame["epochs"] <= 1.001]
    return named(frame, N="params", D="D", U="U", loss="val_loss")


def _each(name: str, table: str, make: Callable[[], pd.DataFrame], cuts: tuple[Cut, ...], laws=LAWS) -> list[Task]:
    return [Task(f"{table}:{name}{name and ' '}{c.label}", table, "design", make, c, laws) for c in cuts]


def tasks() -> list[Task]:
    """Return all tasks of this kind."""
    both, early = (TENTH, THIRD), (FEW, TENTH)
    found = _each("", "chinchilla_epoch", chinchilla, (*early, Cut("N", share=0.1)))
    schedules = {
        "kaplan": ("base", "long", "kaplan"),
        "short warm-up": ("base", "short", "kaplan"),
        "chinchilla": ("base", "short", "chinchilla"),
        "tuned": ("tuned", "short", "const"),
    }
    for dataset in ("rw", "owt2"):
        for name, schedule in schedules.items():
            cuts = both if name in ("chinchilla", "tuned") else (TENTH,)
            found += _each(f"{dataset} {name}", "porian", partial(porian, dataset, *schedule), cuts)
    found += _each("cooled", "gemstones", gemstones_cooled, (*both, Cut("N", share=0.1)))
    found += _each("FineWeb-Edu", "gemstones", partial(gemstones_hot, "edu"), both)
    found += _each("DCLM", "gemstones", partial(gemstones_hot, "dclm"), (TENTH,))
    found += _each("", "misfitting", misfitting, early)
    found += _each("dense", "steplaw", partial(steplaw, "dense_lr_bs_loss.csv", "N"), (THIRD,))
    found += _each("experts", "steplaw", partial(steplaw, "moe_lr_bs_loss.csv", "Na"), (THIRD,))
    # Three budgets within a decade, of which the largest is hidden, or four.
    for source in ("llama_ctx2048", "llama_ctx8192", "llama_ctx16384", "mlstm_ctx16384"):
        cut = THIRD if source == "llama_ctx8192" else HALF
        found += _each(source.replace("_", " "), "xlstm", partial(xlstm, f"isoflop_{source}"), (cut,))
    for corpus in ("c4_original", "rpj", "rw_original"):
        short = corpus.removesuffix("_original")
        found += _each(f"{short} on C4", "gadre_scaling", partial(gadre, corpus, "c4_val"), early)
        code = partial(gadre, corpus, "paloma_dolma_100_programing_languages")
        found += _each(f"{short} on code", "gadre_scaling", code, (TENTH,))
    found += _each("unique", "datablations", partial(datablations, repeated=False), (FEW, TENTH))
    laws = ("muennighoff", "chinchilla")
    return found + _each("repeated", "datablations", partial(datablations, repeated=True), both, laws)
