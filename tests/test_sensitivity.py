"""How answers move when the prior counts for more or less."""

import dataclasses

import numpy as np
import numpyro
import pandas as pd
import pytest

from bayesmix import laws
from bayesmix.decision import Problem
from bayesmix.errors import BayesmixError
from bayesmix.evaluation import log_likelihood
from bayesmix.inference import fit
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import double
from bayesmix.runs import Runs
from bayesmix.sensitivity import log_prior, mixtures, moved, power_scaled, sensitivity
from fakes import fake, mixing_values, mixture_runs, table

SIGMA = 0.4
LEVEL = Model(laws.get("constant"), NOISES["log_normal"]).given(sigma=SIGMA)
MEASURED = table(loss=[2.0, 4.5, 3.9, 2.5])


def exact(prior: float, likelihood: float) -> tuple[float, float]:
    """Mean and standard deviation of the log level: normal prior about that of the runs, normal errors."""
    log = np.log(MEASURED.column("loss"))
    sd = float(LEVEL.unknowns["L0"].distribution.scale)
    precision = prior / sd**2 + likelihood * len(log) / SIGMA**2
    # Raising a log-normal density to a power tilts it, since it has 1 / level in it.
    return log.mean() + (1 - prior) / precision, precision**-0.5


def drawn(draws=5000):
    mean, sd = exact(1.0, 1.0)
    values = np.exp(mean + sd * np.random.default_rng(0).standard_normal((4 * draws, 1)))
    return fake(LEVEL, MEASURED, {"L0": values}, draws=draws)


@pytest.mark.parametrize(("prior", "likelihood"), [(1.0, 1.0), (0.5, 1.0), (2.0, 1.0), (1.0, 0.7), (1.0, 1.5)])
def test_a_conjugate_posterior_is_scaled_as_the_algebra_says(prior, likelihood):
    """Within 5 standard errors of so many independent draws, of which weights leave at least a third."""
    logs = np.log(power_scaled(drawn(), prior=prior, likelihood=likelihood).values()["L0"])
    mean, sd = exact(prior, likelihood)
    count = len(logs) / 6  # resampling doubles the variance
    assert abs(logs.mean() - mean) < 5 * sd / np.sqrt(count)
    assert abs(logs.std() / sd - 1) < 5 / np.sqrt(2 * count)


def test_powers_that_the_draws_do_not_reach_are_refused():
    with pytest.raises(BayesmixError, match="Fit with other priors"):
        power_scaled(drawn(500), likelihood=1e4)


def test_the_log_prior_is_that_of_the_program():
    """Compared with NumPyro's own trace, for relative, pooled, zero-sum and scaled quantities."""
    runs = mixture_runs(12)
    runs = Runs.of(runs.table.assign(kind=["a", "b", "c"] * 4))
    for model in (
        dataclasses.replace(Model.read("ye_m4"), pooling={"floor": Pooling("kind", "partial", 0.3)}),
        Model.read("ye_m4_shrunk"),
    ):
        posterior = fit(model, runs, seed=0, draws=5, warmup=20).accept()
        ours = log_prior(posterior)
        values, inputs = posterior.tree["posterior"], posterior.inputs
        sites = {str(n): v.values[0, 3] for n, v in values.data_vars.items()}
        sites |= {
            model.site(n): sites[n] / np.asarray(model.unit(n, inputs))
            for n in model.unknowns
            if n in sites and n not in model.pooling
        }
        with double():
            handlers = numpyro.handlers
            conditioned = handlers.substitute(handlers.seed(model, 0), data=sites)
            trace = handlers.trace(conditioned).get_trace(inputs)
            for name, density in ours.items():
                site = model.site(name)
                parts = [f"{site}.population", f"{site}.spread"] if name in model.pooling else [site]
                theirs = sum(float(trace[p]["fn"].log_prob(trace[p]["value"]).sum()) for p in parts)
                assert density[0, 3] == pytest.approx(theirs, rel=1e-9), name
        assert ("t" in ours) == (model.law.name == "ye_m4")


def test_effects_of_a_fixed_scale_have_a_log_prior_too():
    runs = mixture_runs(12)
    posterior = fit(Model.read("ye_m4_shrunk").given(tau=1.2), runs, seed=0, draws=5, warmup=20).accept()
    t = posterior.tree["posterior"]["t"].values
    theirs = numpyro.distributions.ZeroSumNormal(1.2, t.shape[-1:]).log_prob(t).sum(axis=2)
    assert log_prior(posterior)["t"] == pytest.approx(np.asarray(theirs), rel=1e-6)


def test_a_prior_against_the_runs_is_told_from_one_that_agrees():
    """The level that runs show lies five prior standard deviations off, and where the prior has it."""
    y = table(loss=3 * np.exp(0.1 * np.random.default_rng(0).standard_normal(6)))
    for shift, diagnosis in ((0.0, "✓"), (5 * 0.1, "potential prior-data conflict")):
        model = LEVEL.given(sigma=0.1, L0=numpyro.distributions.LogNormal(shift, 0.1))
        found = sensitivity(fit(model, y, seed=0))
        assert found.loc["L0[loss]", "diagnosis"] == diagnosis


def test_forecasts_are_looked_at_too():
    planned = Runs.of(pd.DataFrame({"run": ["next"]}), planned=True)
    found = sensitivity(drawn(), planned)
    assert {"L0[loss]", "forecast[next, loss]"} <= set(found.index)
    assert found.loc["L0[loss]", "prior"] == pytest.approx(found.loc["forecast[next, loss]", "prior"], abs=1e-3)


def test_a_mixture_that_the_prior_decides_moves():
    """Once the draws of the effects are wide, where the prior of their size matters, and once they are known."""
    found = []
    for spread in (1.5, 0.01):
        t = np.array([[-1.0, 0.4, 0.6], [0.8, -1.2, 0.4]])
        values = t + spread * np.random.default_rng(0).standard_normal((1000, 2, 3))
        values -= values.mean(axis=-1, keepdims=True)
        posterior = fake(Model.read("ye_m4"), mixture_runs(), mixing_values(values))
        decisions = mixtures(posterior, Problem(), seed=0)
        assert set(decisions) == {1.0, 0.8, 1.25}
        found.append(moved(decisions))
    assert found[0] > found[1]
    assert found[1] < 0.01


def test_all_runs_together_are_the_sum_of_each():
    p = drawn(100)
    each, together = (log_likelihood(p, u) for u in (np.arange(4), np.zeros(4, int)))
    np.testing.assert_allclose(each.sum(axis=2), together[..., 0])
