"""What is compiled of a model: its prior, its density, and how little of it depends on the runs."""

from dataclasses import replace

import arviz_stats
import jax
import numpy as np
import pytest
from numpyro.distributions import LogNormal, Normal, Uniform, biject_to
from numpyro.infer import Predictive

from bayesmix import laws
from bayesmix.inference import fit
from bayesmix.inference import program as programs
from bayesmix.inference.program import Program
from bayesmix.inputs import padded, stacked
from bayesmix.law import law, prior
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import double
from bayesmix.priors import FAMILIES, draw, from_table
from bayesmix.runs import Runs
from bayesmix.shrinkage import Shrinkage
from fakes import mixture_runs, scale_runs
from test_priors import EXAMPLES

DRAWS = 4000
NORMAL = NOISES["log_normal"]


@law(paper="nowhere")
def level(*, a=prior(Normal(0, 1), "", "log of the response")):
    return np.e**a


LEVEL = Model(level, NORMAL, targets=("loss",)).given(sigma=0.3)


KNOWN = Shrinkage({"loss.code": {"code": 9.0, "web": -1.0}}, [["web", "books"]])


def pooled(name, **pooling):
    return replace(Model.read(name), pooling=pooling, targets=("loss.web", "loss.code"))


MODELS = {
    "relative": pooled("chinchilla"),
    "groups": pooled("chinchilla", E=Pooling("family", "partial", 0.3), alpha=Pooling("family", "none")),
    "zero_sum": pooled("ye_m4", t=Pooling("family", "partial", 1.0)),
    "scaled_by": pooled("ye_m4_shrunk"),
    "shrinkage": replace(pooled("ye_m4_shrunk"), shrinkage={"t": KNOWN}),
    "fixed scale": pooled("ye_m4_shrunk").given(tau=5.0),
}


@pytest.mark.parametrize("name", MODELS)
def test_draws_of_the_prior_are_those_of_the_numpyro_program(name, synthetic):
    """Shares below quantiles of NumPyro's draws, within 4 standard errors."""
    model = MODELS[name]
    inputs, _ = model.inputs(synthetic())
    with double():
        compiled = Program(model, inputs)
        ours = compiled.constrain(compiled.prior(np.random.default_rng(0), DRAWS), inputs)
        wanted = [n for n in ours if n != "response"]
        draws = Predictive(model, num_samples=DRAWS, return_sites=wanted, parallel=True)
        theirs = jax.device_get(draws(jax.random.key(0), inputs, observe=False))
    assert set(model.unknowns) <= set(wanted)
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    for quantity in wanted:
        assert ours[quantity].shape == theirs[quantity].shape
        below = (ours[quantity] < np.quantile(theirs[quantity], levels, axis=0)[:, None]).mean(axis=1)
        error = np.sqrt(2 * levels * (1 - levels) / DRAWS).reshape(-1, *(1,) * (below.ndim - 1))
        assert (np.abs(below - levels.reshape(error.shape)) < 4 * error).all(), quantity


@pytest.mark.parametrize("family", EXAMPLES)
def test_the_unconstrained_scale_is_numpyros(family):
    one = from_table({family: EXAMPLES[family]})
    values = draw(one, np.random.default_rng(0), (200,))
    model = LEVEL.given(a=one)
    with double():
        np.testing.assert_allclose(
            Program(model, None).free("a", values), biject_to(one.support).inv(values), rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("family", EXAMPLES)
def test_drawn_and_constrained_a_quantity_has_its_prior_again(family):
    """The inverse of the way that the sampler goes; a wrong one moves the quantiles."""
    one = from_table({family: EXAMPLES[family]})
    model = LEVEL.given(a=one)
    inputs, _ = model.inputs(scale_runs(6))
    with double():
        compiled = Program(model, inputs)
        values = compiled.constrain(compiled.prior(np.random.default_rng(0), 200), inputs)["a"]
    np.testing.assert_allclose(values, draw(one, np.random.default_rng(0), (200, 1)), rtol=1e-9, atol=1e-12)
    assert set(EXAMPLES) == set(FAMILIES)


@pytest.mark.parametrize("rows", [1, 12, 16, 17, 24, 25, 33, 49, 65, 100])
def test_rows_are_filled_up_to_a_round_number(rows):
    inputs, _ = Model.read("chinchilla").inputs(scale_runs(100))
    inputs = jax.tree.map(lambda leaf: leaf[:rows] if np.shape(leaf)[:1] == (100,) else leaf, inputs)
    full = padded(inputs)
    count = len(full.response)
    assert count == next(n for n in (16, 24, 32, 48, 64, 96, 128) if n >= rows)
    assert full.observed[:rows].all()
    assert not full.observed[rows:].any()
    for name, values in full.covariates.items():
        np.testing.assert_array_equal(values[:rows], inputs.covariates[name])
        assert (values[rows:] == inputs.covariates[name][0]).all()
    assert full.items.shape == full.observed.shape == (count, 1)


CASES = {
    **{name: MODELS[name] for name in ("groups", "zero_sum", "scaled_by", "shrinkage")},
    "laplace": Model.read("chinchilla_laplace"),
    "errors": Model.read("gadre_error"),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_that_are_filled_up_leave_the_density_as_it_is(name, synthetic):
    """Nothing is added but zeros; the order of a sum may change its last bits."""
    model = CASES[name]
    inputs, _ = model.inputs(synthetic(20))
    full = padded(inputs)
    assert len(full.response) == 24
    with double():
        plain, filled = Program(model, inputs), Program(model, full)
        u = plain.prior(np.random.default_rng(0), 5)
        values, gradients = plain.density(u[None], stacked([inputs]))
        again, gradients_again = filled.density(u[None], stacked([full]))
    assert len(set(values[0])) == 5
    np.testing.assert_allclose(again, values, rtol=1e-13)
    np.testing.assert_allclose(gradients_again, gradients, rtol=1e-9, atol=1e-11 * np.abs(gradients).max())


def test_one_program_serves_tables_of_about_one_size_and_any_numbers_of_priors(compilations):
    model = Model.read("alab_m2")
    first, second = (scale_runs(rows, seed=rows) for rows in (20, 23))
    fit(model, first, seed=0, draws=50)
    compilations.clear()
    other = fit(model, second, seed=1, draws=60)
    wider = fit(model.given(c=LogNormal(-1.0, 0.7)), first, seed=2, draws=50)
    assert compilations == []
    assert other.inputs.response.shape == (23, 1)
    assert other.tree["posterior"]["c"].shape == (4, 60, 1)
    assert wider.values()["c"].std() > 0
    fit(model, scale_runs(25), seed=0, draws=50)
    assert compilations, "25 rows are filled up to 32"


def test_another_number_of_a_prior_is_another_posterior():
    """Although the program is the same: the numbers are its arguments."""
    runs = scale_runs(6)
    log = np.log(runs.column("loss"))
    for location, scale in ((0.0, 1.0), (5.0, 0.1), (-3.0, 0.2)):
        posterior = fit(LEVEL.given(a=Normal(location, scale)), runs, seed=0, draws=500)
        precision = scale**-2 + len(log) / 0.3**2
        mean, sd = (location / scale**2 + log.sum() / 0.3**2) / precision, precision**-0.5
        a = posterior.tree["posterior"]["a"].values[..., 0]
        ess = float(arviz_stats.ess(a, method="mean"))
        assert ess > 400
        assert abs(a.mean() - mean) < 4 * sd / np.sqrt(ess)
        assert posterior.prior_kept["a"] == pytest.approx(sd / scale, rel=0.15)


def test_the_bounds_of_a_uniform_prior_are_those_of_the_model_that_is_fitted():
    """Not those of another model, which the same program has served before."""
    runs = scale_runs(6)
    middle = float(np.log(runs.column("loss")).mean())
    for low, high in ((middle - 0.1, middle + 0.1), (middle - 5, middle + 5), (middle + 0.05, middle + 9)):
        a = fit(LEVEL.given(a=Uniform(low, high)), runs, seed=0, draws=200).values()["a"]
        assert low < a.min() < a.max() < high
        assert abs(a.mean() - np.clip(middle, low, high)) < 0.3


def test_what_a_fit_gives_does_not_depend_on_fits_before_it():
    runs, model = scale_runs(6), Model(laws.get("constant"), NORMAL).given(sigma=0.3)
    programs._program.cache_clear()
    alone = fit(model, runs, seed=1, draws=50)
    programs._program.cache_clear()
    fit(model.given(L0=LogNormal(3.0, 5.0)), runs, seed=1, draws=50)
    after = fit(model, runs, seed=1, draws=50)
    assert after.prior_kept == alone.prior_kept
    np.testing.assert_array_equal(after.values()["L0"], alone.values()["L0"])


def test_runs_of_one_row_are_fitted():
    posterior = fit(LEVEL, Runs.of(scale_runs(1).table), seed=0, draws=50)
    assert np.isfinite(posterior.values()["a"]).all()


def test_every_row_counts_once():
    """The evidence of two halves of a table is that of the whole, at more points than are computed at once."""
    model = Model.read("ye_m4")
    inputs = padded(model.inputs(mixture_runs(60))[0])
    half = np.arange(len(inputs.response))[:, None] < 30
    seen = [inputs.observed & rows for rows in (half, ~half, True, False)]
    with double():
        compiled = Program(model, inputs)
        u = compiled.prior(np.random.default_rng(0), 150)
        batch = stacked([replace(inputs, observed=observed) for observed in seen])
        values, gradients = compiled.density(np.stack([u] * 4), batch)
    assert values.shape == (4, 150)
    assert gradients.shape == (4, *u.shape)
    for first, second, both, none in (values, gradients):
        assert np.ptp(both - none, axis=0).min() > 0
        scale = np.abs(both).max(axis=-1, keepdims=True)
        np.testing.assert_allclose((first + second - both - none) / scale, 0, atol=1e-10)
