"""Fit mixing laws to 60 mixtures of SlimPajama's seven domains, check them on unseen mixtures, choose a mixture.

python case_studies/slimpajama/study.py
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import data, decided, markdown, record

from bayesmix import Model, Posterior, Problem, Runs, compare, decide, fit, predict, write_report

HERE = Path(__file__).parent
SEED = 0
SPLITS = (0, 1, 2)
LAWS = ("effective_tokens", "ye_m4")


def seven(model: Model, runs: Runs) -> Model:
    """Restrict a model to the targets that are training domains: OpenHermes is not one."""
    return dataclasses.replace(model, targets=tuple(t for t in runs.targets if t.split(".")[1] in runs.domains))


def held_out(runs: Runs, law: str, split: int) -> dict[str, object]:
    """Fit 48 mixtures, predict the other 12: relative error of the median, coverage of intervals."""
    order = np.random.default_rng(split).permutation(len(runs))
    train, test = (Runs.of(runs.table.iloc[np.sort(i)].reset_index(drop=True)) for i in (order[:48], order[48:]))
    model = seven(Model.read(law), runs)
    prediction = predict(fit(model, train, seed=SEED), test, seed=SEED)
    truth = np.stack([test.column(t) for t in model.targets], axis=1)
    row = {"law": law, "split": split, "MRE %": 100 * np.abs(np.median(prediction.expected, axis=0) / truth - 1).mean()}
    for level in (0.5, 0.8, 0.9, 0.95):
        low, high = np.quantile(prediction.measured, [(1 - level) / 2, (1 + level) / 2], axis=0)
        row[f"in {level:.0%} interval"] = ((low <= truth) & (truth <= high)).mean()
    return row


def main() -> None:
    table = data("slimpajama-7-and-pile-4") / "dmsl_llm_slimpajama.csv"
    runs = Runs.read(table, HERE / "runs.toml").where("N=122e6", "D=9.998e9")
    scores = pd.DataFrame([held_out(runs, law, split) for law in LAWS for split in SPLITS])
    posteriors: dict[str, Posterior] = {
        name: fit(seven(Model.read(name), runs), runs, seed=SEED, progress=True) for name in (*LAWS, "constant")
    }
    comparison = compare(posteriors)
    problem = Problem.read(HERE / "problem.toml")
    decision = decide(posteriors, problem, weights=comparison.weights, seed=1)
    write_report(HERE / "report", posteriors, comparison, decision, title="SlimPajama, seven domains", overwrite=True)
    results = [
        "Held-out mixtures (fit 48, predict 12; all seven targets):",
        markdown(scores.round(3)),
        "Laws against a mixture-independent model (PSIS-LOO, leaving out whole runs):",
        markdown(comparison.table.round(2).reset_index(names="model")),
        "\n".join(f"- {w}" for w in comparison.warnings),
        "Mixture of least expected mean loss, bounds 0.01 to 0.5:",
        *decided(decision),
    ]
    record(HERE / "README.md", "\n\n".join(results))


if __name__ == "__main__":
    main()
