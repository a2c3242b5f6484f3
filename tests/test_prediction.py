import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import Beta

from bayesmix import laws
from bayesmix.decision import Problem, decide
from bayesmix.errors import BayesmixError, InputError, NotConvergedError
from bayesmix.law import law, prior, reference
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.optimum import compute_optimal
from bayesmix.posterior import Posterior
from bayesmix.prediction import distance, predict
from bayesmix.runs import Runs
from fakes import chinchilla_values, fake, mixing_values, mixture_runs, scale_runs

PLANNED = {"N": [7e9, 70e9], "D": [1.4e11, 1.4e12]}
COUNT = 1000


def planned(**columns) -> Runs:
    return Runs.of(pd.DataFrame({n.replace("__", "."): v for n, v in columns.items()}), planned=True)


def scattered(value: float, spread: float = 0.03, seed: int = 0) -> np.ndarray:
    return value * np.exp(spread * np.random.default_rng(seed).standard_normal((COUNT, 1)))


def taken_for_true(name: str) -> Model:
    """Return a ready model without a discrepancy, so that forecasts are those of the law alone."""
    return dataclasses.replace(Model.read(name), discrepancy=None)


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    runs = scale_runs()
    values = chinchilla_values(runs, alpha=scattered(0.34), beta=scattered(0.28, seed=1), sigma=0.01)
    return fake(taken_for_true("chinchilla"), runs, values)


def test_expected_draws_are_the_law_at_the_planned_runs(posterior):
    prediction = predict(posterior, planned(**PLANNED), seed=0)
    values, references = posterior.values(), posterior.coordinates.references
    law = posterior.model.law
    for draw in (0, 499, 999):
        quantities = {n: float(values[n][draw, 0]) for n in ("E", "A", "B", "alpha", "beta")}
        by_hand = [law(N, D, **quantities, **references) for N, D in zip(*PLANNED.values(), strict=True)]
        assert np.allclose(prediction.expected[draw, :, 0], by_hand, rtol=1e-12)
    assert prediction.expected.shape == prediction.measured.shape == (COUNT, 2, 1)
    assert prediction.targets == ("loss",)


def test_measured_draws_scatter_around_the_expected_as_the_noise_says(posterior):
    prediction = predict(posterior, planned(**PLANNED), seed=0)
    logs = np.log(prediction.measured / prediction.expected).ravel()
    # Student-t with 30 degrees of freedom.
    sd = 0.01 * np.sqrt(30 / 28)
    assert abs(logs.mean()) < 4 * sd / np.sqrt(len(logs))
    assert abs(logs.std() / sd - 1) < 4 / np.sqrt(2 * len(logs)) * 1.1


@pytest.mark.parametrize("of", ["measured", "expected"])
def test_intervals_are_ordered_and_nested(posterior, of):
    table = predict(posterior, planned(**PLANNED), seed=0).table(of)
    names = ["low95%", "low90%", "low80%", "low50%", "median", "high50%", "high80%", "high90%", "high95%"]
    assert (np.diff(table[names].to_numpy(), axis=1) > 0).all()
    assert list(table["run"]) == ["1", "2"]
    assert set(table["target"]) == {"loss"}


def test_one_run_is_less_certain_than_the_law(posterior):
    prediction = predict(posterior, planned(**PLANNED), seed=0)
    widths = {of: (t := prediction.table(of))["high80%"] - t["low80%"] for of in ("measured", "expected")}
    assert (widths["measured"] > widths["expected"]).all()


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(posterior):
    first, again, other = (predict(posterior, planned(**PLANNED), seed=s).measured for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_posterior_read_back_predicts_the_same_numbers(posterior, tmp_path):
    loaded = Posterior.load(posterior.save(tmp_path / "p.nc"))
    before, after = (predict(p, planned(**PLANNED), seed=1) for p in (posterior, loaded))
    assert np.array_equal(before.measured, after.measured)
    assert np.array_equal(before.expected, after.expected)
    assert before.warnings == after.warnings


def test_units_of_the_covariates_do_not_matter(posterior):
    assert "N lies up to" in " ".join(distance(posterior, planned(N=[70e9], D=[1e10])))
    far = predict(posterior, planned(N=[70e9], D=[1e10]), seed=0).expected
    again = predict(posterior, planned(C=[6 * 70e9 * 1e10], D=[1e10]), seed=0).expected
    assert np.allclose(far, again)


def test_extrapolation_is_warned_of_in_decades(posterior):
    N, D = posterior.runs.column("N"), posterior.runs.column("D")
    asked = planned(N=[N.max() * 10**1.5, N.min() / 100], D=[D.max(), D.min()])
    warnings = predict(posterior, asked, seed=0).warnings
    assert any(w.startswith("N lies up to 1.5 decades above") for w in warnings)
    assert any(w.startswith("N lies up to 2.0 decades below") for w in warnings)
    assert not any(w.startswith("D ") for w in warnings)
    near = predict(posterior, planned(N=[N.max() * 10**0.04], D=[D.max()]), seed=0).warnings
    assert any(w.startswith("N lies up to 0.04 decades above") for w in near)
    inside = planned(N=[np.median(N)], D=[np.median(D)])
    assert not predict(posterior, inside, seed=0).warnings


def test_planned_runs_that_lack_a_covariate_are_refused(posterior):
    with pytest.raises(InputError, match="no column 'D'"):
        predict(posterior, planned(N=[1e9]), seed=0)


def test_a_posterior_that_did_not_converge_predicts_only_if_accepted_and_says_so_first(posterior):
    runs = scale_runs()
    bad = fake(Model.read("chinchilla"), runs, chinchilla_values(runs), converged=False)
    for question in (lambda p: predict(p, planned(**PLANNED), seed=0), lambda p: compute_optimal(p, [1e22])):
        with pytest.raises(NotConvergedError, match="diverged"):
            question(bad)
        assert question(bad.accept()).warnings[0].startswith("NOT CONVERGED")


T = [[1.0, -2.0, 1.0], [0.5, 0.5, -1.0]]


def test_domains_may_come_in_another_order():
    runs = mixture_runs()
    posterior = fake(Model.read("ye_m4"), runs, mixing_values(T), spread=0.01)
    mixture = {"w__web": [0.2, 0.4], "w__code": [0.3, 0.3], "w__books": [0.5, 0.3]}
    reordered = {k: mixture[k] for k in ("w__books", "w__web", "w__code")}
    first, second = (predict(posterior, planned(**m), seed=0) for m in (mixture, reordered))
    assert np.array_equal(first.expected, second.expected)
    assert np.array_equal(first.measured, second.measured)
    assert first.warnings == second.warnings


def test_domains_outside_the_fitted_weights_are_named_whatever_their_order():
    runs = mixture_runs()
    posterior = fake(Model.read("ye_m4"), runs, mixing_values(T))
    low = runs.column("w").min(axis=0)
    middle = runs.column("w").mean(axis=0)
    # Only books is taken below what was seen.
    w = np.array([middle[0] + (middle[2] - low[2] / 2) / 2, middle[1] + (middle[2] - low[2] / 2) / 2, low[2] / 2])
    assert (w[:2] < runs.column("w").max(axis=0)[:2]).all()
    for order in ((0, 1, 2), (2, 0, 1)):
        asked = planned(**{f"w__{runs.domains[j]}": [w[j]] for j in order})
        (sentence,) = distance(posterior, asked)
        assert sentence.startswith("Weights of books lie outside")


def test_other_domains_are_refused():
    posterior = fake(Model.read("ye_m4"), mixture_runs(), mixing_values(T))
    with pytest.raises(InputError, match=r"domains are .*maths.* but the fit had web, code, books"):
        predict(posterior, planned(w__web=[0.5], w__code=[0.2], w__maths=[0.3]), seed=0)


def test_the_compute_optimum_is_that_of_the_closed_form(posterior):
    budgets = [1e20, 1e22, 5e24]
    optimum = compute_optimal(posterior, budgets)
    derived = posterior.derived()
    A, B = (derived[n].values.reshape(-1) for n in ("A_raw", "B_raw"))
    alpha, beta = (posterior.values()[n][:, 0] for n in ("alpha", "beta"))
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    for i, budget in enumerate(budgets):
        N = G * (budget / 6) ** (beta / (alpha + beta))
        D = budget / 6 / N
        assert np.allclose(optimum.N[:, i, 0], N, rtol=1e-3)
        assert np.allclose(optimum.D[:, i, 0], D, rtol=1e-3)
        assert np.allclose(optimum.response[:, i, 0], 1.8 + A * N**-alpha + B * D**-beta, rtol=1e-6)
    assert np.allclose(6 * optimum.N * optimum.D, np.asarray(budgets)[:, None], rtol=1e-12)
    assert any(w.startswith("C lies up to") for w in optimum.warnings)


def test_the_table_of_optima_has_a_row_for_each_budget_and_quantity(posterior):
    table = compute_optimal(posterior, [1e20, 1e22]).table()
    assert list(table["quantity"]) == ["N", "D", "D/N", "response"] * 2
    assert (table["low90%"] <= table["median"]).all()
    assert (table["median"] <= table["high90%"]).all()


def test_a_law_that_never_stops_gaining_from_parameters_has_no_optimum():
    runs = scale_runs()
    posterior = fake(Model.read("chinchilla"), runs, {**chinchilla_values(runs), "B": 1e-30})
    optimum = compute_optimal(posterior, [1e22])
    assert np.isnan(optimum.N).all()
    assert np.isnan(optimum.response).all()
    assert any(w.startswith("1000 of 1000 draws have no optimum") for w in optimum.warnings)
    assert optimum.table()["median"].isna().all()


def test_draws_without_an_optimum_do_not_spoil_the_others():
    runs = scale_runs()
    B = np.full((COUNT, 1), float(chinchilla_values(runs)["B"]))
    B[::10] = 1e-30
    optimum = compute_optimal(fake(Model.read("chinchilla"), runs, {**chinchilla_values(runs), "B": B}), [1e22])
    assert np.isnan(optimum.N).sum() == 100
    assert any(w.startswith("100 of 1000 draws") for w in optimum.warnings)
    assert np.isfinite(optimum.table()["median"]).all()


@pytest.mark.parametrize("name", ["ye_m4", "constant"])
def test_a_law_that_is_not_one_of_parameters_and_tokens_has_no_compute_optimum(name):
    posterior = fake(Model.read(name), mixture_runs(), mixing_values(T))
    with pytest.raises(BayesmixError, match=f"law {name} .* Use chinchilla, kaplan_nd or gadre_overtraining"):
        compute_optimal(posterior, [1e22])


def test_a_law_that_needs_unique_tokens_has_no_compute_optimum():
    runs = Runs.of(scale_runs().table.drop(columns="C").assign(U=1e10))
    values = {**chinchilla_values(runs), "RD": 15.0, "RN": 5.0}
    with pytest.raises(BayesmixError, match="law muennighoff is one of D, N, U"):
        compute_optimal(fake(Model.read("muennighoff"), runs, values), [1e22])


@pytest.mark.parametrize("budgets", [[], [0.0], [1e22, -1.0], [float("nan")], [float("inf")]])
def test_budgets_must_be_positive_numbers(posterior, budgets):
    with pytest.raises(BayesmixError, match="at least one, each a finite number of FLOP above 0"):
        compute_optimal(posterior, budgets)


def test_the_optimum_of_gadre_is_that_of_the_same_chinchilla_law():
    runs = scale_runs()
    eta, a, b = 0.15, 200.0, 300.0
    C0, M0 = (np.exp(np.log(runs.column(symbol)).mean()) for symbol in ("C", "M"))
    values = {"E": 1.8, "a": a * (M0 / C0) ** eta, "b": b * (C0 * M0) ** -eta, "eta": eta, "sigma": 0.003, "nu": 30.0}
    optimum = compute_optimal(fake(taken_for_true("gadre_overtraining"), runs, values), [1e22])
    # a (M/C)^eta + b (C M)^-eta is least at M^(2 eta) = b / a.
    M = (b / a) ** (1 / (2 * eta))
    assert np.allclose((optimum.D / optimum.N)[:, 0, 0], M, rtol=2e-3)
    assert np.allclose(optimum.response[:, 0, 0], 1.8 + 2 * np.sqrt(a * b) * 1e22**-eta, rtol=1e-6)


def test_the_optimum_of_kaplan_is_that_of_its_closed_form():
    runs = scale_runs()
    alpha, beta = 0.076, 0.103
    N0, D0 = (np.exp(np.log(runs.column(symbol)).mean()) for symbol in ("N", "D"))
    values = {"A": (6.4e13 / N0) ** alpha, "B": (1.8e13 / D0) ** beta, "alpha": alpha, "beta": beta}
    model = Model.read("kaplan_nd")
    optimum = compute_optimal(fake(model, runs, {**values, "sigma": 0.003, "nu": 30.0}), [1e22])
    # (Nc/N)^(alpha/beta) + Dc/D with D = C / 6N: r (Nc/N)^r = Dc 6 N / C with r = alpha / beta.
    r = alpha / beta
    N = (r * 6.4e13**r * 1e22 / (6 * 1.8e13)) ** (1 / (1 + r))
    assert np.allclose(optimum.N[:, 0, 0], N, rtol=2e-3)


def test_every_target_has_an_optimum_of_its_own():
    runs = scale_runs()
    both = Runs.of(
        runs.table.drop(columns="C").rename(columns={"loss": "loss.a"}).assign(**{"loss.b": runs.column("loss")})
    )
    values = {n: [v, v] for n, v in chinchilla_values(both).items()} | {"alpha": [0.34, 0.25]}
    posterior = fake(Model.read("chinchilla"), both, values)
    optimum = compute_optimal(posterior, [1e22])
    assert optimum.N.shape == (COUNT, 1, 2)
    alone = dataclasses.replace(Model.read("chinchilla"), targets=("loss.b",))
    single = {n: v[1] for n, v in values.items()}
    assert np.allclose(optimum.N[:, :, 1:], compute_optimal(fake(alone, both, single), [1e22]).N, rtol=1e-6)


def test_labels_of_numbers_may_be_zero_or_negative():
    runs = Runs.of(scale_runs().table.drop(columns="C").assign(shift=[str(i - 5) for i in range(24)]))
    model = Model(laws.get("alab_m2"), covariates={"x": "shift"}).given(x0=1.0)
    posterior = fake(model, runs, {"E": 1.0, "A": 1.0, "c": 1.0, "sigma": 0.1, "nu": 5.0})
    assert distance(posterior, planned(shift=["-3", "40"])) == []


@law(paper="nowhere")
def accuracy(N, D, *, p=prior(Beta(4, 2), "", ""), N0=reference("N"), D0=reference("D")):
    return p - 0.1 * (N / N0) ** -0.34 - 0.1 * (D / D0) ** -0.28


def test_the_optimum_of_an_accuracy_is_its_highest():
    runs = Runs.of(scale_runs().table.drop(columns=["C", "loss"]).assign(**{"accuracy.x": 0.5}))
    model = Model(accuracy, NOISES["normal"], targets=("accuracy.x",), discrepancy=None)
    optimum = compute_optimal(fake(model, runs, {"p": 0.8, "sigma": 0.01}), [1e20])
    N0, D0 = (np.exp(np.log(runs.column(n)).mean()) for n in ("N", "D"))
    # 0.34 (N/N0)^-0.34 = 0.28 (D/D0)^-0.28 with D = C / 6N.
    N = (0.34 / 0.28 * N0**0.34 * (1e20 / 6 / D0) ** 0.28) ** (1 / 0.62)
    assert np.allclose(optimum.N[:, 0, 0], N, rtol=2e-3)
    D = 1e20 / 6 / N
    assert np.allclose(optimum.response[:, 0, 0], 0.8 - 0.1 * (N / N0) ** -0.34 - 0.1 * (D / D0) ** -0.28, rtol=1e-6)


def test_a_budget_may_be_asked_about_twice_and_may_be_small(posterior):
    least = posterior.runs.column("C").min()
    optimum = compute_optimal(posterior, [least / 1e4, 1e24, 1e24])
    assert np.array_equal(optimum.response[:, 1], optimum.response[:, 2])
    assert any("C lies up to 4.0 decades below the fitted runs" in w for w in optimum.warnings)


def test_a_mixture_between_the_fitted_ones_one_by_one_may_still_be_outside():
    corners = np.array([[0.6, 0.2, 0.2], [0.3, 0.5, 0.2], [0.3, 0.3, 0.4], [0.4, 0.35, 0.25]])
    frame = pd.DataFrame(corners, columns=["w.web", "w.code", "w.books"]).assign(**{"loss.web": 3.0})
    p = fake(Model.read("ye_m4"), Runs.of(frame), mixing_values([[1.0, -0.5, -0.5]]))
    near, far = (planned(w__web=[a], w__code=[b], w__books=[c]) for a, b, c in ((0.4, 0.33, 0.27), (0.5, 0.2, 0.3)))
    assert not any("hull" in w or "Weights" in w for w in predict(p, near, seed=0).warnings)
    (said,) = (w for w in predict(p, far, seed=0).warnings if "hull" in w or "Weights" in w)
    assert said.startswith("A mixture lies outside the convex hull")


def test_a_size_that_neither_law_nor_runs_know_is_said_to_count_for_nothing():
    runs = Runs.of(mixture_runs(20).table.drop(columns=[c for c in ("N", "D", "C") if c in mixture_runs(20).table]))
    p = fake(Model.read("ye_m4"), runs, mixing_values([[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5]]))
    said = predict(p, planned(w__web=[0.4], w__code=[0.3], w__books=[0.3], N=[7e9]), seed=0).warnings
    assert (
        "The fitted runs do not say their N, nor does law ye_m4 use it: the answer is for runs like them, whatever N "
        "is planned." in said
    )
    decision = decide(p, Problem(planned={"N": 7e9}), seed=0)
    assert any("that this is the best mixture at N = 7e+09 is an assumption" in w for w in decision.warnings)


def test_rows_of_one_run_are_told_apart(posterior):
    asked = Runs.of(pd.DataFrame({"run": ["a", "a", "b"], "N": 1e9, "D": [1e10, 2e10, 1e10]}), planned=True)
    names = list(predict(posterior, asked, seed=0).table()["run"])
    assert names[2] == "b"
    assert names[0].startswith("a D=1e+10")
    assert names[1].startswith("a D=2e+10")
