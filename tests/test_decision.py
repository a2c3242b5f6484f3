import dataclasses
import importlib

import jax
import numpy as np
import pandas as pd
import pytest

from bayesmix.decision import Problem, decide
from bayesmix.decision.objective import build
from bayesmix.errors import BayesmixError, InputError, NotConvergedError
from bayesmix.model import Model
from bayesmix.pooling import Pooling
from bayesmix.precision import double
from bayesmix.runs import Runs
from fakes import chinchilla_values, fake, mixing_values, mixture_runs, scale_runs

DOMAINS = ("web", "code", "books")
TARGETS = ("loss.web", "loss.code", "loss.books")
SYMMETRIC = -2.0 * (np.eye(3) - 1 / 3)  # every target likes its own domain
UNEVEN = np.array([[-4.0, 1.0, 3.0], [2.0, -3.0, 1.0], [1.0, 1.0, -2.0]])


def mixing(t=SYMMETRIC, *, spread: float = 1e-9, runs: Runs | None = None, seed: int = 0, **others):
    """Return a posterior of ye_m4 with every target's t scattered by `spread`, absolutely."""
    t = np.asarray(t, dtype=float)
    drawn = t + spread * np.random.default_rng(seed).standard_normal((1000, *t.shape))
    drawn -= drawn.mean(axis=-1, keepdims=True)
    return fake(Model.read("ye_m4"), runs or mixture_runs(targets=TARGETS), mixing_values(drawn, **others))


@pytest.fixture(autouse=True, scope="module")
def _few_candidates():
    """Try fewer mixtures and draws than in earnest."""
    module = importlib.import_module("bayesmix.decision.decide")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RANDOM_CANDIDATES", 100)
        patch.setattr(module, "OWN_OPTIMA", 50)
        yield


@pytest.fixture(scope="module")
def uneven():
    return decide(mixing(UNEVEN, spread=0.3), Problem(bounds={"default": (0.05, 0.8)}), seed=0, draws=200)


def symmetric_runs() -> Runs:
    """Return mixtures whose mean is uniform: all orders of the same weights."""
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    w = np.array([np.array([0.1, 0.3, 0.6])[list(o)] for o in orders])
    frame = pd.DataFrame(w, columns=[f"w.{d}" for d in DOMAINS]).assign(N=7e7, D=1e10)
    return Runs.of(frame.assign(**{t: 3 - 0.1 * w[:, j] for j, t in enumerate(TARGETS)}))


def test_targets_that_each_like_their_own_domain_share_alike():
    decision = decide(mixing(runs=symmetric_runs()), Problem(), seed=0, draws=200)
    assert np.allclose(decision.mixture, 1 / 3, atol=1e-4)
    assert decision.kkt_residual < 1e-5
    assert decision.gain.mean() == pytest.approx(0, abs=1e-8)


def test_an_optimum_in_closed_form_is_found():
    # The sum over two targets of exp(t (w - w0)) with opposite t has its minimum where both exponentials are equal.
    runs = mixture_runs(targets=("loss.web", "loss.code"), domains=("web", "code"))
    t = np.array([[-1.5, 1.5], [1.5, -1.5]])
    w0 = runs.column("w").mean(axis=0)
    decision = decide(mixing(t, runs=runs, L0=[3.0, 2.0]), Problem(), seed=0, draws=100)
    # L0 k1 exp(-3 x) = L0 k2 exp(3 x) for x = w_web - w0_web.
    x = np.log(3.0 / 2.0) / 6
    assert decision.mixture[0] == pytest.approx(w0[0] + x, abs=1e-4)


def test_weights_of_the_objective_and_bounds_decide():
    posterior = mixing(UNEVEN)
    alone = decide(posterior, Problem(objective={"loss.web": 1}), seed=0, draws=100)
    assert np.allclose(alone.mixture, [1, 0, 0], atol=1e-5)
    bounded = decide(posterior, Problem({"loss.web": 1}, bounds={"default": (0.1, 0.6)}), seed=0, draws=100)
    assert np.allclose(bounded.mixture, [0.6, 0.3, 0.1], atol=1e-5)
    assert bounded.kkt_residual < 1e-6
    double_weight = decide(posterior, Problem({"loss.web": 2}), seed=0, draws=100)
    assert np.allclose(double_weight.objective, alone.objective)


@pytest.mark.parametrize("risk", ["mean", {"quantile": 0.8}, {"cvar": 0.3}])
@pytest.mark.parametrize("combine", ["mean", "worst"])
def test_the_gradient_is_that_of_finite_differences(risk, combine):
    posterior = mixing(UNEVEN, spread=0.3)
    with double():
        problem = Problem({"loss.web": 1, "loss.code": 2}, risk=risk, combine=combine)
        objective = build({"m": posterior}, {"m": 1.0}, problem, 100, 0)
        w, mu = np.array([0.2, 0.5, 0.3]), 1e-3
        slope = jax.grad(objective.form.risk)(w, mu, None, objective.shared)
        for j, step in enumerate(1e-6 * np.eye(3)):
            ends = [float(objective.form.risk(w + s * step, mu, None, objective.shared)) for s in (1, -1)]
            assert slope[j] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-8)
        exact = objective.risk(objective.draws(w[None]))[0]
        assert (
            -1e-12 <= float(objective.form.risk(w, mu, None, objective.shared)) - exact <= mu * objective.kinks + 1e-12
        )


def test_the_objective_is_the_law_weighted_over_targets():
    posterior = mixing(UNEVEN, spread=0.3)
    decision = decide(posterior, Problem({"loss.web": 1, "loss.code": 3}), seed=0, draws=1000)
    w0, values = np.asarray(posterior.coordinates.references["w0"]), posterior.values()
    losses = values["L0"] * (values["floor"] + (1 - values["floor"]) * np.exp(values["t"] @ (decision.mixture - w0)))
    expected = (losses[:, 0] + 3 * losses[:, 1]) / 4
    assert np.allclose(np.sort(decision.objective), np.sort(expected), rtol=1e-12)


def test_the_mixture_is_a_point_of_the_simplex_within_its_bounds(uneven):
    assert uneven.mixture.sum() == pytest.approx(1, abs=1e-12)
    for w in (uneven.mixture, *uneven.optima):
        assert (w >= 0.05 - 1e-12).all()
        assert (w <= 0.8 + 1e-12).all()


def test_no_candidate_beats_the_chosen_mixture_and_no_regret_is_negative(uneven):
    assert uneven.candidate_gap >= -1e-12
    assert uneven.kkt_residual < 1e-4
    assert uneven.regret.min() >= -1e-9
    assert uneven.regret.mean() > 0
    assert uneven.optima.shape == (50, 3)


def test_the_facts_follow_from_the_draws(uneven):
    facts = uneven.facts()
    assert facts["gain"] == pytest.approx(facts["baseline_expected_objective"] - facts["expected_objective"])
    assert facts["p_better"] == uneven.p_better == (uneven.baseline_objective > uneven.objective).mean()
    assert 0 <= facts["p_better"] <= 1
    assert facts["gain_low90%"] <= facts["gain"] <= facts["gain_high90%"]
    assert facts["expected_regret"] == uneven.regret.mean()
    table = uneven.table()
    assert list(table["domain"]) == list(DOMAINS)
    assert (table["low90%"] <= table["high90%"]).all()


def test_the_same_seed_gives_the_same_decision(uneven):
    again = decide(mixing(UNEVEN, spread=0.3), Problem(bounds={"default": (0.05, 0.8)}), seed=0, draws=200)
    assert np.array_equal(again.mixture, uneven.mixture)
    assert np.array_equal(again.objective, uneven.objective)


def test_beating_a_bad_baseline_is_certain_and_beating_the_optimum_impossible():
    posterior = mixing(UNEVEN)
    surely = decide(posterior, Problem({"loss.web": 1}, baseline={"books": 1.0}), seed=0, draws=100)
    assert surely.p_better == 1
    never = decide(posterior, Problem({"loss.web": 1}, baseline={"web": 1.0}), seed=0, draws=100)
    assert never.p_better == 0
    assert never.gain.mean() == pytest.approx(0, abs=1e-6)


def test_accuracies_are_maximised():
    targets = ("accuracy.a", "accuracy.b", "accuracy.c")
    model = dataclasses.replace(Model.read("ye_m4"), targets=targets)
    runs = mixture_runs(targets=targets)
    values = mixing_values(-UNEVEN, L0=0.4)
    decision = decide(fake(model, runs, values), Problem({"accuracy.a": 1}), seed=0, draws=100)
    # A high t raises the accuracy: web has the highest for the first.
    assert np.allclose(decision.mixture, [1, 0, 0], atol=1e-5)
    assert decision.p_better == 1
    assert (decision.objective < 0).all()


def test_losses_and_accuracies_are_not_added():
    model = dataclasses.replace(Model.read("ye_m4"), targets=("loss.a", "accuracy.b"))
    runs = mixture_runs(targets=("loss.a", "accuracy.b"))
    with pytest.raises(BayesmixError, match="adds accuracy and loss: give weights to targets of one kind"):
        decide(fake(model, runs, mixing_values(UNEVEN[:2], L0=0.4)), Problem(), seed=0)


def test_all_that_the_problem_gets_wrong_about_the_runs_is_said_at_once():
    problem = Problem({"loss.wbe": 1}, bounds={"cod": (0, 1)}, baseline={"web": 0.5, "book": 0.5})
    with pytest.raises(InputError) as error:
        decide(mixing(), problem, seed=0)
    text = str(error.value)
    assert "bounds for an unknown domain 'cod'. Did you mean 'code'?" in text
    assert "baseline has an unknown domain 'book'. Did you mean 'books'?" in text
    assert "objective has an unknown target 'loss.wbe'. Did you mean 'loss.web'?" in text


def test_a_mixture_outside_the_hull_of_the_fitted_ones_is_warned_of():
    posterior = mixing(UNEVEN)
    warnings = decide(posterior, Problem({"loss.web": 1}), seed=0, draws=100).warnings
    assert any("outside the convex hull" in w for w in warnings)
    middle = {d: (m - 0.01, m + 0.01) for d, m in zip(DOMAINS, posterior.runs.column("w").mean(axis=0), strict=True)}
    inside = decide(posterior, Problem({"loss.web": 1}, bounds=middle), seed=0, draws=100)
    assert inside.warnings == (
        "The baseline does not satisfy the constraints itself: some of the gain may be out of reach.",
    )


def test_a_planned_size_that_no_law_uses_is_warned_of():
    problem = Problem({"loss.web": 1}, planned={"N": 7e9, "D": 1e10})
    warnings = decide(mixing(UNEVEN), problem, seed=0, draws=100).warnings
    assert any(w.startswith("No law here uses N: ") and "N = 7e+09 is an assumption" in w for w in warnings)
    assert not any("uses D" in w for w in warnings)
    by_compute = Problem({"loss.web": 1}, planned={"N": 7e9, "C": 6 * 7e9 * 1e12})
    warnings = decide(mixing(UNEVEN), by_compute, seed=0, draws=100).warnings
    assert any(w.startswith("No law here uses D: ") and "D = 1e+12 is an assumption" in w for w in warnings)


def test_a_misspelt_key_of_the_planned_run_is_named():
    with pytest.raises(InputError) as caught:
        decide(mixing(UNEVEN), Problem({"loss.web": 1}, planned={"n": 7e9}), seed=0, draws=50)
    assert str(caught.value) == "problem: 1 fault\n  planned has an unknown 'n'. Did you mean 'N'?"


def test_a_function_of_ones_own_is_told_from_a_weighted_mean():
    decision = decide(mixing(UNEVEN), Problem(), seed=0, draws=50, objective=lambda y: y.mean(axis=1))
    assert decision.own_objective
    assert decision.targets == TARGETS


def test_two_posteriors_share_the_draws_by_their_weights():
    runs = mixture_runs(targets=TARGETS)
    cheap, dear = mixing(UNEVEN, runs=runs, L0=2.0), mixing(UNEVEN, runs=runs, L0=4.0)
    decision = decide({"cheap": cheap, "dear": dear}, Problem(), seed=0, weights={"cheap": 3, "dear": 1}, draws=400)
    assert decision.model_weights == {"cheap": 0.75, "dear": 0.25}
    assert len(decision.objective) == 400
    assert (decision.baseline_objective > 2.9).mean() == 0.25
    alone = [decide(p, Problem(), seed=0, draws=100).baseline_objective.mean() for p in (cheap, dear)]
    assert decision.baseline_objective.mean() == pytest.approx(0.75 * alone[0] + 0.25 * alone[1], rel=1e-6)


def test_shares_are_kept_where_a_posterior_has_few_draws():
    runs = mixture_runs(targets=TARGETS)
    cheap, dear = mixing(UNEVEN, runs=runs, L0=2.0), mixing(UNEVEN, runs=runs, L0=4.0)
    weights = {"cheap": 0.9, "dear": 0.1}
    decision = decide({"cheap": cheap, "dear": dear}, Problem(), seed=0, weights=weights, draws=5000)
    assert len(decision.objective) == 1111
    assert (decision.baseline_objective > 2.9).mean() == pytest.approx(0.1, abs=0.001)


def test_by_default_posteriors_share_by_stacking():
    runs = mixture_runs(targets=TARGETS)
    flat = fake(Model.read("constant"), runs, {"L0": [3.05] * 3, "sigma": 0.02, "nu": 30.0}, spread=0.01)
    off = fake(Model.read("constant"), runs, {"L0": [4.0] * 3, "sigma": 0.02, "nu": 30.0}, spread=0.01)
    posteriors = {"mixing": mixing(UNEVEN, runs=runs, L0=3.05, sigma=0.5), "flat": flat, "off": off}
    decision = decide(posteriors, Problem(), seed=0, draws=100)
    assert sum(decision.model_weights.values()) == pytest.approx(1)
    assert decision.model_weights["flat"] > 0.9
    assert any("% of the draws come from laws in which the mixture does not matter" in w for w in decision.warnings)


@pytest.mark.parametrize("weights", [{"other": 1.0}, {"m": 0.5, "other": 0.5}])
def test_weights_of_other_posteriors_are_refused(weights):
    with pytest.raises(BayesmixError, match=r"weights are of .*other.* but the posteriors are m"):
        decide({"m": mixing()}, Problem(), seed=0, weights=weights)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_weights_without_a_positive_sum_are_refused(weight):
    with pytest.raises(BayesmixError, match="give numbers of at least 0, some above"):
        decide({"m": mixing()}, Problem(), seed=0, weights={"m": weight})


def test_posteriors_of_other_runs_are_refused_even_with_weights():
    # The same domains in another order: combining them as they are would mix up the weights.
    first = mixing(UNEVEN)
    runs = mixture_runs(targets=TARGETS, domains=DOMAINS[::-1])
    with pytest.raises(BayesmixError, match="different runs"):
        decide({"a": first, "b": mixing(UNEVEN, runs=runs)}, Problem(), seed=0, weights={"a": 0.5, "b": 0.5})


def test_relabelling_the_domains_relabels_the_decision(uneven):
    order = [2, 0, 1]
    runs = mixture_runs(targets=TARGETS)
    frame = runs.table[["run", "N", "D", *(f"w.{DOMAINS[j]}" for j in order), *TARGETS]]
    posterior = mixing(UNEVEN, spread=0.3)
    values = {**posterior.values(), "t": posterior.values()["t"][:, :, order]}
    moved = fake(Model.read("ye_m4"), Runs.of(frame), values)
    decision = decide(moved, Problem(bounds={"default": (0.05, 0.8)}), seed=0, draws=200)
    assert decision.domains == ("books", "web", "code")
    assert np.allclose(decision.mixture, uneven.mixture[order], atol=1e-4)
    assert np.allclose(decision.objective, uneven.objective, rtol=1e-6)
    assert np.allclose(decision.optima, uneven.optima[:, order], atol=0.02)


def test_a_law_without_a_mixture_decides_nothing():
    runs = scale_runs()
    with pytest.raises(
        BayesmixError, match=r"none of the laws \(chinchilla\) depends on the mixture w. Fit a mixing law"
    ):
        decide(fake(Model.read("chinchilla"), runs, chinchilla_values(runs)), Problem(), seed=0)


def test_a_posterior_that_did_not_converge_decides_only_if_accepted_and_says_so_first():
    bad = fake(Model.read("ye_m4"), mixture_runs(), mixing_values(UNEVEN[:2]), converged=False)
    with pytest.raises(NotConvergedError):
        decide(bad, Problem(), seed=0)
    assert decide(bad.accept(), Problem(), seed=0, draws=50).warnings[0].startswith("ye_m4: NOT CONVERGED")


def test_groups_are_chosen_by_the_labels_of_the_planned_run():
    runs = Runs.of(mixture_runs().table.drop(columns="C").assign(family=["dense", "sparse"] * 10))
    model = dataclasses.replace(Model.read("ye_m4"), pooling={"L0": Pooling("family", "none")})
    values = {**mixing_values(UNEVEN[:2]), "L0": [[2.0, 2.0], [4.0, 4.0]]}
    posterior = fake(model, runs, values)
    losses = [
        decide(posterior, Problem(planned={"family": family}), seed=0, draws=50).baseline_objective.mean()
        for family in ("dense", "sparse")
    ]
    assert losses[1] == pytest.approx(2 * losses[0], rel=1e-6)
    with pytest.raises(InputError, match="no label column 'family'"):
        decide(posterior, Problem(), seed=0)
