"""What the first lines say, from what was asked and from what was found."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from bayesmix.extrapolation import Extrapolation
from bayesmix.prediction import predict
from bayesmix.report import numbers, write_report
from bayesmix.report.caveats import caveats
from bayesmix.report.groups import Results, group
from bayesmix.report.verdict import verdict
from bayesmix.runs import Runs


def results(posteriors, comparisons=(), decision=None, predictions=None, optima=None, extrapolations=()):
    return Results(group(posteriors, comparisons), decision, predictions or {}, optima or {}, tuple(extrapolations))


def backtest(*, inside, outside, reach=1.0):
    """Return forecasts of hidden runs: the far ones lie outside their intervals, or the near ones if negative."""
    truth = np.r_[np.full(inside, 2.0), np.full(abs(outside), 3.0)][:: 1 if outside >= 0 else -1]
    table = pd.DataFrame(
        {
            "at": 1e20, "run": [f"h{i}" for i in range(len(truth))], "target": "loss",
            "decades": np.linspace(0.1, reach, len(truth)), "truth": truth, "median": 2.0,
            "low50%": 1.9, "high50%": 2.1, "low80%": 1.8, "high80%": 2.2, "low90%": 1.7, "high90%": 2.3,
            "low95%": 1.6, "high95%": 2.4, "pit": 0.5, "crps": 0.01, "log_score": -1.0, "interval_score95%": 0.1,
            "bias": 0.02,
        }
    )  # fmt: skip
    bends = pd.DataFrame({"at": [1e20], "target": ["loss"], "bend": [0.0], "error": [0.1]})
    return Extrapolation("chinchilla", "C", table, bends, ())


def test_train_expect_beat(chinchilla, mixing, decision, prediction):
    decision = dataclasses.replace(decision, problem=dataclasses.replace(decision.problem, planned={}))
    both = {"chinchilla": chinchilla, "ye_m4": mixing}
    found = verdict(results(both, decision=decision, predictions={"chinchilla": prediction}))
    low, median, high = np.quantile(prediction.measured[:, 0, 0], [0.05, 0.5, 0.95])
    train, expect = found.headline
    better = f"{100 * decision.p_better:.0f} %"
    assert train == (
        f"Train web 50.0 %, code 30.0 %, books 20.0 %: it beats the uniform mixture with probability {better}."
    )
    # Of the two planned runs the larger is quoted, and it is said that its law does not know the mixture.
    assert expect == (
        f"Expect loss {numbers.bracketed(median, low, high)} at N = 70B, D = 1.4T "
        "(90 % interval; model chinchilla, for mixtures like that of its runs)."
    )
    (forecast,) = found.forecasts
    assert forecast["run"] == "large"
    assert (forecast["low90%"], forecast["median"], forecast["high90%"]) == pytest.approx((low, median, high))
    assert any(s.startswith("Gain over the uniform mixture: 0.0") for s in found.sentences)
    assert any(s.startswith("No backtest: no large run was hidden") for s in found.sentences)
    times = 7e10 * 1.4e12 / (4e9 * 8e10)
    assert f"The planned run takes {times:.0f} times the compute of the largest fitted one." in found.sentences


def test_the_run_that_the_decision_is_for_is_quoted(chinchilla, mixing, decision, prediction):
    problem = dataclasses.replace(decision.problem, planned={"N": 1e9, "D": 2e10})
    asked = dataclasses.replace(decision, problem=problem)
    both = {"chinchilla": chinchilla, "ye_m4": mixing}
    found = verdict(results(both, decision=asked, predictions={"chinchilla": prediction}))
    assert found.forecasts[0]["run"] == "small"
    assert "at N = 1B, D = 20B" in found.headline[1]


def test_the_mixture_that_was_chosen_is_quoted(mixing, decision):
    columns = {"run": ["other", "chosen"], "w.books": [0.6, 0.2], "w.code": [0.3, 0.3], "w.web": [0.1, 0.5]}
    planned = Runs.of(pd.DataFrame(columns), planned=True)
    predicted = predict(mixing, planned, seed=1)
    found = verdict(results({"ye_m4": mixing}, decision=decision, predictions={"ye_m4": predicted}))
    assert [f["run"] for f in found.forecasts] == ["chosen", "chosen"]
    assert "for mixtures like" not in found.headline[1]
    assert "loss.web" in found.headline[1]
    assert "loss.code" in found.headline[1]


@pytest.mark.parametrize("first", ["loss.web", "loss.code"])
def test_what_is_wanted_is_quoted_first(mixing, decision, first):
    other = {"loss.web": "loss.code", "loss.code": "loss.web"}[first]
    asked = dataclasses.replace(decision, problem=dataclasses.replace(decision.problem, objective={first: 1.0}))
    planned = Runs.of(pd.DataFrame({"w.books": [0.2], "w.code": [0.3], "w.web": [0.5]}), planned=True)
    predictions = {"ye_m4": predict(mixing, planned, seed=1)}
    said = verdict(results({"ye_m4": mixing}, decision=asked, predictions=predictions)).headline[1]
    assert said.startswith(f"Expect {first} ")
    assert said.index(first) < said.index(other)


@pytest.mark.parametrize(
    ("inside", "outside", "covered", "says"),
    [
        (27, 3, "90 %", "That is what they promise"),
        (20, 10, "67 %", "They can be trusted for half a decade, and not beyond."),
        (20, -10, "67 %", "take them for a lower bound of the uncertainty"),
        (30, 0, "100 %", "The intervals are wider than they need be."),
    ],
)
def test_backtest_says_what_intervals_are_worth(chinchilla, prediction, inside, outside, covered, says):
    test = backtest(inside=inside, outside=outside)
    found = verdict(results({"chinchilla": chinchilla}, predictions={"chinchilla": prediction}, extrapolations=[test]))
    (said,) = [s for s in found.sentences if s.startswith("Backtest")]
    assert said.startswith(f"Backtest of chinchilla: 90 % intervals covered {covered} of 30 hidden responses")
    assert says in said
    assert not any("No backtest" in s for s in found.sentences)


def test_runs_within_the_fitted_ones_need_no_backtest(chinchilla, mixing, decision):
    within = Runs.of(chinchilla.runs.table[["run", "N", "D"]], planned=True)
    found = verdict(
        results({"chinchilla": chinchilla}, predictions={"chinchilla": predict(chinchilla, within, seed=0)})
    )
    assert found.headline[0].startswith("Expect loss ")
    alone = verdict(results({"ye_m4": mixing}, decision=decision))
    assert not any("No backtest" in s for s in (*found.sentences, *alone.sentences))


def test_decision_alone_says_what_the_mixture_reaches(mixing, decision):
    problem = dataclasses.replace(decision.problem, objective={"loss.web": 1.0})
    found = verdict(results({"ye_m4": mixing}, decision=dataclasses.replace(decision, problem=problem)))
    low, high = np.quantile(decision.objective, [0.05, 0.95])
    said = numbers.bracketed(decision.objective.mean(), low, high)
    assert (
        found.headline[1] == f"Expect loss.web {said} nats/token (90 % interval; for runs as large as the fitted ones)."
    )
    problem = dataclasses.replace(problem, objective={"accuracy.arc": 1.0})
    higher = dataclasses.replace(decision, problem=problem, objective=-decision.objective)
    assert f"Expect accuracy.arc {said}" in verdict(results({"ye_m4": mixing}, decision=higher)).headline[1]
    problem = dataclasses.replace(problem, objective={"loss.web": 1.0, "loss.code": 2.0})
    several = dataclasses.replace(decision, problem=problem)
    assert (
        f"Expect a weighted mean of 2 targets of {said}"
        in verdict(results({"ye_m4": mixing}, decision=several)).headline[1]
    )
    worst = dataclasses.replace(several, problem=dataclasses.replace(problem, combine="worst"))
    assert f"Expect an objective of {said}" in verdict(results({"ye_m4": mixing}, decision=worst)).headline[1]


def test_many_domains_are_summed_up(mixing, decision):
    weights = np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.06, 0.04])
    names = tuple("abcdefgh")
    wide = dataclasses.replace(decision, domains=names, mixture=weights)
    train = verdict(results({"ye_m4": mixing}, decision=wide)).headline[0]
    assert train.startswith("Train a 30.0 %, b 20.0 %, c 15.0 %, d 10.0 %, e 10.0 %, g 6.0 %, 2 others 9.0 % (table")
    seven = dataclasses.replace(decision, domains=names[:7], mixture=np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.1]))
    train = verdict(results({"ye_m4": mixing}, decision=seven)).headline[0]
    assert ", f 5.0 %: it beats" in train


def test_where_nothing_was_asked_it_says_what_was_found(chinchilla, kaplan, comparison):
    found = verdict(results({"chinchilla": chinchilla, "kaplan_nd": kaplan}, [comparison]))
    assert found.headline == (
        "No mixture was decided and no run was forecast: this is what the fitted runs alone show.",
    )
    assert found.forecasts == ()
    assert found.sentences[0].startswith("Left out by run, runs are predicted by chinchilla better than by kaplan_nd")
    low, middle, high = np.quantile(chinchilla.values()["alpha"], [0.05, 0.5, 0.95])
    assert f"alpha = {numbers.bracketed(middle, low, high)}" in found.sentences[1]
    assert not any("backtest" in s.lower() for s in found.sentences)


def test_what_did_not_converge_is_said_first(unconverged, prediction):
    found = verdict(results({"chinchilla": unconverged.accept()}, predictions={"chinchilla": prediction}))
    assert found.headline[0] == "NO VERDICT, since not converged: chinchilla. If those draws were right:"
    assert found.headline[1].startswith("Expect loss")
    assert found.sentences[-1].startswith("chinchilla did not converge; ")


def test_a_preview_is_called_one(chinchilla, prediction):
    tree = chinchilla.tree.copy()
    preview = dataclasses.replace(chinchilla, tree=tree, pareto_k=0.3)
    assert preview.preview
    found = verdict(results({"chinchilla": preview}, predictions={"chinchilla": prediction}))
    assert found.headline[0].startswith("PREVIEW, approximated and not sampled: chinchilla.")
    assert found.sentences[-1].startswith("Every posterior that was sampled converged; ")


def test_caveats_are_counted_and_said_once(chinchilla, kaplan, decision, mixing, prediction, planned):
    predictions = {"chinchilla": prediction, "kaplan_nd": predict(kaplan, planned, seed=1)}
    all_of_it = results({"chinchilla": chinchilla, "kaplan_nd": kaplan, "ye_m4": mixing}, (), decision, predictions)
    found = caveats(all_of_it)
    assert list(found) == ["On the mixture", "On the forecast"]
    assert all(len(set(lines)) == len(lines) for lines in found.values())
    assert any(s.startswith("chinchilla, kaplan_nd: N lies up to 1.2 decades above") for s in found["On the forecast"])
    count = sum(map(len, found.values()))
    assert verdict(all_of_it).sentences[-1] == f"Every posterior converged; {count} caveats to bear in mind, below."


def test_all_three_files_give_the_same_verdict(tmp_path, chinchilla, mixing, decision, prediction, optimum):
    folder = write_report(
        tmp_path / "out",
        {"chinchilla": chinchilla, "ye_m4": mixing},
        decision=decision,
        predictions={"chinchilla": prediction},
        optima={"chinchilla": optimum},
    )
    stated = json.loads((folder / "report.json").read_text())["verdict"]
    html = (folder / "report.html").read_text().replace("\u00a0", " ")
    markdown = (folder / "report.md").read_text()
    assert len(stated["headline"]) == 2
    assert any(s.startswith("Compute-optimal at C = 10²⁴ FLOP") for s in stated["sentences"])
    for sentence in [*stated["headline"], *stated["sentences"]]:
        assert sentence in html
        assert sentence.replace("[", r"\[").replace("]", r"\]") in markdown
    assert markdown.index("## Verdict") < markdown.index("**Train web 50.0 %")


def test_a_law_that_ignores_the_planned_size_is_not_quoted_for_it(mixing, decision):
    """Its runs do not say their N and D, nor does it use them."""
    asked = {"N": [7e9], "D": [1e12], "w.web": [0.4], "w.code": [0.3], "w.books": [0.3]}
    forecast = predict(mixing, Runs.of(pd.DataFrame(asked), planned=True), seed=0)
    found = verdict(results({"ye_m4": mixing}, (), None, {"ye_m4": forecast}))
    assert "7B" not in found.headline[0]
    assert "for runs of D and N like the fitted ones" in found.headline[0]
