"""The sampler alone, on densities whose moments are known."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import pytest
from scipy import stats

from bayesmix.inference import nuts
from bayesmix.precision import double, in_double
from moments import assert_mean, assert_same_mean

LANES = 4


def normal(z):
    return 0.5 * z @ z


def student_t(z):
    """Independent Student-t numbers with 5 degrees of freedom."""
    return 3 * jnp.log1p(z**2 / 5).sum()


def banana(z):
    """A standard normal x, and y normal around x² - 1."""
    return 0.5 * z[0] ** 2 + 0.5 * (z[1] - z[0] ** 2 + 1) ** 2


def walled(z):
    """A standard normal number below 1; neither potential nor gradient is a number above."""
    return 0.5 * z[0] ** 2 + 0 * jnp.sqrt(1 - z[0])


def logistic(z):
    """A logistic regression on ten points, whose moments nobody knows."""
    x = jnp.array([-2.0, -1.5, -1.0, -0.6, -0.2, 0.1, 0.5, 1.0, 1.4, 2.2])
    y = jnp.array([0, 0, 1, 0, 0, 1, 0, 1, 1, 1])
    return jnp.logaddexp(0, (1 - 2 * y) * (z[0] + jnp.exp(z[1]) * x)).sum() + 0.5 * z @ z


@functools.cache
def advancing(density):
    """Return the compiled function that makes leapfrog steps in lanes side by side."""

    def advance(state, random, target, adapting):
        def lane(state, uniform, momentum):
            return nuts.advance(state, uniform, momentum, jax.value_and_grad(density), target, adapting)

        return jax.lax.scan(lambda state, numbers: jax.vmap(lane)(state, *numbers), state, random)

    return jax.jit(advance)


class Lanes:
    """Lanes of one density, each with a stream of random numbers of its own."""

    def __init__(self, density, size, *, lanes=range(LANES), step=1.0, target=0.8):
        self.target, self.size, self.advance = target, size, advancing(density)
        self.rngs = [np.random.default_rng((7, lane)) for lane in lanes]
        self.state = self.begun([rng.normal(0, 0.5, size) for rng in self.rngs], step)

    @staticmethod
    def begun(starts, step):
        lanes = [nuts.begin(z, nuts.averaging(step)) for z in starts]
        return jax.tree.map(lambda *leaves: np.stack(leaves), *lanes)

    @in_double
    def steps(self, count, adapting=False):
        """Make leapfrog steps; return what each lane gave out, arrays (step, lane, ...)."""
        uniform = np.stack([rng.random((count, 3)) for rng in self.rngs], axis=1)
        momentum = np.stack([rng.standard_normal((count, self.size)) for rng in self.rngs], axis=1)
        self.state, out = self.advance(self.state, (uniform, momentum), self.target, adapting)
        return jax.device_get(out)

    def adapt(self, count=2000):
        """Adapt the step size, and begin again where the lanes are with what they came to on average."""
        for _ in range(0, count, 1000):
            self.steps(1000, adapting=True)
        step = float(np.exp(self.state.averaging.average).mean())
        self.state = self.begun(np.asarray(self.state.tree.proposal.z), step)
        return self

    def draws(self, count):
        """Return draws by name, shape (lane, draw, ...)."""
        kept = [[] for _ in self.rngs]
        while min(sum(len(d.lp) for d in lane) for lane in kept) < count:
            out = self.steps(1000)
            for i, lane in enumerate(kept):
                lane.append(nuts.Draw(*(field[out.done[:, i], i] for field in out)))
        joined = [nuts.Draw(*(np.concatenate(f)[:count] for f in zip(*lane, strict=True))) for lane in kept]
        return nuts.Draw(*map(np.stack, zip(*joined, strict=True)))


def test_a_standard_normal_has_its_means_and_variances():
    z = Lanes(normal, 5).adapt().draws(1000).z
    for i in range(5):
        assert_mean(z[..., i], 0)
        assert_mean(z[..., i] ** 2, 1)
        assert_mean(z[..., i] * z[..., i - 1], 0)


def test_heavy_tails_are_as_heavy_as_they_should_be():
    z = Lanes(student_t, 3).adapt().draws(4000).z
    reference = stats.t(5)
    for i in range(3):
        assert_mean(z[..., i], 0)
        assert_mean(z[..., i] ** 2, 5 / 3)
        assert_mean(np.abs(z[..., i]) > reference.isf(0.005), 0.01)


def test_a_banana_is_sampled_to_its_tips():
    x, y = np.moveaxis(Lanes(banana, 2, target=0.95).adapt().draws(12000).z, -1, 0)
    for values, expected in ((x, 0), (x**2, 1), (y, 0), (y**2, 3), (x**2 * y, 2), (np.abs(x) > 2, 0.0455)):
        assert_mean(values, expected)


def test_numpyros_sampler_gives_the_same_moments():
    with double():
        theirs = numpyro.infer.MCMC(
            numpyro.infer.NUTS(potential_fn=logistic), num_warmup=500, num_samples=2000, num_chains=LANES,
            chain_method="vectorized", progress_bar=False,
        )  # fmt: skip
        theirs.run(jax.random.key(0), init_params=jnp.zeros((LANES, 2)))
        theirs = np.asarray(theirs.get_samples(group_by_chain=True))
    ours = Lanes(logistic, 2).adapt().draws(2000).z
    for moment in (lambda z: z[..., 0], lambda z: z[..., 1], lambda z: z[..., 1] ** 2, lambda z: z[..., 0] * z[..., 1]):
        assert_same_mean(moment(ours), moment(theirs))


def test_a_wall_is_reported_as_divergences_and_the_lane_goes_on():
    """The trajectories that hit it end there; what is drawn is the distribution on this side of it."""
    drawn = Lanes(walled, 1).adapt().draws(4000)
    assert (drawn.diverging.mean(axis=1) > 0.05).all(), "of every lane"
    assert (drawn.diverging.mean(axis=1) < 0.9).all()
    assert np.isfinite(drawn.z).all()
    assert np.isfinite(drawn.lp).all()
    assert drawn.z.max() < 1
    truncated = stats.truncnorm(-np.inf, 1)
    assert_mean(drawn.z[..., 0], truncated.mean())
    assert_mean(drawn.z[..., 0] ** 2, truncated.moment(2))


def test_nothing_diverges_where_there_is_no_wall():
    assert not Lanes(normal, 5).adapt().draws(200).diverging.any()


def test_what_is_said_of_a_draw_belongs_to_it():
    drawn = Lanes(banana, 2).adapt().draws(100)
    potential = [[float(banana(z)) for z in lane] for lane in drawn.z]
    np.testing.assert_allclose(-drawn.lp, potential, rtol=1e-10)
    assert (drawn.energy > potential).all()
    assert ((drawn.acceptance_rate > 0) & (drawn.acceptance_rate <= 1)).all()


def test_a_trajectory_has_at_most_1023_steps():
    """With steps so short that none turns, every trajectory is as long as one may be."""
    drawn = Lanes(normal, 5, step=1e-4).draws(2)
    assert (drawn.n_steps == 1023).all()
    assert (drawn.z[:, 0] != drawn.z[:, 1]).all()


def test_a_trajectory_that_turns_is_no_longer_than_it_must_be():
    """Half a period has a length of π, which is 31 steps of 0.1: twice as many turn for certain, most others before."""
    n_steps = Lanes(normal, 1, step=0.1).draws(200).n_steps
    assert n_steps.max() <= 63
    assert 15 < n_steps.mean() < 31


@pytest.mark.parametrize("target", [0.7, 0.9])
@pytest.mark.parametrize("step", [1e-3, 30.0])
def test_the_step_size_is_adapted_to_the_acceptance_rate(target, step):
    lanes = Lanes(normal, 5, step=step, target=target).adapt(4000)
    assert lanes.draws(500).acceptance_rate.mean() == pytest.approx(target, abs=0.1)


def test_a_step_size_that_is_not_adapted_stays():
    lanes = Lanes(normal, 5, step=0.3)
    lanes.steps(1000)
    np.testing.assert_array_equal(lanes.state.averaging.log_step, np.log(0.3))


def test_a_lane_does_not_notice_which_others_run_beside_it():
    """Beside others that are as many: of other numbers of lanes a compiler may make sums in another order."""
    others = [2 if lane == 2 else LANES + lane for lane in range(LANES)]
    here, there = (
        Lanes(banana, 2, step=0.2, lanes=lanes).steps(1000, adapting=True) for lanes in (range(LANES), others)
    )
    assert 50 < here.done[:, 2].sum() < 500
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one[:, 2], other[:, 2])
    assert np.abs(here.z[:, 1] - there.z[:, 1]).max() > 0.1, "another lane is elsewhere"
