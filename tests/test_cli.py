import dataclasses
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmix import ready
from bayesmix.model import Model
from bayesmix.pooling import Pooling
from bayesmix.posterior import Posterior
from bayesmix.results import load_comparison, load_decision, load_extrapolation
from bayesmix.runs import Runs
from bayesmix.terminal import scales
from fakes import chinchilla_values, fake, mixing_values, mixture_runs, scale_runs

SIMULATED = Path(__file__).parent / "simulated"
RUNS = [str(SIMULATED / "runs.csv"), "--card", str(SIMULATED / "runs.toml")]
COMMANDS = ("design", "plan", "import", "check", "laws", "fit", "fit-many", "compare", "extrapolate", "history",
            "sensitivity", "predict", "decide", "next", "report", "export", "demo")  # fmt: skip
FEW = ["--draws", "50", "--warmup", "50", "--quiet"]


def command(*arguments: object, **kwargs) -> subprocess.Popen:
    """Start the command line in a process of its own."""
    line = [sys.executable, "-m", "bayesmix.cli", *map(str, arguments)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """Folder with posteriors of a scaling law, of two laws of mixtures, and one that did not converge."""
    folder = tmp_path_factory.mktemp("saved")
    runs = scale_runs()
    fake(Model.read("chinchilla"), runs, chinchilla_values(runs), spread=0.01).save(folder / "scale.nc")
    fake(Model.read("chinchilla"), runs, chinchilla_values(runs), converged=False).save(folder / "bad.nc")
    mixtures = mixture_runs()
    values = mixing_values([[1.0, -2.0, 1.0], [0.5, 0.5, -1.0]], L0=3.05, sigma=0.05)
    fake(Model.read("ye_m4"), mixtures, values, spread=0.01).save(folder / "ye_m4.nc")
    flat = {"L0": 3.05, "sigma": 0.05, "nu": 30.0}
    fake(Model.read("constant"), mixtures, flat, spread=0.01).save(folder / "constant.nc")
    (folder / "problem.toml").write_text('[objective]\n"loss.web" = 1\n[bounds]\ndefault = [0.1, 0.7]\n')
    return folder


def test_help_says_the_exit_codes_and_lists_the_commands():
    process = command("--help")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == ""
    assert "Exit codes: 0 done; 2 wrong usage; 3 bad input" in " ".join(out.split())
    for name in COMMANDS:
        assert f"\n  {name} " in out


def test_help_imports_nothing_heavy():
    line = [sys.executable, "-X", "importtime", "-m", "bayesmix.cli", "--help"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"numpyro", "jax", "numpy", "pandas", "scipy", "xarray", "matplotlib"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(bayesmix, name):
    code, out, _ = bayesmix(name, "--help")
    assert code == 0
    assert "--help" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit"],
        ["nonsense"],
        ["check", "x.csv", "--nonsense"],
        ["predict", "x.nc"],
        ["predict", "x.nc", "--at", "N=1", "--planned", "x.csv"],
        ["predict", "x.nc", "--compute", "1e21", "--link", "l.nc"],
        ["predict", "x.nc", "--at", "N=1", "--label", "family=dense"],
        ["report", "x.nc", "--label", "family=dense"],
        ["fit", "chinchilla", "x.csv", "--draws", "3"],
        ["next", "x.nc", "--problem", "x.toml", "--out", "next.csv"],
        ["extrapolate", "chinchilla", "x.csv", "--out", "x.png"],
        ["import", "olmix", "x.csv", "--out", "x.TOML"],
    ],
)
def test_wrong_usage_exits_2(bayesmix, arguments):
    code, _, err = bayesmix(*arguments)
    assert code == 2
    assert "Usage" in err


def test_a_result_is_not_named_like_what_is_written_beside_it(bayesmix, saved, tmp_path):
    out = tmp_path / "next.csv"
    line = ["next", saved / "ye_m4.nc", "--problem", saved / "problem.toml", "--out", out, "--force"]
    code, _, err = bayesmix(*line)
    assert code == 2
    said = " ".join(err.replace("│", " ").split())
    assert "is the name of what is written beside it too. Give it another ending than .csv" in said
    assert list(tmp_path.iterdir()) == []


def test_what_is_suspicious_of_planned_runs_is_said_too(bayesmix, saved, tmp_path):
    line = ["predict", saved / "scale.nc", "--at", "N=70,D=1400", "--out", tmp_path / "p.csv"]
    code, _, err = bayesmix(*line)
    assert code == 0
    assert "hint: N " in err


def test_a_table_to_predict_is_not_replaced_by_its_forecast(bayesmix, saved, tmp_path):
    planned = tmp_path / "plan.csv"
    planned.write_text("run,N,D\na,1e9,2e10\n")
    code, _, err = bayesmix("predict", saved / "scale.nc", "--planned", planned, "--out", planned, "--force")
    assert code == 2
    assert "is what the command reads" in " ".join(err.replace("│", " ").split())
    assert planned.read_text() == "run,N,D\na,1e9,2e10\n"


def test_a_file_that_is_not_there_exits_3_without_a_traceback(tmp_path):
    process = command("check", tmp_path / "none.csv")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert out == ""
    assert err.startswith(f"error: {tmp_path / 'none.csv'}: 1 fault\n  no such file.")
    assert "Traceback" not in err


def test_a_posterior_that_is_not_there_exits_3_and_says_how_to_make_it(bayesmix, tmp_path):
    code, _, err = bayesmix("predict", tmp_path / "none.nc", "--compute", "1e21")
    assert code == 3
    assert "Make it with: bayesmix fit" in err


PLANTED = """run,N,D,w.web,w.code,loss,losss.web,accuracy.arc,optim
a,70e6,1e9,0.5,0.5,3.1,3,0.3,x
b,-70e6,1e9,0.5,0.5,3.1,3,0.3,x
c,70M,1e9,0.5,0.5,3.1,3,0.3,x
d,70e6,,0.5,0.5,3.1,3,0.3,x
e,70e6,1e9,0.7,0.7,3.1,3,0.3,x
f,70e6,1e9,,0.5,3.1,3,0.3,x
g,70e6,1e9,0.5,0.5,-3.1,3,0.3,x
h,70e6,1e9,0.5,0.5,3.1,3,30,x
a,70e6,1e9,0.5,0.5,3.1,3,0.3,x
,70e6,1e9,0.5,0.5,3.1,3,0.3,x
"""


def test_ten_faults_of_a_table_are_one_error_that_names_them_all(bayesmix, tmp_path):
    (tmp_path / "runs.csv").write_text(PLANTED)
    code, out, err = bayesmix("check", tmp_path / "runs.csv")
    assert code == 3
    assert out == ""
    for words in (
        "'losss.web'",
        "row 3, run b: N is -70e6",
        "row 4, run c: N is '70M'",
        "row 5, run d: D is missing",
        "row 6, run e: weights w.* sum to 1.4",
        "row 7, run f: w.web is missing",
        "row 8, run g: loss is -3.1",
        "row 9, run h: accuracy.arc is 30",
        "row 10, run a: the row is identical to row 2",
        "row 11: the run has no name",
    ):
        assert words in err
    assert err.count("error: ") == 1


def test_a_model_that_the_runs_cannot_feed_exits_3(bayesmix, tmp_path):
    (tmp_path / "runs.csv").write_text("N,loss\n1e8,3\n1e9,2.8\n")
    code, _, err = bayesmix("fit", "chinchilla", tmp_path / "runs.csv", "--out", tmp_path / "x.nc")
    assert code == 3
    assert "no column 'D'" in err
    assert not (tmp_path / "x.nc").exists()


@pytest.mark.parametrize("name", ["fit", "compare", "predict", "decide", "report"])
def test_an_existing_result_exits_5_and_is_untouched(bayesmix, saved, tmp_path, name):
    out = tmp_path / "result"
    out.write_text("precious")
    scale, mixing = saved / "scale.nc", saved / "ye_m4.nc"
    lines = {
        "fit": ["chinchilla", *RUNS],
        "compare": [scale],
        "predict": [scale, "--compute", "1e21"],
        "decide": [mixing, "--problem", saved / "problem.toml"],
        "report": [scale],
    }
    code, _, err = bayesmix(name, *lines[name], "--out", out)
    assert code == 5
    assert "exists" in err
    assert "--force" in err
    assert out.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_force_replaces_a_result(bayesmix, saved, tmp_path):
    out = tmp_path / "c.json"
    out.write_text("old")
    assert bayesmix("compare", saved / "scale.nc", "--out", out, "--force")[0] == 0
    assert load_comparison(out).units == 24


@pytest.fixture(scope="module")
def unconverged(tmp_path_factory) -> tuple[subprocess.CompletedProcess, Path]:
    """A fit of a hard problem with too few draws."""
    out = tmp_path_factory.mktemp("fit") / "hard.nc"
    line = [sys.executable, "-m", "bayesmix.cli", "fit", "chinchilla", *RUNS, "--where", "role=ladder", *FEW]
    return subprocess.run([*line, "--out", str(out)], capture_output=True, text=True, timeout=300, check=False), out


def test_a_fit_that_did_not_converge_exits_4_says_so_first_and_keeps_the_draws(unconverged):
    done, out = unconverged
    assert done.returncode == 4
    said = [line for line in done.stderr.splitlines() if not line.startswith("NOTE: ")]
    assert said[0].startswith("NOT CONVERGED: ")
    assert "to look at" in done.stderr
    assert "mean" not in done.stdout
    assert Posterior.load(out).tree["posterior"].sizes["draw"] == 50


def test_later_steps_refuse_what_did_not_converge_unless_it_is_accepted(bayesmix, unconverged, tmp_path):
    _, kept = unconverged
    line = ["predict", kept, "--at", "N=1e9,D=2e10", "--out", tmp_path / "p.csv"]
    code, out, err = bayesmix(*line)
    assert code == 4
    assert out == ""
    assert "did not converge and is no answer" in err
    assert not (tmp_path / "p.csv").exists()
    code, out, err = bayesmix(*line, "--accept-unconverged")
    assert code == 0
    assert "NOT CONVERGED" in err.splitlines()[1]
    assert "one run" in out


@pytest.mark.parametrize("name", ["compare", "decide"])
def test_every_step_refuses_what_did_not_converge(bayesmix, saved, tmp_path, name):
    extra = ["--problem", saved / "problem.toml"] if name == "decide" else []
    code, _, err = bayesmix(name, saved / "bad.nc", *extra, "--out", tmp_path / "x.json")
    assert code == 4
    assert "--accept-unconverged" in err
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_fit_that_is_killed_half_way_leaves_no_file(tmp_path, how):
    line = ["fit", "chinchilla", *RUNS, "--where", "role=ladder", "--draws", "3950", "--warmup", "50"]
    process = command(*line, "--out", tmp_path / "x.nc")
    assert process.stderr is not None
    # A line is written for each quarter of the draws, so three quarters are left.
    assert "draws" in process.stderr.readline()
    process.send_signal(how)
    process.wait(timeout=60)
    process.stderr.close()
    assert process.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_the_whole_sequence_carries_its_notice_along(bayesmix, tmp_path, monkeypatch):
    decide = importlib.import_module("bayesmix.decision.decide")
    monkeypatch.setattr(decide, "RANDOM_CANDIDATES", 100)
    monkeypatch.setattr(decide, "OWN_OPTIMA", 20)

    def done(*arguments):
        code, out, err = bayesmix(*arguments)
        assert code == 0, err
        return out, err

    role, target = ["--where", "role=mixture"], ["--target", "loss.prose"]
    out, err = done("check", *RUNS, *role)
    assert "48 rows, 48 runs" in out
    assert err.startswith("NOTE: Simulated data")
    posteriors = []
    for model in ("ye_m4", "constant"):
        path = tmp_path / f"{model}.nc"
        out, err = done("fit", model, *RUNS, *role, *target, *FEW, "--accept-unconverged", "--out", path)
        assert "NOTE: Simulated data" in err
        posteriors.append(path)
    comparison = tmp_path / "comparison.json"
    out, err = done("compare", *posteriors, "--accept-unconverged", "--out", comparison)
    assert load_comparison(comparison).weights["ye_m4"] > 0.9
    assert "Simulated data" in comparison.read_text()
    table = tmp_path / "prediction.csv"
    out, err = done(
        "predict", posteriors[0], "--planned", SIMULATED / "planned.csv", "--accept-unconverged", "--out", table
    )
    frame = pd.read_csv(table)
    assert len(frame) == 4
    assert frame["notice"].str.startswith("Simulated data").all()
    assert "c[loss.prose]" in out
    problem = tmp_path / "problem.toml"
    problem.write_text('[objective]\n"loss.prose" = 1\n[bounds]\ndefault = [0.02, 0.6]\n')
    decision = tmp_path / "decision.json"
    out, err = done(
        "decide",
        *posteriors,
        "--problem",
        problem,
        "--comparison",
        comparison,
        "--accept-unconverged",
        "--out",
        decision,
    )
    assert "p_better" in out
    found = load_decision(decision)
    assert found.domains == ("academic", "prose", "dialogue", "symbolic", "internet")
    # The target likes its own domain best.
    assert found.mixture[1] > 0.55
    assert found.p_better > 0.9


def test_a_decision_says_what_it_took_for_granted_and_each_caution_once(bayesmix, tmp_path):
    values = mixing_values([[1.0, -2.0, 1.0], [0.5, -1.0, 0.5]])
    bad = fake(Model.read("ye_m4"), mixture_runs(), values, converged=False)
    bad.save(tmp_path / "bad.nc")
    (tmp_path / "problem.toml").write_text('combine = "worst"\n')
    line = ["decide", tmp_path / "bad.nc", "--problem", tmp_path / "problem.toml", "--accept-unconverged"]
    code, out, err = bayesmix(*line, "--out", tmp_path / "d.json")
    assert code == 0, err
    assert out.startswith("The problem states no [objective]: it is the worst of loss.web, loss.code.\n")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
    assert set(rows["web"][:3]) == {"0"}, "of a weight as small as nothing, and of its interval"
    for name in ("kkt_residual", "candidate_gap", "near_loss"):
        assert name not in out
    said = err.splitlines()
    assert any(s.startswith("bad: NOT CONVERGED") for s in said)
    assert len(said) == len(set(said))
    w = "w.web=0.3,w.code=0.3,w.books=0.4"
    _, _, err = bayesmix("predict", tmp_path / "bad.nc", "--at", w, "--accept-unconverged", "--out", tmp_path / "p.csv")
    assert err.count("NOT CONVERGED") == len([s for s in said if "NOT CONVERGED" in s])


def test_a_comparison_of_other_posteriors_is_refused(bayesmix, saved, tmp_path):
    comparison = tmp_path / "c.json"
    assert bayesmix("compare", saved / "ye_m4.nc", saved / "constant.nc", "--out", comparison)[0] == 0
    line = ["decide", saved / "ye_m4.nc", "--problem", saved / "problem.toml", "--comparison", comparison]
    code, _, err = bayesmix(*line, "--out", tmp_path / "d.json")
    assert code == 3
    assert "but the posteriors are ye_m4" in err


def test_posteriors_of_one_name_are_refused(bayesmix, saved, tmp_path):
    (tmp_path / "scale.nc").write_bytes((saved / "scale.nc").read_bytes())
    code, _, err = bayesmix("compare", saved / "scale.nc", tmp_path / "scale.nc", "--out", tmp_path / "c.json")
    assert code == 3
    assert "two posterior files have the same name" in err


def test_a_mixing_law_has_no_compute_optimum(bayesmix, saved, tmp_path):
    code, _, err = bayesmix("predict", saved / "ye_m4.nc", "--compute", "1e21", "--out", tmp_path / "p.csv")
    assert code == 3
    assert "needs a law of N and D alone" in err


def test_runs_and_budgets_on_the_command_line_are_predicted(bayesmix, saved, tmp_path):
    path = tmp_path / "p.csv"
    runs = ["--at", "N=70e9, D=1.4e12", "--at", "D=2e10,N=1e9"]
    code, out, err = bayesmix("predict", saved / "scale.nc", *runs, "--compute", "1e24", "--out", path)
    assert code == 0
    assert "decades above the fitted runs" in err
    assert "Derived coefficients" in out
    frame = pd.read_csv(path)
    assert set(frame["of"].dropna()) == {"one run", "expected"}
    assert frame["quantity"].dropna().tolist() == ["N", "D", "D/N", "response"]


def test_budgets_that_no_law_can_split_are_an_error_though_runs_could_be_predicted(bayesmix, saved, tmp_path):
    line = ["predict", saved / "constant.nc", "--at", "N=7e7,D=1e10", "--compute", "1e21", "--out", tmp_path / "p.csv"]
    code, out, err = bayesmix(*line)
    assert (code, out) == (3, "")
    assert "error: law constant is one of nothing: a compute-optimal N and D needs a law of N and D alone" in err
    assert not (tmp_path / "p.csv").exists()
    line[2:2] = [saved / "ye_m4.nc"]
    line[line.index("N=7e7,D=1e10")] = "N=7e7,D=1e10,w.web=0.3,w.code=0.3,w.books=0.4"
    code, _, err = bayesmix(*line)
    assert code == 3
    for name in ("constant", "ye_m4"):
        assert f"{name} is not asked about compute-optimal N and D: law {name} is one of" in err


def test_a_law_that_cannot_split_budgets_predicts_the_planned_runs_beside_one_that_can(bayesmix, saved, tmp_path):
    runs = scale_runs()
    fake(Model.read("constant"), runs, {"L0": 2.5, "sigma": 0.05, "nu": 30.0}, spread=0.01).save(tmp_path / "flat.nc")
    line = ["predict", saved / "scale.nc", tmp_path / "flat.nc", "--at", "N=1e9,D=2e10", "--compute", "1e21"]
    code, _, err = bayesmix(*line, "--out", tmp_path / "p.csv")
    assert code == 0, err
    assert "flat is not asked about compute-optimal N and D: law constant is one of nothing" in err
    assert "planned runs" not in err
    frame = pd.read_csv(tmp_path / "p.csv")
    assert set(frame.loc[frame["of"] == "expected", "model"]) == {"average", "scale", "flat"}
    assert set(frame.loc[frame["quantity"].notna(), "model"]) == {"scale"}


def test_a_law_that_cannot_predict_the_planned_runs_is_left_out_of_them_alone(bayesmix, saved, tmp_path):
    runs = scale_runs()
    fake(Model.read("constant"), runs, {"L0": 2.5, "sigma": 0.05, "nu": 30.0}, spread=0.01).save(tmp_path / "flat.nc")
    line = ["predict", saved / "scale.nc", tmp_path / "flat.nc", "--at", "N=7e12,D=1e14", "--out", tmp_path / "p.csv"]
    code, _, err = bayesmix(*line)
    assert code == 0, err
    assert "flat is not asked about the planned runs: law constant does not use N and D" in err
    assert set(pd.read_csv(tmp_path / "p.csv")["model"]) == {"scale"}


def test_what_rests_on_the_prior_is_said_of_quantities_forecasts_and_the_mixture(bayesmix, saved, tmp_path):
    problem = tmp_path / "problem.toml"
    problem.write_text("", encoding="utf-8")
    path, mixing = tmp_path / "s.csv", tmp_path / "mixing.nc"
    t = np.array([[-1.0, 0.4, 0.6], [0.8, -1.2, 0.4]]) + 0.1 * np.random.default_rng(0).standard_normal((1000, 2, 3))
    values = mixing_values(t - t.mean(axis=-1, keepdims=True))
    fake(Model.read("ye_m4"), mixture_runs(), values).save(mixing)
    line = ["sensitivity", mixing, "--problem", problem, "--out", path]
    code, out, err = bayesmix(*line)
    assert code == 0, err
    assert "of the weight moves" in out
    assert "prior to the power 0.8: web " in out
    assert "floor[loss.web]" in pd.read_csv(path)["quantity"].tolist()
    assert bayesmix(*line)[0] == 5
    code, out, _ = bayesmix("sensitivity", saved / "scale.nc", "--at", "N=70e9,D=1.4e12", "--out", tmp_path / "t.csv")
    assert code == 0
    assert any(q.startswith("forecast[") for q in pd.read_csv(tmp_path / "t.csv")["quantity"])


def test_several_posteriors_are_averaged_and_shown_beside_it(bayesmix, saved, tmp_path):
    runs, law = scale_runs(30), dataclasses.replace(Model.read("chinchilla"), discrepancy=None)
    one, other = tmp_path / "one.nc", tmp_path / "other.nc"
    for path, floor in ((one, 1.797), (other, 1.803)):
        fake(law, runs, chinchilla_values(runs, E=floor)).save(path)
    path = tmp_path / "p.csv"
    code, out, _ = bayesmix("predict", one, other, "--at", "N=70e9,D=1.4e12", "--out", path)
    assert code == 0
    assert out.startswith("Average of ")
    assert "one (" in out.splitlines()[0]
    frame = pd.read_csv(path)
    assert list(dict.fromkeys(frame["model"])) == ["average", "one", "other"]
    medians = frame[frame["of"] == "expected"].set_index("model")["median"]
    assert medians["one"] - 1e-9 <= medians["average"] <= medians["other"] + 1e-9
    (spread,) = frame[frame["of"] == "spread of laws"].to_dict("records")
    assert (spread["lowest"], spread["highest"]) == pytest.approx((medians["one"], medians["other"]))
    assert spread["sd_between"] > 0


def test_compute_optimal_allocations_of_several_posteriors_are_averaged(bayesmix, tmp_path):
    runs = scale_runs(30)
    for name, alpha in (("one", 0.34), ("other", 0.36)):
        fake(Model.read("chinchilla"), runs, chinchilla_values(runs, alpha=alpha)).save(tmp_path / f"{name}.nc")
    line = ["predict", tmp_path / "one.nc", tmp_path / "other.nc", "--compute", "1e22", "--out", tmp_path / "p.csv"]
    code, out, err = bayesmix(*line)
    assert code == 0, err
    assert out.startswith("Average of ")
    frame = pd.read_csv(tmp_path / "p.csv")
    sizes = frame[frame["quantity"] == "N"].set_index("model")
    assert list(sizes.index) == ["average", "one", "other"]
    low, high = sorted(sizes.loc[["one", "other"], "median"])
    assert low - 1e-9 <= sizes.loc["average", "median"] <= high + 1e-9


def test_budgets_are_split_for_the_group_that_a_label_names(bayesmix, tmp_path):
    runs = scale_runs()
    runs = Runs.of(runs.table.assign(family=["dense", "sparse"] * 12))
    model = dataclasses.replace(Model.read("chinchilla"), pooling={"A": Pooling("family", "none")})
    values = chinchilla_values(runs)
    A = values["A"] * np.array([[1.0], [1.5]])
    fake(model, runs, values | {"A": A}, spread=0.001).save(tmp_path / "m.nc")
    line = ["predict", tmp_path / "m.nc", "--compute", "1e22", "--force", "--out", tmp_path / "p.csv"]
    code, _, err = bayesmix(*line)
    assert code == 3
    assert "model chinchilla pools over family: say of which runs this is asked" in err
    code, _, err = bayesmix(*line, "--label", "sparse", "--label", "family=dense", "--label", "family=sparse")
    assert code == 3
    assert "'sparse' is not NAME=VALUE. Write such as architecture=moe" in err
    assert "'family' is given twice: 'dense' and 'sparse'. Keep one of them" in err
    sizes = {}
    for family in ("dense", "sparse"):
        code, _, err = bayesmix(*line, "--label", f"family={family}")
        assert code == 0, err
        sizes[family] = pd.read_csv(tmp_path / "p.csv").set_index("quantity").loc["N", "median"]
    assert sizes["sparse"] == pytest.approx(1.5 ** (1 / 0.62) * sizes["dense"], rel=0.01)


def test_a_label_is_left_out_by_name_and_an_unknown_one_is_refused_with_those_there_are(bayesmix, tmp_path):
    runs = scale_runs()
    runs = Runs.of(runs.table.assign(family=["dense", "sparse", "wide"] * 8))
    fake(Model.read("chinchilla"), runs, chinchilla_values(runs), spread=0.001).save(tmp_path / "m.nc")
    line = ["compare", tmp_path / "m.nc", "--out", tmp_path / "c.json", "--leave-out"]
    code, _, err = bayesmix(*line, "day")
    assert code == 3
    assert "'day' cannot be left out: it is none of run, mixture, observation" in err
    assert "(there are: family)" in err
    assert not (tmp_path / "c.json").exists()
    code, out, _ = bayesmix(*line, "family")
    assert code == 0
    assert "leaving out by family: 3 units." in out
    comparison = load_comparison(tmp_path / "c.json")
    assert (comparison.left_out, comparison.units) == ("family", 3)
    assert {"pseudo_bma", "bad_k", "bad_k_before"} <= set(comparison.table)


@pytest.mark.parametrize("text", ["N=70e9", "N=many,D=1e9", "N"])
def test_a_planned_run_with_a_fault_exits_3(bayesmix, saved, tmp_path, text):
    code, _, err = bayesmix("predict", saved / "scale.nc", "--at", text, "--out", tmp_path / "p.csv")
    assert code == 3
    assert err.count("error: --at") == 1


def test_faults_of_planned_runs_say_the_text_that_was_given(bayesmix, saved, tmp_path):
    line = ["predict", saved / "scale.nc", "--at", "N=1e9, D=0", "--at", "N=1e9,D=2e9", "--at", "N=1e9,D=2e9"]
    code, _, err = bayesmix(*line, "--out", tmp_path / "p.csv")
    assert code == 3
    assert "\n  N=1e9, D=0: D is 0, expected" in err
    assert "\n  N=1e9,D=2e9: the row is identical to N=1e9,D=2e9. Remove it" in err


def test_a_name_that_is_stated_twice_is_a_fault(bayesmix, saved, tmp_path):
    line = ["predict", saved / "scale.nc", "--at", "N=7e9,D=1e12,N=1e12", "--out", tmp_path / "p.csv"]
    code, _, err = bayesmix(*line)
    assert code == 3
    assert "N=7e9,D=1e12,N=1e12: 'N' is given twice: '7e9' and '1e12'. Keep one of them" in err


def test_scales_are_numbers_and_labels_as_they_were_stated():
    assert scales(["N=1e8, D=2e9", "D=4e9,N=2e8"]) == [{"N": 1e8, "D": 2e9}, {"N": 2e8, "D": 4e9}]
    assert scales(["C=1e19"]) == [{"C": 1e19}]
    assert scales(["N=1e8,C=6e18"]) == [{"N": 1e8, "D": 1e10, "C": 6e18}]
    assert scales(["year=2024,N=1e9,architecture=moe"]) == [{"N": 1e9, "year": "2024", "architecture": "moe"}]
    assert scales(None) == []


@pytest.mark.parametrize("line", [["check"], ["fit", "ye_m4"], ["extrapolate", "ye_m4"], ["laws", "--for"]])
def test_every_command_that_reads_runs_says_what_is_suspicious_of_them_once(bayesmix, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.csv").write_text("run,N,D,loss\na,160,3.2,3\nb,160,6.4,2.9\n")
    _, out, err = bayesmix(*line, "runs.csv")
    assert err.count("hint: N = 160, expected 10000 to 1e+14 parameters: in millions? Say so: --unit N=millions") == 1
    assert "hint: " not in out


def test_of_many_models_a_few_are_named(bayesmix, tmp_path):
    (tmp_path / "runs.csv").write_text("run,N,D,loss\na,1e8,3.2e9,3\n")
    _, _, err = bayesmix("fit-many", "nope", "--runs", tmp_path / "runs.csv", "--out", tmp_path / "fits")
    assert "no model file or ready model 'nope'. Known: abnar_sparsity, " in err
    named, _, more = err.partition("Known: ")[2].partition(" and ")
    assert more.startswith(f"{len(ready.models()) - len(named.split(', '))} more")


def test_laws_are_listed_and_shown(bayesmix):
    assert "chinchilla" in bayesmix("laws")[1]
    fed = bayesmix("laws", "--for", SIMULATED / "runs.csv", "--where", "role=ladder")[1]
    assert "chinchilla" in fed
    assert "muennighoff" not in fed
    assert bayesmix("laws", "chinchilla", "--for", SIMULATED / "runs.csv")[0] == 2
    assert "Hoffmann" in bayesmix("laws", "chinchilla")[1]
    code, _, err = bayesmix("laws", "chinchila")
    assert code == 3
    assert "Did you mean 'chinchilla'" in err


EXTERNAL = '''"""A law of somebody else's."""
from numpyro.distributions import LogNormal, Normal
from bayesmix.law import law, prior, reference


@law(paper="")
def loss(N, *, L0=prior(LogNormal(0, 0.3), "nats/token", "loss at N0", relative=True),
         slope=prior(Normal(0, 0.3), "", "exponent"), N0=reference("N")):
    return L0 * (N / N0) ** -slope
'''


def test_a_law_of_another_package_is_found_and_imported_again_only_on_request(tmp_path):
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").write_text("")
    (tmp_path / "my_package" / "my_law.py").write_text(EXTERNAL)
    (tmp_path / "mine.toml").write_text('law = "my_package.my_law:loss"\nnoise = "log_normal"\n')
    search = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    def run(*arguments):
        process = command(*arguments, cwd=tmp_path, env={**os.environ, "PYTHONPATH": search})
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    code, out, err = run("fit", "mine.toml", *RUNS, "--where", "role=ladder", *FEW, "--accept-unconverged")
    assert code == 0, err
    assert "slope" in out
    line = ["predict", "mine.nc", "--at", "N=1e9", "--accept-unconverged"]
    code, _, err = run(*line)
    assert code == 3
    assert "Import my_package.my_law first" in err
    code, out, err = run("--import", "my_package.my_law", *line)
    assert code == 0, err
    assert "one run" in out
    code, _, err = run("--import", "my_package.nothing", *line)
    assert code == 3
    assert "my_package.nothing cannot be imported" in err


def test_hidden_runs_are_forecast_and_the_forecast_says_what_that_is_worth(bayesmix, saved, tmp_path):
    runs = tmp_path / "runs.csv"
    runs.write_text(scale_runs(30).text(), encoding="utf-8")
    out = tmp_path / "hidden.json"
    line = ["extrapolate", "constant", runs, "--by", "C", "--at", 1e20, "--out", out, "--quiet"]
    code, said, _ = bayesmix(*line)
    assert code == 0
    assert "90 % intervals of constant covered" in said
    assert load_extrapolation(out).by == "C"
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert bayesmix(*line)[0] == 5

    constant = tmp_path / "constant.nc"
    values = {"L0": 2.5, "sigma": 0.05, "nu": 30.0}
    fake(Model.read("constant"), scale_runs(30), values, spread=0.01).save(constant)
    ahead = ["predict", constant, "--at", "N=7e12,D=1e14", "--extrapolation", out, "--out", tmp_path / "p.csv"]
    code, _, warned = bayesmix(*ahead)
    assert code == 0
    assert "what intervals are worth so far out, nobody has seen" in warned
    code, _, warned = bayesmix("report", constant, "--extrapolation", out, "--out", tmp_path / "report")
    assert code == 0
    page = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "## Backtest" in page
    code, _, warned = bayesmix("report", saved / "scale.nc", "--extrapolation", out, "--out", tmp_path / "other")
    assert code != 0
    assert "extrapolation of model constant, but the posteriors are of chinchilla" in warned


def test_names_with_spaces_are_predicted_from_the_command_line(tmp_path, monkeypatch, bayesmix):
    runs = mixture_runs(domains=("web", "books & co"), targets=("loss.web",))
    fake(Model.read("ye_m4"), runs, mixing_values([[0.5, -0.5]])).save(tmp_path / "m.nc")
    at = "w.web = 0.4, w.books & co=0.6, N=7e7, D=1e10"
    code, _, err = bayesmix("predict", tmp_path / "m.nc", "--at", at, "--out", tmp_path / "p.csv")
    assert code == 0, err
    assert (tmp_path / "p.csv").exists()


def test_a_forecast_is_written_though_nobody_reads_on(saved, tmp_path):
    process = command("predict", saved / "scale.nc", "--at", "N=1e9,D=2e10", "--out", tmp_path / "p.csv")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        err = process.stderr.read()
    assert process.wait(timeout=120) == 1, "what Click says of a broken pipe"
    assert "Traceback" not in err
    assert (tmp_path / "p.csv").exists()


def test_a_report_tells_nothing_decided_from_posteriors_that_it_is_not_given(bayesmix, saved, tmp_path):
    out = tmp_path / "d.json"
    assert bayesmix("decide", saved / "ye_m4.nc", "--problem", saved / "problem.toml", "--out", out)[0] == 0
    code, _, err = bayesmix("report", saved / "scale.nc", "--decision", out, "--out", tmp_path / "report")
    assert code == 3
    assert "results of ye_m4, but the posteriors are scale" in err


def test_a_column_that_the_law_does_not_take_has_no_best_setting(bayesmix, saved, tmp_path):
    line = ["plan", "best", saved / "scale.nc", "sparsity", "--from", "0", "--to", "0.9", "--at", "N=1e9,D=2e10"]
    code, _, err = bayesmix(*line, "--out", tmp_path / "best.csv")
    assert code == 3
    assert "law chinchilla does not take sparsity; it takes D and N" in err or "it takes D, N" in err


def test_a_seed_is_not_negative(bayesmix, tmp_path):
    assert bayesmix("design", "web,code", "--seed", "-1", "--out", tmp_path / "d.csv")[0] == 2
