"""Scores read off predicted losses, in forecasts and in decisions."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesmix import Model, Problem, Runs, decide, predict, propose, write_report
from bayesmix.beyond import bent
from bayesmix.discrepancy import Discrepancy
from bayesmix.errors import BayesmixError, NotConvergedError
from bayesmix.evaluation import mean, over_draws
from bayesmix.linking import Link, linked
from bayesmix.noise import NOISES
from fakes import chinchilla_values, fake, mixing_values, mixture_runs, scale_runs

T = np.array([[1.5, -1.0, -0.5], [-1.0, 1.5, -0.5]])
PLANNED = Runs.of(pd.DataFrame({"N": [1e9, 1e10], "D": [2e10, 2e11]}), planned=True)


def link(
    column="loss", target="accuracy.arc", *, b=0.25, r=0.9, k=6.0, m=0.9, spread=1e-9, converged=True, bends=False
):
    """Return ladder_two_step, read off losses from 2 to 4."""
    losses = np.linspace(2.0, 4.0, 12)
    runs = Runs.of(pd.DataFrame({column: losses, target: np.linspace(0.6, 0.3, 12)}))
    model = replace(Model.read("ladder_two_step"), covariates={"L": column}, targets=(target,))
    model = model if bends else replace(model, discrepancy=None)
    values = {"b": b, "r": r, "k": k, "m": m, "sigma": 0.01}
    return fake(model, runs, values, spread=spread, converged=converged)


def accuracy(L, *, b=0.25, r=0.9, k=6.0, m=0.9):
    L0 = np.exp(np.log(np.linspace(2.0, 4.0, 12)).mean())
    return b + (1 - b) * r / (1 + np.exp(k * (L / L0 - m)))


@pytest.fixture(scope="module")
def forecast():
    runs = scale_runs()
    values = chinchilla_values(runs, alpha=0.34 * np.exp(0.03 * np.random.default_rng(0).standard_normal((1000, 1))))
    return predict(fake(replace(Model.read("chinchilla"), discrepancy=None), runs, values), PLANNED, seed=0)


@pytest.fixture(scope="module")
def mixing():
    runs = mixture_runs(40)
    t = T + 0.02 * np.random.default_rng(1).standard_normal((1000, *T.shape))
    return fake(Model.read("ye_m4"), runs, mixing_values(t - t.mean(axis=-1, keepdims=True)))


def test_expected_scores_are_the_links_law_at_expected_losses(forecast):
    found = linked(forecast, [link()], seed=0)
    assert found.targets == ("loss", "accuracy.arc")
    assert np.array_equal(found.expected[..., :1], forecast.expected)
    assert found.expected[..., 1] == pytest.approx(accuracy(forecast.expected[..., 0]), rel=1e-6)


def test_measured_scores_have_the_noise_of_the_link_around_what_measured_losses_say(forecast):
    found = linked(forecast, [link()], seed=0)
    noise = found.measured[..., 1] - accuracy(forecast.measured[..., 0])
    count = noise.size
    assert abs(noise.mean()) < 4 * 0.01 / np.sqrt(count)
    assert abs(noise.std() / 0.01 - 1) < 4 / np.sqrt(2 * count)


def test_a_link_is_known_where_its_own_target_was_measured():
    losses, measured = np.linspace(2.0, 6.0, 12), np.linspace(0.6, 0.3, 12)
    runs = Runs.of(pd.DataFrame({"loss": losses, "accuracy.arc": np.where(losses < 3.5, measured, np.nan)}))
    model = replace(Model.read("ladder_two_step"), covariates={"L": "loss"}, targets=("accuracy.arc",))
    known = Link(fake(model, runs, {"b": 0.25, "r": 0.9, "k": 6.0, "m": 0.9, "sigma": 0.01})).limits["L"]
    assert known == (2.0, losses[losses < 3.5].max())


def test_noise_that_grows_with_the_loss_grows_with_the_one_that_is_read_off(forecast):
    """Of noise sigma L^slope, whatever the order of the planned runs."""
    losses = np.linspace(2.0, 4.0, 12)
    runs = Runs.of(pd.DataFrame({"loss": losses, "accuracy.arc": np.linspace(0.6, 0.3, 12)}))
    model = replace(Model.read("ladder_two_step"), covariates={"L": "loss"}, targets=("accuracy.arc",))
    model = replace(model, noise=NOISES["normal"].growing("loss"), discrepancy=None)
    growing = fake(model, runs, {"b": 0.25, "r": 0.9, "k": 6.0, "m": 0.9, "sigma": 0.01, "sigma_slope": 1.0})
    base = replace(forecast, expected=np.tile([[[4.0], [2.0]]], (4000, 1, 1)),
                   measured=np.tile([[[4.0], [2.0]]], (4000, 1, 1)))  # fmt: skip
    found = linked(base, [growing], seed=0)
    noise = (found.measured - found.expected)[..., 1].std(axis=0)
    assert noise[0] / noise[1] == pytest.approx(2.0, rel=4 / np.sqrt(4000))


def test_what_is_unknown_of_the_link_widens_the_forecast(forecast):
    sharp, wide = (linked(forecast, [link(spread=s)], seed=0).expected[:, 0, 1] for s in (1e-9, 0.05))
    assert wide.std() > 1.5 * sharp.std()


def test_links_may_read_off_links(forecast):
    runs = Runs.of(pd.DataFrame({"loss": np.linspace(2, 4, 12), "loss.task": np.linspace(1, 3, 12)}))
    model = replace(Model.read("loss_to_loss"), covariates={"L": "loss"}, targets=("loss.task",), discrepancy=None)
    step = fake(model, runs, {"E_1": 0.5, "K": 1.5, "kappa": 1.0, "s": 0.5, "sigma": 0.01, "nu": 30.0})
    found = linked(forecast, [step, link("loss.task")], seed=0)
    assert found.targets == ("loss", "loss.task", "accuracy.arc")
    assert found.expected[..., 2] == pytest.approx(accuracy(found.expected[..., 1]), rel=1e-6)


def test_beyond_its_runs_a_link_bends_as_any_forecast_does():
    posterior = link(bends=True)
    asked = Runs.of(pd.DataFrame({"loss": [1.2, 2.5, 6.0]}), planned=True)
    inputs, _ = posterior.model.inputs(asked, posterior.coordinates)
    runs = scale_runs()
    flat = fake(replace(Model.read("constant"), discrepancy=None), runs, {"L0": 3.0, "sigma": 0.01, "nu": 30.0})
    base = predict(flat, Runs.of(pd.DataFrame({"N": [1e9, 2e9, 3e9]}), planned=True), seed=0)
    base.expected[..., 0] = base.measured[..., 0] = [1.2, 2.5, 6.0]
    found = linked(base, [posterior], seed=0)
    bend = Link(posterior).draws(np.random.default_rng((0, 1)), 1000)["bend"]
    law = over_draws(mean, posterior.model, posterior.values(), inputs)[:, :3]
    factor, _ = bent(posterior, inputs, bend, np.random.default_rng(0))
    assert found.expected[..., 1] == pytest.approx((law * factor)[..., 0], rel=1e-6)
    assert np.ptp(found.expected[:, 1, 1]) < 1e-6, "inside, the law is true"
    assert np.ptp(found.expected[:, 0, 1]) > 1e-3
    assert any("is read off a loss of 1.2 to 6" in w for w in found.warnings)


def test_functions_of_one_name_are_not_taken_for_each_other():
    posterior = link()
    asked, _ = posterior.model.inputs(Runs.of(pd.DataFrame({"loss": [1.5, 2.5]}), planned=True), posterior.coordinates)
    once, twice = (
        over_draws(function, posterior.model, posterior.values(), asked)
        for function in (lambda *a: mean(*a), lambda *a: 2 * mean(*a))
    )
    np.testing.assert_allclose(twice, 2 * once)


def test_of_one_score_the_best_mixture_is_that_of_its_loss(mixing):
    read = link("loss.web")
    by_loss = decide(mixing, Problem({"loss.web": 1}), seed=0)
    by_score = decide(mixing, Problem({"accuracy.arc": 1}), seed=0, links=[read])
    assert by_score.mixture == pytest.approx(by_loss.mixture, abs=0.02)
    assert (by_score.objective < 0).all(), "accuracy, to be maximised"
    assert by_score.kkt_residual < 1e-4


def test_of_two_scores_the_best_mixture_is_that_of_a_search(mixing):
    links = [link("loss.web", "accuracy.arc"), link("loss.code", "accuracy.mbpp", k=20.0, m=1.0)]
    problem = Problem({"accuracy.arc": 1, "accuracy.mbpp": 2})
    decision = decide(mixing, problem, seed=0, links=links)
    w = np.random.default_rng(0).dirichlet(np.ones(3), 4000)
    values, w0 = mixing.values(), np.asarray(mixing.coordinates.references["w0"])
    growth = np.exp(np.einsum("stj,mj->mst", values["t"], w - w0))
    losses = values["L0"] * (values["floor"] + (1 - values["floor"]) * growth)
    score = accuracy(losses[..., 0]).mean(axis=1) + 2 * accuracy(losses[..., 1], k=20.0, m=1.0).mean(axis=1)
    assert -3 * decision.objective.mean() > score.max() - 1e-3
    assert decision.mixture == pytest.approx(w[score.argmax()], abs=0.08)
    assert decision.candidate_gap >= 0


def test_a_choice_that_leaves_what_a_link_was_fitted_to_says_so(mixing):
    far = fake(Model.read("ye_m4"), mixture_runs(40), mixing_values(T, L0=8.0))
    for posterior, says in ((mixing, False), (far, True)):
        decision = decide(posterior, Problem({"accuracy.arc": 1}), seed=0, links=[link("loss.web")])
        assert any("accuracy.arc is read off a loss.web of" in w for w in decision.warnings) == says


def test_the_next_runs_may_be_those_that_tell_of_a_score():
    """Not where every loss gives the same score."""
    t = T + 0.8 * np.random.default_rng(1).standard_normal((1000, *T.shape))
    vague = fake(Model.read("ye_m4"), mixture_runs(40), mixing_values(t - t.mean(axis=-1, keepdims=True)))
    problem = Problem({"accuracy.arc": 1})
    steep, flat = (propose(vague, problem, seed=0, most=1, links=[link("loss.web", k=k)]) for k in (6.0, 1e-9))
    assert steep.worthwhile
    assert 0.01 < steep.value[0] < steep.perfect[0]
    assert flat.perfect[0] < 1e-6


def test_what_is_no_link_is_refused(forecast, mixing):
    for links, words in (
        ([mixing], "is no link"),
        ([link("loss.web")], "reads off loss.web, but predicted are loss"),
        ([link(), link()], "accuracy.arc is predicted twice"),
    ):
        with pytest.raises(BayesmixError, match=words):
            linked(forecast, links, seed=0)
    with pytest.raises(NotConvergedError):
        linked(forecast, [link(converged=False)], seed=0)
    with pytest.raises(BayesmixError, match=r"unknown target 'accuracy\.arc'"):
        decide(mixing, Problem({"accuracy.arc": 1}), seed=0)


def test_the_commands_take_links(bayesmix, mixing, tmp_path):
    mixing.save(tmp_path / "mixing.nc")
    link("loss.web").save(tmp_path / "arc.nc")
    (tmp_path / "problem.toml").write_text('[objective]\n"accuracy.arc" = 1\n')
    given = [tmp_path / "mixing.nc", "--link", tmp_path / "arc.nc"]
    code, _, err = bayesmix("decide", *given, "--problem", tmp_path / "problem.toml", "--out", tmp_path / "d.json")
    assert code == 0, err
    code, _, err = bayesmix("predict", *given, "--at", "w.web=0.5,w.code=0.3,w.books=0.2", "--out", tmp_path / "p.csv")
    assert code == 0, err
    assert "accuracy.arc" in set(pd.read_csv(tmp_path / "p.csv")["target"])
    code, _, err = bayesmix("report", *given, "--decision", tmp_path / "d.json", "--out", tmp_path / "report")
    assert code == 0, err
    facts = json.loads((tmp_path / "report" / "report.json").read_text())
    assert set(facts["posteriors"]) == {"mixing", "arc"}
    assert "Expect accuracy.arc 0." in (tmp_path / "report" / "report.md").read_text()


def test_a_report_refuses_one_posterior_under_the_name_of_a_link(mixing, tmp_path):
    with pytest.raises(BayesmixError, match="one is given as a posterior and as a link"):
        write_report(tmp_path / "report", {"one": mixing}, links={"one": link("loss.web")})
    assert not (tmp_path / "report").exists()


def test_noises_of_a_link_and_of_what_it_reads_off_are_independent(forecast):
    """Both models have Student-t errors of the log, and the seed is the same."""
    runs = Runs.of(pd.DataFrame({"loss": np.linspace(2, 4, 12), "loss.task": np.linspace(1, 3, 12)}))
    model = replace(Model.read("loss_to_loss"), covariates={"L": "loss"}, targets=("loss.task",), discrepancy=None)
    step = fake(model, runs, {"E_1": 0.5, "K": 1.5, "kappa": 1e-6, "s": 0.5, "sigma": 0.01, "nu": 30.0})
    found = linked(forecast, [step, link("loss.task")], seed=0)
    noise = np.log(found.measured / found.expected)[:, 0]
    assert np.abs(np.corrcoef(noise[:, :2].T)[0, 1]) < 4 / np.sqrt(len(noise))


def test_scores_of_one_link_err_together(forecast):
    """Residuals of both scores are the same but for their sign, and so are the errors of a measured run."""
    losses, wiggle = np.linspace(2.0, 4.0, 40), 0.02 * np.random.default_rng(0).standard_normal(40)
    scores = {"accuracy.a": accuracy(losses) + wiggle, "accuracy.b": accuracy(losses) + wiggle}
    runs = Runs.of(pd.DataFrame({"loss": losses, **scores}))
    model = replace(Model.read("ladder_two_step"), covariates={"L": "loss"}, targets=tuple(scores), discrepancy=None)
    read = fake(model, runs, {"b": 0.25, "r": 0.9, "k": 6.0, "m": 0.9, "sigma": 0.02})
    found = linked(forecast, [read], seed=0)
    noise = (found.measured - found.expected)[:, 0, 1:]
    own = noise - np.poly1d(np.polyfit(forecast.measured[:, 0, 0], noise, 1)[:, 0])(forecast.measured[:, 0, :])
    assert read.paired.together[0, 1] > 0.8
    assert np.corrcoef(own.T)[0, 1] > 0.7


def test_what_was_compiled_for_an_error_is_not_used_for_a_loss():
    """The same law and shapes: one response is capped, the other not."""
    runs = {t: Runs.of(pd.DataFrame({"loss": np.linspace(2, 4, 12), t: 0.5})) for t in ("error.x", "loss.y")}
    steep = Discrepancy(
        location=-4.0, scale=1e-9, df=3.0, run=0.0, before=0.0, before_scale=1.0, intercept=0.0, slope=0.0, spread=1.0
    )
    flat = fake(Model.read("constant"), scale_runs(), {"L0": 40.0, "sigma": 0.01, "nu": 30.0})
    base = predict(flat, Runs.of(pd.DataFrame({"N": [1e9], "D": [2e10]}), planned=True), seed=0)
    base = replace(base, expected=np.full_like(base.expected, 0.2), measured=np.full_like(base.measured, 0.2))
    values = {"E_1": 0.1, "K": 0.4, "kappa": 1.0, "s": 0.01, "sigma": 0.01, "nu": 30.0}
    found = {}
    for target, table in runs.items():
        model = replace(Model.read("loss_to_loss"), covariates={"L": "loss"}, targets=(target,), discrepancy=steep)
        found[target] = linked(base, [fake(model, table, values)], seed=0).expected[..., 1].max()
    assert found["error.x"] <= 0.999 < found["loss.y"]
