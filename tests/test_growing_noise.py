"""Noises whose scale is a power of a column."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesmix import laws
from bayesmix.binding import bind
from bayesmix.errors import BayesmixError, InputError
from bayesmix.inference.fit import fit
from bayesmix.model import Model
from bayesmix.modelfile import dumps, loads
from bayesmix.noise import NOISES, get
from bayesmix.outliers import outliers
from bayesmix.prediction import predict
from bayesmix.runs import Runs
from bayesmix.simulation import simulate
from fakes import chinchilla_values, fake, scale_runs

GROWING = [n for n, noise in NOISES.items() if "sigma" in noise.quantities]
X, AT = np.array([1e18, 1e20, 1e22]), 1e20
LAW = {"E": 1.8, "A": 0.3, "B": 0.4, "alpha": 0.34, "beta": 0.28, "N0": 3e8, "D0": 6e9}
TRUTH = {"sigma": 0.01, "sigma_slope": -0.2, "sigma_at": 1e19}


def numbers(name, **more):
    return {n: {"sigma": 0.1, "nu": 4.0}[n] for n in NOISES[name].quantities} | more


@pytest.mark.parametrize("name", GROWING)
def test_the_scale_is_a_power_of_the_column(name):
    mean, at = np.full((3, 2), 2.5), {"sigma_slope": np.array([0.0, -0.25]), "sigma_at": AT}
    grown = get(f"{name} by C").around(mean, numbers(name, **at), None, X)
    for i, x in enumerate(X):
        for j, slope in enumerate(at["sigma_slope"]):
            scale = 0.1 * (x / AT) ** slope
            expected = NOISES[name].function(mean, **numbers(name, sigma=scale)).log_prob(3.0)[i, j]
            np.testing.assert_allclose(grown.log_prob(3.0)[i, j], expected, rtol=1e-6)


def test_a_kinked_one_borrows_the_same_smooth_one():
    smooth = get("log_laplace by C").smooth
    assert smooth is not None
    assert smooth.by == "C"
    assert get("log_normal by C").smooth is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("beta by C", "noise 'beta by C' needs the name of a column, such as C, and a quantity sigma; noise beta has: "
         "precision"),
        ("normal by ", "noise 'normal by ' needs the name of a column"),
        ("log_norml by C", "there is no noise 'log_norml'. Did you mean 'log_normal'?"),
    ],
)  # fmt: skip
def test_what_cannot_grow_is_said(name, said):
    with pytest.raises(BayesmixError, match="^" + said.replace(".", r"\.").replace("?", r"\?")):
        get(name)


def test_a_law_that_does_not_tell_the_column_cannot_have_it():
    with pytest.raises(
        BayesmixError, match=r"needs C, which does not follow from what law olmix_loglinear takes \(w\)"
    ):
        Model(laws.get("olmix_loglinear"), get("log_normal by C"))
    assert Model(laws.get("alab_m2"), get("log_normal by D"), covariates={"x": "D"}).noise.by == "D"


def test_model_files_know_it():
    text = 'law = "chinchilla"\nnoise = "log_student_t by C"\n[priors]\nsigma_slope = 0.1\nsigma_at = 1e21\n'
    model = loads(text)
    assert model.quantities["sigma_slope"] == 0.1
    assert model.references.keys() == {"N0", "D0"}
    assert loads(dumps(model)) == model


def test_its_reference_is_the_middle_of_the_fitted_runs():
    model, runs = replace(Model.read("chinchilla"), noise=get("log_normal by C")), scale_runs()
    inputs, coordinates = bind(model, runs)
    np.testing.assert_allclose(inputs.noise_by, runs.column("C"))
    np.testing.assert_allclose(inputs.references["sigma_at"], np.exp(np.log(runs.column("C")).mean()))
    planned = Runs.of(pd.DataFrame({"run": ["big"], "N": [7e10], "D": [1.4e12]}), planned=True)
    later, _ = bind(model, planned, coordinates)
    np.testing.assert_allclose(later.noise_by, 6 * 7e10 * 1.4e12)
    assert later.references["sigma_at"] == inputs.references["sigma_at"]


def test_a_column_without_logarithms_is_refused_by_run():
    runs = Runs.of(pd.DataFrame({"run": ["a", "b"], "steps": [0.0, 10.0], "loss": [2.0, 3.0]}))
    model = Model(laws.get("alab_m2"), get("log_normal by steps"), covariates={"x": "steps"})
    with pytest.raises(InputError, match="steps is 0, but noise log_normal by steps takes its logarithm") as raised:
        bind(model, runs)
    assert [f.run for f in raised.value.faults] == ["a"]


def test_forecasts_scatter_as_the_power_says():
    runs = scale_runs()
    values = chinchilla_values(runs, sigma=0.02) | {"nu": 200.0, "sigma_slope": -0.3}
    # Without a discrepancy, since a run's own departure from the law scatters too.
    model = replace(Model.read("chinchilla"), noise=get("log_student_t by N"), discrepancy=None)
    p = fake(model, runs, values, draws=4000)
    planned = Runs.of(pd.DataFrame({"N": [1e7, 1e9], "D": [2e9, 2e9]}), planned=True)
    found = predict(p, planned, seed=0)
    scatter = np.log(found.measured / found.expected)[:, :, 0].std(axis=0)
    centre = np.exp(np.log(runs.column("N")).mean())
    expected = 0.02 * (planned.column("N") / centre) ** -0.3
    np.testing.assert_allclose(scatter / expected, 1, atol=4 / np.sqrt(2 * len(found.measured)))
    assert outliers(p, least=0.0)["probability"].between(0, 1).all()


def test_the_exponent_is_recovered():
    rng = np.random.default_rng(0)
    n, d = (np.exp(rng.uniform(*np.log(ends), 120)) for ends in ((2e7, 2e9), (5e8, 5e10)))
    model = replace(Model.read("chinchilla"), noise=get("log_normal by C"))
    planned = Runs.of(pd.DataFrame({"N": n, "D": d}), planned=True)
    recovered = fit(model, simulate(model, planned, LAW | TRUTH, targets=("loss",), seed=1), seed=0)
    assert recovered.converged
    draws = recovered.tree["posterior"]["sigma_slope"].values[:, :, 0]
    assert abs(draws.mean() - TRUTH["sigma_slope"]) < 4 * draws.std()
    assert draws.std() < 0.05  # of a prior of .15
