"""Retries, previews, and room for compiled programs."""

import dataclasses

import numpy as np
import pytest

from bayesmix.diagnostics import energy_mixing, sampling_problems
from bayesmix.inference import batch, fit, maps
from bayesmix.inference.program import program
from bayesmix.inference.sampling import Sample
from bayesmix.model import Model
from bayesmix.pooling import Pooling
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs


def kinds(posterior):
    return [p.kind for p in posterior.problems()]


@pytest.mark.parametrize(
    ("mild", "failing", "attempts"),
    [(False, 0, 0), (False, 1, 1), (False, 2, 2), (False, 9, 2), (True, 3, 3), (True, 9, 3)],
)
def test_what_fails_is_sampled_again(mild, failing, attempts, simulated, monkeypatch):
    """Twice, and once more where nothing but effective draws is wanting."""
    judged = []

    def verdict(draws, _):
        judged.append(len(judged) + 1)
        wrong = batch.Problem("made up", "", short=f"fault {judged[-1]}", mild=mild)
        return [wrong] if len(judged) <= failing else []

    monkeypatch.setattr(batch, "sampling_problems", verdict)
    monkeypatch.setattr(batch, "_JUDGED", 0)
    posterior = fit(Model.read("chinchilla_normal"), simulated(0), seed=0, draws=100)
    # What comes of the last attempt is kept unjudged.
    assert len(judged) == min(failing + 1, 3)
    assert posterior.attempts == tuple(f"fault {i + 1}" for i in range(attempts))
    assert posterior.tree["posterior"].sizes["draw"] == 100
    assert ("attempts" in kinds(posterior)) == bool(attempts)
    if attempts:
        (said,) = (p for p in posterior.problems() if p.kind == "attempts")
        assert not said.fatal
        assert said.sentence.startswith(
            f"Sampling was repeated more carefully after {'; then '.join(posterior.attempts[:2])}"
        )


@pytest.mark.parametrize(("apart", "mild"), [(0.2, True), (1.0, False)])
def test_chains_that_nearly_agree_may_want_nothing_but_draws(apart, mild):
    rng = np.random.default_rng(0)
    draws = {"E": rng.standard_normal((4, 1000)) + apart * np.array([[-1.0], [0], [0], [1]])}
    stats = {"diverging": np.zeros((4, 1000), bool), "n_steps": np.ones((4, 1000)), "bfmi": np.ones((4, 1000))}
    found = {p.kind: p for p in sampling_problems(draws, stats)}
    assert found["r_hat"].mild == mild


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
    assert str(first).startswith("PREVIEW: These are draws of an approximation, not a sampled posterior")
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


def test_thinned_draws_are_judged_by_all_of_them():
    """Of energies that hardly move every other one seems to move more; a divergence may be among those left out."""
    rng = np.random.default_rng(0)
    energy = np.zeros((2, 800))
    for i in range(1, 800):
        energy[:, i] = 0.95 * energy[:, i - 1] + rng.standard_normal(2)
    bfmi = np.repeat(energy_mixing(energy)[:, None], 800, axis=1)
    diverging = np.zeros((2, 800), bool)
    diverging[1, 3] = True
    stats = {"energy": energy, "bfmi": bfmi, "diverging": diverging, "n_steps": np.full((2, 800), 7)}
    thinned = batch._thinned(Sample(rng.standard_normal((2, 800, 1)), stats), 4)
    assert thinned.u.shape == (2, 200, 1)
    assert thinned.stats["diverging"].sum() == 1
    found = {p.kind for p in sampling_problems({"a": thinned.u}, thinned.stats)}
    assert {"bfmi", "divergences"} <= found
    assert energy_mixing(thinned.stats["energy"]).min() > 1.5 * bfmi.min()
