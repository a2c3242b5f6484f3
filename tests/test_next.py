import numpy as np
import pandas as pd
import pytest

from bayesmix import results
from bayesmix.decision import Problem, propose
from bayesmix.decision.decide import state
from bayesmix.decision.outcomes import outcomes
from bayesmix.errors import BayesmixError, InputError
from bayesmix.model import Model
from bayesmix.runs import Runs
from fakes import fake, mixing_values, mixture_runs

DOMAINS = ("web", "code", "books")
TARGETS = ("loss.web", "loss.code", "loss.books")


def posterior(direction=(0.0, 1.0, -1.0), *, spread: float = 0.5, sigma: float = 0.002, name: str = "ye_m4"):
    """Return a posterior of ye_m4 of which t is known but for one direction, alike for all targets."""
    rng = np.random.default_rng(0)
    t = np.array([[-2.0, 1.0, 1.0], [1.0, -2.0, 1.0], [1.0, 1.0, -2.0]])
    drawn = t + spread * rng.standard_normal((4000, 1, 1)) * np.array(direction)
    # Chains of equal values would have no R-hat.
    drawn = drawn + 1e-9 * rng.standard_normal(drawn.shape)
    drawn -= drawn.mean(axis=-1, keepdims=True)
    values = mixing_values(drawn, sigma=sigma)
    return fake(Model.read(name), mixture_runs(targets=TARGETS), values, draws=1000)


def offered(**mixtures: tuple[float, float, float]) -> Runs:
    frame = pd.DataFrame(list(mixtures.values()), columns=[f"w.{d}" for d in DOMAINS])
    return Runs.of(frame.assign(run=list(mixtures), N=70e6, D=10e9), planned=True)


def test_the_run_that_tells_what_is_not_known_is_proposed():
    given = posterior()
    w0 = np.asarray(given.coordinates.references["w0"])
    along = w0 + np.array([0.0, 0.2, -0.2])
    across = w0 + np.array([0.2, -0.1, -0.1])
    proposal = propose(given, Problem(), seed=0, pool=offered(along=along, across=across, centre=w0), most=2)
    assert proposal.table["run"].iloc[0] == "along"
    assert proposal.worthwhile
    value, error = proposal.value
    assert "little is left" not in proposal.sentence()
    assert 0.5 * proposal.perfect[0] < value < proposal.perfect[0] + 2 * error


def test_what_is_known_already_needs_no_more_runs():
    proposal = propose(posterior(spread=1e-7), Problem(), seed=0, most=3)
    assert not proposal.worthwhile
    assert proposal.value[0] < 1e-9
    assert "do no more small runs" in proposal.sentence()


def test_a_proposal_keeps_to_the_budget_and_to_what_was_offered():
    proposal = propose(posterior(), Problem(), seed=0, budget=1e19, most=8)
    cost = 6 * 70e6 * 10e9
    assert proposal.table["cost"].tolist() == pytest.approx([cost] * len(proposal.table))
    assert proposal.table["spent"].iloc[-1] <= 1e19
    assert proposal.table["run"].is_unique
    weights = proposal.table[[f"w.{d}" for d in DOMAINS]].to_numpy()
    assert np.allclose(weights.sum(axis=1), 1)
    assert "FLOP" in proposal.sentence()
    again = propose(posterior(), Problem(), seed=0, budget=1e19, most=8)
    assert again.table.equals(proposal.table)


@pytest.mark.parametrize("times", [1.0, 1.5])
def test_compute_is_kept_where_it_does_not_follow_from_the_size(times):
    pool = offered(along=(0.2, 0.5, 0.3), across=(0.2, 0.3, 0.5)).table
    pool = Runs.of(pool.assign(C=times * pool["C"], **{"loss.web": 3.0}), planned=True)
    runs = propose(posterior(), Problem(), seed=0, pool=pool, most=1).runs()
    assert list(runs) == ["run", "N", "D", *(["C"] if times != 1 else []), *(f"w.{d}" for d in DOMAINS)]


def test_runs_are_valued_by_the_shares_of_the_laws_that_decided():
    posteriors = {"a": posterior(), "b": posterior((1.0, -1.0, 0.0))}
    weights = {"a": 0.9, "b": 0.1}
    for risk, shares in (("mean", weights), ("worst law", {"a": 0.5, "b": 0.5})):
        proposal = propose(posteriors, Problem(risk=risk), seed=0, weights=weights, most=1)
        assert proposal.model_weights == pytest.approx(shares)


def test_information_may_decide_instead():
    proposal = propose(posterior(), Problem(), seed=0, by="information", most=1)
    along = proposal.table[["w.code", "w.books"]].to_numpy()[0]
    # Of all mixtures those tell most that are farthest out in the direction that is not known.
    assert abs(along[0] - along[1]) > 0.8
    with pytest.raises(BayesmixError, match="Choose one of regret, information"):
        propose(posterior(), Problem(), seed=0, by="luck")


def test_expected_outcomes_are_the_objective_draw_by_draw():
    given = posterior()
    problem = Problem({"loss.code": 1}, planned={"N": 70e6, "D": 10e9})
    stated = state({"m": given}, {"m": 1.0}, problem, 4000, 3, None)
    w = np.array([[0.2, 0.5, 0.3]])
    expected, measured = outcomes({"m": given}, stated.counts, offered(one=tuple(w[0])), 3)
    assert np.allclose(np.exp(expected[:, 0, 1]), stated.draws(w)[0], rtol=1e-6)
    noise = (measured - expected)[:, 0]
    assert noise.std(axis=0) == pytest.approx([0.002 * np.sqrt(30 / 28)] * 3, rel=0.1)


def test_bends_beyond_the_runs_are_those_of_the_objective():
    runs = Runs.of(
        mixture_runs(30, targets=TARGETS).table.assign(
            N=np.geomspace(1e7, 1e9, 30), D=np.tile(np.geomspace(1e9, 1e11, 10), 3), C=np.nan
        ).drop(columns="C")
    )  # fmt: skip
    model = Model.read("effective_tokens_nd")
    inputs, _ = model.inputs(runs)
    values = {n: np.full(inputs.shape(model.dims(n)), 0.4) for n in model.unknowns} | {"sigma": 0.002, "nu": 30.0}
    values["t"] = np.array([[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5], [-0.5, -0.5, 1.0]])
    given = fake(model, runs, values, draws=500, spread=1e-3)
    planned = {"N": 1e11, "D": 1e12}
    stated = state({"m": given}, {"m": 1.0}, Problem({"loss.web": 1}, planned=planned), 1000, 0, None)
    pool = Runs.of(pd.DataFrame([{"run": "a", **planned, "w.web": 0.2, "w.code": 0.5, "w.books": 0.3}]), planned=True)
    expected, _ = outcomes({"m": given}, stated.counts, pool, 0)
    here = stated.draws(np.array([[0.2, 0.5, 0.3]]))[0]
    assert np.std(here) > 1e-3
    assert np.allclose(np.exp(expected[:, 0, 0]), here, rtol=1e-6)


def test_a_law_without_scale_is_not_asked_about_other_scales():
    with pytest.raises(BayesmixError, match="law ye_m4 does not use N"):
        propose(posterior(), Problem(), seed=0, at=[{"N": 1e6, "D": 1e9}])


def test_faults_are_said():
    with pytest.raises(BayesmixError, match=r"the cheapest costs 4.2e\+18"):
        propose(posterior(), Problem(), seed=0, budget=1e10)
    with pytest.raises(BayesmixError, match="give more than nothing"):
        propose(posterior(), Problem(), seed=0, budget=-1)
    pool = offered(a=(0.2, 0.5, 0.3))
    twice = Runs.of(pd.concat([pool.table, offered(a=(0.5, 0.2, 0.3)).table]), planned=True)
    with pytest.raises(InputError, match="another candidate has this name"):
        propose(posterior(), Problem(), seed=0, pool=twice)
    with pytest.raises(BayesmixError, match="there are 100 draws to judge candidates by"):
        propose(posterior(), Problem(), seed=0, draws=100)


def test_a_proposal_is_read_back_as_it_was_saved(tmp_path):
    proposal = propose(posterior(), Problem(), seed=0, most=2)
    again = results.load_proposal(results.save(proposal, tmp_path / "next.json"))
    pd.testing.assert_frame_equal(again.table, proposal.table)
    assert again.sentence() == proposal.sentence()
    assert (again.perfect, again.budget, again.problem) == (proposal.perfect, proposal.budget, proposal.problem)


def test_the_command_writes_the_proposal_and_the_runs(tmp_path, monkeypatch, bayesmix):
    monkeypatch.chdir(tmp_path)
    posterior().save("ye.nc")
    (tmp_path / "problem.toml").write_text("near = 0.1\n")
    code, out, err = bayesmix("next", "ye.nc", "--problem", "problem.toml", "--runs", 2, "--budget", 1e20)
    assert code == 0, err
    assert "1 more run of" in out
    runs = Runs.read("next.csv", planned=True)
    assert len(runs) == 1
    assert runs.domains == DOMAINS
    assert results.load_proposal("next.json").runs()["run"].tolist() == list(runs.names)
    assert bayesmix("next", "ye.nc", "--problem", "problem.toml")[0] == 5
    code, _, err = bayesmix("next", "ye.nc", "--problem", "problem.toml", "--budget", 0, "--force")
    assert code == 3
    assert "the budget is 0 " in err
    code, _, err = bayesmix(
        "next", "ye.nc", "--problem", "problem.toml", "--at", "C=1e18", "--at", "C=2e18", "--runs", 1, "--force"
    )
    assert code == 0, err
    assert Runs.read("next.csv", planned=True).column("C")[0] in (1e18, 2e18)
    again = ("next", "ye.nc", "--problem", "problem.toml", "--pool", "next.csv", "--force")
    assert bayesmix(*again, "--at", "N=1")[0] == 2
    code, _, err = bayesmix(*again)
    assert code == 2, "what runs are chosen from is not replaced by them"
    assert "is what the command reads" in " ".join(err.replace("│", " ").split())
