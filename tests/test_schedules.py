"""Areas under learning-rate schedules, and what annealing gives back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmix import laws
from bayesmix.errors import BayesmixError
from bayesmix.schedules import annealed, areas

# Luo et al. (2025): constants by model size in millions.
NAMES = ("L0", "A", "alpha", "B", "C", "beta", "gamma")
PUBLISHED = {
    25: (3.04045406, 0.52468604, 0.50786857, 363.78751622, 2.06560812, 0.58279013, 0.64142257),
    100: (2.6514477, 0.60115152, 0.45295811, 437.9464276, 2.13245612, 0.59785199, 0.65523644),
    400: (2.37474466, 0.65421216, 0.42878731, 523.42464371, 2.02462735, 0.59350493, 0.63472457),
}
WARMUP, PEAK = 2160, 3e-4

schedule = st.lists(st.floats(0.0, 10.0), min_size=1, max_size=12)
decay = st.floats(0.0, 1.0)
properties = settings(max_examples=40)


def constant_schedule(length):
    step = np.arange(1, length + 1)
    return PEAK * np.minimum(step / WARMUP, 1)


def cosine_schedule(length):
    step = np.arange(1, length + 1)
    cosine = 0.55 + 0.45 * np.cos(np.pi * (step - WARMUP) / (length - WARMUP))
    return PEAK * np.where(step < WARMUP, step / WARMUP, cosine)


@properties
@given(rates=schedule, decay=decay)
def test_the_areas_are_the_sums_of_the_paper(rates, decay):
    forward, annealing = areas(rates, decay)
    for s in range(len(rates)):
        double = sum((rates[k - 1] - rates[k]) * decay ** (i - k) for i in range(s + 1) for k in range(1, i + 1))
        assert forward[s] == pytest.approx(sum(rates[: s + 1]), rel=1e-12, abs=1e-12)
        assert annealing[s] == pytest.approx(double, rel=1e-9, abs=1e-10)


@properties
@given(rate=st.floats(1e-6, 10.0), length=st.integers(1, 500), decay=decay)
def test_a_constant_schedule_has_no_annealing_area(rate, length, decay):
    forward, annealing = areas([rate] * length, decay)
    assert (annealing == 0).all()
    np.testing.assert_allclose(forward, rate * np.arange(1, length + 1), rtol=1e-12)


@properties
@given(high=st.floats(0.1, 1.0), share=st.floats(0.0, 0.9), at=st.integers(1, 50), decay=st.floats(0.5, 0.999))
def test_one_decrease_gives_a_geometric_series(high, share, at, decay):
    low, after = share * high, np.arange(1, 101)
    _, annealing = areas([high] * at + [low] * 100, decay)
    assert (annealing[:at] == 0).all()
    np.testing.assert_allclose(annealing[at:], (high - low) * (1 - decay**after) / (1 - decay), rtol=1e-10)


@properties
@given(rates=schedule, factor=st.floats(1e-3, 1e3), decay=decay)
def test_the_areas_have_the_unit_of_the_learning_rate(rates, factor, decay):
    plain, scaled = areas(rates, decay), areas(factor * np.array(rates), decay)
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(other, factor * one, rtol=1e-9, atol=1e-10 * factor)


def test_the_default_decay_is_that_of_the_paper():
    rates = cosine_schedule(5000)
    np.testing.assert_array_equal(areas(rates)[1], areas(rates, 0.999)[1])
    assert not np.allclose(areas(rates)[1], areas(rates, 0.99)[1])


def test_a_warm_up_counts_against_annealing():
    assert areas([1, 2])[1].tolist() == [0, -1]


@pytest.mark.parametrize("rates", [[], [[1.0]], 1.0, [1.0, -0.1], [1.0, np.nan], [np.inf]])
def test_what_is_no_schedule_is_refused(rates):
    with pytest.raises(BayesmixError) as caught:
        areas(rates)
    expected = "a schedule is a list of learning rates, one a step, each a finite number of 0 or more"
    assert str(caught.value) == expected


@pytest.mark.parametrize("decay", [-0.1, 1.1])
def test_an_impossible_decay_is_refused(decay):
    with pytest.raises(BayesmixError) as caught:
        areas([1.0], decay)
    assert str(caught.value) == f"decay is {decay:g}, expected a number from 0 to 1"


def luo(rates, at, *, L0, A, alpha, B, C, beta, gamma):
    """The loss of the paper, whose constants are those of whole schedules, by the law in the catalogue."""
    K = B * max(rates)
    given = annealed(rates, at, C=C, beta=beta, gamma=gamma)
    forward = areas(rates)[0][np.asarray(at) - 1]
    return laws.get("multi_power_law")(forward, given, L0=L0 + K, A=A, alpha=alpha, K=K, area0=1)


@properties
@given(rates=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=12), B=st.floats(0.1, 5.0), gamma=st.floats(0.1, 1.0))
def test_the_multi_power_law_is_the_formula_of_the_paper(rates, B, gamma):
    L0, A, alpha, C, beta = 2.0, 0.5, 0.4, 2.0, 0.6
    at = range(1, len(rates) + 1)
    got = luo(rates, at, L0=L0, A=A, alpha=alpha, B=B, C=C, beta=beta, gamma=gamma)
    for t in at:
        drop = 0.0
        for k, rate in enumerate(rates[:t]):
            before = rates[k - 1] if k else 0.0
            drop += (before - rate) * (1 - (1 + C * rate**-gamma * sum(rates[k:t])) ** -beta)
        assert got[t - 1] == pytest.approx(L0 + A * sum(rates[:t]) ** -alpha - B * drop, rel=1e-11)


@properties
@given(rates=st.lists(st.floats(0.1, 10.0), min_size=2, max_size=12))
def test_instant_gains_see_the_last_rate_alone(rates):
    assert annealed(rates, C=1e15, beta=1.0, gamma=0.5)[0] == pytest.approx(1 - rates[-1] / max(rates), abs=1e-10)


def test_the_peak_of_other_runs_is_a_change_of_units():
    rates = cosine_schedule(3000)
    own, other = (1 - annealed(rates, [1000, 3000], peak=peak) for peak in (None, 2 * PEAK))
    np.testing.assert_allclose(own, 2 * other, rtol=1e-12)


def test_the_default_constants_are_the_means_of_the_published_ones():
    rates = cosine_schedule(3000)
    means = {n: np.mean([dict(zip(NAMES, c, strict=True))[n] for c in PUBLISHED.values()])
             for n in ("C", "beta", "gamma")}  # fmt: skip
    assert annealed(rates)[0] == pytest.approx(annealed(rates, **means)[0], abs=1e-3)


def test_steps_that_do_not_train_are_refused():
    with pytest.raises(BayesmixError) as caught:
        annealed([0.0, 1.0])
    expected = "a learning rate is 0, expected numbers above 0: leave out steps that do not train"
    assert str(caught.value) == expected


@pytest.mark.parametrize("at", [[0], [3], [1.5]])
def test_steps_beyond_the_schedule_are_refused(at):
    with pytest.raises(BayesmixError, match="whole numbers from 1 to 2"):
        annealed([1.0, 1.0], at)


def test_the_multi_power_law_gives_the_published_losses():
    small, large = (dict(zip(NAMES, PUBLISHED[size], strict=True)) for size in (25, 400))
    assert luo(constant_schedule(24000), [23936], **small)[0] == pytest.approx(3.34612, abs=5e-6)
    assert luo(cosine_schedule(72000), [71936], **large)[0] == pytest.approx(2.61848, abs=5e-6)


@pytest.mark.parametrize("size", PUBLISHED)
def test_the_multi_power_law_predicts_the_measured_losses(size, shared_data):
    """Curves of the authors, one of them beyond those they fitted."""
    table = pd.read_csv(shared_data / "multipowerlaw" / "loss_curves.csv").query("model_M == @size")
    constants = dict(zip(NAMES, PUBLISHED[size], strict=True))
    for name, rates in (("constant_24000", constant_schedule(24000)), ("cosine_72000", cosine_schedule(72000))):
        late = table[(table["schedule"] == name) & (table["step"] > len(rates) // 3)].iloc[::20]
        np.testing.assert_allclose(rates[late["step"] - 1], late["lr"], rtol=1e-3)
        np.testing.assert_allclose(luo(rates, late["step"].to_numpy(), **constants), late["loss"], rtol=5e-3)
