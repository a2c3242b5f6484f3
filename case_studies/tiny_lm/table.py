"""Collect finished runs into runs.csv, and the learning rates tried into learning_rates.csv.

python case_studies/tiny_lm/table.py

Runs that are in runs.csv stay there, whether their results are at hand or not.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from design import LEARNING_RATE, read_design
from model import SIZES
from sources import DOMAINS, OUTSIDE

from bayesmix import Runs

HERE = Path(__file__).parent
RUNS = HERE / "runs.csv"


def rows_of(result: dict, planned: dict[str, str]) -> list[dict]:
    """Return the rows of a finished run: part of the way, where the learning rate is not yet zero, and the end."""
    rows = []
    for measured in result["rows"]:
        share = measured["step"] / result["steps"]
        D = result["D"] * share
        w = np.array([result[f"w.{domain}"] for domain in DOMAINS])
        unique = np.array([result[f"unique_{domain}"] for domain in DOMAINS])
        row = {"run": result["run"], "N": result["N"], "D": D, "C": result["C"] * share}
        row |= {"U": np.minimum(w * D, unique).sum()}
        row |= {f"w.{domain}": x for domain, x in zip(DOMAINS, w, strict=True)}
        row |= {f"unique.{domain}": u for domain, u in zip(DOMAINS, unique, strict=True)}
        row |= {name: x for name, x in measured.items() if name != "step"}
        row |= {name: planned[name] for name in ("part", "group", "size", "mixture")}
        row |= {"checkpoint": "end" if share == 1 else "part way", "seed": result["seed"], "lr": result["lr"]}
        row |= {"step": measured["step"], "steps": result["steps"]}
        row |= {"N_without_embeddings": result["N_without_embeddings"]}
        row |= {f"epochs_{domain}": x for domain, x in zip(DOMAINS, w * D / unique, strict=True)}
        rows.append(row | {"tokens_per_second": result["tokens_per_second"]})
    return rows


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Put columns in a fixed order and round what was measured to what its error leaves of it."""
    targets = [*DOMAINS, *OUTSIDE]
    tests = ["brackets", "cloze"]
    first = ["run", "N", "D", "C", "U", *(f"{what}.{domain}" for what in ("w", "unique") for domain in DOMAINS)]
    responses = [*(f"loss.{target}" for target in targets), *(f"accuracy.{test}" for test in tests)]
    responses += [f"items.accuracy.{test}" for test in tests]
    errors = [*(f"se_loss_{target}" for target in targets), *(f"se_accuracy_{test}" for test in tests)]
    labels = [name for name in table if name not in {*first, *responses, *errors}]
    table = table[[*first, *responses, *labels, *errors]].copy()
    table[responses] = table[responses].round(5)
    table[errors] = table[errors].round(4)
    epochs = [name for name in table if name.startswith("epochs_")]
    table[epochs] = table[epochs].round(4)
    table[["D", "U"]] = table[["D", "U"]].round().astype(int)
    weights = [f"w.{domain}" for domain in DOMAINS]
    table[weights] = table[weights].round(6)
    whole = [f"items.accuracy.{test}" for test in tests]
    table[whole] = table[whole].astype("Int64")
    return table


def learning_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean loss over domains at the end of the runs that tried learning rates."""
    tried = table[(table["part"] == "lr") & (table["checkpoint"] == "end")]
    mean = tried[[f"loss.{domain}" for domain in DOMAINS]].mean(axis=1).round(4)
    rates = tried[["size", "N", "D", "lr"]].assign(mean_loss=mean)
    used = rates["size"].map(LEARNING_RATE)
    return rates.assign(used_in_design=used).sort_values(["N", "lr"], kind="stable")


def with_earlier(table: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Add the rows of runs.csv whose results are not at hand, and sort all by the design."""
    if RUNS.exists():
        earlier = pd.read_csv(RUNS)
        table = pd.concat([earlier[~earlier["run"].isin(table["run"])], table], ignore_index=True)
    return table.sort_values("run", key=lambda names: names.map(order.index), kind="stable")


def main() -> None:
    planned = {row["run"]: row for row in read_design()}
    paths = [HERE / "results" / f"{run}.json" for run in planned]
    results = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]
    if not results:
        raise SystemExit("no run is finished: train some with sweep.py")
    table = pd.DataFrame([row for result in results for row in rows_of(result, planned[result["run"]])])
    if (table["part"] == "lr").any():
        learning_rates(ordered(table)).to_csv(HERE / "learning_rates.csv", index=False, lineterminator="\n")
    kept = with_earlier(table[table["part"] != "lr"], list(planned))
    if kept.empty:
        raise SystemExit("no run of the parts fit and check is finished")
    kept = ordered(kept)
    kept.to_csv(RUNS, index=False, lineterminator="\n")
    runs = Runs.read(RUNS, HERE / "runs.toml")
    sizes = ", ".join(f"{name} {shape.parameters:,}" for name, shape in SIZES.items())
    print(f"{len(runs)} rows of {kept['run'].nunique()} runs (N: {sizes}), results of {len(results)} at hand")
    for hint in runs.hints:
        print(f"- {hint}")


if __name__ == "__main__":
    main()
