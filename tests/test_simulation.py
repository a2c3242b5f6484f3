import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal

from bayesmix import laws
from bayesmix.card import Card
from bayesmix.errors import BayesmixError
from bayesmix.law import law, prior, reference
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.runs import Runs
from bayesmix.simulation import prior_predictive, simulate
from fakes import scale_runs, table

TRUTH = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28, "N0": 1, "D0": 1}


def design(**labels) -> Runs:
    N, D = np.geomspace(1e8, 1e10, 400), np.geomspace(1e9, 1e11, 400)[::-1]
    return Runs.of(pd.DataFrame({"N": N, "D": D, **labels}), planned=True)


def test_responses_scatter_around_the_law_as_the_noise_says():
    model = Model(laws.get("chinchilla"), NOISES["log_normal"])
    runs = simulate(model, design(), {**TRUTH, "sigma": 0.02}, targets=("loss",), seed=0)
    mean = [model.law(N, D, **TRUTH) for N, D in zip(runs.column("N"), runs.column("D"), strict=True)]
    errors = np.log(runs.column("loss") / mean)
    assert abs(errors.mean()) < 4 * 0.02 / np.sqrt(400)
    assert abs(errors.std() / 0.02 - 1) < 4 / np.sqrt(800)


def test_the_same_seed_gives_the_same_runs_and_another_does_not():
    model = Model.read("chinchilla")
    constants = {**TRUTH, "sigma": 0.02, "nu": 5.0}
    first, again, other = (simulate(model, design(), constants, targets=("loss",), seed=s).hash for s in (0, 0, 1))
    assert first == again != other


def test_constants_that_are_missing_are_named():
    constants = {n: v for n, v in TRUTH.items() if n not in ("alpha", "D0")}
    with pytest.raises(BayesmixError, match="model chinchilla needs a number for alpha, D0, sigma, nu to simulate"):
        simulate(Model.read("chinchilla"), design(), constants, targets=("loss",), seed=0)


def test_published_constants_can_be_given_as_they_are():
    model = Model.read("chinchilla")
    for constants in model.published.values():
        runs = simulate(model, design(), {**constants, "sigma": 0.01, "nu": 30.0}, targets=("loss",), seed=0)
        assert runs.targets == ("loss",)


def test_constants_of_the_law_itself_need_not_be_given():
    @law(paper="")
    def loss(N, *, E=prior(LogNormal(0, 1), "nats/token", "floor"), alpha=1, N0=reference("N")):
        return E + (N / N0) ** -alpha

    model = Model(loss, NOISES["log_normal"])
    constants = {"E": 2.0, "N0": 1e8, "sigma": 1e-9}
    runs = simulate(model, design(), constants, targets=("loss",), seed=0)
    assert np.allclose(runs.column("loss"), 2 + (runs.column("N") / 1e8) ** -1.0, rtol=1e-6)


def test_targets_of_a_law_of_one_response_share_its_constants():
    model = Model.read("chinchilla")
    constants = {**TRUTH, "sigma": 1e-9, "nu": 30.0}
    runs = simulate(model, design(), constants, targets=("loss.a", "loss.b"), seed=0)
    assert np.allclose(runs.column("loss.a"), runs.column("loss.b"))


def test_every_group_has_its_own_constant():
    labelled = design(family=["b", "a"] * 200)
    model = dataclasses.replace(Model.read("constant"), pooling={"L0": Pooling("family", "none")})
    runs = simulate(model, labelled, {"L0": [[2.0], [3.0]], "sigma": 1e-9, "nu": 30.0}, targets=("loss",), seed=0)
    assert np.allclose(runs.where(family="a").column("loss"), 2)
    assert np.allclose(runs.where(family="b").column("loss"), 3)


def test_names_and_units_of_a_foreign_table_are_not_applied_twice():
    card = Card(columns={"params": "N"}, units={"N": "millions"}, notice="Simulated.")
    planned = Runs.of(pd.DataFrame({"params": [100.0, 1000.0], "D": [1e9, 1e10]}), card, planned=True)
    runs = simulate(Model.read("chinchilla"), planned, {**TRUTH, "sigma": 0.01, "nu": 9.0}, targets=("loss",), seed=0)
    assert runs.column("N").tolist() == [1e8, 1e9]
    assert runs.card == card


def test_prior_predictive_draws_come_from_the_priors():
    runs = scale_runs()
    drawn = prior_predictive(Model.read("chinchilla"), runs, seed=0, draws=2000)
    assert drawn["response"].shape == (2000, len(runs), 1)
    assert drawn["alpha"].shape == (2000, 1)
    logs = np.log(drawn["alpha"])
    assert abs(logs.mean() + 1.1) < 4 * 0.52 / np.sqrt(2000)
    relative = np.log(drawn["E"] / np.exp(np.log(runs.column("loss")).mean()))
    assert abs(relative.mean() + 0.58) < 4 * 0.31 / np.sqrt(2000)
    assert not [n for n in drawn if n.endswith((".relative", ".offset"))]


def test_prior_predictive_does_not_see_the_responses_but_for_their_scale():
    one = table(N=[1e8, 1e9], D=[1e9, 1e10], loss=[2.0, 8.0])
    other = table(N=[1e8, 1e9], D=[1e9, 1e10], loss=[8.0, 2.0])
    first, second = (prior_predictive(Model.read("chinchilla"), r, seed=3, draws=10)["response"] for r in (one, other))
    assert np.allclose(first, second)
