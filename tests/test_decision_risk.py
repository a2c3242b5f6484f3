import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import mstats

from bayesmix.decision.risk import Risk, softened
from bayesmix.errors import InputError

DRAWS = st.lists(st.floats(-10, 10), min_size=2, max_size=40).map(np.array)
SHARES = st.floats(0.02, 0.98)


@given(DRAWS, SHARES)
@settings(max_examples=100)
def test_expected_shortfall_is_the_minimum_of_rockafellar_and_uryasev(draws, share):
    def auxiliary(a):
        return a + np.maximum(draws - a, 0).mean() / share

    # Piecewise linear with kinks at the draws, so that one of them is the minimum.
    assert Risk("cvar", share)(draws, [len(draws)]) == pytest.approx(min(map(auxiliary, draws)), abs=1e-9)
    free = minimize_scalar(auxiliary, bounds=(-11, 11), method="bounded").fun
    assert Risk("cvar", share)(draws, [len(draws)]) <= free + 1e-9


@given(DRAWS, SHARES)
@settings(max_examples=100)
def test_the_quantile_is_that_of_harrell_and_davis(draws, level):
    assert Risk("quantile", level)(draws, [len(draws)]) == pytest.approx(float(mstats.hdquantiles(draws, [level])[0]))


@given(DRAWS, SHARES, st.floats(-5, 5), st.floats(0.1, 5))
@settings(max_examples=100)
def test_risks_follow_shifts_and_scales_and_lie_between_the_extremes(draws, level, shift, scale):
    for kind in ("mean", "quantile", "cvar"):
        risk = Risk(kind, level)
        value = risk(draws, [len(draws)])
        assert draws.min() - 1e-9 <= value <= draws.max() + 1e-9
        assert risk(scale * draws + shift, [len(draws)]) == pytest.approx(scale * value + shift, abs=1e-8)
    assert Risk("cvar", level)(draws, [len(draws)]) >= draws.mean() - 1e-9


def test_a_share_of_a_half_of_four_draws_is_the_mean_of_the_two_worst():
    assert Risk("cvar", 0.5)(np.array([3.0, 9.0, 1.0, 5.0]), [4]) == 7.0
    assert Risk("cvar", 0.375)(np.array([3.0, 9.0, 1.0, 5.0]), [4]) == pytest.approx((9 + 0.5 * 5) / 1.5)


def test_the_worst_law_has_the_largest_mean():
    draws = np.array([1.0, 3.0, 2.5, 2.5, 2.5])
    assert Risk("worst law")(draws, [2, 3]) == 2.5
    assert Risk("worst law")(draws, [2, 0, 3]) == 2.5
    assert Risk("mean")(draws, [2, 3]) == pytest.approx(2.3)


@pytest.mark.parametrize("stated", ["median", {"cvar": 0}, {"quantile": 1.0}, {"cvar": True}, {"cvar": 0.1, "x": 1}, 3])
def test_an_unknown_risk_is_refused(stated):
    with pytest.raises(InputError, match=r'risk is .*Give "mean", "worst law", \{ quantile = 0.9 \}'):
        Risk.of(stated)


def test_a_risk_says_what_it_is():
    assert [str(Risk.of(r)) for r in ("mean", {"quantile": 0.9}, {"cvar": 0.2}, "worst law")] == [
        "mean",
        "90 % quantile",
        "mean of the worst 20 %",
        "mean under the worst law",
    ]


@given(DRAWS, SHARES, st.integers(1, 30))
@settings(max_examples=60)
def test_blurred_weights_bound_an_expected_shortfall_from_below(draws, share, width):
    weights = Risk("cvar", share).weights([len(draws)])
    blurred = softened(weights, min(width, len(draws)))
    assert blurred.sum() == pytest.approx(1)
    assert blurred.min() >= -1e-12
    # The dual of the shortfall: weights of at most 1 / (n share), in any order of the draws.
    assert blurred.max() <= 1 / (len(draws) * share) + 1e-9
    assert (blurred @ np.sort(draws))[0] <= Risk("cvar", share)(draws, [len(draws)]) + 1e-9
