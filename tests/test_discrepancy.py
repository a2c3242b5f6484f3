"""What a law misses beyond its runs: the bend's distribution, where the runs end, and what forecasts make of it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal, Normal
from scipy import stats

from bayesmix import beyond
from bayesmix.decision import Problem, decide
from bayesmix.discrepancy import MOST, Discrepancy, past
from bayesmix.errors import BayesmixError, InputError
from bayesmix.evaluation import log_density
from bayesmix.extrapolation import Extrapolation, informed
from bayesmix.law import law, prior, reference
from bayesmix.model import Model
from bayesmix.modelfile import dumps, loads
from bayesmix.optimum import compute_optimal
from bayesmix.prediction import predict
from bayesmix.runs import Runs
from fakes import chinchilla_values, fake, scale_runs

WIDE = Discrepancy(
    location=0.3, scale=0.4, df=3.0, run=0.1, before=0.1, before_scale=0.3, intercept=0.2, slope=0.5, spread=0.2
)
CERTAIN = dataclasses.replace(WIDE, location=0.5, scale=1e-9, run=0.0)
EXPONENTS = {"alpha": 0.34, "beta": 0.28}
FAR = {"N": [7e10, 5e9, 3e11], "D": [1.4e12, 3e13, 4e11]}


def posterior(discrepancy, runs=None, count=1000, **quantities):
    """Return a posterior of Chinchilla, its exponents scattered."""
    rng = np.random.default_rng(3)
    runs = runs or scale_runs()
    drawn = {n: v * np.exp(0.02 * rng.standard_normal((count, 1))) for n, v in EXPONENTS.items()}
    values = chinchilla_values(runs, **{**drawn, "sigma": 0.01, **quantities})
    model = dataclasses.replace(Model.read("chinchilla"), discrepancy=discrepancy)
    return fake(model, runs, values, draws=count // 4)


def planned(**columns) -> Runs:
    return Runs.of(pd.DataFrame({n.replace("__", "."): v for n, v in columns.items()}), planned=True)


def arrays(p, runs):
    return p.model.inputs(runs, p.coordinates)[0]


def edge(p, runs):
    """Return planned runs at the edge, and their decades; all targets were measured by the same runs."""
    (found,) = beyond.edges(p, arrays(p, runs))
    return found.inputs, found.decades


def test_draws_of_the_bend_are_student_t_and_bounded():
    heavy = dataclasses.replace(WIDE, df=1.5, scale=1.0)
    drawn = heavy.draws(np.random.default_rng(0), 20_000)
    assert np.abs(drawn).max() <= MOST
    t = stats.t(heavy.df, heavy.location, heavy.scale)
    low, high = t.cdf([-MOST, MOST])
    assert stats.kstest(drawn, lambda x: (t.cdf(x) - low) / (high - low)).pvalue > 1e-3


def test_what_the_largest_runs_showed_moves_and_narrows_the_bend():
    """Shrunk to what is usual by its error; a certain one is taken as it is, one that nobody measured tells nothing."""
    given = WIDE.given(1.0, 0.2)
    share = 0.3**2 / (0.3**2 + 0.2**2)
    assert given.location == pytest.approx(0.2 + 0.5 * (0.1 + share * 0.9))
    assert given.scale == pytest.approx(np.sqrt(0.2**2 + 0.5**2 * 0.3**2 * (1 - share)))
    certain, unknown = WIDE.given(1.0, 0.0), WIDE.given(1.0, 1e6)
    assert (certain.location, certain.scale) == pytest.approx((0.2 + 0.5, 0.2))
    assert (unknown.location, unknown.scale) == pytest.approx((0.2 + 0.05, np.hypot(0.2, 0.5 * 0.3)))
    assert given.given(1.0, 0.2) == given


@pytest.mark.parametrize(
    ("change", "message"),
    [({"scale": 0.0}, "scale"), ({"df": -1.0}, "df"), ({"run": -0.1}, "run"), ({"location": np.nan}, "finite"),
     ({"slope": "1"}, "finite"), ({"spread": 0}, "spread")],
)  # fmt: skip
def test_numbers_that_are_no_distribution_are_refused(change, message):
    with pytest.raises(BayesmixError, match=message):
        dataclasses.replace(WIDE, **change)


def test_the_default_is_what_past_studies_showed():
    assert Model.read("chinchilla").discrepancy == past()
    assert past().scale > 0


@pytest.mark.parametrize("discrepancy", [None, past(), WIDE])
def test_a_model_file_says_it(discrepancy):
    model = dataclasses.replace(Model.read("chinchilla"), discrepancy=discrepancy)
    assert loads(dumps(model)).discrepancy == discrepancy


@pytest.mark.parametrize("said", ['"nothing"', "1.0", "{ location = 1.0 }", "{ location = 1.0, wrong = 2 }"])
def test_a_model_file_that_says_it_wrongly_is_refused(said):
    with pytest.raises(InputError, match="discrepancy"):
        loads(f'law = "chinchilla"\ndiscrepancy = {said}')


def test_runs_within_the_hull_of_the_fitted_ones_stay_and_others_go_to_its_border():
    """The fitted runs fill a triangle, so that one within the range of N and of D can still be outside."""
    log = np.array([[8, 9], [8, 11], [10, 9], [8.5, 9.5], [9, 9]])
    frame = pd.DataFrame({"N": 10.0 ** log[:, 0], "D": 10.0 ** log[:, 1], "loss": 3.0})
    p = posterior(None, Runs.of(frame))
    asked = np.array([[8.7, 9.9], [9.5, 10.5], [12, 9], [8, 12], [7, 8], [10, 9]])
    moved, decades = edge(p, planned(N=10 ** asked[:, 0], D=10 ** asked[:, 1]))
    at = np.log10(np.column_stack([moved.covariates["N"], moved.covariates["D"]]))
    expected = np.array([[8.7, 9.9], [9, 10], [10, 9], [8, 11], [8, 9], [10, 9]])
    np.testing.assert_allclose(at, expected, atol=1e-4)
    np.testing.assert_allclose(decades, np.linalg.norm(asked - expected, axis=1), atol=1e-4)


def test_runs_on_one_line_and_runs_of_one_covariate_have_a_border_too():
    N = np.geomspace(1e8, 1e10, 6)
    p = posterior(None, Runs.of(pd.DataFrame({"N": N, "D": 20 * N, "loss": 3.0})))
    moved, _ = edge(p, planned(N=[1e12], D=[2e13]))
    assert moved.covariates["N"] == pytest.approx(1e10, rel=1e-4)
    assert moved.covariates["D"] == pytest.approx(2e11, rel=1e-4)
    runs = Runs.of(pd.DataFrame({"D": 20 * N, "loss": 3.0}))
    one = fake(Model.read("alab_m2"), runs, _curve(runs))
    moved, decades = edge(one, planned(D=[1e9, 1e11, 2e13]))
    np.testing.assert_allclose(decades, [np.log10(2), 0, 2], atol=1e-6)
    np.testing.assert_allclose(moved.covariates[next(iter(moved.covariates))], [2e9, 1e11, 2e11], rtol=1e-6)


def _curve(runs):
    model = Model.read("alab_m2")
    inputs, _ = model.inputs(runs)
    return {n: np.full((1000, *inputs.shape(model.dims(n))), 0.5) for n in model.unknowns}


def test_nothing_changes_within_the_runs():
    with_, without = posterior(WIDE), posterior(None)
    N, D = (np.median(with_.runs.column(n)) for n in ("N", "D"))
    a, b = (predict(p, planned(N=[N], D=[D]), seed=0) for p in (with_, without))
    assert np.array_equal(a.expected, b.expected)
    assert np.array_equal(a.measured, b.measured)


def test_beyond_the_runs_the_fall_is_as_much_larger_as_the_bend_says():
    certain, alone = (posterior(d) for d in (CERTAIN, None))
    bent, straight = (predict(p, planned(**FAR), seed=0) for p in (certain, alone))
    here, fall, decades = beyond.promised(alone, arrays(alone, planned(**FAR)))
    np.testing.assert_allclose(straight.expected, here, rtol=1e-12)
    assert (decades > 0).all()
    assert (fall > 0).all()
    np.testing.assert_allclose(np.log(bent.expected), np.log(here) - 0.5 * fall, rtol=1e-6)
    np.testing.assert_allclose(np.log(bent.measured / straight.measured), -0.5 * fall, rtol=1e-5, atol=1e-9)


def test_each_run_departs_from_the_bend_by_itself():
    alone = dataclasses.replace(CERTAIN, run=0.2)
    p = posterior(alone)
    factor = np.log(beyond.factors(p, arrays(p, planned(**FAR)), 0)[1])
    _, fall, _ = beyond.promised(p, arrays(p, planned(**FAR)))
    own = (-factor / fall - 0.5)[:, :, 0]
    np.testing.assert_allclose(own.std(axis=0), 0.2, rtol=4 / np.sqrt(2 * len(own)))
    assert np.abs(np.corrcoef(own.T) - np.eye(3)).max() < 4 / np.sqrt(len(own))


def test_a_fraction_stays_below_one():
    steep = dataclasses.replace(CERTAIN, location=-3.0)
    runs = scale_runs()
    table = runs.table.rename(columns={"loss": "error.arc"}).assign(**{"error.arc": 0.9})
    model = Model(Model.read("chinchilla").law, targets=("error.arc",), discrepancy=steep)
    p = fake(model, Runs.of(table), chinchilla_values(Runs.of(table), E=0.1, sigma=1e-6) | {"A": 0.4, "B": 0.4})
    drawn = predict(p, planned(**FAR), seed=0).expected
    assert drawn.max() < 1
    assert drawn.max() > 0.99


def test_the_bend_of_measured_runs_is_found_within_its_error():
    p = posterior(dataclasses.replace(WIDE, run=0.0), sigma=0.002, alpha=0.34, beta=0.28)
    rng = np.random.default_rng(0)
    large = planned(N=10 ** rng.uniform(10.5, 11.5, 40), D=10 ** rng.uniform(12, 13, 40))
    here, fall, _ = beyond.promised(p, arrays(p, large))
    found = []
    for bend in (-0.4, 0.0, 0.7):
        noise = 0.002 * rng.standard_normal(len(large))
        made = np.exp(np.log(here[0, :, 0]) - bend * fall[0, :, 0] + noise)
        measured = Runs.of(large.table.assign(loss=made))
        ((estimate, error),) = beyond.bends(p, arrays(p, measured), 0)
        found.append((estimate - bend) / error)
        assert 0 < error < 0.05
    assert np.abs(found).max() < 4


def test_a_run_within_the_fitted_ones_shows_no_bend():
    p = posterior(WIDE)
    ((bend, error),) = beyond.bends(p, p.inputs, 0)
    assert np.isnan([bend, error]).all()


def test_an_extrapolation_informs_forecasts_by_its_highest_threshold():
    p = posterior(WIDE)
    bends = pd.DataFrame(
        {"at": [1.0, 2.0, 2.0], "target": ["a", "a", "b"], "bend": [9.0, 0.6, 0.9], "error": [0.1] * 3}
    )
    shown = Extrapolation("chinchilla", "C", pd.DataFrame(), bends, ())
    assert shown.informing(p).model.discrepancy == WIDE.given(0.75, 0.1)
    assert shown.informing(shown.informing(p)).model.discrepancy == WIDE.given(0.75, 0.1)
    assert shown.informing(posterior(None)).model.discrepancy is None
    nothing = Extrapolation("chinchilla", "C", pd.DataFrame(), bends[:0], ())
    assert nothing.informing(p) is p


def test_the_density_of_a_forecast_is_that_of_its_draws():
    """By the share of draws in narrow bins around each response."""
    p = posterior(WIDE, count=4000, sigma=0.05)
    runs = Runs.of(planned(**FAR).table.assign(loss=[1.95, 2.0, 2.1]))
    inputs = arrays(p, runs)
    _, factor = beyond.factors(p, inputs, 0)
    density = np.exp(log_density(p, runs, factor))[:, 0]
    measured = predict(p, runs, seed=0).measured[:, :, 0]
    width = 0.04
    share = (np.abs(measured - runs.column("loss")) < width / 2).mean(axis=0)
    error = np.sqrt(share * (1 - share) / len(measured)) / width
    # The width of the bins adds less than the scatter of shares.
    assert (np.abs(share / width - density) < 4 * error + 0.02 * density).all()


def test_forecasts_are_distributed_as_the_equations_say():
    """Law, bend, the run's own departure and noise, once by the package and once by hand."""
    runs, count = scale_runs(), 4000
    N0, D0 = (np.exp(np.log(runs.column(n)).mean()) for n in ("N", "D"))
    far = {"N": 1e12, "D": 2e13}
    drawn = predict(posterior(WIDE, count=count), planned(**{n: [v] for n, v in far.items()}), seed=0).measured[:, 0, 0]
    moved, _ = edge(posterior(WIDE), planned(**{n: [v] for n, v in far.items()}))
    rng = np.random.default_rng(1)
    alpha, beta = (v * np.exp(0.02 * rng.standard_normal(count)) for v in EXPONENTS.values())
    # As in `posterior`: A and B hold in the paper's units for the central exponents.
    A, B = (400 * N0**-alpha, 410 * D0**-beta)

    def response(N, D):
        return 1.8 + A * (N / N0) ** -alpha + B * (D / D0) ** -beta

    here, there = response(**far), response(moved.covariates["N"][0], moved.covariates["D"][0])
    bend = WIDE.location + WIDE.scale * rng.standard_t(WIDE.df, count) + WIDE.run * rng.standard_normal(count)
    by_hand = here * (here / there) ** bend * np.exp(0.01 * rng.standard_t(30, count))
    assert stats.ks_2samp(drawn, by_hand).pvalue > 1e-3


def test_optimal_allocations_reach_what_a_forecast_says():
    both = [posterior(d) for d in (CERTAIN, None)]
    C = 6 * FAR["N"][0] * FAR["D"][0]
    bent, straight = (compute_optimal(p, [C]) for p in both)
    assert np.array_equal(bent.N, straight.N)
    middle = planned(N=[np.median(bent.N)], D=[np.median(bent.D)])
    forecast = [np.median(predict(p, middle, seed=0).expected) for p in both]
    ratio = np.median(bent.response) / np.median(straight.response)
    assert ratio == pytest.approx(forecast[0] / forecast[1], rel=1e-3)


@law(paper="nowhere")
def loss(w, N, *, E=prior(LogNormal(0, 1), "", ""), a=prior(Normal(0, 1), "", ""), N0=reference("N")):
    return E * (1 + a * w[0] + (N / N0) ** -0.3)


@pytest.mark.parametrize("N", [1e12, 3e8])
def test_a_decision_is_about_responses_with_the_bend(N):
    """The objective of the chosen mixture is the mean of its forecast, beyond the runs and within them."""
    rng = np.random.default_rng(0)
    w = rng.dirichlet(np.ones(2), 30)
    frame = pd.DataFrame({"w.web": w[:, 0], "w.code": w[:, 1], "N": np.geomspace(1e8, 1e9, 30), "loss": 3.0})
    values = {"E": 2.0, "a": 0.1 + 0.02 * rng.standard_normal((1000, 1)), "sigma": 0.01, "nu": 30.0}
    p = fake(Model(loss, discrepancy=CERTAIN), Runs.of(frame), values)
    decision = decide(p, Problem(planned={"N": N}), seed=0, draws=1000)
    asked = planned(w__web=decision.mixture[[0]], w__code=decision.mixture[[1]], N=[N])
    expected = predict(p, asked, seed=0).expected.mean()
    assert decision.objective.mean() == pytest.approx(expected, rel=1e-6)
    straight = predict(posterior_without(p), asked, seed=0).expected.mean()
    assert (expected < 0.99 * straight) == (N > 1e9)


def posterior_without(p):
    return dataclasses.replace(p, model=dataclasses.replace(p.model, discrepancy=None))


def two_targets():
    """Return a posterior whose first target all runs measured, and whose second only the smaller ones."""
    runs = scale_runs()
    small = np.argsort(runs.column("C"))[:12]
    other = np.full(len(runs), np.nan)
    other[small] = runs.column("loss")[small]
    table = runs.table.drop(columns="C").rename(columns={"loss": "loss.a"}).assign(**{"loss.b": other})
    runs, model = Runs.of(table), dataclasses.replace(Model.read("chinchilla"), discrepancy=WIDE)
    return fake(model, runs, {n: [v, v] for n, v in chinchilla_values(runs).items()}), small


def test_what_is_beyond_is_asked_of_each_target_by_the_runs_that_measured_it():
    p, small = two_targets()
    largest = p.runs.table.iloc[[int(np.argmax(p.runs.column("C")))]]
    asked = planned(N=largest["N"].to_numpy(), D=largest["D"].to_numpy())
    by_all, by_few = beyond.edges(p, arrays(p, asked))
    assert (by_few.decades > 0) != (by_all.decades > 0), "one is beyond its runs, the other one of them"
    factor = beyond.factors(p, arrays(p, asked), 0)[1][:, 0]
    assert np.array_equal(factor.std(axis=0) > 0, [False, True])
    few = Runs.of(p.runs.table.iloc[small].drop(columns=["C", "loss.a"], errors="ignore"))
    alone = fake(dataclasses.replace(p.model, targets=("loss.b",)), few, chinchilla_values(few))
    assert max(by_few.decades[0], by_all.decades[0]) == pytest.approx(edge(alone, asked)[1][0], rel=1e-6)
    said = [s for s in predict(p, asked, seed=0).warnings if "decades" in s]
    assert said
    assert all("the fitted runs that measured loss.b" in s for s in said)


@law(paper="nowhere")
def sparse(N, sparsity, *, E=prior(LogNormal(0, 1), "", ""), N0=reference("N")):
    return E * (1 + (N / N0) ** -0.3 * (1 - sparsity) ** 0.1)


def test_a_planned_run_without_decades_leaves_others_theirs():
    frame = pd.DataFrame({"N": np.geomspace(1e8, 1e9, 9), "sparsity": np.tile([0.5, 0.7, 0.9], 3), "loss": 3.0})
    p = fake(Model(sparse, targets=("loss",), discrepancy=WIDE), Runs.of(frame), {"E": 2.0, "sigma": 0.01, "nu": 30.0})
    alone, both, inside = (edge(p, planned(N=[1e9] * len(s), sparsity=s))[1] for s in ([0.05], [0.05, 0.0], [0.5]))
    assert alone[0] == both[0] > 0.9
    assert both[1] == inside[0]
    (said,) = (s for s in predict(p, planned(N=[1e9], sparsity=[0.0]), seed=0).warnings if "decades" in s)
    assert said.startswith("sparsity is 0 in a planned run")


def test_a_decision_about_a_fraction_keeps_it_below_one():
    rng = np.random.default_rng(0)
    w = rng.dirichlet(np.ones(2), 30)
    frame = pd.DataFrame({"w.web": w[:, 0], "w.code": w[:, 1], "N": np.geomspace(1e8, 1e9, 30), "error.x": 0.5})
    steep = dataclasses.replace(CERTAIN, location=-3.0)
    values = {"E": 0.4, "a": 0.1 + 0.02 * rng.standard_normal((1000, 1)), "sigma": 0.01, "nu": 30.0}
    p = fake(Model(loss, targets=("error.x",), discrepancy=steep), Runs.of(frame), values)
    decision = decide(p, Problem(planned={"N": 1e13}), seed=0, draws=1000)
    asked = planned(w__web=decision.mixture[[0]], w__code=decision.mixture[[1]], N=[1e13])
    expected = predict(p, asked, seed=0).expected
    assert decision.objective.max() <= 0.999
    assert decision.objective.mean() == pytest.approx(expected.mean(), rel=1e-6)


def test_a_hidden_response_of_nothing_shows_no_bend():
    p = posterior(WIDE)
    far = planned(**FAR)
    with_zero = Runs.of(far.table.assign(loss=[2.0, 1.9, 1.8]))
    inputs = arrays(p, with_zero)
    inputs.response[1, 0] = 0.0
    ((bend, error),) = beyond.bends(p, inputs, 0)
    kept = arrays(p, with_zero.rows(np.array([True, False, True])))
    assert (bend, error) == pytest.approx(beyond.bends(p, kept, 0)[0], rel=0.05)


def test_two_extrapolations_of_a_model_are_refused():
    shown = Extrapolation("chinchilla", "C", pd.DataFrame(), pd.DataFrame(), ())
    with pytest.raises(BayesmixError, match="two extrapolations are of model chinchilla"):
        informed({"a": posterior(WIDE)}, [shown, shown])


def test_checkpoints_share_the_departure_of_their_run():
    alone = dataclasses.replace(CERTAIN, run=0.2)
    p = posterior(alone)
    one = planned(run=["a", "a", "b"], **FAR)
    factor = np.log(beyond.factors(p, arrays(p, one), 0)[1])
    _, fall, _ = beyond.promised(p, arrays(p, one))
    own = (-factor / fall - 0.5)[:, :, 0]
    np.testing.assert_allclose(own[:, 0], own[:, 1], rtol=1e-6)
    assert abs(np.corrcoef(own[:, 0], own[:, 2])[0, 1]) < 4 / np.sqrt(len(own))


def test_many_checkpoints_of_one_run_tell_no_more_of_the_bend_than_that_run():
    p = posterior(dataclasses.replace(WIDE, run=0.1), sigma=0.002, alpha=0.34, beta=0.28)
    far = {"N": np.full(40, 1e11), "D": np.geomspace(1e12, 1e13, 40), "loss": np.geomspace(2.0, 1.9, 40)}
    one, many = (Runs.of(pd.DataFrame({"run": names, **far})) for names in (["a"] * 40, [f"r{i}" for i in range(40)]))
    ((_, alone),), ((_, apart),) = (beyond.bends(p, arrays(p, runs), 0) for runs in (one, many))
    assert alone == pytest.approx(np.hypot(0.1, apart), rel=0.1)
    assert apart < 0.03


def test_many_runs_of_a_kind_average_their_departures_away():
    """Two runs of the same size are expected to do the same, and are measured each with its own departure."""
    p = posterior(WIDE)
    twins = planned(run=["a", "b"], N=[7e10, 7e10], D=[1.4e12, 1.4e12])
    found = predict(p, twins, seed=0)
    np.testing.assert_allclose(found.expected[:, 0], found.expected[:, 1])
    _, departure = beyond.factors(p, arrays(p, twins), 0)
    assert np.abs(np.log(departure[:, 0] / departure[:, 1])).max() > 1e-3
