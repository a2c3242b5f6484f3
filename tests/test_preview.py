"""Previews: quick, rough, and never to be taken for a sampled posterior."""

from dataclasses import replace

import numpy as np
import pytest
from numpyro.distributions import Normal

from bayesmix import laws
from bayesmix.errors import NotConvergedError
from bayesmix.inference import batch, fit, fit_many
from bayesmix.inference import preview as previews
from bayesmix.inference.program import Program
from bayesmix.law import law, prior
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.posterior import Posterior
from bayesmix.prediction import predict
from bayesmix.runs import Runs
from fakes import mixture_runs, scale_runs, table

NORMAL = NOISES["log_normal"]
CONJUGATE = Model(laws.get("constant"), NORMAL).given(sigma=0.3)


@law(paper="nowhere")
def funnel(*, v=prior(Normal(0, 3), "", "logarithm of how far a reaches"), a=prior(Normal(0, 1), "", "an effect"),
           b=prior(Normal(0, 1), "", "another effect")):  # fmt: skip
    """Neither effect is seen unless v is large: the posterior has a neck that no normal distribution has."""
    return 3 + np.e**v * (a**2 + b**2)


FUNNEL = Model(funnel, NORMAL, targets=("loss",)).given(sigma=0.01)


def kinds(posterior):
    return [p.kind for p in posterior.problems()]


@pytest.fixture(scope="module")
def near():
    return fit(CONJUGATE, scale_runs(8), seed=0, draws=1000, preview=True)


@pytest.fixture(scope="module")
def far():
    return fit(FUNNEL, table(run=list("abcd"), loss=[4.0, 4.02, 3.98, 4.01]), seed=0, draws=500, preview=True)


def test_a_preview_of_a_normal_posterior_is_the_posterior(near):
    """Mean and standard deviation by pencil and paper, within 4 standard errors of independent draws."""
    y = np.log(near.runs.column("loss"))
    sd = (1 / 0.5**2 + len(y) / 0.3**2) ** -0.5
    log = np.log(near.values()["L0"])
    assert near.pareto_k < 0.3
    count = len(log) / 2  # of a proposal with heavier tails, no better than half of the draws are kept
    assert abs(log.mean() - y.mean()) < 4 * sd / np.sqrt(count)
    assert abs(log.std() / sd - 1) < 4 / np.sqrt(2 * count)


def test_a_preview_says_so_first(near):
    assert near.preview
    first = near.problems()[0]
    assert str(first).startswith("PREVIEW: These are draws of an approximation, not a sampled posterior; ")
    assert f"its Pareto k of {near.pareto_k:.2f} says that it is close" in first.sentence
    assert not first.fatal
    assert near.converged
    assert not {"r_hat", "ess_bulk", "ess_tail", "divergences", "bfmi"} & set(kinds(near)), (
        "of chains, which it has not"
    )
    assert (near.tree["posterior"].sizes["chain"], near.tree["posterior"].sizes["draw"]) == (4, 1000)
    assert not near.tree["sample_stats"]["diverging"].any()


def test_what_is_predicted_from_a_preview_says_so_too(near):
    planned = Runs.of(near.runs.table.drop(columns="loss"), planned=True)
    assert predict(near, planned, seed=0).warnings[0].startswith("PREVIEW: ")


def test_a_posterior_that_was_sampled_is_no_preview():
    posterior = fit(CONJUGATE, scale_runs(8), seed=0, draws=50)
    assert not posterior.preview
    assert np.isnan(posterior.pareto_k)
    assert "preview" not in kinds(posterior)


def test_a_preview_that_is_far_from_the_posterior_is_no_answer(far):
    assert far.pareto_k > 0.7
    first = far.problems()[0]
    assert (first.kind, first.fatal) == ("preview", True)
    assert str(first).startswith("NOT CONVERGED: These are draws of an approximation")
    assert f"its Pareto k of {far.pareto_k:.2f} says that it is far from the posterior (at most 0.7)" in first.sentence
    assert not far.converged
    with pytest.raises(NotConvergedError, match="Fit without preview before anything is decided"):
        far.require_converged()


def test_a_preview_is_brought_nearer_round_by_round(curve, monkeypatch):
    """Means within a quarter of the sampled standard deviations, which are met by a quarter; the first is no answer.

    Without the coordinates for few runs, in which the first would be one.
    """
    monkeypatch.setattr(Program, "noise", None)
    model = Model(laws.get("alab_m2"), covariates={"x": "D"})  # whose priors are wide
    sampled, nearer = fit(model, curve, seed=0), fit(model, curve, seed=0, preview=True)
    monkeypatch.setattr(previews, "_ROUNDS", 1)
    first = fit(model, curve, seed=0, preview=True)
    assert sampled.converged
    assert nearer.converged
    assert not first.converged
    truth, found = sampled.summary(), nearer.summary()
    assert (np.abs(found["mean"] - truth["mean"]) < truth["sd"] / 4).all()
    assert (np.abs(found["sd"] / truth["sd"] - 1) < 1 / 4).all()


def test_a_preview_keeps_its_label_in_its_file(near, far, tmp_path):
    for name, posterior in (("near", near), ("far", far)):
        posterior.save(tmp_path / f"{name}.nc")
        again = Posterior.load(tmp_path / f"{name}.nc")
        assert again.preview
        assert again.pareto_k == posterior.pareto_k
        assert again.converged == posterior.converged
        assert [str(p) for p in again.problems()] == [str(p) for p in posterior.problems()]


def test_both_modes_of_a_preview_are_drawn_from_by_their_weight():
    """A prior of 0.3 that both signs must share: exp(2 · 0.3) to one, within 4 standard errors of 1000 good draws."""

    @law(paper="nowhere")
    def loss(*, a=prior(Normal(0.3, 1), "", "found up to its sign")):
        return 1 + a**2

    model = Model(loss, NORMAL).given(sigma=0.02)
    posterior = fit(model, table(run=list("abc"), loss=[1.99, 2.0, 2.01]), seed=0, preview=True)
    assert posterior.modes == 2
    assert "modes" in kinds(posterior)
    share = 1 / (1 + np.exp(-2 * 0.3))
    assert abs((posterior.values()["a"] > 0).mean() - share) < 4 * np.sqrt(share * (1 - share) / 1000)


@pytest.mark.parametrize("found", [(0.9, 0.2), (0.2, 0.9)])
def test_a_preview_of_many_targets_is_as_bad_as_that_of_the_worst(found, monkeypatch):
    shapes = iter(found)
    approximate = batch.approximate
    monkeypatch.setattr(batch, "approximate", lambda *args: (approximate(*args)[0], next(shapes)))
    both = fit(replace(Model.read("ye_m4"), noise=NORMAL), mixture_runs(16), seed=0, draws=50, preview=True)
    assert both.tree["sample_stats"]["lp"].dims == ("chain", "draw", "target")
    assert both.pareto_k == 0.9
    assert not both.converged


def test_a_sweep_of_previews_is_labelled_one_by_one(tmp_path):
    tables = [scale_runs(8, seed=s) for s in range(3)]
    found = fit_many(CONJUGATE, tables, seed=0, draws=50, preview=True, out=tmp_path)
    assert all(p.preview and p.problems()[0].kind == "preview" for p in found.values())
    assert Posterior.load(tmp_path / "2.nc").preview


def test_a_preview_with_the_same_seed_is_the_same():
    first, second, other = (fit(CONJUGATE, scale_runs(8), seed=s, draws=50, preview=True) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.values()["L0"], second.values()["L0"])
    assert (first.values()["L0"] != other.values()["L0"]).any()
