"""What the test of ranks can see, on posteriors that are made up."""

import numpy as np
import pytest

from ranks import AMONG, LAWS, TABLES, uniformity

QUANTITIES = 30  # of a law, more than any has
LIMIT = 1e-3 / len(LAWS) / 2 / QUANTITIES


def counts(rng, *, width=1.0, shift=0.0):
    """Return ranks among draws of posteriors that are so many times as wide as they should be, and off by so much."""
    truth = rng.standard_normal((TABLES, 1))
    return (shift + width * rng.standard_normal((TABLES, AMONG)) < truth).sum(axis=1)


@pytest.mark.parametrize("wrong", [{"width": 0.5}, {"width": 2.0}, {"shift": 1.0}])
def test_posteriors_too_narrow_too_wide_or_off_the_truth_are_seen(wrong):
    seen = [uniformity(counts(np.random.default_rng(seed), **wrong)) < LIMIT for seed in range(200)]
    assert np.mean(seen) > 0.9


def test_right_posteriors_fail_as_rarely_as_two_tests_do():
    p = np.array([uniformity(counts(np.random.default_rng(seed))) for seed in range(500)])
    assert (p < 0.05).mean() == pytest.approx(0.1, abs=0.04)
