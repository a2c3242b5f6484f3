import numpy as np
import pytest

from bayesmix.importance import smoothed


def test_weights_of_a_proposal_that_covers_the_target_give_its_mean():
    """From a normal distribution to one of half its width, moved by half of it."""
    z = np.random.default_rng(0).standard_normal(20_000)
    log, k = smoothed(-0.5 * ((z - 0.5) / 0.5) ** 2 + 0.5 * z**2)
    w = np.exp(log)
    assert w.sum() == pytest.approx(1)
    assert k < 0.5
    assert abs(w @ z - 0.5) < 4 * 0.5 * np.sqrt((w**2).sum())


@pytest.mark.parametrize(
    "log",
    [
        np.where(np.arange(4000) < 140, 0.0, -np.inf),
        np.linspace(-5000, 0, 4000) ** 3,
        np.zeros(10) - np.arange(10),
        np.r_[np.full(2000, -1.0), np.zeros(2000)],
        np.full(4000, np.nan),
    ],
    ids=["few finite", "one is all", "few draws", "tail of one value", "none finite"],
)
def test_weights_that_cannot_be_relied_upon_say_so(log):
    weights, k = smoothed(log)
    assert k == np.inf
    np.testing.assert_allclose(weights, -np.log(len(log)))


def test_equal_weights_are_perfect():
    assert smoothed(np.full(100, -3.0))[1] == 0
