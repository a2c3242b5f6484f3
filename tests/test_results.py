import dataclasses
import importlib
import json

import numpy as np
import pandas as pd
import pytest

from bayesmix import results
from bayesmix.comparison import Comparison, compare
from bayesmix.decision import Decision, Problem, decide
from bayesmix.errors import BayesmixError, WouldOverwriteError
from bayesmix.extrapolation import Extrapolation
from bayesmix.model import Model
from bayesmix.runs import Runs
from fakes import fake, mixing_values, mixture_runs

T = [[1.0, -2.0, 1.0], [0.5, 0.5, -1.0]]


@pytest.fixture(scope="module")
def posteriors():
    runs = Runs.of(mixture_runs().table.assign(family="dense"))
    mixing = fake(Model.read("ye_m4"), runs, mixing_values(T, L0=3.05, sigma=0.05), spread=0.01)
    flat = fake(Model.read("constant"), runs, {"L0": 3.05, "sigma": 0.05, "nu": 30.0}, spread=0.01)
    return {"mixing law": mixing, "flat": flat}


@pytest.fixture(scope="module")
def comparison(posteriors) -> Comparison:
    return compare(posteriors)


@pytest.fixture(scope="module")
def decision(posteriors) -> Decision:
    module = importlib.import_module("bayesmix.decision.decide")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RANDOM_CANDIDATES", 50)
        patch.setattr(module, "OWN_OPTIMA", 20)
        problem = Problem(
            {"loss.web": 1},
            {"N": 7e9, "family": "dense"},
            {"default": (0.1, 0.7)},
            {"web": 0.4, "code": 0.6},
            risk={"cvar": 0.5},
            candidates={"house": {"web": 0.2, "code": 0.8}},
        )
        return decide(posteriors, problem, seed=0, draws=60)


def test_a_comparison_comes_back_exactly(comparison, tmp_path):
    loaded = results.load_comparison(results.save(comparison, tmp_path / "c.json"))
    pd.testing.assert_frame_equal(loaded.table, comparison.table, check_exact=True)
    assert (loaded.left_out, loaded.units, loaded.warnings) == (
        comparison.left_out,
        comparison.units,
        comparison.warnings,
    )
    assert loaded.weights == comparison.weights


def test_an_extrapolation_comes_back_exactly(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"at": 1e20, "run": list("abc"), "target": "loss", "truth": 2.0, "bias": rng.normal(size=3)})
    table = table.assign(decades=[0.1, 0.2, 0.3], pit=0.5, crps=0.1, log_score=-2.0)
    table["interval_score95%"] = 0.3
    for level in ("50%", "80%", "90%", "95%"):
        table[f"low{level}"], table[f"high{level}"] = 1.9, 2.1
    bends = pd.DataFrame({"target": ["loss"], "bend": [0.3], "error": [0.1], "at": [1e20]})
    made = Extrapolation("chinchilla", "C", table, bends, ("a warning",))
    path = results.save(made, tmp_path / "e.json")
    loaded = results.load_extrapolation(path)
    pd.testing.assert_frame_equal(loaded.table, made.table, check_exact=True)
    pd.testing.assert_frame_equal(loaded.bends, made.bends, check_exact=True)
    assert (loaded.model, loaded.by, loaded.warnings) == (made.model, made.by, made.warnings)
    assert json.loads(path.read_text())["sentence"] == made.sentence()


def test_a_decision_comes_back_exactly(decision, tmp_path):
    loaded = results.load_decision(results.save(decision, tmp_path / "d.json"))
    for name in ("mixture", "baseline", "objective", "baseline_objective", "optima", "regret"):
        assert np.array_equal(getattr(loaded, name), getattr(decision, name))
        assert getattr(loaded, name).dtype == float
    plain = ("domains", "kkt_residual", "candidate_gap", "near_loss", "corrected_gain", "model_weights", "counts")
    assert decision.targets == ("loss.web", "loss.code")
    for name in (*plain, "problem", "warnings", "targets", "own_objective"):
        assert getattr(loaded, name) == getattr(decision, name)
    for name in ("observed", "near"):
        assert all(np.array_equal(a, b) for a, b in zip(getattr(loaded, name), getattr(decision, name), strict=True))
    assert set(loaded.under) == {"mixing law", "flat"}
    pd.testing.assert_frame_equal(loaded.alternatives(), decision.alternatives(), check_exact=True)
    pd.testing.assert_frame_equal(loaded.candidates(), decision.candidates(), check_exact=True)
    assert loaded.facts() == decision.facts()


def test_a_decision_by_a_function_of_ones_own_says_so_in_its_file(decision, tmp_path):
    path = results.save(dataclasses.replace(decision, own_objective=True), tmp_path / "d.json")
    assert results.load_decision(path).own_objective


def test_a_file_that_lacks_something_is_damaged(decision, tmp_path):
    path = results.save(decision, tmp_path / "d.json")
    content = json.loads(path.read_text())
    del content["near_loss"]
    path.write_text(json.dumps(content))
    with pytest.raises(BayesmixError, match=r"is damaged: it has no 'near_loss'. Make it with: bayesmix decide"):
        results.load_decision(path)


def refuse(constant: str):
    raise AssertionError(f"{constant} is not JSON")


def test_the_files_are_strict_json_with_facts_versions_and_notice(comparison, decision, tmp_path):
    for name, result in {"comparison": comparison, "decision": decision}.items():
        path = results.save(result, tmp_path / f"{name}.json", notice="Made up.")
        content = json.loads(path.read_text(), parse_constant=refuse)
        assert content["bayesmix"] == name
        assert content["format"] == results.FORMAT
        assert content["notice"] == "Made up."
        assert "numpyro" in content["versions"]
    assert content["facts"]["p_better"] == decision.p_better


def test_numbers_that_are_not_finite_are_null_and_come_back_as_nan(comparison, tmp_path):
    table = comparison.table.assign(max_k=[np.inf, 0.3], diff_se=[np.nan, 1.0])
    path = results.save(Comparison(table, "run", 20, "PSIS-LOO", (), ("flat",)), tmp_path / "c.json")
    json.loads(path.read_text(), parse_constant=refuse)
    assert results.load_comparison(path).undecided == ("flat",)
    loaded = results.load_comparison(path).table
    assert loaded["max_k"].isna().tolist() == [True, False]
    assert loaded["diff_se"].dtype == float


def test_a_result_of_another_kind_is_refused(comparison, decision, tmp_path):
    first, second = (results.save(r, tmp_path / n) for r, n in ((comparison, "c.json"), (decision, "d.json")))
    with pytest.raises(
        BayesmixError, match=r"c.json is not a decision written by bayesmix. Make it with: bayesmix decide"
    ):
        results.load_decision(first)
    with pytest.raises(BayesmixError, match=r"d.json is not a comparison .* Make it with: bayesmix compare"):
        results.load_comparison(second)
    with pytest.raises(BayesmixError, match=r"c.json is not an extrapolation .* Make it with: bayesmix extrapolate"):
        results.load_extrapolation(first)


@pytest.mark.parametrize("text", ["", "[1]", "null", "{}", '{"bayesmix": "comparison"'])
def test_a_file_that_bayesmix_did_not_write_is_refused(tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(BayesmixError, match="is not a comparison written by bayesmix"):
        results.load_comparison(tmp_path / "c.json")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BayesmixError, match=r"there is no file .*c.json. Make it with: bayesmix compare"):
        results.load_comparison(tmp_path / "c.json")
    with pytest.raises(BayesmixError, match=r" cannot be read: Is a directory. Make it with: bayesmix compare"):
        results.load_comparison(tmp_path)


def test_a_newer_format_is_refused(comparison, tmp_path):
    path = results.save(comparison, tmp_path / "c.json")
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "format": results.FORMAT + 1, "versions": {"bayesmix": "9.0"}}))
    with pytest.raises(BayesmixError, match=r"written by bayesmix 9.0, which is newer. Upgrade"):
        results.load_comparison(path)


def test_an_existing_result_is_kept_unless_told_otherwise(comparison, tmp_path):
    path = tmp_path / "c.json"
    path.write_text("precious")
    with pytest.raises(WouldOverwriteError):
        results.save(comparison, path)
    assert path.read_text() == "precious"
    results.save(comparison, path, overwrite=True)
    assert results.load_comparison(path).units == comparison.units
