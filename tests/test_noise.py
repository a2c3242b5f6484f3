import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bayesmix.errors import BayesmixError
from bayesmix.noise import NOISES, get
from bayesmix.precision import double

MEAN = np.array([[0.2, 0.5], [0.7, 0.4]])
QUANTITIES = {
    "log_normal": {"sigma": 0.1},
    "log_student_t": {"sigma": 0.1, "nu": 4.0},
    "log_laplace": {"sigma": 0.1},
    "normal": {"sigma": 0.1},
    "student_t": {"sigma": 0.1, "nu": 4.0},
    "beta": {"precision": 50.0},
    "binomial": {},
}
ITEMS = 40


class OfLog:
    """A distribution of exp(x), from SciPy's distribution of x."""

    def __init__(self, frozen):
        self.frozen = frozen

    def logpdf(self, y):
        return self.frozen.logpdf(np.log(y)) - np.log(y)

    def cdf(self, y):
        return self.frozen.cdf(np.log(y))


REFERENCE = {
    "log_normal": lambda m: stats.lognorm(0.1, scale=m),
    "log_student_t": lambda m: OfLog(stats.t(4.0, np.log(m), 0.1)),
    "log_laplace": lambda m: OfLog(stats.laplace(np.log(m), 0.1)),
    "normal": lambda m: stats.norm(m, 0.1),
    "student_t": lambda m: stats.t(4.0, m, 0.1),
    "beta": lambda m: stats.beta(50 * m, 50 * (1 - m)),
}


def measured(name, mean=MEAN, **changes):
    extra = {"items": np.full_like(mean, ITEMS)} if name == "binomial" else {}
    return NOISES[name].function(mean, **extra, **{**QUANTITIES[name], **changes})


def log_prob(name, value, mean=MEAN):
    with double():
        return np.asarray(measured(name, mean).log_prob(value))


def test_every_noise_is_tested():
    assert set(QUANTITIES) == set(NOISES)
    assert {n for n in NOISES if not NOISES[n].discrete} == set(REFERENCE)


@pytest.mark.parametrize("name", REFERENCE)
@settings(max_examples=30)
@given(value=st.floats(0.01, 0.99), mean=st.floats(0.05, 0.95))
def test_the_density_is_that_of_the_response_itself(name, value, mean):
    expected = REFERENCE[name](mean).logpdf(value)
    got = log_prob(name, np.array([[value]]), np.array([[mean]]))
    np.testing.assert_allclose(got, [[expected]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", REFERENCE)
def test_the_density_integrates_to_one(name):
    """By the midpoint rule, in x where y = exp(x); Student-t tails beyond |x| = 12 hold less than 1e-7."""
    edges = np.linspace(-12, 12, 400_001) if name != "normal" else np.linspace(-1, 2, 40_001)
    if name == "beta":
        edges = np.linspace(0, 1, 40_001)
    if name.startswith("log"):
        edges = np.exp(edges)
    middle, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    density = np.exp(log_prob(name, middle[:, None], np.full((len(middle), 1), 0.6)))
    assert (density[:, 0] * width).sum() == pytest.approx(1, abs=2e-6)


@pytest.mark.parametrize("name", REFERENCE)
def test_samples_follow_the_density(name):
    """Kolmogorov-Smirnov with a fixed key: a right sampler fails one key in 1000."""
    with double():
        draws = np.asarray(measured(name).sample(jax.random.key(1), (2000,)))
    assert draws.shape == (2000, 2, 2)
    for i, j in np.ndindex(MEAN.shape):
        assert stats.kstest(draws[:, i, j], REFERENCE[name](MEAN[i, j]).cdf).pvalue > 0.001


def test_binomial_is_the_probability_of_the_count():
    counts = np.arange(ITEMS + 1)
    got = log_prob("binomial", counts[:, None] / ITEMS, np.full((ITEMS + 1, 1), 0.3))[:, 0]
    np.testing.assert_allclose(got, stats.binom(ITEMS, 0.3).logpmf(counts), rtol=1e-8)
    assert np.exp(got).sum() == pytest.approx(1, abs=1e-9)


def test_binomial_survives_rounded_fractions():
    np.testing.assert_array_equal(
        log_prob("binomial", np.full((2, 2), 13 / ITEMS)), log_prob("binomial", np.full((2, 2), 0.3251))
    )


@settings(max_examples=200)
@given(items=st.integers(1, 900), share=st.floats(0, 1), digits=st.integers(1, 17))
def test_a_count_is_known_from_its_rounded_fraction(items, share, digits):
    """To whatever decimals it is stated; what half an item more makes is refused as far as its decimals tell."""
    whole, half = np.floor(share * items) / items, (np.floor(share * (items - 1)) + 0.5) / items
    noise, size = NOISES["binomial"], np.array([float(items)])
    assert not noise.miscounted(np.array([np.round(whole, digits)]), size).any()
    stated = len(np.format_float_positional(half).partition(".")[2])
    assert noise.miscounted(np.array([half]), size).all() == (items < 10**stated)
    assert not NOISES["beta"].miscounted(np.array([half]), size).any()


def test_binomial_samples_are_fractions_with_the_right_mean():
    with double():
        draws = np.asarray(measured("binomial").sample(jax.random.key(0), (4000,)))
    np.testing.assert_allclose(draws * ITEMS, np.round(draws * ITEMS), atol=1e-9)
    error = np.sqrt(MEAN * (1 - MEAN) / ITEMS / 4000)
    assert (np.abs(draws.mean(axis=0) - MEAN) < 4 * error).all()
    np.testing.assert_allclose(draws.var(axis=0), MEAN * (1 - MEAN) / ITEMS, rtol=4 * np.sqrt(2 / 4000))


@pytest.mark.parametrize("name", ["log_normal", "log_student_t", "log_laplace", "beta", "binomial"])
def test_a_mean_outside_the_range_has_a_finite_density(name):
    mean = np.array([[-0.5, 0.0], [1.0, 1.5]])
    assert np.isfinite(log_prob(name, np.full((2, 2), 0.5), mean)).all()


def test_a_kink_is_rounded_off_where_there_is_one():
    """Far from the mean the two log densities differ by a constant: the slope there is the same."""
    assert [n for n in NOISES if NOISES[n].smooth] == ["log_laplace"]
    assert NOISES["log_laplace"].smooth.quantities == NOISES["log_laplace"].quantities
    scale, x = 0.1, np.array([1e-6, 1e-3, 10.0, 20.0])

    def slopes(noise):
        with double():
            slope = jax.grad(lambda x: noise.function(0.5, sigma=scale).log_prob(0.5 * jax.numpy.exp(x)) + x)
            return np.array([[slope(s * v) for v in x] for s in (-1.0, 1.0)])

    kinked, smooth = slopes(NOISES["log_laplace"]), slopes(NOISES["log_laplace"].smooth)
    np.testing.assert_allclose(kinked, np.outer([1, -1], np.ones(4)) / scale)
    np.testing.assert_allclose(smooth, -np.outer([-1, 1], x) / scale**2 / np.sqrt(1 + (x / scale) ** 2))
    np.testing.assert_allclose(smooth[:, 2:], kinked[:, 2:], rtol=1e-4)


def test_probabilities_are_known():
    assert [n for n in NOISES if NOISES[n].discrete] == ["binomial"]
    assert NOISES["binomial"].inputs == ("mean", "items")


@pytest.mark.filterwarnings("ignore:Out-of-support values")
@pytest.mark.parametrize("name", NOISES)
def test_excluded_responses_are_those_without_density(name):
    for value in (0.0, 1.0):
        with double():
            density = float(np.asarray(measured(name).log_prob(np.full((2, 2), value)))[0, 0])
        assert bool(NOISES[name].excludes(np.array(value))) == (not np.isfinite(density)), value


def test_an_unknown_noise_lists_the_known_ones():
    with pytest.raises(BayesmixError) as caught:
        get("lognormal")
    assert str(caught.value) == "there is no noise 'lognormal'. Did you mean 'log_normal'?"
    with pytest.raises(BayesmixError, match="Known: beta, binomial, log_laplace, log_normal, log_student_t, normal"):
        get("xyz")
