"""Optima and their Laplace approximations, padding, blocks and centring: what happens before a draw is made."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import Beta, HalfNormal, LogNormal, Normal, biject_to
from numpyro.infer import Predictive
from scipy import stats

from bayesmix import laws
from bayesmix.inference import explore
from bayesmix.inference.blocks import blocks, separable
from bayesmix.inference.funnel import outside
from bayesmix.inference.mode import find_modes
from bayesmix.inference.program import Program, program
from bayesmix.inputs import padded, stacked
from bayesmix.law import law, prior
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import double, in_double
from bayesmix.priors import FAMILIES, draw
from bayesmix.runs import Runs

LOG_NORMAL = NOISES["log_normal"]
CONJUGATE = Model(laws.get("constant"), LOG_NORMAL).given(sigma=0.3)


@law(paper="nowhere")
def loss(*, a=prior(Normal(0.3, 1), "", "found nearly up to its sign")):
    return 1 + a**2


@law(paper="nowhere")
def mixed(w, *, L0=prior(LogNormal(0, 1), "nats", "a loss", dims=("target",))):
    return L0 * jnp.flip(L0) ** 0.1


def losses(values):
    return Runs.of(pd.DataFrame({"loss": values}))


@in_double
def modes_of(model, runs, seed=0):
    inputs = padded(model.inputs(runs)[0])
    compiled = program(model, inputs)
    draws = compiled.prior(np.random.default_rng(seed), 1000)
    return find_modes(compiled.smooth, stacked([inputs]), [draws])[0]


def test_of_a_normal_posterior_the_laplace_approximation_is_exact():
    """log L0 is normal: its mean, its standard deviation and its evidence by pencil and paper."""
    y = np.log([2.0, 2.5, 2.2, 3.1])
    (mode,) = modes_of(CONJUGATE, losses(np.exp(y)))
    precision = 1 / 0.5**2 + len(y) / 0.3**2
    assert mode.centre == pytest.approx([0.0], abs=1e-6)  # relative to the geometric mean of the runs
    assert mode.scale**2 == pytest.approx(np.array([[1 / precision]]), rel=1e-5)
    covariance = 0.3**2 * np.eye(4) + 0.5**2
    evidence = stats.multivariate_normal(np.full(4, y.mean()), covariance).logpdf(y) - y.sum()
    assert mode.evidence == pytest.approx(evidence, abs=1e-5)


def test_both_modes_are_found_with_their_shares():
    """The shares are those of the masses, which quadrature finds, within the error of the Laplace approximation."""
    runs = losses([1.98, 2.0, 2.01, 2.02])
    model = Model(loss, LOG_NORMAL).given(sigma=0.1)
    modes = modes_of(model, runs)
    assert sorted(m.centre.item() for m in modes) == pytest.approx([-1, 1], abs=0.05)
    assert modes[0].centre.item() > 0, "the better first"
    a = np.linspace(-3, 3, 20001)
    density = stats.norm(0.3, 1).pdf(a)
    for y in runs.column("loss"):
        density = density * stats.norm(np.log(1 + a**2), 0.1).pdf(np.log(y))
    ratio = density[a > 0].sum() / density[a < 0].sum()
    assert np.exp(modes[0].evidence - modes[1].evidence) == pytest.approx(ratio, rel=0.05)


@in_double
def test_of_very_many_rows_a_sample_shows_where_to_climb_and_all_of_them_where_the_top_is():
    rng = np.random.default_rng(0)
    runs = losses(2 * np.exp(rng.standard_normal(20_000)))
    model = Model(loss, LOG_NORMAL).given(sigma=1.0)
    inputs = padded(model.inputs(runs)[0])
    compiled = program(model, inputs)
    (found,) = explore._modes(compiled, [inputs], [compiled.prior(rng, 1000)], None)
    whole = modes_of(model, runs)
    assert len(found) == len(whole) == 2, "neither sign is lost"
    for a, b in zip(found, whole, strict=True):
        assert abs(a.centre - b.centre) < 0.01 * b.scale
        assert a.scale == pytest.approx(b.scale, rel=1e-3)
        assert a.evidence == pytest.approx(b.evidence, abs=1e-3)


def test_kinks_do_not_make_modes(simulated):
    model = Model.read("chinchilla_laplace")
    found = [modes_of(model, simulated(3), seed) for seed in range(3)]
    assert [len(modes) for modes in found] == [1, 1, 1]
    assert np.ptp([modes[0].evidence for modes in found]) < 0.1


@in_double
def test_rows_that_fill_up_a_table_change_no_density(simulated):
    model = Model.read("chinchilla")
    inputs, _ = model.inputs(simulated(0))
    fuller = padded(inputs)
    assert (len(inputs.response), len(fuller.response)) == (30, 32)
    compiled = Program(model, inputs)
    u = compiled.prior(np.random.default_rng(0), 5)
    for point in u:
        assert float(compiled.potential(point, fuller)) == pytest.approx(float(compiled.potential(point, inputs)))


@pytest.mark.parametrize(
    ("rows", "filled"), [(1, 16), (16, 16), (17, 24), (25, 32), (33, 48), (49, 64), (65, 96), (245, 256), (1000, 1024)]
)
def test_tables_are_filled_up_to_round_numbers(rows, filled):
    inputs, _ = CONJUGATE.inputs(losses(np.linspace(2, 3, rows)))
    assert len(padded(inputs).response) == filled
    assert padded(inputs).observed.sum() == rows


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_prior_is_drawn_as_numpyro_draws_it(name):
    numbers = {"Uniform": (1.0, 3.0), "StudentT": (4.0, 1.0, 2.0), "InverseGamma": (3.0, 2.0), "Beta": (4.0, 2.0)}
    family = FAMILIES[name]
    count = len(family.arg_constraints)
    distribution = family(*numbers.get(name, (1.3, 0.7)[:count]))
    ours = draw(distribution, np.random.default_rng(0), (4000,))
    theirs = np.asarray(distribution.sample(jax.random.key(0), (4000,)))
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-4


@pytest.mark.parametrize("change", [{}, {"floor": Beta(2, 3)}, {"tau": HalfNormal(1)}])
def test_a_programs_prior_is_the_models(change, synthetic):
    """Of zero-sum, scaled, relative and bounded quantities: medians and tails of 2000 draws, by Kolmogorov-Smirnov."""
    model = Model.read("ye_m4_shrunk").given(**change)
    model = dataclasses.replace(model, pooling={"L0": Pooling("family", "partial")})
    runs = synthetic()
    with double():
        inputs, _ = model.inputs(runs)
        compiled = Program(model, inputs)
        ours = compiled.constrain(compiled.prior(np.random.default_rng(0), 2000), inputs)
        theirs = Predictive(model, num_samples=2000)(jax.random.key(0), inputs, observe=False)
        assert set(model.unknowns) <= set(ours)
        for name in model.unknowns:
            for a, b in zip(np.reshape(ours[name], (2000, -1)).T, np.reshape(theirs[name], (2000, -1)).T, strict=True):
                assert stats.ks_2samp(a, np.asarray(b)).pvalue > 1e-4, name
            free = biject_to(model.unknowns[name].distribution.support).inv(ours[name])
            np.testing.assert_allclose(compiled.free(name, ours[name]), free, rtol=1e-6, atol=1e-9)


def test_targets_that_share_nothing_are_apart(synthetic):
    runs = synthetic()
    for name in ("chinchilla", "ye_m4", "ye_m4_shrunk"):
        model = Model.read(name)
        inputs, coordinates = model.inputs(runs)
        parts = blocks(model, inputs)
        assert len(parts) == len(coordinates.targets) > 1
        for i, part in enumerate(parts):
            np.testing.assert_array_equal(part.response[:, 0], inputs.response[:, i])
            assert dict(part.sizes)["target"] == 1


def test_targets_that_share_something_are_not(synthetic):
    runs = synthetic()
    pooled = dataclasses.replace(Model.read("chinchilla"), pooling={"E": Pooling("family", "partial")})
    for model in (pooled, Model(mixed, LOG_NORMAL, targets=("loss.web", "loss.code"))):
        inputs, _ = model.inputs(runs)
        assert not separable(model, inputs)
        assert len(blocks(model, inputs)) == 1


@in_double
def test_the_prior_is_the_same_however_a_group_is_centred(synthetic):
    """The density of a point moves with it: by the volume, and by nothing else."""
    pooled = dataclasses.replace(Model.read("chinchilla"), pooling={"E": Pooling("family", "partial")})
    for model in (pooled, Model.read("ye_m4_shrunk")):
        before, _ = model.inputs(synthetic())
        compiled = Program(model, before)
        for known in (0.5, 30.0):
            centring = {n: np.full_like(c, known) for n, c in before.centring.items()}
            after = dataclasses.replace(before, centring=centring)
            for u in compiled.prior(np.random.default_rng(1), 3):
                moved = compiled.recentred(u, before, after)
                jacobian = np.asarray(jax.jacfwd(lambda u: compiled._recentred(u, before, after))(u))  # noqa: B023
                volume = np.linalg.slogdet(jacobian)[1]
                densities = [-float(compiled.potential(p, i)) for p, i in ((u, before), (moved, after))]
                assert densities[0] == pytest.approx(densities[1] + volume, rel=1e-9)
                ours, theirs = compiled.values(u, before), compiled.values(moved, after)
                for name in model.unknowns:
                    np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9)


@in_double
def explored(model, runs):
    inputs = padded(model.inputs(runs)[0])
    compiled = program(model, inputs)
    (found,) = explore.explore(compiled, [explore.Block(inputs, (0,))], 1)
    (mode,) = found.task.modes
    return compiled, found.prior[:, compiled.noise], outside(found.task.funnel, mode.centre)[0]


def test_of_no_more_runs_than_the_law_has_coordinates_the_noise_stays_where_it_was():
    """A constant that one run knows: given the noise, the mean of run and prior, weighted by their precision."""
    model = Model(laws.get("constant"), LOG_NORMAL).given(L0=LogNormal(1.0, 0.5))
    compiled, noise, at = explored(model, losses([2.0]))
    assert at[compiled.noise] == pytest.approx(np.median(noise))
    weight = np.exp(-2 * at[compiled.noise])
    assert at[1 - compiled.noise] == pytest.approx(1.0 / 0.5**2 / (1 / 0.5**2 + weight), rel=1e-4)


def test_of_more_runs_than_the_law_has_coordinates_the_noise_is_sought_too():
    y = np.array([0.0, 0.02, -0.03, 0.01])
    compiled, noise, at = explored(Model(laws.get("constant"), LOG_NORMAL), losses(2 * np.exp(y)))
    assert at[compiled.noise] > np.median(noise) + 0.3
    # The mode of log sigma given the mean: n s^2 / sigma^2 - n - (log sigma + 4.6) = 0.
    left = (y - y.mean()) @ (y - y.mean()) * np.exp(-2 * at[compiled.noise]) - 4 - (at[compiled.noise] + 4.6)
    assert left == pytest.approx(0.0, abs=1e-3)


def test_coordinates_of_a_pooled_noise_are_not_of_the_law():
    """Of twelve runs that a law of five coordinates cannot meet exactly, whatever the noise is made of."""
    table = pd.DataFrame({
        "N": np.geomspace(1e7, 1e9, 12), "D": np.geomspace(1e9, 1e10, 12)[::-1], "loss": np.linspace(4, 3, 12),
        "family": list("abcd") * 3,
    })  # fmt: skip
    plain = Model.read("chinchilla")
    pooled = dataclasses.replace(plain, pooling={"nu": Pooling("family", "partial")})
    for model in (plain, pooled):
        compiled = program(model, model.inputs(Runs.of(table))[0])
        assert {compiled.labels[i].split(".")[0] for i in compiled.of_law} == {"E", "A", "B", "alpha", "beta"}
        assert len(compiled.of_law) == 5
