import numpy as np
import pytest
from scipy.stats import kstest, norm

from bayesmix import scores

DRAWS = 20_000


@pytest.mark.parametrize("z", [0.0, 0.7, -2.5])
def test_crps_is_that_of_a_normal_forecast(z):
    sd = 0.01
    draws = np.random.default_rng(0).normal(0.9, sd, (DRAWS, 1))
    truth = np.array([0.9 + z * sd])
    exact = sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    # |X - y| and |X - X'| both have a standard deviation of order sd.
    assert abs(scores.crps(draws, truth)[0] - exact) < 5 * sd / np.sqrt(DRAWS)
    assert abs(scores.bias(draws, truth)[0] - z * sd) < 5 * 1.26 * sd / np.sqrt(DRAWS)


def test_interval_score_counts_width_and_miss():
    draws = np.linspace(0, 1, 1001)[:, None]
    inside, outside = (scores.interval_score(draws, np.array([y]))[0] for y in (0.5, 1.2))
    assert inside == pytest.approx(0.95, abs=1e-9)
    assert outside == pytest.approx(0.95 + 40 * (1.2 - 0.975), abs=1e-9)


def test_a_true_forecast_has_nominal_coverage_and_uniform_pit():
    rng = np.random.default_rng(1)
    draws, truth = rng.normal(0, 0.01, (4000, 900)), rng.normal(0, 0.01, 900)
    for level in scores.LEVELS:
        assert abs(scores.covered(draws, truth, level).mean() - level) < 4 * np.sqrt(level * (1 - level) / 900)
    assert kstest(scores.pit(draws, truth), "uniform").pvalue > 1e-4
    assert kstest(scores.pit(draws, truth + 0.003), "uniform").pvalue < 1e-4
