"""Make a table of runs for the tests, from published constants.

A ladder of sizes and token budgets at one mixture, from the Chinchilla law as refitted by Besiroglu et al. (2024), and
48 mixtures of five domains at one size, from the constants of Ye et al. (2024). Run it to make runs.csv again:

    python tests/simulated/simulate.py
"""

from pathlib import Path

import numpy as np
import pandas as pd

from bayesmix import Model, Runs, simulate

DOMAINS = ("academic", "prose", "dialogue", "symbolic", "internet")
NATURAL = (0.10, 0.15, 0.05, 0.20, 0.50)
NOISE = {"sigma": 0.003, "nu": 4.0}
SEED = 20240415
HERE = Path(__file__).parent


def ladder(rng: np.random.Generator) -> Runs:
    """Nine sizes, 20M to 1B parameters, five token budgets each."""
    sizes = np.geomspace(20e6, 1e9, 9)
    rows = [
        {"run": f"ladder-{i}-{j}", "N": round(n * rng.uniform(0.95, 1.05)), "D": round(n * ratio)}
        for i, n in enumerate(sizes)
        for j, ratio in enumerate((5, 10, 20, 40, 80))
    ]
    model = Model.read("chinchilla")
    design = pd.DataFrame(rows).assign(role="ladder", **{f"w.{d}": w for d, w in zip(DOMAINS, NATURAL, strict=True)})
    constants = {**model.published["besiroglu2024"], **NOISE}
    return simulate(model, Runs.of(design, planned=True), constants, targets=("loss",), seed=SEED)


def mixtures(rng: np.random.Generator) -> Runs:
    """Forty-eight mixtures around the natural one, at 70M parameters and 10B tokens."""
    weights = rng.dirichlet(3 * np.array(NATURAL) + 0.3, size=48).round(4)
    weights[:, -1] = (1 - weights[:, :-1].sum(axis=1)).round(4)
    design = pd.DataFrame(weights, columns=[f"w.{d}" for d in DOMAINS]).assign(
        run=[f"mixture-{i}" for i in range(len(weights))], N=70e6, D=10e9, role="mixture"
    )
    model = Model.read("ye_m4")
    constants = {**model.published["ye2024_5domains"], **NOISE}
    targets = tuple(f"loss.{d}" for d in DOMAINS)
    return simulate(model, Runs.of(design, planned=True), constants, targets=targets, seed=SEED + 1)


def main() -> None:
    rng = np.random.default_rng(SEED)
    table = pd.concat([ladder(rng).table, mixtures(rng).table], ignore_index=True).drop(columns="C")
    losses = [c for c in table if c.startswith("loss")]
    table[losses] = table[losses].round(5)
    Runs.of(table).table.drop(columns="C").to_csv(HERE / "runs.csv", index=False)


if __name__ == "__main__":
    main()
