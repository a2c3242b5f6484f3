import numpy as np
import pytest
from scipy.stats import norm

from bayesmix.decision.value import Information, Regret, greedy

DRAWS = 8000
HALVES = (np.arange(0, DRAWS, 2), np.arange(1, DRAWS, 2))


def draws(seed: int = 0, *, mean: float = 0.3, sd: float = 1.0, noise: tuple[float, ...] = (0.5,)):
    """Return the objective of a known mixture and of an uncertain one, and measurements of the latter."""
    rng = np.random.default_rng(seed)
    uncertain = mean + sd * rng.standard_normal(DRAWS)
    objective = np.stack([np.zeros(DRAWS), uncertain], axis=1)
    measured = [uncertain + tau * rng.standard_normal(DRAWS) for tau in noise]
    return objective, np.stack(measured, axis=1)[:, :, None]


def expected_improvement(mean: float, sd: float, noise: float) -> float:
    """Return the knowledge gradient of two alternatives, of which one is known (Frazier et al. 2008)."""
    moved = sd**2 / np.hypot(sd, noise)
    z = -abs(mean) / moved
    return moved * (norm.pdf(z) + z * norm.cdf(z))


def mean_and_error(saved: np.ndarray) -> tuple[float, float]:
    return saved.mean(), saved.std() / np.sqrt(len(saved))


@pytest.mark.parametrize("mean", [0.0, 0.3, -1.0])
@pytest.mark.parametrize("noise", [0.1, 0.5, 2.0])
def test_the_value_of_a_run_is_the_knowledge_gradient(mean, noise):
    objective, measured = draws(mean=mean, noise=(noise,))
    found, error = mean_and_error(Regret.of(objective, measured, [HALVES]).after(0).saved())
    assert abs(found - expected_improvement(mean, 1.0, noise)) < 4 * error + 2e-3


def test_two_runs_are_worth_what_one_of_less_noise_is():
    objective, measured = draws(noise=(1.0, 1.0))
    found, error = mean_and_error(Regret.of(objective, measured, [HALVES]).after(0).after(1).saved())
    assert abs(found - expected_improvement(0.3, 1.0, 1.0 / np.sqrt(2))) < 4 * error + 2e-3


def test_a_measurement_in_any_unit_or_bend_is_worth_the_same():
    objective, measured = draws()
    straight = Regret.of(objective, measured, [HALVES]).after(0).saved()
    assert np.array_equal(Regret.of(objective, np.exp(3 * measured), [HALVES]).after(0).saved(), straight)


def test_a_run_that_tells_nothing_is_never_taken():
    objective, measured = draws()
    nothing = np.random.default_rng(1).standard_normal((DRAWS, 40, 1))
    worth = Regret.of(objective, np.concatenate([nothing, measured], axis=1), [HALVES, HALVES[::-1]])
    assert greedy(worth, np.ones(41), np.inf, 5)[0] == 40
    alone = Regret.of(objective, nothing[:, :1], [HALVES, HALVES[::-1]])
    assert abs(alone.after(0).saved().mean()) < 0.02
    # At two standard errors one of forty may be taken for something; most are not.
    assert (Regret.of(objective, nothing, [HALVES, HALVES[::-1]]).gains(range(40)) > 0).sum() <= 4


def test_the_value_is_not_optimistic_where_measurements_are_many():
    # As many useless measurements as would fit anything, were the rule scored on the draws that it was fitted to.
    objective, _ = draws()
    nothing = np.random.default_rng(2).standard_normal((DRAWS, 1, 800))
    found, error = mean_and_error(Regret.of(objective, nothing, [HALVES]).after(0).saved())
    assert found < 2 * error


def test_cheap_runs_are_taken_where_they_bring_more_for_the_budget():
    objective, measured = draws(noise=(0.7, 0.7, 0.7, 0.4))
    worth = Regret.of(objective, measured, [HALVES, HALVES[::-1]])
    costs = np.array([1.0, 1.0, 1.0, 3.0])
    # Three of noise 0.7 together have 0.40, as good as the dear one; for two there is no other use of the budget.
    assert set(greedy(worth, costs, 2.0, 8)) <= {0, 1, 2}
    assert greedy(worth, costs, np.inf, 1) == [3]
    assert sum(costs[greedy(worth, costs, 3.5, 8)]) <= 3.5


def test_information_is_that_of_a_linear_law_with_normal_noise():
    rng = np.random.default_rng(0)
    quantities = rng.standard_normal((DRAWS, 2)) * [1.0, 2.0]
    design = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    expected = (quantities @ design.T)[:, :, None]
    measured = expected + 0.5 * rng.standard_normal(expected.shape)
    worth = Information.of(expected, measured)
    prior = np.diag([1.0, 4.0])

    def gain(runs):
        X = design[runs]
        return np.linalg.slogdet(np.eye(len(runs)) + X @ prior @ X.T / 0.25)[1] / 2

    assert worth.gains([0, 1, 2]) == pytest.approx([gain([0]), gain([1]), gain([2])], rel=0.03)
    assert worth.after(2).gains([0])[0] == pytest.approx(gain([2, 0]) - gain([2]), rel=0.05)
    assert greedy(worth, np.ones(3), np.inf, 1) == [2]


def test_errors_that_go_together_hide_the_sum_and_show_the_difference():
    """Two targets of one run: half the log determinant of 1 + K R^-1, with R the correlation of their errors."""
    rng = np.random.default_rng(0)
    K, R = np.array([[1.0, -0.8], [-0.8, 1.0]]), np.array([[1.0, 0.9], [0.9, 1.0]])
    expected, noise = (rng.standard_normal((40_000, 1, 2)) @ np.linalg.cholesky(m).T for m in (K, R))
    (gain,) = Information.of(expected, expected + noise).gains([0])
    assert gain == pytest.approx(np.linalg.slogdet(np.eye(2) + np.linalg.solve(R, K))[1] / 2, rel=0.05)
