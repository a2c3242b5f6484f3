"""Groups that share a spread: how each is sampled follows from what the runs know of it."""

from dataclasses import replace

import jax
import numpy as np
import numpyro
import pandas as pd
import pytest
from scipy import stats

from bayesmix import laws
from bayesmix.inference import fit
from bayesmix.inference.explore import Block, explore
from bayesmix.inference.program import program
from bayesmix.inputs import padded
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import double, in_double
from bayesmix.runs import Runs
from moments import assert_mean, assert_same_moments

# The effects of coaching in eight schools and their standard errors (Rubin 1981), as logarithms of losses.
EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]) / 100
SCHOOLS = tuple("ABCDEFGH")


def level(sigma, spread=0.3):
    """Return the model of one level a group, around a population, measured to a known error."""
    law = laws.get("constant")
    return Model(law, NOISES["log_normal"], pooling={"L0": Pooling("school", "partial", spread)}).given(sigma=sigma)


def runs_of(school, log):
    return Runs.of(pd.DataFrame({"school": list(school), "loss": 3 * np.exp(np.asarray(log))}))


@in_double
def chosen(model, runs):
    """Return the centring of each group that a fit would sample with."""
    inputs = padded(model.inputs(runs)[0])
    (explored,) = explore(program(model, inputs), [Block(inputs, (0,))], 1)
    return explored.task.inputs.centring


def test_a_group_is_centred_by_the_precision_with_which_its_runs_know_it():
    """A hundred runs of A, five of C, and of B none that was measured: 1 / (error / sqrt(runs))."""
    rng = np.random.default_rng(0)
    table = runs_of("A" * 100 + "C" * 5, np.concatenate([rng.normal(0.3, 0.1, 100), rng.normal(-0.3, 0.1, 5)])).table
    table = pd.concat([table.assign(bpb=np.nan), pd.DataFrame({"school": ["B"], "bpb": [1.0]})], ignore_index=True)
    model = replace(level(0.1, 1.0), targets=("loss",))
    centring = chosen(model, Runs.of(table.assign(run=[str(i) for i in range(len(table))])))["L0"]
    np.testing.assert_allclose(centring, [100, 0, np.sqrt(500)], rtol=1e-6, atol=1e-3)


def test_effects_whose_scale_is_learned_are_centred_by_what_the_mixtures_say_of_them():
    """Once the mixtures are all that there are, and once they are so alike that they show no effect."""
    rng = np.random.default_rng(0)
    model = replace(Model.read("ye_m4_shrunk"), noise=NOISES["log_normal"])
    centring = []
    for concentration in (1.0, 1e6):
        w = rng.dirichlet(np.full(3, concentration), 20)
        loss = (2 + np.exp(-2 * w[:, 0])) * np.exp(rng.normal(0, 0.01, 20))
        table = pd.DataFrame({f"w.{d}": w[:, j] for j, d in enumerate("abc")} | {"loss": loss})
        centring.append(chosen(model, Runs.of(table))["t"].item())
    assert centring[0] > 3
    assert centring[1] < 0.1


def exact(model, runs, error):
    """Return mean and standard deviation of each group's log, of the population's and of the log spread.

    Given mean and spread of the population the groups are normal and independent, so that two integrals are left.
    """
    y = np.log(runs.column("loss"))
    spread, location = model.pooling["L0"].spread, y.mean()  # the prior is centred on the geometric mean of the runs
    m, log_tau = np.meshgrid(location + np.linspace(-2, 2, 801), np.linspace(-12, 2, 1401), indexing="ij")
    tau = np.exp(log_tau)
    log = stats.norm(location, 0.5).logpdf(m) + stats.halfnorm(scale=spread).logpdf(tau) + log_tau
    for value in y:
        log = log + stats.norm(m, np.hypot(error, tau)).logpdf(value)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    share = tau**2 / (tau**2 + error**2)
    groups = [(m + share * (value - m), share * error**2) for value in y]
    zero = np.zeros_like(m)
    found = {}
    for name, parts in {"L0": groups, "population": [(m, zero)], "spread": [(log_tau, zero)]}.items():
        means = np.array([(weight * mean).sum() for mean, _ in parts])
        squares = np.array([(weight * (mean**2 + variance)).sum() for mean, variance in parts])
        found[name] = means, np.sqrt(squares - means**2)
    return found


@pytest.mark.parametrize("error", [0.02, 0.12, 0.3])
def test_eight_schools_converge_at_once_to_what_quadrature_finds(error):
    """Means and standard deviations within 4 standard errors, whether the schools are known well or hardly at all."""
    model, runs = level(error), runs_of(SCHOOLS, EFFECTS)
    posterior = fit(model, runs, seed=0)
    assert posterior.converged, posterior.problems()
    assert posterior.attempts == ()
    drawn = posterior.tree["posterior"]
    logs = {"L0": np.log(drawn["L0"].values), "spread": np.log(drawn["L0.relative.spread"].values[..., None])}
    logs["population"] = np.log(drawn["L0.relative.population"].values * posterior.coordinates.scale)
    for name, (means, sds) in exact(model, runs, error).items():
        for values, mean, sd in zip(np.moveaxis(logs[name].reshape(4, 1000, -1), -1, 0), means, sds, strict=True):
            assert_mean(values, mean)
            assert_mean((values - mean) ** 2, sd**2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alpha", "E"])
def test_a_pooled_quantity_is_what_numpyro_finds(name, synthetic):
    """Means and second moments within 4 combined standard errors of a long run of NumPyro's own sampler."""
    pooled = {name: Pooling("family", "partial", 0.3)}
    model = replace(Model.read("chinchilla_normal"), targets=("loss.web",), pooling=pooled)
    runs = synthetic(36)
    posterior = fit(model, runs, seed=0)
    assert posterior.converged, posterior.problems()
    inputs, _ = model.inputs(runs)
    with double():
        theirs = numpyro.infer.MCMC(
            numpyro.infer.NUTS(model, target_accept_prob=0.99, dense_mass=True), num_warmup=2000, num_samples=5000,
            num_chains=4, chain_method="vectorized", progress_bar=False,
        )  # fmt: skip
        theirs.run(jax.random.key(0), replace(inputs, centring={name: np.full(3, 100.0)}))
        theirs = jax.device_get(theirs.get_samples(group_by_chain=True))
    for quantity in (*model.unknowns, f"{model.site(name)}.spread"):
        assert_same_moments(*(np.log(v[quantity]) for v in (posterior.tree["posterior"], theirs)), quantity)
