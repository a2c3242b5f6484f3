import numpy as np
import pytest

from bayesmix.decision import Problem
from bayesmix.design import design, imagined
from bayesmix.errors import BayesmixError, InputError
from bayesmix.runs import Runs

DOMAINS = ("web", "code", "books")
SCALES = [{"N": 3e8, "D": 6e9}, {"N": 6e7, "D": 2e9}, {"N": 1e9, "D": 2e10}]


def weights(frame):
    return frame[[f"w.{d}" for d in DOMAINS]].to_numpy()


def test_most_runs_are_small_and_larger_ones_repeat_their_mixtures():
    frame = design(DOMAINS, 20, scales=SCALES, seed=0)
    assert frame.groupby("N").size().tolist() == [10, 6, 4]
    small = weights(frame[frame["N"] == 6e7])
    for N, count in ((3e8, 6), (1e9, 4)):
        assert np.array_equal(weights(frame[frame["N"] == N]), small[:count])
    assert np.allclose(small[0], 1 / 3, atol=1e-4)
    assert np.allclose(weights(frame).sum(axis=1), 1, atol=1e-12)
    assert frame["run"].is_unique


def test_every_mixture_satisfies_the_problem_and_the_baseline_is_first():
    problem = Problem(
        bounds={"default": (0.05, 0.7), "web": (0.3, 0.6)}, baseline={"web": 0.5, "code": 0.3, "books": 0.2}
    )
    w = weights(design(DOMAINS, 12, problem=problem, seed=0))
    assert w[0].tolist() == [0.5, 0.3, 0.2]
    assert (w >= [0.2999, 0.0499, 0.0499]).all()
    assert (w <= [0.6001, 0.7001, 0.7001]).all()
    # They reach far into the corners of what is allowed.
    assert np.ptp(w[:, 0]) > 0.25
    assert np.ptp(w[:, 1]) > 0.4


@pytest.mark.parametrize("within", ["simplex", "fitted mixtures"])
def test_a_baseline_that_the_constraints_forbid_is_moved_to_where_they_allow_it(within):
    problem = Problem(bounds={"web": (0.3, 0.6)}, baseline={"web": 0.8, "code": 0.15, "books": 0.05}, within=within)
    w = weights(design(DOMAINS, 6, problem=problem, seed=0))
    assert (w[:, 0] <= 0.6001).all()
    assert w[0, 0] == pytest.approx(0.6, abs=1e-4)
    assert w[0, 1] > w[0, 2]


def test_what_is_available_limits_nothing_before_a_budget_is_split():
    available = {"web": 8e9, "code": 1e9, "books": 1e9}
    problem = Problem(budget={"C": 1e21}, available=available, epochs={"default": 2.0}, baseline="natural")
    w = weights(design(DOMAINS, 12, problem=problem, seed=0))
    assert w[0].tolist() == [0.8, 0.1, 0.1]
    assert np.ptp(w, axis=0).min() > 0.4


def test_scales_are_ordered_by_their_numbers_and_keep_labels_as_text():
    scales = [{"N": 3e8, "D": 6e9, "year": "1"}, {"N": 6e7, "D": 2e9, "year": "2024"}]
    frame = design(DOMAINS, 6, scales=scales, seed=0)
    assert frame["N"].is_monotonic_increasing
    assert list(dict.fromkeys(frame["year"])) == ["2024", "1"]


def test_what_designed_runs_could_tell_can_be_asked():
    runs = imagined(design(DOMAINS, 9, scales=SCALES[:1], seed=0))
    assert runs.targets == ("loss.web", "loss.code", "loss.books")


def test_faults_are_said():
    with pytest.raises(BayesmixError, match="5 runs are too few for 3 scales"):
        design(DOMAINS, 5, scales=SCALES, seed=0)
    with pytest.raises(BayesmixError, match="at least two, each once"):
        design(["web", "web"], 5, seed=0)
    with pytest.raises(InputError, match="unknown domain 'prose'"):
        design(DOMAINS, 5, problem=Problem(bounds={"prose": (0, 1)}), seed=0)


def test_the_command_writes_a_table_to_train_by_and_says_what_it_would_show(tmp_path, monkeypatch, bayesmix):
    monkeypatch.chdir(tmp_path)
    code, out, err = bayesmix("design", "web,code", "--runs", 8, "--at", "N=6e7,D=2e9", "--model", "ye_m4")
    assert code == 0, err
    assert "8 runs of 5.76e+18 FLOP together" in out
    assert "ye_m4                L0" in out
    assert len(Runs.read("design.csv", planned=True)) == 8
    assert bayesmix("design", "web,code")[0] == 5
    (tmp_path / "p.toml").write_text("[budget]\nC = 1e21\n[available]\nweb = 1e9\n")
    line = ["design", " web, code ", "--runs", 4, "--problem", "p.toml", "--force"]
    code, out, err = bayesmix(*line, "--at", "C=1e18,year=2024", "--model", "ye_m4")
    assert code == 0, err
    assert "what is [available] limits no weight here" in out
    runs = Runs.read("design.csv", planned=True)
    assert runs.domains == ("web", "code")
    assert set(runs.column("C")) == {1e18}
    assert set(runs.table["year"]) == {"2024"}
