"""Retries, previews, and room for compiled programs."""

import dataclasses

import numpy as np
import pytest

from bayesmix.inference import batch, fit, maps
from bayesmix.inference.program import program
from bayesmix.model import Model
from bayesmix.pooling import Pooling
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs


def kinds(posterior):
    return [p.kind for p in posterior.problems()]


@pytest.mark.parametrize(("failing", "attempts"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_what_fails_is_sampled_again_at_most_twice(failing, attempts, simulated, monkeypatch):
    judged = []

    def verdict(outcome, settings, rung):
        judged.append(rung)
        return [batch.Problem("r_hat", "made up", short=f"R-hat {len(judged)}")] if rung < min(failing, 2) else []

    monkeypatch.setattr(batch, "_wrong", verdict)
    posterior = fit(Model.read("chinchilla_normal"), simulated(0), seed=0, draws=100)
    assert judged == list(range(attempts + 1))
    assert posterior.attempts == tuple(f"R-hat {i + 1}" for i in range(attempts))
    assert posterior.tree["posterior"].sizes["draw"] == 100
    assert ("attempts" in kinds(posterior)) == bool(attempts)
    if attempts:
        (said,) = (p for p in posterior.problems() if p.kind == "attempts")
        assert not said.fatal
        assert said.sentence.startswith(
            f"Sampling was repeated more carefully after {'; then '.join(posterior.attempts)}."
        )


def test_of_many_attempts_the_first_are_told(simulated):
    posterior = fit(Model.read("chinchilla_normal"), simulated(0), seed=0, draws=100, preview=True)
    many = dataclasses.replace(posterior, attempts=tuple(f"loss.{i}: {i} divergences" for i in range(1, 8)))
    (said,) = (p.sentence for p in many.problems() if p.kind == "attempts")
    assert "loss.2: 2 divergences; and 5 times more." in said
    assert "loss.3" not in said


def test_few_draws_are_not_tried_again(simulated):
    """Fifty draws a chain cannot have an effective sample size of 400."""
    posterior = fit(Model.read("chinchilla_normal"), simulated(0), seed=0, draws=50)
    assert {"ess_bulk", "ess_tail"} <= set(kinds(posterior))
    assert posterior.attempts == ()


def test_attempts_and_previews_are_kept_in_the_file(simulated, tmp_path):
    posterior = fit(Model.read("chinchilla_normal"), simulated(0), seed=0, draws=100, preview=True)
    posterior = dataclasses.replace(posterior, attempts=("8 divergences",))
    again = Posterior.load(posterior.save(tmp_path / "a.nc"))
    assert (again.attempts, again.pareto_k, again.preview) == (("8 divergences",), posterior.pareto_k, True)
    assert kinds(again)[:2] == kinds(posterior)[:2] == ["preview", "attempts"]


def test_a_preview_is_close_and_says_what_it_is(simulated, chinchilla_posterior):
    preview = fit(Model.read("chinchilla_normal"), simulated(0), seed=0, preview=True)
    first = preview.problems()[0]
    assert str(first).startswith("PREVIEW: These are draws of a Laplace approximation, not a sampled posterior")
    assert preview.pareto_k < 0.7
    assert preview.converged
    assert not chinchilla_posterior.preview
    for name in ("E", "alpha", "beta"):
        ours, theirs = (p.values()[name] for p in (preview, chinchilla_posterior))
        assert abs(ours.mean() - theirs.mean()) < 0.2 * theirs.std(), "of a posterior that is nearly normal"
        assert ours.std() == pytest.approx(theirs.std(), rel=0.2)


def test_a_preview_far_from_the_posterior_is_no_answer(simulated):
    preview = fit(Model.read("chinchilla_normal"), simulated(0), seed=0, draws=100, preview=True)
    far = dataclasses.replace(preview, pareto_k=0.9)
    assert far.problems()[0].fatal
    assert not far.converged
    assert "its Pareto k of 0.90 says that it is far from the posterior (at most 0.7)" in far.problems()[0].sentence


def test_a_partially_pooled_floor_converges(simulated):
    """A funnel: three groups, of which the spread is hardly known."""
    table = simulated(1).table
    groups = np.array(["a", "b", "c"])[np.arange(len(table)) % 3]
    runs = Runs.of(table.assign(family=groups, loss=table["loss"] * np.exp(0.02 * (np.arange(len(table)) % 3))))
    model = dataclasses.replace(Model.read("chinchilla_normal"), pooling={"E": Pooling("family", "partial")})
    posterior = fit(model, runs, seed=0)
    assert posterior.converged, posterior.problems()
    E = posterior.tree["posterior"]["E"].values.mean(axis=(0, 1))[:, 0]
    assert E[0] < E[1] < E[2]


def test_programs_are_dropped_before_memory_maps_run_out(simulated, monkeypatch):
    model, runs = Model.read("chinchilla_normal"), simulated(0)
    before = fit(model, runs, seed=0, draws=50)
    inputs, _ = model.inputs(runs)
    kept = program(model, inputs)
    assert program(model, inputs) is kept
    monkeypatch.setattr(maps, "used", lambda: 0.9)
    maps.make_room()
    assert program(model, inputs) is not kept
    after = fit(model, runs, seed=0, draws=50)
    np.testing.assert_array_equal(before.values()["E"], after.values()["E"])


def test_the_share_of_memory_maps_is_read_where_there_is_one(tmp_path, monkeypatch):
    limit, taken = tmp_path / "limit", tmp_path / "maps"
    limit.write_text("8\n")
    taken.write_text("a\nb\n")
    monkeypatch.setattr(maps, "_LIMIT", limit)
    monkeypatch.setattr(maps, "_MAPS", taken)
    assert maps.used() == 0.25
    monkeypatch.setattr(maps, "_MAPS", tmp_path / "nowhere")
    assert maps.used() == 0.0
