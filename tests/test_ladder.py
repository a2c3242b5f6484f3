"""What is tried again when the draws of a fit fail their diagnostics, and what is not."""

import numpy as np
import pytest
from numpyro.distributions import Normal

from bayesmix import laws
from bayesmix.inference import batch, fit
from bayesmix.law import law, prior
from bayesmix.model import Model
from bayesmix.noise import NOISES
from fakes import table

NORMAL = NOISES["log_normal"]
LEVEL = Model(laws.get("constant"), NORMAL).given(sigma=0.3)
FOUR = table(run=list("abcd"), loss=[4.0, 4.02, 3.98, 4.01])


@law(paper="nowhere")
def loss(*, v=prior(Normal(0, 1.5), "", "logarithm of how far a reaches"), a=prior(Normal(0, 1), "", "an effect")):
    """A valley that bends and narrows: a falls as v rises."""
    return 3 + np.e**v * a**2


BENT = Model(loss, NORMAL).given(sigma=0.02)


@law(paper="nowhere")
def level(*, a=prior(Normal(0, 1), "", "found up to its sign")):
    return 1 + a**2


@pytest.fixture
def asked(monkeypatch):
    """Settings that were sampled with."""
    found = []

    def spy(compiled, tasks, slots, settings, report):
        found.append((settings.acceptance, settings.draws, len(tasks)))
        return batch_sample(compiled, tasks, slots, settings, report)

    batch_sample = batch.sample
    monkeypatch.setattr(batch, "sample", spy)
    return found


def problems(posterior):
    return {p.kind: p for p in posterior.problems()}


def test_draws_that_pass_are_not_drawn_again(asked):
    posterior = fit(LEVEL, FOUR, seed=0, draws=500)
    assert posterior.converged
    assert posterior.attempts == ()
    assert asked == [(0.8, 500, 1)]
    assert "attempts" not in problems(posterior)


def test_each_attempt_is_more_careful_and_the_third_is_the_last(asked, monkeypatch):
    always = [batch.Problem("r_hat", "made up", short="R-hat 1.500 of L0")]
    monkeypatch.setattr(batch, "sampling_problems", lambda draws, stats: always)
    posterior = fit(LEVEL, FOUR, seed=0, draws=400)
    assert asked == [(0.8, 400, 1), (0.95, 400, 1), (0.99, 800, 1)]
    assert posterior.attempts == ("R-hat 1.500 of L0",) * 2
    assert posterior.tree["posterior"]["L0"].shape == (4, 400, 1)
    assert posterior.tree["sample_stats"]["lp"].shape == (4, 400)
    assert "after R-hat 1.500 of L0; then R-hat 1.500 of L0." in problems(posterior)["attempts"].sentence
    assert not problems(posterior)["attempts"].fatal


def test_a_caution_is_no_reason_to_draw_again(asked, monkeypatch):
    caution = [batch.Problem("tree_depth", "made up", fatal=False)]
    monkeypatch.setattr(batch, "sampling_problems", lambda draws, stats: caution)
    assert fit(LEVEL, FOUR, seed=0, draws=400).attempts == ()
    assert len(asked) == 1


def test_a_few_divergences_are_reason_for_one_more_attempt(asked, monkeypatch):
    few = [batch.Problem("divergences", "made up", fatal=False, short="1 divergence")]
    monkeypatch.setattr(batch, "sampling_problems", lambda draws, stats: few)
    assert fit(LEVEL, FOUR, seed=0, draws=400).attempts == ("1 divergence",)
    assert len(asked) == 2


def test_fewer_draws_than_could_pass_are_not_drawn_again(asked):
    """Of 399 draws a chain; they fail, since effective sample sizes are not judged by their number."""
    for draws, attempts in ((60, 1), (399, 1)):
        asked.clear()
        fit(BENT, FOUR, seed=0, draws=draws)
        assert len(asked) == attempts


def test_a_posterior_that_bends_is_drawn_again_and_says_so(asked):
    posterior = fit(BENT, FOUR, seed=0, draws=400)
    assert 2 <= len(asked) <= 4
    assert len(posterior.attempts) == len(asked) - 1
    said = problems(posterior)["attempts"]
    assert all(attempt in said.sentence for attempt in posterior.attempts[:2])
    assert any(word in posterior.attempts[0] for word in ("divergences", "ESS", "R-hat", "BFMI"))


def test_two_modes_are_not_forgotten_by_another_attempt(asked):
    """In the first, each chain stays in its mode."""
    model = Model(level, NORMAL, targets=("loss",)).given(sigma=0.02)
    posterior = fit(model, table(run=list("abc"), loss=[1.99, 2.0, 2.01]), seed=0, draws=400)
    assert len(asked) > 1
    assert "R-hat" in posterior.attempts[0]
    assert posterior.modes == 2
    assert "modes" in problems(posterior)
    assert {-1.0, 1.0} == set(np.sign(posterior.values()["a"]).ravel())


@pytest.mark.parametrize("seed", range(6))
def test_chains_never_agree_by_missing_a_mode_together(seed):
    """However often it is tried: the two modes are as far apart as no chain goes."""
    model = Model(level, NORMAL, targets=("loss",)).given(sigma=0.01)
    posterior = fit(model, table(run=list("abc"), loss=[1.99, 2.0, 2.01]), seed=seed, draws=400)
    assert len(posterior.attempts) == 2
    assert not posterior.converged


def test_only_the_target_that_failed_is_drawn_again(asked, monkeypatch):
    """The draws of each target are judged in the order in which they come; the second fails once."""
    judged = []

    def verdict(draws, stats):
        judged.append(draws)
        return [batch.Problem("r_hat", "made up", short="made up")] if len(judged) == 2 else []

    monkeypatch.setattr(batch, "sampling_problems", verdict)
    runs = table(run=list("abcd"), loss__web=[4.0, 4.1, 3.9, 4.0], loss__code=[2.0, 2.1, 1.9, 2.0])
    posterior = fit(LEVEL, runs, seed=0, draws=400)
    assert [tasks for _, _, tasks in asked] == [2, 1]
    (attempt,) = posterior.attempts
    assert attempt in ("loss.web: made up", "loss.code: made up")
