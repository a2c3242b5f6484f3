"""Coordinates for few runs: they undo each other, keep the volume, and change no posterior."""

import jax
import numpy as np
import pytest
from scipy.stats import ortho_group

from bayesmix import laws
from bayesmix.inference import fit
from bayesmix.inference.funnel import Funnel, inside, outside, squeezed
from bayesmix.inference.program import Program, program
from bayesmix.inputs import padded
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.precision import in_double
from fakes import scale_runs, table
from moments import assert_same_moments

LOG_NORMAL = NOISES["log_normal"]
SIZE, NOISE = 4, 2


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def made(rng):
    """Coordinates of a posterior that runs know three directions of: well, hardly, and not at all."""
    turn = np.insert(np.insert(ortho_group.rvs(3, random_state=rng), NOISE, 0, axis=0), NOISE, 0, axis=1)
    turn[NOISE, NOISE] = 1
    scale = turn @ np.diag([0.01, 0.5, 0.3, 1.0])
    prior = rng.standard_normal((4000, SIZE))
    return Funnel.of(rng.standard_normal(SIZE), scale, prior, NOISE)


@in_double
def test_they_undo_each_other(made, rng):
    v = rng.standard_normal((3, 5, SIZE))
    u, _ = outside(made, v)
    assert inside(made, u) == pytest.approx(v)
    # The noise's own coordinate is moved, not stretched.
    assert u[..., NOISE] == pytest.approx(made.centre[NOISE] + v[..., NOISE])


@in_double
def test_the_volume_is_that_of_the_derivatives(made, rng):
    for v in rng.standard_normal((5, SIZE)):
        derivatives = jax.jacfwd(lambda v: outside(made, v)[0])(v)
        at_mode = np.linalg.slogdet(made.axes)[1]
        assert outside(made, v)[1] == pytest.approx(np.linalg.slogdet(derivatives)[1] - at_mode)


@in_double
def test_at_the_mode_the_scale_is_that_of_the_posterior(made):
    """Of one with curvature H, whose axes turn it into 1."""
    scale = np.diag([0.1, 0.2, 0.3, 0.4])
    derivatives = jax.jacfwd(lambda v: outside(made, v)[0])(np.zeros(SIZE))
    assert derivatives @ squeezed(made, made.centre, scale) == pytest.approx(scale)


def test_what_only_the_prior_knows_is_not_stretched(rng):
    """A posterior that is its prior: g is 1 wherever the noise is."""
    prior = rng.standard_normal((4000, SIZE))
    known = Funnel.of(np.zeros(SIZE), np.linalg.cholesky(np.cov(prior.T)), prior, NOISE)
    v = 3 * rng.standard_normal((10, SIZE))
    assert outside(known, v)[1] == pytest.approx(np.zeros(10), abs=1e-5)


def test_a_needle_thinner_than_rounding_has_coordinates_too(rng):
    """The inverse of its covariance, were it formed, would be positive definite but for rounding."""
    turn = ortho_group.rvs(SIZE, random_state=rng)
    scale = turn @ np.diag([1e-9, 1e-9, 0.5, 1.0])
    made = Funnel.of(np.zeros(SIZE), scale, rng.standard_normal((4000, SIZE)), NOISE)
    v = rng.standard_normal((10, SIZE))
    assert inside(made, outside(made, v)[0]) == pytest.approx(v, abs=1e-4)


@pytest.mark.parametrize("noise", [0.01, 0.1, 1.0, 10.0])
def test_lengths_are_the_standard_deviations_of_a_normal_mean(noise, rng):
    """Of a mean with prior Normal(0, 1), from 5 responses with noise 0.1 at the mode, by pencil and paper."""
    sd = (1 + 5 / 0.1**2) ** -0.5
    prior = rng.standard_normal((1000, 2))
    prior = prior @ np.linalg.inv(np.linalg.cholesky(np.cov(prior.T))).T  # of covariance 1, not nearly so
    centre = np.array([0.7, np.log(0.1)])
    found = Funnel.of(centre, np.diag([sd, 0.3]), prior, 1)
    v = np.array([[0.0, np.log(noise / 0.1)], [1.0, np.log(noise / 0.1)]])
    (at, _), (beside, _) = outside(found, v)[0]
    assert beside - at == pytest.approx((1 + 5 / noise**2) ** -0.5)


@pytest.mark.parametrize(
    ("model", "rows", "expected"),
    [
        (Model(laws.get("constant"), LOG_NORMAL), 6, True),
        (Model(laws.get("constant"), LOG_NORMAL), 40, False),
        (Model(laws.get("constant"), LOG_NORMAL).given(sigma=0.3), 6, False),
        (Model(laws.get("constant"), LOG_NORMAL, targets=("loss.a", "loss.b")), 6, False),
    ],
)
def test_a_funnel_is_expected_of_few_runs_whose_noise_is_open(model, rows, expected):
    """Of one target: the parts of a posterior that share nothing are sampled apart."""
    rng = np.random.default_rng(0)
    names = model.targets or ("loss",)
    runs = table(run=[str(i) for i in range(rows)], **{n.replace(".", "__"): 2 + rng.random(rows) for n in names})
    compiled = program(model, padded(model.inputs(runs)[0]))
    assert (compiled.noise is not None) == expected
    if expected:
        assert compiled.labels[compiled.noise].startswith("sigma")


def test_draws_are_those_of_the_coordinates_without(monkeypatch):
    """Of six runs that determine two unknowns well, where both ways of sampling get along."""
    model, runs = Model.read("chinchilla_normal").given(E=1.69, alpha=0.34, beta=0.28), scale_runs(6)
    with monkeypatch.context() as patched:
        patched.setattr(Program, "noise", None)
        without = fit(model, runs, seed=0, draws=2000)
    within = fit(model, runs, seed=1, draws=2000)
    for name in ("A", "B", "sigma"):
        assert_same_moments(*(np.log(p.tree["posterior"][name].values) for p in (within, without)), name)


def test_six_runs_with_hardly_any_noise_are_sampled_at_once():
    """They leave open whether the noise is a tenth of what it seems or ten times that."""
    rng = np.random.default_rng(1)
    N, D = 10 ** rng.uniform(7.5, 9.5, 6), 10 ** rng.uniform(9, 11, 6)
    loss = (1.69 + 406.4 / N**0.34 + 410.7 / D**0.28) * np.exp(1e-4 * rng.standard_normal(6))
    posterior = fit(Model.read("chinchilla"), table(run=list("abcdef"), N=N, D=D, loss=loss), seed=0)
    assert posterior.attempts == ()
    assert posterior.problems() == []


def test_a_law_of_which_nothing_but_the_noise_is_unknown_is_fitted():
    model = Model(laws.get("constant"), LOG_NORMAL).given(L0=3.0)
    runs = table(run=list("abcdef"), loss=[2.9, 3.0, 3.1, 3.05, 2.95, 3.0])
    assert fit(model, runs, seed=0, draws=500).converged
