import arviz_stats
import jax
import numpy as np
import pandas as pd
import pytest
from jax.experimental.compilation_cache import compilation_cache
from numpyro.distributions import Normal

from bayesmix import laws
from bayesmix.errors import BayesmixError
from bayesmix.inference import fit
from bayesmix.inference.program import program
from bayesmix.inputs import padded
from bayesmix.law import law, prior
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.precision import double
from bayesmix.runs import Runs
from moments import assert_mean


@law(paper="nowhere")
def loss(*, a=prior(Normal(0, 1), "", "found up to its sign")):
    return 1 + a**2


@law(paper="nowhere")
def nowhere(*, a=prior(Normal(0, 1), "", "makes the response NaN")):
    return a * np.nan


LOG_NORMAL = NOISES["log_normal"]
SIGMA = 0.3
CONJUGATE = Model(laws.get("constant"), LOG_NORMAL).given(sigma=SIGMA)


def losses(values):
    return Runs.of(pd.DataFrame({"run": [str(i) for i in range(len(values))], "loss": values}))


@pytest.fixture(scope="module")
def data():
    return losses(3.0 * np.exp(np.random.default_rng(0).normal(0, SIGMA, 5)))


@pytest.fixture(scope="module")
def conjugate(data):
    return fit(CONJUGATE, data, seed=1, draws=2000, warmup=500)


def test_the_posterior_is_the_one_that_pencil_and_paper_give(conjugate, data):
    """The log of L0 is normal; mean and standard deviation within 4 standard errors of the Monte Carlo estimate."""
    y = np.log(data.column("loss"))
    precision = 1 / 0.5**2 + len(y) / SIGMA**2
    expected, sd = y.mean(), precision**-0.5  # the prior is centred on the geometric mean of the runs
    x = np.log(conjugate.tree["posterior"]["L0"].values[..., 0])
    ess = float(arviz_stats.ess(x, method="mean"))
    ess_of_sd = float(arviz_stats.ess(x, method="sd"))
    assert min(ess, ess_of_sd) > 400
    assert abs(x.mean() - expected) < 4 * sd / np.sqrt(ess)
    assert abs(x.std() / sd - 1) < 4 / np.sqrt(2 * ess_of_sd)


def test_errors_with_a_kink_are_sampled_as_they_are(data):
    """The noise without the kink serves to find the mode alone: mean and standard deviation by quadrature."""
    posterior = fit(Model(laws.get("constant"), NOISES["log_laplace"]).given(sigma=SIGMA), data, seed=1, draws=2000)
    y = np.log(data.column("loss"))
    x = y.mean() + np.linspace(-3, 3, 60_001)
    log = -0.5 * ((x - y.mean()) / 0.5) ** 2 - np.abs(x[:, None] - y).sum(axis=1) / SIGMA
    weight = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    mean = (weight * x).sum()
    drawn = np.log(posterior.tree["posterior"]["L0"].values[..., 0])
    assert_mean(drawn, mean)
    assert_mean((drawn - mean) ** 2, (weight * (x - mean) ** 2).sum())


def test_the_prior_counts(conjugate, data):
    """Without the prior the standard deviation would be 3.5 % larger."""
    kept = conjugate.prior_kept["L0"]
    assert kept == pytest.approx((1 + 5 * 0.25 / SIGMA**2) ** -0.5, rel=0.15)


def test_shapes_and_names_are_those_of_the_schema(conjugate):
    tree = conjugate.tree
    assert dict(tree["posterior"].sizes) == {"chain": 4, "draw": 2000, "target": 1}
    assert set(tree["posterior"].data_vars) == {"L0"}
    assert tree["posterior"]["L0"].dims == ("chain", "draw", "target")
    assert tree["posterior"].coords["target"].values.tolist() == ["loss"]
    stats = {"diverging", "energy", "acceptance_rate", "n_steps", "lp", "bfmi"}
    assert set(tree["sample_stats"].data_vars) == stats
    assert tree["unconstrained"]["u"].shape == (4, 2000, 1)
    assert conjugate.converged
    assert conjugate.modes == 1


def test_the_recorded_density_belongs_to_the_recorded_draw(conjugate):
    with double():
        compiled = program(CONJUGATE, conjugate.inputs)
        u = conjugate.tree["unconstrained"]["u"].values[2, 17]
        potential = float(compiled.potential(u, conjugate.inputs))
    assert potential == pytest.approx(-float(conjugate.tree["sample_stats"]["lp"][2, 17]), rel=1e-10)
    assert conjugate.tree["posterior"]["L0"].values[2, 17, 0] == pytest.approx(
        np.exp(u[0]) * conjugate.coordinates.scale[0], rel=1e-12
    )


def test_the_same_seed_gives_the_same_draws_and_another_seed_others(data):
    first, second, other = (
        fit(CONJUGATE, data, seed=s, draws=50, warmup=500).tree["posterior"]["L0"].values for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).all()


def test_a_second_fit_compiles_nothing(conjugate, compilations):
    fit(CONJUGATE, conjugate.runs, seed=1, draws=50)
    compilations.clear()
    again = fit(CONJUGATE, losses([2.0, 2.1, 2.2, 2.3, 2.4, 2.2]), seed=1, draws=70, warmup=500)
    assert compilations == []
    assert again.values()["L0"].mean() == pytest.approx(2.2, rel=0.2)
    fit(CONJUGATE, losses(np.linspace(2, 3, 17)), seed=1, draws=50)
    assert compilations, "17 rows are padded to more than 5 are"


def test_another_model_or_shape_is_another_program(conjugate):
    inputs = padded(conjugate.inputs)
    compiled = program(CONJUGATE, inputs)
    assert program(CONJUGATE, inputs) is compiled
    assert program(CONJUGATE.given(sigma=0.2), inputs) is not compiled
    longer, _ = CONJUGATE.inputs(losses(np.linspace(2, 3, 17)))
    assert program(CONJUGATE, padded(longer)) is not compiled


def test_an_equation_that_was_changed_under_its_name_is_another_program(data, monkeypatch):
    """As in a notebook whose cell is edited and run again."""
    model = Model(loss, LOG_NORMAL).given(sigma=SIGMA)
    inputs, _ = model.inputs(data)
    before = program(model, inputs)

    def edited(*, a=prior(Normal(0, 1), "", "found up to its sign")):
        return 2 + a**2

    edited.__name__ = "loss"
    changed = law(paper="nowhere")(edited)
    assert changed.identifier == loss.identifier
    assert program(Model(changed, LOG_NORMAL).given(sigma=SIGMA), inputs) is not before


def test_two_modes_are_found_counted_and_reported():
    """Chains that start in different modes and stay there are a failure to converge, which must be said."""
    model = Model(loss, LOG_NORMAL).given(sigma=0.02)
    posterior = fit(model, losses([1.98, 2.0, 2.01, 2.02]), seed=0, draws=100, warmup=100)
    assert posterior.modes == 2
    a = posterior.values()["a"]
    assert abs(np.abs(a) - 1).max() < 0.2
    assert {-1.0, 1.0} == set(np.sign(a).ravel())
    problems = {p.kind: p for p in posterior.problems()}
    assert problems["modes"].sentence.startswith("2 separate modes explain the runs about equally well.")
    assert not problems["modes"].fatal
    assert problems["r_hat"].fatal
    assert not posterior.converged


def test_nothing_global_stays_changed(conjugate, tmp_path):
    assert jax.config.jax_enable_x64 is False
    assert jax.numpy.ones(1).dtype == np.float32
    assert jax.config.jax_compilation_cache_dir is None
    wanted = {"jax_compilation_cache_dir": str(tmp_path), "jax_persistent_cache_min_compile_time_secs": 0.0}
    before = {name: getattr(jax.config, name) for name in wanted}
    for name, value in wanted.items():
        jax.config.update(name, value)
    try:
        jax.jit(lambda x: x * 3.25 + 1)(1.0)
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()
    assert list(tmp_path.iterdir()), "programs of the user's own are kept where the user says"


@pytest.mark.parametrize(("draws", "warmup"), [(0, 10), (10, 0), (-1, 10)])
def test_no_draws_are_refused(data, draws, warmup):
    with pytest.raises(BayesmixError) as caught:
        fit(CONJUGATE, data, seed=0, draws=draws, warmup=warmup)
    assert str(caught.value) == f"draws and warmup must be at least 1, not {draws} and {warmup}"


def test_one_chain_is_refused(data):
    with pytest.raises(BayesmixError) as caught:
        fit(CONJUGATE, data, seed=0, chains=1)
    assert str(caught.value) == "chains must be at least 2, not 1: convergence is judged by their agreement"


def test_as_many_chains_are_sampled_as_are_asked_for(data):
    posterior = fit(CONJUGATE, data, seed=0, draws=50, chains=3)
    assert posterior.tree["unconstrained"]["u"].shape == (3, 50, 1)
    assert posterior.tree["sample_stats"]["lp"].shape == (3, 50)


def test_a_density_that_is_nowhere_finite_is_explained(data):
    with pytest.raises(BayesmixError) as caught:
        fit(Model(nowhere, LOG_NORMAL, targets=("loss",)).given(sigma=SIGMA), data, seed=0)
    assert str(caught.value) == (
        "model test_inference has no finite density at any of 64 draws from its prior. "
        "Look at the prior predictive: the priors do not fit these runs"
    )


def test_chinchilla_is_recovered(chinchilla_posterior, truth):
    assert chinchilla_posterior.converged, chinchilla_posterior.problems()
    assert_recovered(chinchilla_posterior, truth)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_chinchilla_is_recovered_from_other_data(seed, simulated, truth):
    posterior = fit(Model.read("chinchilla_normal"), simulated(seed), seed=seed, draws=500, warmup=500)
    assert_recovered(posterior, truth)


def assert_recovered(posterior, truth):
    """Every constant lies in its 99 % interval: with 6 constants, 1 data set in 17 fails; the seeds are fixed."""
    derived, drawn = posterior.derived(), posterior.tree["posterior"]
    sampled = {n: drawn[n] for n in ("E", "alpha", "beta", "sigma")} | {n: derived[f"{n}_raw"] for n in ("A", "B")}
    for name, true in {**truth, "sigma": 0.003}.items():
        low, high = np.quantile(sampled[name], [0.005, 0.995])
        assert low < true < high, (name, low, true, high)
        assert np.log(high / low) < 4, f"{name} must be learned"
