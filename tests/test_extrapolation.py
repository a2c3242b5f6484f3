import dataclasses

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import Normal

from bayesmix import Model, Runs, extrapolate, simulate
from bayesmix.errors import BayesmixError, InputError
from bayesmix.extrapolation import Extrapolation
from bayesmix.law import law, prior, reference
from bayesmix.noise import NOISES
from bayesmix.results import load_extrapolation, save
from bayesmix.splits import by_scale


@pytest.fixture(scope="module")
def model():
    return Model.read("chinchilla")


@pytest.fixture(scope="module")
def runs(model):
    rng = np.random.default_rng(3)
    N = np.exp(rng.uniform(np.log(5e7), np.log(5e9), 90))
    design = Runs.of(pd.DataFrame({"N": N, "D": N * np.exp(rng.uniform(np.log(5), np.log(100), 90))}), planned=True)
    constants = {**model.published["besiroglu2024"], "sigma": 0.004, "nu": 30.0}
    return simulate(model, design, constants, targets=("loss",), seed=4)


@pytest.fixture(scope="module")
def result(model, runs):
    return extrapolate(model, runs, by="C", seed=0)


def test_hidden_runs_of_the_same_law_are_covered(result):
    # Errors of one forecast are shared by its runs, so only gross failure is ruled out here.
    assert (result.scores()["coverage95%"] > 0.6).all()
    assert result.reach > 0.5


def test_every_threshold_that_leaves_enough_runs_is_tried(result, runs):
    C = runs.column("C")
    for at, part in result.table.groupby("at"):
        assert at in [pytest.approx(share * C.max()) for share in (0.03, 0.1, 0.3)]
        assert len(part) == (at < C).sum() >= 3
        np.testing.assert_allclose(part["decades"].max(), np.log10(C.max() / C[at >= C].max()))
    assert result.table["at"].nunique() == 3


def test_scores_are_means_by_threshold_and_of_all(result):
    scores = result.scores()
    assert list(scores["at"][-1:]) == ["all"]
    assert scores["responses"].iloc[-1] == scores["responses"].iloc[:-1].sum() == len(result.table)
    table = result.table
    inside = (table["low90%"] <= table["truth"]) & (table["truth"] <= table["high90%"])
    assert scores["coverage90%"].iloc[-1] == pytest.approx(inside.mean())
    assert len(result.scores(by=())) == 1


def test_the_log_score_is_the_density_of_the_log_response(result):
    """Against a normal distribution of the predictive quantiles, which that of a law known this well resembles."""
    row = result.table.iloc[len(result.table) // 2]
    sd = (np.log(row["high80%"]) - np.log(row["low80%"])) / 2 / 1.2816
    z = (np.log(row["truth"]) - np.log(row["median"])) / sd
    assert abs(row["log_score"] - (np.log(sd) + 0.9189 + z**2 / 2)) < 0.3


def test_thresholds_may_be_given(model, runs):
    at = float(np.quantile(runs.column("N"), 0.7))
    result = extrapolate(model, runs, by="N", at=at, seed=0)
    assert set(result.table["at"]) == {at}
    assert len(result.table) == (runs.column("N") > at).sum()
    assert result.sentence().startswith(f"Fitted on runs up to N = {at:.3g} and asked about 27 hidden responses up to")


def test_mixtures_may_be_hidden_with_scale():
    """Two sizes of every mixture: the larger ones of hidden mixtures are asked about, of which nothing was fitted."""
    rng = np.random.default_rng(0)
    w = rng.dirichlet([1.0, 1.0, 1.0], 40)
    loss = (2 + np.exp(-2 * w[:, 0])) * np.exp(rng.normal(0, 0.01, 40))
    small = pd.DataFrame({f"w.{d}": w[:, j] for j, d in enumerate(("web", "code", "books"))} | {"loss": loss})
    table = pd.concat([small.assign(N=1e8), small.assign(N=1e9, loss=0.9 * loss)], ignore_index=True)
    runs = Runs.of(table.assign(run=[f"r{i}" for i in range(80)]))
    result = extrapolate(Model.read("ye_m4"), runs, by="N", at=5e8, mixtures=0.25, seed=0)
    asked = {int(name[1:]) for name in result.table["run"]}
    assert asked <= set(range(40, 80))
    assert len(asked) == 10
    assert (result.table["bias"] < -0.05).all(), "a law without N knows nothing of the larger size"


@pytest.fixture
def apart():
    """Two mixtures: one was trained small, another large."""
    w, N = np.repeat([0.2, 0.8], 4), np.repeat([1e9, 1e8], 4)
    return Runs.of(pd.DataFrame({"N": N, "D": np.geomspace(1e9, 1e10, 8), "w.web": w, "w.code": 1 - w, "loss": 3 - w}))


def test_hidden_mixtures_need_no_small_runs_and_fitted_ones_no_large_runs(apart):
    ((fitted, hidden),) = by_scale(Model.read("ye_m4"), apart, "N", 5e8, 0.5, 0).values()
    assert set(fitted.column("w")[:, 0]) == {0.8}
    assert set(hidden.column("w")[:, 0]) == {0.2}


def test_every_side_of_every_split_that_is_empty_is_said(apart):
    with pytest.raises(InputError) as caught:
        by_scale(Model.read("ye_m4"), apart, "N", [5e8, 1e9], 0.5, 3)
    remedy = "Split within N: 1e+08 to 1e+09, or hide other mixtures: another share or seed"
    said = str(caught.value).splitlines()
    assert said[1] == f"  no run that may be fitted has N <= 5e+08, so one side of the split is empty. {remedy}"
    assert said[2:] == [f"  no run that may be hidden has N > {at}, so one side of the split is empty. {remedy}"
                        for at in ("5e+08", "1e+09")]  # fmt: skip


def test_only_runs_that_measured_what_the_model_is_about_are_split(apart):
    table = apart.table.rename(columns={"loss": "loss.a"}).assign(**{"loss.b": 2.0})
    table.loc[table["N"] > 5e8, "loss.a"] = np.nan
    model = dataclasses.replace(Model.read("ye_m4"), targets=("loss.a",))
    with pytest.raises(BayesmixError, match="all runs have N = 1e\\+08: none is larger"):
        by_scale(model, Runs.of(table), "N", 5e8, 0.0, 0)


def test_a_run_at_a_threshold_is_fitted_though_it_is_rounded(apart):
    runs = Runs.of(apart.table.drop(columns="C").assign(size=0.1 * np.arange(1, 9)))
    ((fitted, _),) = by_scale(Model.read("ye_m4"), runs, "size", 0.3, 0.0, 0).values()
    assert len(fitted) == 3


def test_runs_without_scale_cannot_be_split(model, runs):
    with pytest.raises(InputError, match="one side of the split is empty"):
        extrapolate(model, runs, by="N", at=1e15, seed=0)
    few = runs.rows(np.arange(len(runs)) < 5)
    with pytest.raises(BayesmixError, match="Say where to split: at=, or --at"):
        extrapolate(model, few, by="N", seed=0)


@pytest.mark.parametrize("at", [None, 5e8])
def test_runs_of_one_size_are_not_split_by_it(apart, at):
    one = apart.where("N=1e8")
    with pytest.raises(BayesmixError) as caught:
        by_scale(Model.read("ye_m4"), one, "N", at, 0.0, 0)
    assert str(caught.value) == (
        "all runs have N = 1e+08: none is larger, to be hidden. Split by another column: by=, or --by"
    )


def test_thresholds_that_split_alike_count_once(apart):
    assert list(by_scale(Model.read("ye_m4"), apart, "N", [6e8, 5e8, 7e8], 0.0, 0)) == [6e8]
    sizes = Runs.of(pd.DataFrame({"N": np.repeat([1e8, 1e10], 12), "loss": np.linspace(3, 2, 24)}))
    assert list(by_scale(Model.read("constant"), sizes, "N", None, 0.0, 0)) == [pytest.approx(3e8)]


def test_later_checkpoints_of_fitted_runs_are_told_of():
    D = np.tile(np.geomspace(1e9, 1e10, 10), 2)
    frame = pd.DataFrame({"run": np.repeat(["a", "b"], 10), "N": np.repeat([1e8, 1e9], 10), "D": D})
    runs = Runs.of(frame.assign(loss=3 + 0.01 * np.random.default_rng(0).standard_normal(20)))
    warnings = extrapolate(Model.read("constant"), runs, by="D", at=5e9, seed=0).warnings
    assert warnings[-1] == (
        "D <= 5e+09: 6 of the 6 hidden rows are later checkpoints of fitted runs, which are easier to forecast than "
        "new runs. Split by N, with by= or --by, to hide whole runs."
    )
    assert not any(
        "checkpoints" in w for w in extrapolate(Model.read("constant"), runs, by="N", at=5e8, seed=0).warnings
    )


def made_up(bias, decades, width=0.01):
    """Return forecasts of 40 responses that are off by so much."""
    decades = np.broadcast_to(decades, 40)
    table = pd.DataFrame({"at": 1e20, "run": "r", "target": "loss", "decades": decades, "truth": 2 * np.exp(bias)})
    for level, z in ((0.5, 0.674), (0.8, 1.28), (0.9, 1.645), (0.95, 1.96)):
        table[f"low{level:.0%}"], table[f"high{level:.0%}"] = 2 * np.exp(-z * width), 2 * np.exp(z * width)
    return Extrapolation("chinchilla", "C", table.assign(median=2.0, bias=bias), pd.DataFrame(), ())


def test_a_forecast_beyond_the_backtest_is_told(result, runs):
    C = float(runs.column("C").max())
    near, far = (
        Runs.of(pd.DataFrame({"N": [1e9], "D": [C * 10**d / 6e9]}), planned=True)
        for d in (0.9 * result.reach, result.reach + 1)
    )
    assert result.untested(runs, near) == ""
    assert f"{result.reach + 1:.1f} decades beyond the fitted runs" in result.untested(runs, far)
    unscaled = Runs.of(pd.DataFrame({"w.web": [1.0], "w.code": [0.0]}), planned=True)
    assert result.untested(runs, unscaled) == ""


@pytest.mark.parametrize(
    ("bias", "decades", "said"),
    [
        (np.tile([-0.02, 0.005, 0.001, 0.0], 10), 1.0, "cannot be trusted beyond"),
        (np.where(np.arange(40) < 20, 0.001, 0.1), np.where(np.arange(40) < 20, 0.3, 1.5), "for half a decade"),
        (np.where(np.arange(40) < 36, 0.001, 0.1), 1.0, "what they promise"),
        (np.zeros(40), 1.0, "wider than they need be"),
    ],
)
def test_the_sentence_says_how_far_intervals_can_be_trusted(bias, decades, said):
    assert said in made_up(bias, decades).sentence()


@law(paper="nowhere")
def rising(N, *, a=prior(Normal(0, 1), "", ""), k=prior(Normal(0, 1), "", ""), N0=reference("N")):
    return a + k * jnp.log(N / N0)


def test_scores_around_zero_are_judged_in_multiples_of_their_reference():
    """A score may be negative, where it has no logarithm."""
    rng = np.random.default_rng(0)
    N = np.geomspace(1e7, 1e9, 40)
    score = 0.15 - 0.1 * np.log(N / 1e8) + 0.02 * rng.standard_normal(40)
    frame = pd.DataFrame({"N": N, "D": 20 * N, "score.x": score})
    model = Model(rising, NOISES["normal"], targets=("score.x",), discrepancy=None)
    found = extrapolate(model, Runs.of(frame), by="N", at=2e8, seed=0).table
    assert (found["truth"] < 0).any()
    inside = (found["low90%"] <= found["truth"]) & (found["truth"] <= found["high90%"])
    assert inside.mean() > 0.6
    assert np.abs(found["bias"]).max() < 1
    ratio = (found["truth"] - found["median"]) / found["bias"]
    assert np.ptp(ratio) < 1e-6 * ratio.max()


def test_a_response_without_density_counts_and_survives_a_file(tmp_path):
    """Of log errors nothing is 0: the score is infinite, and not left out of the mean."""
    rng = np.random.default_rng(0)
    N = np.geomspace(1e7, 1e9, 40)
    error = np.exp(-1.5 - 0.1 * np.log(N / 1e8) + 0.02 * rng.standard_normal(40))
    error[-1] = 0.0
    law = dataclasses.replace(Model.read("alab_m2").law, response="error")
    model = Model(law, targets=("error.x",), covariates={"x": "N"}, discrepancy=None)
    found = extrapolate(model, Runs.of(pd.DataFrame({"N": N, "error.x": error})), by="N", at=2e8, seed=0)
    assert np.isinf(found.scores(by=())["log_score"].iloc[0])
    save(found, tmp_path / "hidden.json")
    assert load_extrapolation(tmp_path / "hidden.json").table["log_score"].tolist() == found.table["log_score"].tolist()
