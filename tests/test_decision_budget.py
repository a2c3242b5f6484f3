"""N and D chosen with the mixture under a compute budget, against closed forms."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesmix import Model, Problem, Runs, decide, results
from bayesmix.decision.budget import afford, sized, tokens
from bayesmix.errors import BayesmixError, InputError
from fakes import fake, mixing_values, mixture_runs

C = 1e20
T = np.array([[1.0, -0.5, -0.5]])


@pytest.fixture(scope="module")
def posterior():
    """Return effective_tokens_nd for one target, its constants nearly certain."""
    runs = mixture_runs(30, targets=("loss.web",))
    scales = {"N": np.geomspace(1e7, 1e10, 30), "D": np.tile(np.geomspace(1e9, 1e12, 10), 3)}
    runs = Runs.of(runs.table.assign(**scales).drop(columns="C", errors="ignore"))
    model = replace(Model.read("effective_tokens_nd"), discrepancy=None)
    values = {"L0": 2.6, "floor": 1.7 / 2.6, "split": 4 / 9, "kN": 0.34 * 0.4 / 2.6, "kD": 0.28 * 0.5 / 2.6}
    values |= {"rho": 0.5, "epsilon": 1e-3, "rise": 1e9, "tau": 1.0, "t": T}
    return fake(model, runs, values | {"sigma": 0.003, "nu": 30.0})


def optimum(posterior, w):
    """Return the compute-optimal N at a mixture: the tokens of B (e D / D0)^-beta are worth e times as many."""
    references = posterior.coordinates.references
    N0, D0, w0 = references["N0"], references["D0"], np.asarray(references["w0"])
    worth = np.log(w0 + 1e-3) + T[0]
    e = (np.exp(worth + 0.5 * np.log((w + 1e-3) / (w0 + 1e-3))).sum() / np.exp(worth).sum()) ** (1 / 0.5)
    A, B = 0.4 * N0**0.34, 0.5 * (D0 / e) ** 0.28
    return (0.34 * A / (0.28 * B)) ** (1 / 0.62) * (C / 6) ** (0.28 / 0.62)


def test_training_alone_is_split_as_the_closed_form_splits_it(posterior):
    decision = decide(posterior, Problem(budget={"C": C}), seed=0)
    planned = decision.problem.planned
    assert 6 * planned["N"] * planned["D"] == pytest.approx(C, rel=1e-9)
    best = optimum(posterior, decision.mixture)
    assert planned["N"] == pytest.approx(best, rel=0.02)
    fixed = decide(posterior, sized(Problem(budget={"C": C}), best), seed=0)
    assert decision.objective.mean() == pytest.approx(fixed.objective.mean(), abs=1e-5)
    assert np.abs(decision.mixture - fixed.mixture).max() < 0.01
    assert decision.warnings == fixed.warnings


def test_who_serves_more_gets_a_smaller_model_within_the_same_compute(posterior):
    sizes = []
    for served in (0.0, 1e9, 1e10):
        problem = Problem(budget={"C": C, "served": served})
        planned = decide(posterior, problem, seed=0).problem.planned
        assert 6 * planned["N"] * planned["D"] + 2 * planned["N"] * served == pytest.approx(C, rel=1e-9)
        assert planned["D"] == tokens(problem, planned["N"])
        sizes.append(planned["N"])
    assert sizes[0] > sizes[1] > sizes[2]


def test_few_tokens_of_the_best_domain_make_the_model_larger(posterior):
    """Availability binds less where fewer tokens are trained on."""
    plenty = decide(posterior, Problem(budget={"C": C}), seed=0)
    scarce = Problem(budget={"C": C}, available={"web": float(plenty.problem.planned["D"]) / 20})
    assert decide(posterior, scarce, seed=0).problem.planned["N"] > plenty.problem.planned["N"]


def test_the_sizes_tried_are_kept(posterior, tmp_path):
    decision = decide(posterior, Problem(budget={"C": C}), seed=0)
    again = results.load_decision(results.save(decision, tmp_path / "d.json"))
    pd.testing.assert_frame_equal(again.sizes, decision.sizes)
    assert again.problem == decision.problem
    assert decision.sizes["risk"].min() == pytest.approx(decision.objective.mean(), abs=1e-3)
    assert len(decide(posterior, again.problem, seed=0).sizes) == 0
    best = decision.sizes.loc[decision.sizes["risk"].idxmin()]
    assert 0 <= best["regret"] == again.facts()["expected_regret_of_N_and_D"] < decision.sizes["regret"].iloc[0]


def test_the_regret_of_a_size_is_what_the_best_size_of_each_draw_saves(posterior):
    """By hand, with two sizes that half of the draws prefer each."""
    stated = Problem(budget={"C": C})
    few = iter(range(100))

    def least(size):
        better = next(few) % 2 == 0
        return 0.5, np.array([0.0, 1.0]) if better else np.array([1.0, 0.0])

    _, sizes = afford({"a": posterior}, stated, least)
    assert (sizes["regret"] == 0.5).all()


def test_sizes_that_the_runs_do_not_tell_apart_are_warned_of(bayesmix, posterior, tmp_path):
    table = posterior.runs.table.drop(columns="C", errors="ignore")
    alike = fake(posterior.model, Runs.of(table.assign(D=20 * table["N"])), posterior.values())
    alike.save(tmp_path / "alike.nc")
    (tmp_path / "p.toml").write_text(f"[budget]\nC = {C:g}\n")
    code, out, err = bayesmix(
        "decide", tmp_path / "alike.nc", "--problem", tmp_path / "p.toml", "--out", tmp_path / "d.json"
    )
    assert code == 0, err
    planned = results.load_decision(tmp_path / "d.json").problem.planned
    assert f"\nTrain N = {planned['N']:.3g} on D = {planned['D']:.3g} tokens.\n" in out
    assert "expected_regret_of_N_and_D" in out
    assert (
        "\nAll runs have the same D/N: the effects of parameters and tokens cannot be told apart. The N and D chosen "
        "rest on the priors. The expected regret is that of the mixture at these sizes: that of N and D comes on top.\n"
    ) in "\n" + err


def test_laws_that_do_not_know_scale_are_refused(posterior):
    blind = fake(Model.read("ye_m4"), mixture_runs(targets=("loss.web",)), mixing_values(T))
    with pytest.raises(BayesmixError, match="ye_m4 does not use both"):
        decide(blind, Problem(budget={"C": C}), seed=0)


def test_no_size_may_satisfy_the_constraints(posterior):
    problem = Problem(budget={"C": C}, available={"web": 1.0, "code": 1.0, "books": 1.0})
    with pytest.raises(BayesmixError, match="no mixture is all of this at once"):
        decide(posterior, problem, seed=0)


def test_faults_of_a_budget_are_said_together():
    with pytest.raises(InputError) as caught:
        Problem.of({"budget": {"C": -1, "served": -2, "flops": 3}, "planned": {"N": 1e9}})
    said = str(caught.value)
    for words in ("C = -1", "served = -2", "unknown 'flops'", "planned states N, which the budget is to choose"):
        assert words in said


def test_the_worst_excess_chooses_a_size_as_the_worst_loss_does():
    """Two targets alike but for their domains. Where all are bad none exceeds its best by much, which is no merit."""
    runs = mixture_runs(30, targets=("loss.web", "loss.code"))
    scales = {"N": np.geomspace(1e7, 1e10, 30), "D": np.tile(np.geomspace(1e9, 1e12, 10), 3)}
    runs = Runs.of(runs.table.assign(**scales).drop(columns="C", errors="ignore"))
    model = replace(Model.read("effective_tokens_nd"), discrepancy=None)
    values = {"L0": 2.6, "floor": 1.7 / 2.6, "split": 4 / 9, "kN": 0.34 * 0.4 / 2.6, "kD": 0.28 * 0.5 / 2.6}
    values |= {"rho": 0.5, "epsilon": 1e-3, "rise": 1e9, "tau": 1.0, "t": [[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5]]}
    both = fake(model, runs, values | {"sigma": 0.003, "nu": 30.0})
    sizes = {c: decide(both, Problem(combine=c, budget={"C": C}), seed=0).problem.planned["N"]
             for c in ("worst", "worst excess")}  # fmt: skip
    assert sizes["worst excess"] == pytest.approx(sizes["worst"], rel=0.05)
