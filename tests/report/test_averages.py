"""Several laws' forecasts as one, and the runs to do next, as a report shows them."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from bayesmix.decision import Proposal
from bayesmix.prediction import predict
from bayesmix.report import write_report
from bayesmix.report.averages import averages, reached
from bayesmix.report.groups import group
from bayesmix.runs import Runs


@pytest.fixture(scope="module")
def forecasts(chinchilla, kaplan, planned):
    return {"chinchilla": predict(chinchilla, planned, seed=1), "kaplan_nd": predict(kaplan, planned, seed=1)}


@pytest.fixture(scope="module")
def close(comparison):
    """Return the comparison as if both laws predicted about as well."""
    table = comparison.table.assign(weight=[0.75, 0.25])
    return dataclasses.replace(comparison, table=table)


@pytest.fixture
def proposal(decision):
    table = pd.DataFrame(
        {
            "run": ["spread01", "spread07"], "N": 1e8, "D": 2e9, "w.web": [0.2, 0.6], "w.code": [0.3, 0.4],
            "w.books": [0.5, 0.0], "cost": 1.2e18, "spent": [1.2e18, 2.4e18], "value": [0.0007, 0.001], "se": 5e-5,
        }
    )  # fmt: skip
    return Proposal(
        table, True, 1e19, (0.002, 1e-4), 0.06, "regret", 64, decision.problem, {"ye_m4": 1.0}, ("Mind this.",)
    )


def test_forecasts_of_laws_of_the_same_runs_are_averaged_by_their_weights(chinchilla, kaplan, forecasts, close):
    both = {"chinchilla": chinchilla, "kaplan_nd": kaplan}
    (found,) = averages(group(both, [close]), forecasts, ())
    assert found.weights == {"chinchilla": 0.75, "kaplan_nd": 0.25}
    assert found.name == "average of chinchilla (75 %) and kaplan_nd (25 %)"
    means = [forecasts[n].expected.mean(axis=0) for n in both]
    drawn = found.prediction.expected
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - 0.75 * means[0] - 0.25 * means[1]) < 4 * error).all()


def test_a_law_with_all_the_weight_and_one_alone_are_not_averaged(chinchilla, kaplan, forecasts, close):
    both = {"chinchilla": chinchilla, "kaplan_nd": kaplan}
    clear = dataclasses.replace(close, table=close.table.assign(weight=[0.995, 0.005]))
    assert not list(averages(group(both, [clear]), forecasts, ()))
    assert not list(averages(group(both, []), {"chinchilla": forecasts["chinchilla"]}, ()))


def test_the_verdict_quotes_the_average_and_the_page_shows_every_law(tmp_path, chinchilla, kaplan, forecasts, close):
    both = {"chinchilla": chinchilla, "kaplan_nd": kaplan}
    folder = write_report(tmp_path / "r", both, close, predictions=forecasts)
    numbers = json.loads((folder / "report.json").read_text())
    (headline,) = numbers["verdict"]["headline"]
    assert "average of chinchilla (75 %) and kaplan_nd (25 %)" in headline
    (averaged,) = numbers["averages"]
    assert averaged["weights"] == {"chinchilla": 0.75, "kaplan_nd": 0.25}
    large = next(r["median"] for r in averaged["measured"] if r["run"] == "large")
    assert numbers["verdict"]["forecasts"][0]["median"] == pytest.approx(large)
    alone = [np.median(f.measured[:, 0, 0]) for f in forecasts.values()]
    assert min(alone) < large < max(alone)
    text = (folder / "report.md").read_text()
    assert "## Forecast" in text
    assert "Average of chinchilla" in text
    assert "kaplan_nd (stacking weight 0.25)" in text


def test_the_chosen_mixture_itself_is_forecast(tmp_path, mixing, decision, forecasts, chinchilla):
    both = {"ye_m4": mixing, "chinchilla": chinchilla}
    folder = write_report(tmp_path / "r", both, decision=decision, predictions={"chinchilla": forecasts["chinchilla"]})
    numbers, text = json.loads((folder / "report.json").read_text()), (folder / "report.md").read_text()
    assert numbers["chosen"]["weights"] == {"ye_m4": 1.0}
    (planned,) = numbers["chosen"]["planned"]
    assert [planned[f"w.{d}"] for d in decision.domains] == pytest.approx(decision.mixture)
    order = [decision.domains.index(d) for d in mixing.coordinates.domains]
    w0, values = np.asarray(mixing.coordinates.references["w0"]), mixing.values()
    moved = np.exp(values["t"] @ (decision.mixture[order] - w0))
    expected = np.median(values["L0"] * (values["floor"] + (1 - values["floor"]) * moved), axis=0)
    assert [r["median"] for r in numbers["chosen"]["expected"]] == pytest.approx(expected, rel=1e-6)
    # Though another law has a forecast, of mixtures like those it was fitted to.
    assert "Expect loss.web" in numbers["verdict"]["headline"][1]
    assert "The chosen mixture (model ye_m4)" in text


def test_a_law_that_does_not_know_the_planned_size_forecasts_no_chosen_mixture(mixing, decision):
    sized = Runs.of(mixing.runs.table.assign(N=1e8, D=2e9))
    small = dataclasses.replace(mixing, runs=sized)
    assert reached({"ye_m4": small}, decision) is None
    assert reached({}, decision) is None
    assert reached({"ye_m4": mixing}, None) is None


def test_the_runs_to_do_next_are_shown_and_what_they_are_worth(tmp_path, mixing, decision, proposal):
    folder = write_report(tmp_path / "r", {"ye_m4": mixing}, decision=decision, proposal=proposal)
    text, numbers = (folder / "report.md").read_text(), json.loads((folder / "report.json").read_text())
    assert "2 more runs of 2.4e+18 FLOP together would be worth 0.001" in text
    assert proposal.sentence() in numbers["verdict"]["sentences"]
    assert "2 of 64 candidates, in the order in which to do them" in text
    assert "The choice as it stands gains 0.06 over the baseline: little is left to learn." in text
    assert "Mind this." in text
    assert [r["run"] for r in numbers["next"]["runs"]] == ["spread01", "spread07"]
    assert "<h2" in (folder / "report.html").read_text()
