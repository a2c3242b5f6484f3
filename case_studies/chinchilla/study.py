"""Fit the Chinchilla law to the digitised runs of Hoffmann et al. and set it beside published fits.

python case_studies/chinchilla/study.py
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import data, markdown, record

from bayesmix import Model, Posterior, Runs, compare, compute_optimal, fit

SEED = 0
BUDGET = 1e24
# Besiroglu et al. (2024): estimate and 95 % interval from 4,000 bootstrap resamples of 240 points.
BESIROGLU = {
    "E": (1.81686, 1.769, 1.871),
    "A_raw": (482.006, 285.214, 743.626),
    "B_raw": (2085.434, 1042.357, 5810.344),
    "alpha": (0.34781, 0.317, 0.373),
    "beta": (0.36585, 0.331, 0.415),
}


def draws(posterior: Posterior, name: str) -> np.ndarray:
    group = posterior.derived() if name.endswith("_raw") else posterior.tree["posterior"]
    return group[name].values.ravel()


def interval(values: np.ndarray, form: str) -> str:
    mean, (low, high) = values.mean(), np.quantile(values, [0.025, 0.975])
    return f"{mean:{form}} ({low:{form}}, {high:{form}})"


def coefficients(posteriors: dict[str, Posterior]) -> pd.DataFrame:
    rows = []
    for name, (estimate, low, high) in BESIROGLU.items():
        form = ".0f" if name.endswith("_raw") else ".4f"
        row = {"": name, "Besiroglu et al., 240 runs": f"{estimate:{form}} ({low:{form}}, {high:{form}})"}
        rows.append(row | {label: interval(draws(p, name), form) for label, p in posteriors.items()})
    optimal = {label: compute_optimal(p, [BUDGET]) for label, p in posteriors.items()}
    published = Model.read("chinchilla").published["besiroglu2024"]
    G = (published["alpha"] * published["A"] / (published["beta"] * published["B"])) ** (
        1 / (published["alpha"] + published["beta"])
    )
    N = G * (BUDGET / 6) ** (published["beta"] / (published["alpha"] + published["beta"]))
    ratio = BUDGET / 6 / N**2
    row = {"": f"D/N at {BUDGET:.0e} FLOP", "Besiroglu et al., 240 runs": f"{ratio:.1f}"}
    rows.append(row | {label: interval((o.D / o.N).ravel(), ".1f") for label, o in optimal.items()})
    return pd.DataFrame(rows)


def main() -> None:
    runs = Runs.read(data("chinchilla_epoch") / "chinchilla_245.csv")
    kept = runs.where("besiroglu_excluded=0")
    fits = {
        "Student-t, 245 runs": fit(Model.read("chinchilla"), runs, seed=SEED, progress=True),
        "Laplace, 245 runs": fit(Model.read("chinchilla_laplace"), runs, seed=SEED, progress=True),
        "Laplace, 240 runs": fit(Model.read("chinchilla_laplace"), kept, seed=SEED, progress=True),
        "Student-t, 240 runs": fit(Model.read("chinchilla"), kept, seed=SEED, progress=True),
    }
    normal = fit(Model.read("chinchilla_normal"), runs, seed=SEED, progress=True)
    comparison = compare(
        {"Student-t": fits["Student-t, 245 runs"], "normal": normal, "Laplace": fits["Laplace, 245 runs"]}
    )
    problems = [f"- {label}: {p}" for label, posterior in fits.items() for p in posterior.problems()]
    table = comparison.table[["elpd", "se", "diff", "diff_se", "weight", "max_k", "bad_k", "waic"]].round(2)
    results = [
        "Mean and 95 % interval:",
        markdown(coefficients(fits)),
        "Comparison of noises on all 245 runs (PSIS-LOO, leaving out one run):",
        markdown(table.reset_index(names="noise")),
        "\n".join(f"- {w}" for w in comparison.warnings),
        "\n".join(problems) or "- All posteriors converged, without a problem.",
    ]
    record(Path(__file__).parent / "README.md", "\n\n".join(results))


if __name__ == "__main__":
    main()
