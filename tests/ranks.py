"""Simulation-based calibration: ranks of true values among draws given runs that these values made.

If prior, law, noise and sampler agree, all ranks are equally likely (Talts et al., 2018, Validating Bayesian Inference
Algorithms with Simulation-Based Calibration; with the likelihood as a further quantity, Modrák et al., 2023). One law
of every family, with the noise that it has by default, and for larger runs the whole path, discrepancy included. As a
command it draws the figure:

    python tests/ranks.py benchmarks/results/ranks.png
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import arviz_stats
import jax
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpyro.distributions import LogNormal
from scipy import stats

sys.path.append(str(Path(__file__).parent))
from bayesmix import Model, Posterior, Runs, fit_many, laws, predict
from bayesmix.covariates import RESPONSES
from bayesmix.evaluation import log_likelihood
from bayesmix.files import write_whole
from bayesmix.inference.program import program
from bayesmix.inputs import Coordinates
from bayesmix.law import Prior
from bayesmix.noise import NOISES, Noise
from bayesmix.precision import double
from conftest import feeding, synthetic_frame
from fakes import fake

TABLES, ROWS, AMONG = 100, 24, 99
TRIES = 50  # tables drawn for one whose responses can be: errors from 0 to 1, losses above 0
LAWS = {
    "scale": "chinchilla",
    "mixing": "effective_tokens",
    "data": "muennighoff",
    "dynamics": "lr_annealing",
    "architecture": "frantar_sparsity",
    "downstream": "ladder_two_step",
    "hyperparameters": "step_law",
    "posttraining": "gao_bon",
    "other": "adversarial_tokens",
}
LARGER = (10.0, 100.0)  # times the largest N and D, where the discrepancy acts
FORECAST = "chinchilla"


def absolute(model: Model) -> Model:
    """Return the model with priors in the response's own unit, which truths drawn from them have too."""

    def own_unit(quantities):
        return {n: replace(q, relative=False) if isinstance(q, Prior) else q for n, q in quantities.items()}

    law, noise = (replace(part, quantities=own_unit(part.quantities)) for part in (model.law, model.noise))
    return replace(model, law=law, noise=noise)


def simulated_model(name: str, noise: Noise | None = None) -> Model:
    """Return a law with priors and noise that data can be drawn from: a normal one, unless another is given."""
    law = laws.get(name)
    noise = noise or NOISES["log_normal" if law.response in ("loss", "bpb", "optimum") else "normal"]
    model = absolute(Model(law, noise, covariates=Model.read(name).covariates))
    return model.given(sigma=LogNormal(-5.0, 0.3))


def drawn_from_prior(model: Model, design: Runs, targets: Sequence[str], seed: int):
    """Return constants drawn from the prior, runs drawn from them, and how likely they made these runs."""
    coordinates = model.inputs(design)[1]
    unit = Coordinates(
        tuple(targets), coordinates.domains, {}, coordinates.references, coordinates.scale, (1.0,) * len(targets)
    )
    inputs, _ = model.inputs(design, unit)
    with double():
        compiled = program(model, inputs)
        drawn = compiled.constrain(compiled.prior(np.random.default_rng(seed), 1), inputs)
        truth = {n: v[0] for n, v in drawn.items()}
        noise = model.measured(truth, model.mean(truth, inputs), inputs)
        measured = noise.sample(jax.random.key(seed))
        likelihood = float(noise.log_prob(measured).sum())
    return truth, {t: np.asarray(measured)[:, i] for i, t in enumerate(targets)}, likelihood


def possible(model: Model, design: Runs, targets: Sequence[str], seeds: Sequence[int]):
    """Return what `drawn_from_prior` gives for the first seed whose responses can be, as runs.

    To choose by the responses alone leaves the posterior what it is.
    """
    low, high = RESPONSES[model.law.response].admissible
    for seed in seeds:
        truth, responses, likelihood = drawn_from_prior(model, design, targets, seed)
        if all(((v > low) & (v < high) & np.isfinite(v)).all() for v in responses.values()):
            return truth, Runs.of(design.table.assign(**responses)), likelihood
    raise ValueError(f"no draw of the priors of {model.name} gives responses between {low} and {high}")


def worst_r_hat(posterior: Posterior) -> float:
    """Return the largest R-hat."""
    return max(float(v.max()) for v in arviz_stats.rhat(posterior.tree["posterior"].to_dataset()).values())


@cache
def ranks(name: str) -> tuple[pd.DataFrame, int]:
    """Return how many of 99 nearly independent draws are below the truth, and how many fits did not converge.

    One row a table that was drawn from the prior and fitted; columns are elements of quantities, the likelihood, and
    measured losses of larger runs.
    """
    model = simulated_model(name, Model.read(name).noise)
    table = feeding(model, synthetic_frame(ROWS))
    own = next(c for c in table if c.startswith(f"{model.law.response}."))
    kept = [c for c in table if c.split(".")[0] not in RESPONSES or c == own or c in model.columns.values()]
    design, model = Runs.of(table[kept]), replace(model, targets=(own,))
    drawn = [possible(model, design, (own,), range(TRIES * i, TRIES * (i + 1))) for i in range(TABLES)]
    fits = fit_many(model, [runs for _, runs, _ in drawn], seed=0, draws=500, warmup=500)
    rows, unconverged = [], 0
    for i, ((truth, runs, likelihood), posterior) in enumerate(zip(drawn, fits.values(), strict=True)):
        unconverged += not worst_r_hat(posterior) < 1.05
        values = {n: (truth[n].ravel(), v.reshape(len(v), -1)) for n, v in posterior.values().items() if n in truth}
        values["likelihood"] = (
            np.array([likelihood]),
            log_likelihood(posterior, np.zeros(len(runs), int)).reshape(-1, 1),
        )
        if name == FORECAST:
            values["larger runs"] = forecast(posterior, truth, i)
        rows.append({
            n if len(there) == 1 else f"{n}[{k}]": int((found[:: len(found) // AMONG, k][:AMONG] < there[k]).sum())
            for n, (there, found) in values.items() for k in range(len(there))
        })  # fmt: skip
    return pd.DataFrame(rows), unconverged


def forecast(posterior: Posterior, truth: dict[str, np.ndarray], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return losses of larger runs that the truth, bent by the discrepancy, makes, and draws of their forecast."""
    runs = posterior.runs
    planned = pd.DataFrame({c: [x * runs.table[c].max() for x in LARGER] for c in ("N", "D")})
    planned = Runs.of(planned.assign(run=[f"{x:g} times" for x in LARGER]), planned=True)
    made = fake(posterior.model, runs, truth, seed=seed)
    measured = predict(made.accept(), planned, seed=seed).measured[0, :, 0]
    return measured, predict(posterior.accept(), planned, seed=TABLES + seed).measured[:, :, 0]


def uniformity(counts: np.ndarray) -> float:
    """Return the smaller p value of two tests that ranks are uniform, ties broken at random.

    Both are Kolmogorov and Smirnov's: one of the ranks, which sees posteriors off the truth; one of how far they are
    from the middle, which sees posteriors too narrow or too wide. The first hardly sees those.
    """
    share = (counts + np.random.default_rng(0).random(len(counts))) / (AMONG + 1)
    return min(float(stats.kstest(found, "uniform").pvalue) for found in (share, np.abs(2 * share - 1)))


def figure(found: dict[str, pd.DataFrame], failure: float) -> Figure:
    """Return, a panel a law, how far the share of ranks below any is from what it should be.

    Parameters
    ----------
    found : dict of str to DataFrame
        What `ranks` gives for each law.
    failure : float
        Chance that a line of a calibrated sampler leaves the band.
    """
    made, axes = plt.subplots(3, 3, figsize=(11, 7.5), sharex=True, sharey=True, layout="constrained")
    grid = (np.arange(AMONG + 1) + 1) / (AMONG + 1)
    for ax, (name, table) in zip(axes.flat, found.items(), strict=True):
        band = stats.kstwo.isf(failure, len(table))
        ax.fill_between([0, 1], -band, band, color="0.92")
        for column in table:
            below = (table[column].to_numpy()[:, None] < np.arange(1, AMONG + 2)).mean(axis=0)
            ax.plot(grid, below - grid, linewidth=1, color="#0b6e4f" if column != "likelihood" else "#c8553d")
        ax.set_title(f"{name}: {table.shape[1]} ranks", fontsize=10)
    axes[-1, 1].set_xlabel("rank of the truth among posterior draws, as a share")
    axes[1, 0].set_ylabel(f"share of {TABLES} simulated tables below, less what it should be")
    return made


if __name__ == "__main__":
    tables, rows = {}, []
    for name in LAWS.values():
        tables[name], unconverged = ranks(name)
        least = min(uniformity(tables[name][column].to_numpy()) for column in tables[name])
        rows.append({"law": name, "ranks": tables[name].shape[1], "least p": least, "not converged": unconverged})
        print(rows[-1], flush=True)
    picture = figure(tables, 0.01 / sum(row["ranks"] for row in rows))
    write_whole(sys.argv[1], lambda path: picture.savefig(path, dpi=110), overwrite=True)
