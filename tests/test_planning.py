"""Planning questions, against closed forms and an optimiser that knows nothing of ours."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal
from scipy.optimize import minimize_scalar

from bayesmix import Model, Runs
from bayesmix.errors import BayesmixError, NotConvergedError
from bayesmix.law import law, prior
from bayesmix.optimum import compute_optimal
from bayesmix.planning import best_setting, inference_optimal, needed, settings, worth_of_repeats, worth_of_teacher
from bayesmix.planning.curves import responses
from bayesmix.pooling import Pooling
from fakes import chinchilla_values, fake, scale_runs

COUNT = 1000
LEVEL = 2.2


def scattered(value, spread=0.03, seed=0):
    return value * np.exp(spread * np.random.default_rng(seed).standard_normal((COUNT, 1)))


@pytest.fixture(scope="module")
def posterior():
    runs = scale_runs()
    values = chinchilla_values(runs, alpha=scattered(0.34), beta=scattered(0.28, seed=1), sigma=0.01)
    return fake(dataclasses.replace(Model.read("chinchilla"), discrepancy=None), runs, values)


@pytest.fixture(scope="module")
def constants(posterior):
    """Return E, A, B, alpha and beta of every draw, for N in parameters and D in tokens."""
    found = {n: v[:, 0] for n, v in posterior.values().items()}
    derived = posterior.derived()
    A, B = (derived[n].values.reshape(-1) for n in ("A_raw", "B_raw"))
    return found["E"], A, B, found["alpha"], found["beta"]


def test_the_best_setting_along_a_budget_is_the_compute_optimum(posterior, constants):
    _, A, B, alpha, beta = constants
    C = 1e22
    N = np.geomspace(1e8, 1e12, 100)
    path = Runs.of(pd.DataFrame({"N": N, "D": C / 6 / N}), planned=True)
    answer = best_setting(posterior, path, "N")
    optimum = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta))
    assert answer.draws["N"][:, 0, 0] == pytest.approx(optimum, rel=1e-3)
    regret = answer.draws["regret"][:, 0, 0]
    assert (regret >= 0).all()
    assert regret.max() > regret.min()
    assert any(w.startswith("loss: best in expectation is N = ") for w in answer.warnings)


def test_uneven_settings_and_those_whose_best_lies_at_an_end(posterior):
    uneven = Runs.of(pd.DataFrame({"N": 1e9, "D": [1e9, 3e9, 1e10, 1e12]}), planned=True)
    answer = best_setting(posterior, uneven, "D")
    assert np.isnan(answer.draws["D"]).all(), "more tokens are always better"
    assert answer.warnings[-2:] == (
        "loss: best in expectation is D = 1e+12, the highest tried: the best lies there or beyond.",
        "loss: in 100% of the draws the highest D is best, and the table leaves these out: try beyond it.",
    )
    assert answer.table()["answered"].tolist()[0] == 0


@law(paper="nowhere")
def accuracy(N, *, k=prior(LogNormal(-3, 1), "", "accuracy lost a decade off")):
    return 0.5 - k * (jnp.log10(N) - 8.5) ** 2


def test_of_scores_the_best_setting_is_the_greatest():
    N = np.geomspace(1e8, 1e9, 6)
    runs = Runs.of(pd.DataFrame({"N": N, "accuracy.arc": 0.5 - 0.1 * (np.log10(N) - 8.5) ** 2}))
    model = dataclasses.replace(Model.read("constant"), law=accuracy, targets=("accuracy.arc",))
    posterior = fake(model, runs, {"k": 0.1, "sigma": 0.01, "nu": 30.0})
    answer = best_setting(posterior, settings("N", 1e8, 1e9, {}, 5), "N")
    assert answer.draws["N"][0, 0, 0] == pytest.approx(10**8.5, rel=1e-6)
    assert answer.draws["response"][0, 0, 0] == pytest.approx(0.5, rel=1e-6)


def test_tokens_needed_are_those_of_the_closed_form(posterior, constants):
    E, A, B, alpha, beta = constants
    N = 7e10
    answer = needed(posterior, settings("D", 1e8, 1e16, {"N": N}, 400), "D", [LEVEL, 1e-3, 50.0])
    D = (B / (LEVEL - E - A * N**-alpha)) ** (1 / beta)
    assert answer.draws["D"][:, 0, 0] == pytest.approx(D, rel=1e-3)
    assert np.isposinf(answer.draws["D"][:, 1]).all(), "below the floor"
    assert answer.draws["D"][:, 2] == pytest.approx(1e8), "reached by the least already"
    table = answer.table().set_index("case")
    assert table.loc["2.2", "answered"] == 1
    assert table.loc["0.001", "answered"] == 0
    assert [w for w in answer.warnings if "reaches" in w] == [
        "loss: in 100.0% of the draws no D up to 1e+16 reaches 0.001: they are inf in the table, and have no answer.",
        "loss: in 100.0% of the draws D = 1e+08, the least tried, reaches 50 already: they are that in the table, and "
        "less may do. Try below it.",
    ]


def test_the_share_of_draws_for_which_the_least_setting_is_enough_is_said(posterior, constants):
    E, A, B, alpha, beta = constants
    N = 7e10
    D = (B / (LEVEL - E - A * N**-alpha)) ** (1 / beta)
    least = np.quantile(D, 0.3)
    answer = needed(posterior, settings("D", least, 1e16, {"N": N}, 400), "D", [LEVEL])
    said = f"loss: in 30.0% of the draws D = {least:.4g}, the least tried, reaches 2.2 already: they are that in the "
    assert [w for w in answer.warnings if "already" in w] == [f"{said}table, and less may do. Try below it."]


def test_how_far_the_needed_tokens_lie_outside_is_said_of_the_answer_not_of_the_search(posterior):
    fitted = posterior.runs.column("D").max()
    answer = needed(posterior, settings("D", 1e8, 1e16, {"N": 7e10}, 400), "D", [LEVEL])
    decades = np.log10(np.median(answer.draws["D"]) / fitted)
    assert any(f"D lies up to {decades:.1f} decades above the fitted runs" in w for w in answer.warnings)
    assert not any("below the fitted runs" in w for w in answer.warnings)
    never = needed(posterior, settings("D", 1e8, 1e16, {"N": 7e10}), "D", [1e-3])
    assert not any("decades" in w for w in never.warnings)


@pytest.mark.parametrize("served", [0.0, 1e12, 1e14])
def test_the_cheapest_model_to_train_and_serve_is_that_of_an_optimiser(posterior, constants, served):
    answer = inference_optimal(posterior, LEVEL, [served])
    for draw in (0, 17, 500):
        E, A, B, alpha, beta = (c[draw] for c in constants)

        def cost(log_N, E=E, A=A, B=B, alpha=alpha, beta=beta):
            N = np.exp(log_N)
            left = LEVEL - E - A * N**-alpha
            return np.log(6 * N * (B / left) ** (1 / beta) + 2 * N * served) if left > 0 else 1e3

        smallest = np.log(A / (LEVEL - E)) / alpha
        best = minimize_scalar(cost, bounds=(smallest + 1e-6, smallest + 12), method="bounded", options={"xatol": 1e-8})
        assert np.log(answer.draws["C"][draw, 0, 0]) == pytest.approx(best.fun, abs=2e-3)
        assert answer.draws["N"][draw, 0, 0] == pytest.approx(np.exp(best.x), rel=0.05)


def test_tokens_of_who_serves_far_more_than_it_trains_on_reach_the_loss(posterior, constants):
    E, A, B, alpha, beta = constants
    loss, served = 3.0, 1e16
    draws = inference_optimal(posterior, loss, [served]).draws
    N, D, C = (draws[n][:, 0, 0] for n in ("N", "D", "C"))
    answered = np.isfinite(N)
    assert answered.mean() > 0.99
    closed = (B / (loss - E - A * N**-alpha)) ** (1 / beta)
    assert D[answered] == pytest.approx(closed[answered], rel=0.05)
    assert C[answered] == pytest.approx((6 * N * D + 2 * N * served)[answered])


def test_who_serves_more_trains_a_smaller_model_for_longer(posterior):
    draws = inference_optimal(posterior, LEVEL, [0.0, 1e12, 1e13]).draws
    assert (np.diff(np.median(draws["N"], axis=0)[:, 0]) < 0).all()
    assert (np.diff(np.median(draws["D/N"], axis=0)[:, 0]) > 0).all()


def test_a_loss_below_the_floor_has_no_cheapest_model(posterior):
    answer = inference_optimal(posterior, 1.0, [0.0])
    said = "loss: in 100.0% of the draws no N and D reach 1, below the floor: they have no answer."
    assert answer.warnings == (said,)
    table = answer.table()
    assert (table["answered"] == 0).all()
    assert table["median"].isna().all()


def test_a_cheapest_model_at_an_end_of_the_sizes_tried_is_no_answer(posterior):
    """The more is served, the smaller it is, down to the floor of the loss; which floats cannot tell from there."""
    answer = inference_optimal(posterior, LEVEL, [1e12, 1e30])
    lost = np.isnan(answer.draws["N"]).mean(axis=0)[:, 0]
    assert lost[0] == 0
    assert lost[1] > 0.5
    (said,) = (w for w in answer.warnings if "at an end of the sizes tried" in w)
    assert said.startswith(
        f"loss: in {lost[1]:.1%} of the draws the cheapest model for 1e+30 tokens served is at an end"
    )


def test_repeated_tokens_are_worth_what_the_law_of_their_decay_says():
    """Where N is small beside the unique tokens, D' = U + U R (1 - exp(-(D / U - 1) / R))."""
    base = scale_runs()
    runs = Runs.of(base.table.assign(U=base.table["D"]))
    model = dataclasses.replace(Model.read("muennighoff"), discrepancy=None)
    values = {
        "E": 1.7,
        "A": 0.3,
        "B": 0.4,
        "alpha": 0.34,
        "beta": 0.28,
        "RD": 15.0,
        "RN": 5.0,
        "sigma": 0.01,
        "nu": 30.0,
    }
    posterior = fake(model, runs, values)
    planned = Runs.of(pd.DataFrame({"N": 1e6, "D": [1e10, 4e10, 4e11], "U": 1e10}), planned=True)
    answer = worth_of_repeats(posterior, planned)
    repeats = np.array([0.0, 3.0, 39.0])
    expected = 1e10 * (1 + 15 * (1 - np.exp(-repeats / 15)))
    assert answer.draws["fresh"][0, :, 0] == pytest.approx(expected, rel=5e-3)
    assert answer.draws["worth"][0, :, 0] == pytest.approx(expected / (1e10 * (1 + repeats)), rel=5e-3)
    assert not any("fewest" in w for w in answer.warnings)
    hopeless = worth_of_repeats(posterior, Runs.of(pd.DataFrame({"N": 1e6, "D": [1e12], "U": 1e6}), planned=True))
    said = "loss: in 100.0% of the draws 1e+08 fresh tokens, the fewest tried, do what 1 does: they are that in the "
    assert f"{said}table, and fewer may do." in hopeless.warnings


def test_questions_that_cannot_be_answered_are_refused(posterior):
    twice = Runs.of(pd.DataFrame({"N": [1e9, 1e9], "D": [1e10, 1e11]}), planned=True)
    for question, words in (
        (lambda: best_setting(posterior, twice, "N"), "must all differ in N"),
        (lambda: best_setting(posterior, twice, "D"), "three settings"),
        (lambda: best_setting(posterior, twice, "lr"), "no column lr"),
        (lambda: needed(posterior, twice, "D", []), "which response"),
        (lambda: inference_optimal(posterior, 2.0, [-1.0]), "none below 0"),
        (lambda: worth_of_repeats(posterior, twice), "does not take D and U"),
        (lambda: settings("D", 2.0, 1.0, {}), "no range"),
        (lambda: settings("D", 1.0, 2.0, {"D": 1.5}), "cannot be 1.5 too"),
    ):
        with pytest.raises(BayesmixError, match=words):
            question()
    runs = scale_runs()
    bad = fake(Model.read("chinchilla"), runs, chinchilla_values(runs), converged=False)
    for question in (
        lambda: best_setting(bad, twice, "D"),
        lambda: needed(bad, twice, "D", [2.0]),
        lambda: inference_optimal(bad, 2.0, [0.0]),
        lambda: worth_of_repeats(bad, twice),
    ):
        with pytest.raises(NotConvergedError):
            question()


def test_the_commands_answer_and_write(bayesmix, posterior, tmp_path, monkeypatch):
    posterior.save(tmp_path / "c.nc")
    out = tmp_path / "plan.csv"
    asked = {
        "best": ["D", "--from", 1e9, "--to", 1e12, "--at", "N=1e9"],
        "reach": ["D", "--response", 2.4, "--from", 1e9, "--to", 1e14, "--at", "N=1e9"],
        "serve": ["--response", LEVEL, "--tokens", 0, "--tokens", 1e13],
    }
    for name, options in asked.items():
        code, said, _ = bayesmix("plan", name, tmp_path / "c.nc", *options, "--out", out, "--force")
        assert code == 0
        assert f"wrote {out}" in said
        assert {"median", "low90%", "answered"} <= set(pd.read_csv(out).columns)
    assert bayesmix("plan", "best", tmp_path / "c.nc", *asked["best"], "--out", out)[0] == 5, "nothing is replaced"
    assert bayesmix("plan", "repeat", tmp_path / "c.nc", "--out", tmp_path / "r.csv")[0] == 2
    monkeypatch.chdir(tmp_path)
    for name in ("best", "reach"):
        assert bayesmix("plan", name, "c.nc", *asked[name])[1].endswith(f"wrote {name}.csv\n")


@pytest.fixture(scope="module")
def students(posterior):
    """Return a posterior of distilled students beside that of runs without a teacher."""
    model = dataclasses.replace(Model.read("busbridge_distill"), discrepancy=None)
    base = scale_runs()
    runs = Runs.of(base.table.assign(teacher=np.linspace(2.0, 3.0, len(base)), supervised=base.table["loss"]))
    values = {"c0": scattered(2.5, 0.1), "h": 40.0, "f1": 0.1, "d1": 1.3, "A": 0.3, "B": 0.2, "alpha": 0.25,
              "beta": scattered(0.45), "gamma": 0.8, "sigma": 0.01, "nu": 30.0}  # fmt: skip
    return fake(model, runs, values)


def test_a_teacher_is_worth_what_the_two_laws_say_at_equal_compute(posterior, students):
    N, D, teacher, size = 2e9, 4e10, 2.3, 6e9
    planned = Runs.of(pd.DataFrame([{"N": N, "D": D, "teacher": teacher, "teacher_N": size}]), planned=True)
    answer = worth_of_teacher(students, posterior, planned)
    law, alone = students.model.law, posterior.model.law
    for draw in (0, 17, 500):
        plain = {**posterior.coordinates.references, **{n: v[draw, 0] for n, v in posterior.values().items()}}
        plain = {n: plain[n] for n in alone.quantities}
        taught = {**students.coordinates.references, **{n: v[draw, 0] for n, v in students.values().items()}, "tau": 1}
        taught = {n: taught[n] for n in law.quantities}
        supervised = alone(N, D * (1 + size / (3 * N)), **plain)
        distilled = law(N, D, teacher, alone(N, D, **plain), **taught)
        assert answer.draws["distilled"][draw, 0, 0] == pytest.approx(distilled, rel=1e-9)
        assert answer.draws["gain"][draw, 0, 0] == pytest.approx(supervised - distilled, rel=1e-6)
    assert any("the teacher is worth it with probability" in w for w in answer.warnings)


def test_a_teacher_for_nothing_is_worth_more_than_a_dear_one(posterior, students):
    free = pd.DataFrame([{"N": 2e9, "D": 4e10, "teacher": 2.3}])
    dear = free.assign(teacher_N=7e10)
    gains = [worth_of_teacher(students, posterior, Runs.of(t, planned=True)).draws["gain"].mean() for t in (free, dear)]
    assert gains[0] > gains[1]


def test_laws_that_know_nothing_of_teachers_are_refused(posterior, students):
    planned = Runs.of(pd.DataFrame([{"N": 2e9, "D": 4e10, "teacher": 2.3}]), planned=True)
    with pytest.raises(BayesmixError, match="does not take teacher, supervised"):
        worth_of_teacher(posterior, posterior, planned)
    with pytest.raises(BayesmixError, match="without a teacher it is to be N and D"):
        worth_of_teacher(students, students, planned)


def test_the_command_says_whether_to_distil(bayesmix, posterior, students, tmp_path):
    posterior.save(tmp_path / "plain.nc")
    students.save(tmp_path / "students.nc")
    line = ["plan", "distil", tmp_path / "students.nc", "--supervised", tmp_path / "plain.nc"]
    code, said, err = bayesmix(*line, "--at", "N=2e9,D=4e10,teacher=2.3,teacher_N=6e9", "--out", tmp_path / "p.csv")
    assert code == 0
    assert "the teacher is worth it with probability" in said + err
    assert pd.read_csv(tmp_path / "p.csv")["quantity"].tolist() == ["distilled", "supervised", "gain"]
    assert bayesmix(*line, "--out", tmp_path / "q.csv")[0] == 2


@pytest.fixture(scope="module")
def families():
    """Chinchilla whose floor differs between two architectures."""
    runs = scale_runs()
    runs = Runs.of(runs.table.assign(architecture=np.resize(["dense", "moe"], len(runs))))
    model = dataclasses.replace(
        Model.read("chinchilla"), discrepancy=None, pooling={"A": Pooling("architecture", "none")}
    )
    values = chinchilla_values(runs, alpha=scattered(0.34), beta=scattered(0.28, seed=1), sigma=0.01)
    A = np.stack([np.broadcast_to(values["A"], (COUNT, 1)), 1.5 * np.broadcast_to(values["A"], (COUNT, 1))], axis=1)
    return fake(model, runs, values | {"A": A})


def test_the_commands_ask_about_one_group_and_at_one_compute(bayesmix, families, tmp_path):
    years = Runs.of(families.runs.table.assign(architecture=np.resize(["2023", "2024"], len(families.runs))))
    posterior = fake(families.model, years, families.values())
    posterior.save(tmp_path / "f.nc")
    line = ["plan", "reach", tmp_path / "f.nc", "D", "--response", 2.4, "--from", 1e9, "--to", 1e14, "--force"]
    out, found = tmp_path / "p.csv", []
    for year in ("2023", "2024"):
        code, _, err = bayesmix(*line, "--at", f"N=1e9,architecture={year}", "--out", out)
        assert code == 0, err
        found.append(pd.read_csv(out)["median"].iloc[0])
    assert found[1] > found[0], "whose A is larger needs more tokens"
    line = ["plan", "best", tmp_path / "f.nc", "N", "--from", 1e8, "--to", 1e11, "--at", "C=1e21,architecture=2023"]
    code, _, err = bayesmix(*line, "--out", out, "--force")
    assert code == 0, err
    optimum = np.median(compute_optimal(posterior, [1e21], {"architecture": "2023"}).N)
    assert pd.read_csv(out).set_index("quantity").loc["N", "median"] == pytest.approx(optimum, rel=0.01)
    with pytest.raises(BayesmixError, match="N is what varies, and cannot be small too"):
        settings("N", 1.0, 2.0, {"N": "small"})


@pytest.mark.parametrize(
    "ask",
    [
        lambda p, labels: compute_optimal(p, [1e21], labels).N,
        lambda p, labels: inference_optimal(p, LEVEL, [1e12], labels).draws["N"],
    ],
)
def test_a_pooled_model_is_asked_about_one_of_its_groups(ask, families):
    for k, label in enumerate(("dense", "moe")):
        alone = {n: v[:, k] if n == "A" else v for n, v in families.values().items()}
        single = fake(dataclasses.replace(families.model, pooling={}), families.runs, alone)
        np.testing.assert_allclose(ask(families, {"architecture": label}), ask(single, None), rtol=1e-6)
    with pytest.raises(
        BayesmixError, match=r"pools over architecture: .* architecture = dense or another of dense, moe"
    ):
        ask(families, None)
    with pytest.raises(BayesmixError, match=r"architecture = mo was not among the runs of the fit\. Did you"):
        ask(families, {"architecture": "mo"})


def test_students_are_compared_with_their_own_group_and_told_apart(families, students):
    kinds = ["dense", "moe", "moe"]
    table = pd.DataFrame({"run": "s", "N": 2e9, "D": 4e10, "teacher": [2.3, 2.3, 2.4], "architecture": kinds})
    answer = worth_of_teacher(students, families, Runs.of(table, planned=True))
    assert answer.cases == ("s (1)", "s (2)", "s (3)")
    for k, kind in enumerate(kinds):
        alone = Runs.of(pd.DataFrame([{"N": 2e9, "D": 4e10, "architecture": kind}]), planned=True)
        assert answer.draws["supervised"][:, k] == pytest.approx(responses(families, alone)[:, 0], rel=1e-6)
    assert sum("the teacher is worth it" in w for w in answer.warnings) == 3
