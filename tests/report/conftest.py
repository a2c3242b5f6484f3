"""Posteriors and results made up from random draws: figures and reports need numbers, not sampling."""

import numpy as np
import pandas as pd
import pytest

from bayesmix.card import Card
from bayesmix.comparison import compare
from bayesmix.decision import Decision, Problem
from bayesmix.decision.decision import Under
from bayesmix.model import Model
from bayesmix.optimum import compute_optimal
from bayesmix.posterior import assemble
from bayesmix.prediction import predict
from bayesmix.runs import Runs

CHAINS, DRAWS = 4, 400
NOTICE = "Simulated data: nothing here was measured."


def made_up(model, runs, centres, *, divergences=0, seed=0):
    """Return a posterior whose draws scatter by 1 % around the centres."""
    random = np.random.default_rng(seed)
    inputs, coordinates = model.inputs(runs)
    quantities = {}
    for name, centre in centres.items():
        shape = inputs.shape(model.dims(name))
        noise = random.normal(size=(CHAINS, DRAWS, *shape))
        quantities[name] = np.broadcast_to(np.asarray(centre, dtype=float), shape) * (1 + 0.01 * noise)
    diverging = np.zeros((CHAINS, DRAWS), dtype=bool)
    diverging.ravel()[:divergences] = True
    stats = {
        "diverging": diverging,
        "n_steps": np.full((CHAINS, DRAWS), 7),
        "energy": random.normal(size=(CHAINS, DRAWS)),
    }
    u = random.normal(size=(CHAINS, DRAWS, len(centres)))
    kept = dict.fromkeys(centres, 0.1)
    return assemble(model, runs, coordinates, quantities, u, stats, seed, modes=1, prior_kept=kept)


def ladder_runs(**labels):
    random = np.random.default_rng(1)
    N = np.repeat(np.geomspace(1e8, 4e9, 6), 4)
    D = np.tile(np.geomspace(2e9, 8e10, 4), 6)
    loss = (1.8 + 482 * N**-0.348 + 2085 * D**-0.366) * np.exp(0.004 * random.normal(size=24))
    loss[3] *= 1.4
    frame = pd.DataFrame({"run": [f"r{i}" for i in range(24)], "N": N, "D": D, "loss": loss, **labels})
    return Runs.of(frame, Card(notice=NOTICE, about={"origin": "made up"}), source="ladder.csv")


@pytest.fixture(scope="session")
def ladder():
    return ladder_runs()


@pytest.fixture(scope="session")
def chinchilla(ladder):
    N0, D0 = (float(np.exp(np.log(ladder.column(c)).mean())) for c in "ND")
    centres = {"E": 1.8, "A": 482 * N0**-0.348, "B": 2085 * D0**-0.366, "alpha": 0.348, "beta": 0.366}
    return made_up(Model.read("chinchilla"), ladder, {**centres, "sigma": 0.004, "nu": 4.0})


@pytest.fixture(scope="session")
def kaplan(ladder):
    centres = {"A": 2.4, "B": 2.3, "alpha": 0.09, "beta": 0.12, "sigma": 0.02, "nu": 4.0}
    return made_up(Model.read("kaplan_nd"), ladder, centres)


@pytest.fixture(scope="session")
def unconverged(ladder, chinchilla):
    centres = {n: v.mean(axis=0) for n, v in chinchilla.values().items()}
    return made_up(chinchilla.model, ladder, centres, divergences=50)


@pytest.fixture(scope="session")
def mixing():
    random = np.random.default_rng(2)
    w = random.dirichlet([3.0, 3.0, 3.0], 30)
    t = np.array([[-2.0, 1.0, 1.0], [0.5, -1.0, 0.5]])
    names = ("web", "code", "books")
    loss = (
        np.array([3.0, 2.0])
        * (0.8 + 0.2 * np.exp((w - w.mean(axis=0)) @ t.T))
        * np.exp(0.003 * random.normal(size=(30, 2)))
    )
    columns = {f"w.{d}": w[:, i] for i, d in enumerate(names)} | {
        f"loss.{d}": loss[:, i] for i, d in enumerate(names[:2])
    }
    runs = Runs.of(pd.DataFrame(columns), source="mixtures.csv")
    centres = {"L0": [3.0, 2.0], "floor": 0.8, "t": t, "sigma": 0.003, "nu": 6.0}
    return made_up(Model.read("ye_m4"), runs, centres)


@pytest.fixture(scope="session")
def planned():
    return Runs.of(pd.DataFrame({"run": ["large", "small"], "N": [7e10, 1e9], "D": [1.4e12, 2e10]}), planned=True)


@pytest.fixture(scope="session")
def prediction(chinchilla, planned):
    return predict(chinchilla, planned, seed=1)


@pytest.fixture(scope="session")
def optimum(chinchilla):
    return compute_optimal(chinchilla, [1e21, 1e24])


@pytest.fixture(scope="session")
def comparison(chinchilla, kaplan):
    return compare({"chinchilla": chinchilla, "kaplan_nd": kaplan})


@pytest.fixture(scope="session")
def decision():
    random = np.random.default_rng(3)
    mixture = np.array([0.5, 0.3, 0.2])
    baseline = random.normal(2.5, 0.01, 500)
    return Decision(
        domains=("web", "code", "books"),
        mixture=mixture,
        baseline=np.full(3, 1 / 3),
        objective=baseline - random.normal(0.02, 0.01, 500),
        baseline_objective=baseline,
        compared={"house": baseline - random.normal(0.01, 0.01, 500)},
        optima=random.dirichlet(100 * mixture, 200),
        regret=random.gamma(1, 0.001, 200),
        near=(mixture - 0.05, mixture + 0.05),
        near_loss=0.001,
        corrected_gain=0.0195,
        kkt_residual=1e-9,
        candidate_gap=0.001,
        observed=(np.array([0.1, 0.1, 0.1]), np.array([0.45, 0.6, 0.6])),
        under={"no discrepancy": Under(np.array([0.4, 0.4, 0.2]), 0.025, 0.02)},
        model_weights={"ye_m4": 1.0},
        counts={"ye_m4": 500},
        problem=Problem(
            bounds={"default": (0.05, 0.6)},
            planned={"N": 1e9, "D": 2e10},
            candidates={"house": {"web": 0.2, "code": 0.6, "books": 0.2}},
        ),
        sizes=pd.DataFrame(
            {"N": [5e8, 1e9, 2e9], "D": [4e10, 2e10, 1e10], "risk": [2.52, 2.5, 2.53], "regret": [0.021, 0.004, 0.032]}
        ),
        warnings=(
            "The mixture lies outside the convex hull of the fitted mixtures: the answer rests on the law there.",
        ),
    )
