"""The coordinates that posteriors are sampled in: terms of a law by their sum and their ratios."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from bayesmix import laws
from bayesmix.inference import coordinates, fit
from bayesmix.inference.program import Program
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import in_double

TARGETS = ("loss.web", "loss.code")
CHINCHILLA = replace(Model.read("chinchilla"), targets=TARGETS)


def pooled(kind):
    return replace(CHINCHILLA, pooling={"E": Pooling("family", kind)})


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (CHINCHILLA, [["E.relative", "A.relative", "B.relative"]]),
        (pooled("complete"), [["E.relative", "A.relative", "B.relative"]]),
        (pooled("partial"), [["E.relative.population", "A.relative", "B.relative"]]),
        (pooled("none"), [["A.relative", "B.relative"]]),  # every family has a sum of its own
        (CHINCHILLA.given(E=1.7), [["A.relative", "B.relative"]]),
        (Model.read("ye_m4"), []),  # one term
        (Model(laws.get("gao_bon")), []),  # of different units
        (Model.read("gadre_error"), []),  # not relative
    ],
    ids=["terms", "complete", "partial", "none", "fixed", "one", "units", "absolute"],
)
def test_terms_are_what_may_add_up(model, expected):
    assert [sorted(t) for t in coordinates.terms(model)] == [sorted(t) for t in expected]


MODELS = {
    "target": CHINCHILLA,
    "pooled": pooled("partial"),
    "domain": Model.read("mixed_modal"),
    "two sums": Model.read("dai_capacity_noise"),
    "none": Model.read("ye_m4"),
}


@in_double
@pytest.mark.parametrize("name", MODELS)
def test_sites_come_back_and_no_volume_is_lost(name, synthetic):
    """So that the density of a point is that of its sites."""
    model = replace(MODELS[name], targets=TARGETS)
    inputs, _ = model.inputs(synthetic())
    compiled = Program(model, inputs)

    for u in compiled.prior(np.random.default_rng(0), 3):
        sites = compiled.unravel(u)
        np.testing.assert_allclose(compiled.ravel(sites), u, rtol=1e-9, atol=1e-12)
        jacobian = jax.jacfwd(lambda u: jax.numpy.concatenate([v.ravel() for v in compiled.unravel(u).values()]))(u)
        assert np.linalg.slogdet(jacobian)[1] == pytest.approx(0.0, abs=1e-9)
        for terms in compiled.terms:
            total = np.log(sum(np.exp(np.asarray(sites[n])) for n in terms))
            np.testing.assert_allclose(compiled.pieces(u)[terms[-1]], total, rtol=1e-9, atol=1e-12)
        assert {n: v.shape for n, v in sites.items()} == compiled.shapes
    assert bool(compiled.terms) == (name != "none")


def test_a_floor_that_few_runs_show_takes_few_steps(curve, monkeypatch):
    """The same posterior, within 4 standard errors, for a tenth of the steps; without the coordinates for few runs."""
    monkeypatch.setattr(Program, "noise", None)
    model = Model(laws.get("alab_m2"), NOISES["log_normal"], covariates={"x": "D"})  # whose priors are wide
    here = fit(model, curve, seed=0)
    monkeypatch.setattr(coordinates, "terms", lambda model: [])
    # A program is kept for its model; another name of a quantity's unit makes another one.
    plain = replace(model.law.quantities["E"], unit="nats / token")
    there = fit(model.given(E=plain), curve, seed=1)
    assert here.converged
    assert there.converged
    steps = [float(p.tree["sample_stats"]["n_steps"].values.mean()) for p in (here, there)]
    assert steps[0] < steps[1] / 10, steps
    ours, theirs = (p.summary() for p in (here, there))
    error = np.hypot(ours["sd"] / np.sqrt(ours["ess_bulk"]), theirs["sd"] / np.sqrt(theirs["ess_bulk"]))
    assert (np.abs(ours["mean"] - theirs["mean"]) < 4 * error).all()
