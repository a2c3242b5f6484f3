"""Posteriors that are sampled side by side do not notice each other."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal, Normal

from bayesmix.diagnostics import Problem
from bayesmix.errors import BayesmixError
from bayesmix.inference import batch, fit_many
from bayesmix.law import law, prior
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs

FEW = {"draws": 50, "warmup": 100}


@law(paper="nowhere")
def loss(N, *, E=prior(LogNormal(0, 0.3), "nats", "a loss", relative=True), slope=prior(Normal(0, 1), "", "of log N")):
    """Return no number for models as large as there are in one of the tables below."""
    return jnp.where(N < 1e12, E * jnp.exp(0.1 * slope * (jnp.log10(N) - 8)), jnp.nan)


MODEL = Model(loss, NOISES["log_normal"])
POOLED = replace(MODEL, pooling={"E": Pooling("family", "partial")})


def runs_of(seed, *, hopeless=False):
    rng = np.random.default_rng(seed)
    N = 10.0 ** rng.uniform(7, 9, 12)
    loss = np.array([2.0, 3.0, 4.5] * 4) * np.exp(0.02 * rng.standard_normal(12))
    return Runs.of(pd.DataFrame({"N": 1e6 * N if hopeless else N, "family": list("abc") * 4, "loss": loss}))


def unconstrained(posterior):
    return posterior.tree["unconstrained"]["u"].values


@pytest.mark.parametrize("model", [MODEL, POOLED])
def test_the_draws_of_one_do_not_depend_on_the_others(model):
    first, second = (
        fit_many(model, [runs_of(0), *(runs_of(s) for s in others)], seed=0, names=["it", "b", "c"], **FEW)
        for others in ((1, 2), (3, 4))
    )
    np.testing.assert_array_equal(unconstrained(first["it"]), unconstrained(second["it"]))
    assert (unconstrained(first["b"]) != unconstrained(second["b"])).any()


@pytest.mark.parametrize("model", [MODEL, POOLED])
def test_one_without_any_finite_density_does_not_spoil_those_beside_it(model, tmp_path):
    fine = fit_many(model, [runs_of(0), runs_of(1)], seed=0, names=["it", "other"], **FEW)
    with pytest.raises(BayesmixError) as caught:
        fit_many(model, [runs_of(0), runs_of(1, hopeless=True)], seed=0, names=["it", "bad"], out=tmp_path, **FEW)
    assert str(caught.value).startswith("1 of 2 fits failed:\n  bad: model ")
    assert [p.name for p in tmp_path.iterdir()] == ["it.nc"]
    np.testing.assert_array_equal(unconstrained(Posterior.load(tmp_path / "it.nc")), unconstrained(fine["it"]))


def test_what_failed_is_said_of_the_model_that_failed():
    """Although another of the same equations, and so of the same program, was the first."""
    models = [replace(MODEL, name="first"), replace(MODEL, name="second")]
    with pytest.raises(BayesmixError) as caught:
        fit_many(models, [runs_of(0), runs_of(1, hopeless=True)], seed=0, names=["a", "b"], **FEW)
    assert "b: model second has no finite density" in str(caught.value)


def test_each_has_the_prior_of_its_own_model():
    """In one batch, in which the models differ by a number of a prior."""
    wide = MODEL.given(slope=Normal(0, 100))
    found = fit_many([MODEL, wide], [runs_of(0)] * 2, seed=0, names=["narrow", "wide"], draws=200)
    assert found["narrow"].prior_kept["slope"] > 20 * found["wide"].prior_kept["slope"]


def test_one_that_must_be_sampled_again_leaves_the_others_as_they_are(monkeypatch):
    """The second of three fails once, and only its own draws change."""
    tables = [runs_of(s) for s in (0, 1, 2)]
    plain = fit_many(MODEL, tables, seed=0, **FEW)
    failed = []

    def verdict(outcome, settings, rung):
        again = not failed and np.array_equal(outcome.sample.u, unconstrained(plain["1"]))
        failed.extend([True] if again else [])
        return [Problem("r_hat", "made up", short="made up")] if again else []

    monkeypatch.setattr(batch, "_wrong", verdict)
    found = fit_many(MODEL, tables, seed=0, **FEW)
    assert [found[n].attempts for n in found] == [(), ("made up",), ()]
    for name in ("0", "2"):
        np.testing.assert_array_equal(unconstrained(found[name]), unconstrained(plain[name]))
    assert (unconstrained(found["1"]) != unconstrained(plain["1"])).any()
