"""One forecast from several laws."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmix.averaging import average, scale_weights, shares
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.model import Model
from bayesmix.prediction import predict
from bayesmix.runs import Runs
from bayesmix.stacking import stacking
from fakes import chinchilla_values, fake, scale_runs

BENDS = pd.DataFrame(columns=["at", "target", "bend", "error"])
FAR = Runs.of(pd.DataFrame({"N": [7e10], "D": [1.4e12]}), planned=True)


def hidden(model, log_score, run="abcd"):
    table = pd.DataFrame({"at": 1e20, "run": list(run), "target": "loss", "log_score": log_score})
    return Extrapolation(model, "C", table, BENDS, ())


def two(E=(1.8, 1.9)):
    runs = scale_runs()
    return {
        f"m{k}": fake(
            dataclasses.replace(Model.read("chinchilla"), name=f"m{k}", discrepancy=None),
            runs,
            chinchilla_values(runs, E=e),
        )
        for k, e in enumerate(E)
    }


def test_stacking_finds_the_share_of_each_population():
    """Of responses drawn from two normal distributions, within 4 standard errors of their shares."""
    rng = np.random.default_rng(0)
    second = rng.random(4000) < 0.3
    y = np.where(second, 3.0, 0.0) + rng.standard_normal(4000)
    weights = stacking(np.stack([stats.norm(m).logpdf(y) for m in (0, 3, 50)]))
    assert weights.sum() == pytest.approx(1, abs=1e-9)
    # Overlap of the two adds less than half to the error of a share.
    assert abs(weights[1] - second.mean()) < 4 * 1.5 * np.sqrt(0.3 * 0.7 / 4000)
    assert weights[2] < 1e-6


def test_no_other_weights_score_better():
    rng = np.random.default_rng(1)
    log = rng.normal(size=(3, 20))
    best = stacking(log)

    def score(w):
        return np.log(w @ np.exp(log)).sum()

    others = rng.dirichlet(np.ones(3), 2000)
    assert max(map(score, others)) <= score(best) + 1e-9


def test_densities_too_small_for_numbers_are_compared_all_the_same():
    weights = stacking(np.array([[-2000.0, -3000.0], [-2001.0, -2990.0]]))
    assert np.isfinite(weights).all()
    assert weights.sum() == pytest.approx(1)


def test_models_are_weighed_by_what_both_forecast():
    weights = scale_weights([hidden("m0", [0.0, 0.1, 0.0, 0.2]), hidden("m1", [5.0, 5.0, 6.0, 5.0])])
    assert weights["m0"] == pytest.approx(1, abs=1e-6)
    with pytest.raises(BayesmixError, match="same model"):
        scale_weights([hidden("m0", 0.0), hidden("m0", 0.0)])
    with pytest.raises(BayesmixError, match="hid different responses"):
        scale_weights([hidden("m0", 0.0), hidden("m1", 0.0, run="abce")])


def test_shares_are_by_hidden_scales_where_all_models_have_them():
    posteriors = two()
    backtests = [hidden("m0", [5.0] * 4), hidden("m1", [0.0] * 4)]
    assert shares(posteriors, backtests)["m1"] > 0.999
    by_loo = shares(posteriors, backtests[:1])
    assert by_loo == shares(posteriors)
    assert by_loo["m0"] > 0.5  # whose floor the runs were made with
    assert shares({"m0": posteriors["m0"]}) == {"m0": 1.0}


def test_an_average_has_the_draws_of_each_by_its_share():
    predictions = {n: predict(p, FAR, seed=0) for n, p in two(E=(1.5, 2.5)).items()}
    mixed = average(predictions, {"m0": 0.25, "m1": 0.75}, seed=0)
    low = mixed.expected[:, 0, 0] < 2.1
    assert low.mean() == pytest.approx(0.25, abs=0.01)
    for n, part in (("m0", low), ("m1", ~low)):
        assert set(mixed.measured[part, 0, 0]) <= set(predictions[n].measured[:, 0, 0])
    alone = average(predictions, {"m0": 1.0, "m1": 0.0}, seed=0)
    assert sorted(alone.expected[:, 0, 0]) == sorted(predictions["m0"].expected[:, 0, 0])


def test_predictions_of_different_runs_are_not_averaged():
    p = two()["m0"]
    other = Runs.of(pd.DataFrame({"run": ["x"], "N": [7e10], "D": [1.4e12]}), planned=True)
    with pytest.raises(BayesmixError, match="different runs"):
        average({"a": predict(p, FAR, seed=0), "b": predict(p, other, seed=0)}, {"a": 0.5, "b": 0.5}, seed=0)
