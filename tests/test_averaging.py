"""One forecast from several laws."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmix.averaging import average, average_optimum, scale_weights, shares, spread
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.model import Model
from bayesmix.optimum import compute_optimal
from bayesmix.prediction import predict
from bayesmix.runs import Runs
from bayesmix.stacking import pseudo_bma, stacking
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


@pytest.mark.parametrize(("first", "second"), [(0.4, -0.3), (2.0, 1.0), (0.1, -1.5)])
def test_pseudo_bma_of_two_responses_is_what_the_integral_over_their_shares_is(first, second):
    """With shares a and 1 - a, a uniform, the mean of 1 / (1 + exp(-2 (a d + (1 - a) e))) has a closed form."""
    truth = (np.logaddexp(0, 2 * first) - np.logaddexp(0, 2 * second)) / (2 * (first - second))
    log = np.array([[first, second], [0.0, 0.0]])
    found = [pseudo_bma(log, seed=s) for s in range(20)]
    assert np.allclose(np.sum(found, axis=1), 1)
    error = np.std([f[0] for f in found], ddof=1) / np.sqrt(20)
    assert abs(np.mean([f[0] for f in found]) - truth) < 4 * error


def test_pseudo_bma_shares_between_copies_and_draws_the_doubtful_towards_equal():
    rng = np.random.default_rng(0)
    log = rng.normal(size=50)
    assert pseudo_bma(np.stack([log, log]), seed=0) == pytest.approx([0.5, 0.5])
    behind = pseudo_bma(np.stack([log, log - rng.normal(0.1, 1.0, 50)]), seed=0)
    # Of plain pseudo-BMA, without the bootstrap, exp of the whole difference.
    whole = 1 / (1 + np.exp(-5.0))
    assert 0.5 < behind[0] < whole
    assert (pseudo_bma(np.stack([log, log]), seed=1) == pseudo_bma(np.stack([log, log]), seed=1)).all()


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


def test_runs_of_one_name_but_another_size_are_not_averaged():
    posteriors = two(E=(1.5, 2.5))
    other = Runs.of(FAR.table.assign(N=1e12), planned=True)
    assert other.names == FAR.names
    predictions = {"m0": predict(posteriors["m0"], FAR, seed=0), "m1": predict(posteriors["m1"], other, seed=0)}
    with pytest.raises(BayesmixError, match="of different runs or targets"):
        average(predictions, {"m0": 0.5, "m1": 0.5}, seed=0)


def test_the_spread_between_laws_and_within_them_adds_up_to_that_of_their_mixture():
    runs = scale_runs()
    drawn = {n: E * (1 + 0.01 * np.random.default_rng(k).standard_normal((1000, 1)))
             for k, (n, E) in enumerate({"low": 1.7, "high": 2.0}.items())}  # fmt: skip
    model = dataclasses.replace(Model.read("chinchilla"), discrepancy=None)
    predictions = {n: predict(fake(model, runs, _many(runs, E)), FAR, seed=0) for n, E in drawn.items()}
    weights = {"low": 0.25, "high": 0.75}
    (row,) = spread(predictions, weights).to_dict("records")
    means = {n: p.expected.mean() for n, p in predictions.items()}
    assert row["sd_between"] == pytest.approx(np.sqrt(0.25 * 0.75) * (means["high"] - means["low"]))
    mixed = average(predictions, weights, seed=0)
    # Draws are taken at random: of 1,333 the standard deviation has an error of about 2 %.
    assert mixed.expected.std() == pytest.approx(np.hypot(row["sd_within"], row["sd_between"]), rel=0.08)
    assert row["lowest"] == pytest.approx(np.median(predictions["low"].expected))
    assert row["highest"] == pytest.approx(np.median(predictions["high"].expected))
    (said,) = (w for w in mixed.warnings if w.startswith("The laws disagree about loss of "))
    assert f"{row['lowest']:.4g} to {row['highest']:.4g}" in said
    alone = {"low": 1.0, "high": 0.0}
    assert spread(predictions, alone)["sd_between"].tolist() == [0]
    assert not any("disagree" in w for w in average(predictions, alone, seed=0).warnings)


def _many(runs, E):
    values = chinchilla_values(runs)
    noise = 1e-6 * np.random.default_rng(9).standard_normal((1000, 1))
    return {n: E if n == "E" else v * (1 + noise) for n, v in values.items()}


def test_an_average_allocation_has_the_draws_of_each_by_its_share():
    runs = scale_runs()
    model = dataclasses.replace(Model.read("chinchilla"), discrepancy=None)
    optima = {n: compute_optimal(fake(model, runs, chinchilla_values(runs, alpha=a)), [1e21, 1e22])
              for n, a in (("one", 0.34), ("other", 0.4))}  # fmt: skip
    mixed = average_optimum(optima, {"one": 0.25, "other": 0.75}, seed=0)
    ones = np.isclose(mixed.N[:, 1, 0], optima["one"].N[0, 1, 0], rtol=1e-3)
    assert ones.mean() == pytest.approx(0.25, abs=0.01)
    assert np.allclose(6 * mixed.N * mixed.D, mixed.C[:, None])
    other = compute_optimal(fake(model, runs, chinchilla_values(runs)), [1e20])
    with pytest.raises(BayesmixError, match="different budgets"):
        average_optimum({"one": optima["one"], "other": other}, {"one": 0.5, "other": 0.5}, seed=0)


def test_predictions_of_different_runs_are_not_averaged():
    p = two()["m0"]
    other = Runs.of(pd.DataFrame({"run": ["x"], "N": [7e10], "D": [1.4e12]}), planned=True)
    with pytest.raises(BayesmixError, match="different runs"):
        average({"a": predict(p, FAR, seed=0), "b": predict(p, other, seed=0)}, {"a": 0.5, "b": 0.5}, seed=0)


def test_probabilities_of_counts_and_densities_are_not_weighed_against_each_other():
    first, second = hidden("a", [1.0] * 4), dataclasses.replace(hidden("b", [1.0] * 4), discrete=True)
    with pytest.raises(BayesmixError, match="probabilities of counts, others densities"):
        scale_weights([first, second])


def test_a_response_that_no_law_thought_possible_tells_them_not_apart():
    possible = np.log([[0.9, 0.9, 0.1], [0.3, 0.3, 0.9]])
    impossible = np.full((2, 1), -np.inf)
    assert np.array_equal(stacking(np.hstack([possible, impossible])), stacking(possible))
    assert stacking(impossible).tolist() == [0.5, 0.5]
