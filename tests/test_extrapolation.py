import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bayesmix import Model, Runs, extrapolate, simulate
from bayesmix.extrapolation import Extrapolation
from bayesmix.prediction import Prediction

DRAWS = 20_000


def forecast(log_draws: np.ndarray, log_truth: np.ndarray) -> Extrapolation:
    planned = Runs.of(pd.DataFrame({"N": 1e9, "D": 1e10 * (1 + np.arange(len(log_truth)))}), planned=True)
    draws = np.exp(log_draws)[:, :, None]
    prediction = Prediction(draws, draws, planned, ("loss",), ())
    return Extrapolation("C", 1e20, 1.0, prediction, np.exp(log_truth)[:, None], ())


@pytest.mark.parametrize("z", [0.0, 0.7, -2.5])
def test_crps_is_that_of_a_normal_forecast(z):
    sd = 0.01
    draws = np.random.default_rng(0).normal(0.9, sd, (DRAWS, 1))
    scores = forecast(draws, np.array([0.9 + z * sd])).scores().iloc[0]
    exact = sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    # |X - y| and |X - X'| both have a standard deviation of order sd.
    assert abs(scores["crps"] - exact) < 5 * sd / np.sqrt(DRAWS)
    assert abs(scores["bias"] - z * sd) < 5 * 1.26 * sd / np.sqrt(DRAWS)


def test_interval_score_counts_width_and_miss():
    draws = np.linspace(0, 1, 1001)[:, None]
    inside, outside = (forecast(draws, np.array([y])).scores()["interval_score95%"][0] for y in (0.5, 1.2))
    assert inside == pytest.approx(0.95, abs=1e-9)
    assert outside == pytest.approx(0.95 + 40 * (1.2 - 0.975), abs=1e-9)


def test_coverage_of_a_true_forecast_is_nominal():
    rng = np.random.default_rng(1)
    scores = forecast(rng.normal(0, 0.01, (4000, 900)), rng.normal(0, 0.01, 900)).scores().iloc[0]
    for level in (0.5, 0.8, 0.9, 0.95):
        assert abs(scores[f"coverage{level:.0%}"] - level) < 4 * np.sqrt(level * (1 - level) / 900)


def test_missing_responses_are_left_out_of_the_scores():
    draws = np.random.default_rng(2).normal(0, 0.01, (500, 3))
    scores = forecast(draws, np.array([0.0, np.nan, 0.005])).scores().iloc[0]
    assert scores["runs"] == 2
    assert np.isfinite(scores["crps"])


def test_hidden_runs_of_the_same_law_are_covered():
    rng = np.random.default_rng(3)
    N = np.exp(rng.uniform(np.log(5e7), np.log(5e9), 90))
    design = Runs.of(pd.DataFrame({"N": N, "D": N * np.exp(rng.uniform(np.log(5), np.log(100), 90))}), planned=True)
    model = Model.read("chinchilla")
    constants = {**model.published["besiroglu2024"], "sigma": 0.004, "nu": 30.0}
    runs = simulate(model, design, constants, targets=("loss",), seed=4)
    result = extrapolate(model, runs, by="C", at=float(np.quantile(runs.column("C"), 0.7)), seed=0)
    # Errors of one forecast are shared by its runs, so only gross failure is ruled out here.
    assert result.scores()["coverage95%"][0] > 0.6
    assert result.decades > 0.5
    assert result.sentence().startswith("Fitted on C up to")
    assert len(result.prediction.planned) == 27
