import dataclasses

import numpy as np
import pytest
from scipy import stats

from bayesmix import laws, loo
from bayesmix.comparison import compare
from bayesmix.errors import BayesmixError, InputError, NotConvergedError
from bayesmix.evaluation import log_likelihood
from bayesmix.inference import fit
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.refit import exact, in_folds
from bayesmix.units import units
from fakes import fake, mixture_runs, table

SIGMA = 0.1


def constant(noise: str = "normal", *, name: str = "", **fixed: float) -> Model:
    model = Model(laws.get("constant"), NOISES[noise], name=name or noise)
    return model.given(**fixed)


def losses(count: int = 12, *, seed: int = 3) -> np.ndarray:
    return 3 + SIGMA * np.random.default_rng(seed).standard_normal(count)


def exact_posterior(y: np.ndarray, prior: tuple[float, float] = (3.0, 1.0)) -> tuple[float, float]:
    """Mean and standard deviation of a normal mean with known error and a normal prior."""
    precision = prior[1] ** -2 + len(y) * SIGMA**-2
    return (prior[0] * prior[1] ** -2 + y.sum() * SIGMA**-2) / precision, precision**-0.5


def conjugate(y: np.ndarray, runs=None, *, seed: int = 0, draws: int = 2500, model: Model | None = None):
    """Return a posterior with exact, independent draws."""
    mean, sd = exact_posterior(y)
    drawn = mean + sd * np.random.default_rng(seed).standard_normal((4 * draws, 1))
    return fake(model or constant(sigma=SIGMA), runs or table(loss=y), {"L0": drawn}, draws=draws)


def exact_loo(y: np.ndarray, units: np.ndarray) -> float:
    """Sum over units of the log density of a unit given the others."""
    total = 0.0
    for unit in np.unique(units):
        mean, sd = exact_posterior(y[units != unit])
        left = y[units == unit]
        covariance = SIGMA**2 * np.eye(len(left)) + sd**2
        total += stats.multivariate_normal(np.full(len(left), mean), covariance).logpdf(left)
    return total


def spread_of_elpd(y: np.ndarray, runs, **kwargs) -> tuple[float, float]:
    """Mean of the elpd over repeated exact draws, and its standard error."""
    found = [compare({"m": conjugate(y, runs, seed=s, draws=500)}, **kwargs).table["elpd"].iloc[0] for s in range(8)]
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(len(found)))


def test_elpd_is_the_exact_leave_one_out_density_of_a_conjugate_model():
    y = losses()
    mean, error = spread_of_elpd(y, table(loss=y))
    assert abs(mean - exact_loo(y, np.arange(len(y)))) < 4 * error


def test_leaving_out_whole_runs_is_exact_where_checkpoints_share_a_run():
    y, names = losses(), [f"r{i // 3}" for i in range(12)]
    runs = table(run=names, step=[str(i) for i in range(12)], loss=y)
    mean, error = spread_of_elpd(y, runs)
    # PSIS has a bias of its own when a quarter of the data is left out.
    assert abs(mean - exact_loo(y, np.repeat(np.arange(4), 3))) < 4 * error + 0.02


def test_leaving_out_a_run_sums_its_rows_and_its_targets():
    y = losses(8)
    runs = table(run=["a", "a", "b", "b", "c", "c", "d", "d"], step=list("12345678"), loss__x=y, loss__y=y + 0.1)
    posterior = fake(constant(sigma=SIGMA), runs, {"L0": [3.0, 3.1]}, spread=0.01)
    rows = log_likelihood(posterior, np.arange(8))
    assert np.allclose(log_likelihood(posterior, np.repeat(np.arange(4), 2)), rows[..., ::2] + rows[..., 1::2])
    by_hand = stats.norm(posterior.values()["L0"][7], SIGMA).logpdf([y[0], y[0] + 0.1]).sum()
    assert rows.reshape(-1, 8)[7, 0] == pytest.approx(by_hand, rel=1e-12)
    assert compare({"m": posterior}).units == 4
    assert compare({"m": posterior}, leave_out="observation").units == 8


def test_a_missing_target_adds_nothing():
    y = losses(8)
    both = table(loss__x=y, loss__y=[*y[:7], None])
    posterior = fake(constant(sigma=SIGMA), both, {"L0": [3.0, 3.0]}, spread=0.01)
    last = log_likelihood(posterior, np.arange(8)).reshape(-1, 8)[:, 7]
    expected = stats.norm(posterior.values()["L0"][:, 0], SIGMA).logpdf(y[7])
    assert np.allclose(last, expected)


def test_a_run_without_any_measured_target_is_not_left_out():
    y = losses(9)
    runs = table(loss__x=[*y[:8], None], loss__y=[*y[:8], y[8]])
    model = dataclasses.replace(constant(sigma=SIGMA), targets=("loss.x",))
    comparison = compare({"m": fake(model, runs, {"L0": [3.0]}, spread=0.01)})
    assert comparison.units == 8
    assert np.isfinite(comparison.table["max_k"].iloc[0])


def test_leaving_out_mixtures_takes_all_runs_of_one_mixture_together():
    runs = table(
        run=list("abcdef"), w__x=[0.1, 0.1, 0.5, 0.5, 0.9, 0.9], w__y=[0.9, 0.9, 0.5, 0.5, 0.1, 0.1], loss=losses(6)
    )
    assert compare({"m": conjugate(losses(6), runs)}, leave_out="mixture").units == 3


def by_quadrature(y: np.ndarray, groups: list[list[int]], *, relative_to: str = "kept") -> dict[int, float]:
    """Return the log density of each y given all that are not in its group, under the law's own prior of the level.

    That is relative to the runs that a refit sees, or to all of them.
    """
    found = {}
    for group in groups:
        kept = np.delete(y, group)
        level = np.linspace(2, 5, 60_001)
        reference = kept if relative_to == "kept" else y
        prior = stats.lognorm(0.5, scale=np.exp(np.log(reference).mean())).logpdf(level)
        log = prior + stats.norm(level[:, None], SIGMA).logpdf(kept).sum(axis=1)
        weight = np.exp(log - log.max())
        for i in group:
            found[i] = float(np.log(weight @ stats.norm(level, SIGMA).pdf(y[i]) / weight.sum()))
    return found


def elpds_of_fits(y: np.ndarray, **kwargs) -> tuple[float, float]:
    """Return the mean elpd over seeds, and its standard error."""
    posterior = fit(constant(sigma=SIGMA), table(loss=y), seed=0)
    found = [compare({"m": posterior}, seed=s, **kwargs).table["elpd"].iloc[0] for s in range(4)]
    return float(np.mean(found)), float(np.std(found, ddof=1) / 2)


def unmovable(monkeypatch) -> None:
    """Take away moment matching, as for a posterior of another version of its law."""
    monkeypatch.setattr(loo, "matching", lambda posterior: None)


def test_refits_give_what_quadrature_finds_for_the_runs_that_decide_the_fit(monkeypatch):
    y = np.array([*losses(7), 3.6])
    posterior = fit(constant(sigma=SIGMA), table(loss=y), seed=0)
    unmovable(monkeypatch)
    plain = compare({"m": posterior})
    (bad,) = np.flatnonzero(y == 3.6)
    assert plain.table.loc["m", "bad_k"] == 1
    found = compare({"m": posterior}, refit=True)
    assert (*found.table.loc["m", ["bad_k", "bad_k_before"]], plain.method) == (0, 1, "PSIS-LOO")
    assert found.method == "PSIS-LOO, with refits where Pareto k was above 0.7"
    mean, error = elpds_of_fits(y, refit=True)
    truth = sum(by_quadrature(y, [[i] for i in range(8)]).values())
    # What importance sampling gave the other seven is within their own error, a hundredth or so.
    assert abs(mean - truth) < 4 * error + 0.05
    assert abs(plain.table.loc["m", "elpd"] - truth) > abs(mean - truth)
    assert by_quadrature(y, [[bad]])[bad] < -5


def test_a_refit_finds_the_density_of_a_run_that_hardly_any_of_its_draws_expect():
    """Where the mean over draws misses it: the log density varies by 9 from draw to draw."""
    y = np.array([*losses(3), 4.5])
    posterior = fit(constant(sigma=SIGMA), table(loss=y), seed=0)
    of = units(posterior, "run")
    how = {"processes": 1, "progress": False}
    found = [exact(posterior, of, [[3]], seed=s, **how)[0][3] for s in range(4)]
    error = np.std([f[0] for f in found], ddof=1) / 2
    assert max(k for _, k in found) < 0.7
    truth = by_quadrature(y, [[3]])[3]
    assert abs(np.mean([f[0] for f in found]) - truth) < 4 * error + 0.02
    alone = fit(constant(sigma=SIGMA), table(loss=y[:3]), seed=0)
    drawn = log_likelihood(alone, np.zeros(1, int), table(loss=y[3:])).ravel()
    assert np.logaddexp.reduce(drawn) - np.log(len(drawn)) < truth - 1


def test_moved_draws_replace_what_importance_sampling_cannot_do():
    y = np.array([*losses(7), 4.5])
    found = compare({"m": fit(constant(sigma=SIGMA), table(loss=y), seed=0)})
    assert tuple(found.table.loc["m", ["bad_k", "bad_k_before"]]) == (0, 1)
    assert found.method == "PSIS-LOO, with moment matching where Pareto k was above 0.7"
    assert not any("Pareto k" in w for w in found.warnings)
    truth = by_quadrature(y, [[i] for i in range(8)], relative_to="all")
    posteriors = (fit(constant(sigma=SIGMA), table(loss=y), seed=s) for s in range(4))
    elpds = [compare({"m": p}).table.loc["m", "elpd"] for p in posteriors]
    assert abs(np.mean(elpds) - sum(truth.values())) < 4 * np.std(elpds, ddof=1) / 2 + 0.02


def test_moving_that_would_take_minutes_waits_for_a_request(monkeypatch):
    y = np.array([*losses(7), 4.5])
    posterior = fit(constant(sigma=SIGMA), table(loss=y), seed=0)
    monkeypatch.setattr(loo, "_CHEAP", 1e3)
    found = compare({"m": posterior})
    assert found.table.loc["m", "bad_k"] == 1
    assert (
        "m: moment matching was not tried for 1 runs, since it would take minutes: --refit tries it first."
        in found.warnings
    )
    assert compare({"m": posterior}, refit=True).table.loc["m", "bad_k"] == 0


def test_folds_give_what_quadrature_finds():
    y = losses(9)
    posterior = fit(constant(sigma=SIGMA), table(loss=y), seed=0)
    found = compare({"m": posterior}, folds=3, seed=5)
    groups = in_folds(9, 3, 5)
    assert sorted(u for group in groups for u in group) == list(range(9))
    assert found.method == "3-fold cross-validation"
    truth = by_quadrature(y, groups)
    # Of 4,000 nearly independent draws the mean of a density that varies by its own size has an error of 2 %.
    assert found.table.loc["m", "elpd"] == pytest.approx(sum(truth.values()), abs=4 * 0.02 * 3)
    assert found.table.loc["m", "max_k"] < 0.5


FAMILIES = [f"f{i // 3}" for i in range(12)]


def test_leaving_out_families_is_exact_where_importance_sampling_reaches():
    y = losses()
    runs = table(run=[f"r{i}" for i in range(12)], family=FAMILIES, loss=y)
    mean, error = spread_of_elpd(y, runs, leave_out="family")
    assert abs(mean - exact_loo(y, np.repeat(np.arange(4), 3))) < 4 * error + 0.02
    found = compare({"m": conjugate(y, runs)}, leave_out="family")
    assert (found.left_out, found.units) == ("family", 4)


def test_a_family_that_cannot_be_left_out_by_weights_is_said_to_be_so_and_named(monkeypatch):
    y = np.array([*losses(9), *(losses(3, seed=4) + 1)])
    runs = table(run=[f"r{i}" for i in range(12)], family=FAMILIES, loss=y)
    found = compare({"m": conjugate(y, runs)}, leave_out="family")
    (said,) = (w for w in found.warnings if w.startswith("m: Pareto k above 0.7"))
    assert "left-out values of family (largest" in said
    assert "f3" in said
    assert "A whole family is often more than importance sampling can leave out" in said
    assert said.endswith("(--refit).")


def test_what_cannot_be_left_out_is_refused_with_the_labels_there_are():
    runs = table(family=FAMILIES, colour=["red", "blue"] * 6, loss=losses())
    with pytest.raises(InputError, match=r"'famly' cannot be left out: .* \(there are: family, colour\).*'family'"):
        compare({"m": conjugate(losses(), runs)}, leave_out="famly")
    with pytest.raises(InputError, match=r"\(there are: none\)"):
        compare({"m": conjugate(losses())}, leave_out="family")
    with pytest.raises(InputError, match="no column 'w'"):
        compare({"m": conjugate(losses())}, leave_out="mixture")
    one = table(family=["a"] * 12, loss=losses())
    with pytest.raises(BayesmixError, match="only one family"):
        compare({"m": conjugate(losses(), one)}, leave_out="family")


def test_a_refit_cannot_forecast_a_target_that_only_the_left_out_runs_measured():
    rare = np.where(np.arange(12) == 3, 2.5, np.nan)
    runs = table(run=[f"r{i:02d}" for i in range(12)], loss__x=losses(), loss__y=rare)
    posterior = fit(Model(laws.get("constant"), NOISES["log_normal"]), runs, seed=0, preview=True, draws=50)
    with pytest.raises(InputError, match=r"loss\.y was measured in r03 alone") as raised:
        exact(posterior, units(posterior, "run"), [[3], [4]], seed=0, processes=1, progress=False)
    assert len(raised.value.faults) == 1


def test_a_refit_without_a_family_knows_it_by_its_population():
    """Against quadrature over population and spread, with the levels of the groups integrated out."""
    levels, sigma = (2.5, 2.8, 3.0, 3.3), 0.02
    y = np.concatenate([v * np.exp(sigma * np.random.default_rng(i).standard_normal(3)) for i, v in enumerate(levels)])
    model = Model(laws.get("constant"), NOISES["log_normal"], pooling={"L0": Pooling("family", "partial")})
    posterior = fit(model.given(sigma=sigma), table(family=FAMILIES, loss=y), seed=0)
    of, log = units(posterior, "family"), np.log(y).reshape(4, 3)
    found = [exact(posterior, of, [[3]], seed=s, processes=1, progress=False)[0][3][0] for s in range(4)]
    centre, spread = (a.ravel() for a in np.meshgrid(np.linspace(-0.5, 2.5, 801), np.geomspace(1e-3, 4, 800)))

    def group(values: np.ndarray) -> np.ndarray:
        # Of normal values around a normal level: their mean, and their scatter around it.
        between = np.sqrt(spread**2 + sigma**2 / 3)
        scatter = stats.norm(0, sigma).logpdf(values - values.mean()).sum() - stats.norm(0, sigma / np.sqrt(3)).logpdf(
            0
        )
        return stats.norm(centre, between).logpdf(values.mean()) + scatter

    prior = stats.norm(log[:3].mean(), 0.5).logpdf(centre) + stats.halfnorm(0, 0.5).logpdf(spread) + np.log(spread)
    seen = prior + sum(group(values) for values in log[:3])
    truth = np.logaddexp.reduce(seen + group(log[3])) - np.logaddexp.reduce(seen) - log[3].sum()
    assert abs(np.mean(found) - truth) < 4 * np.std(found, ddof=1) / 2 + 0.02
    # Importance sampling has no draws of a family that nobody has seen, which its Pareto k does not show.
    by_draws, by_refits = (compare({"m": posterior}, leave_out="family", refit=refit) for refit in (False, True))
    assert any("no draw says what L0 of an unseen family could be" in w for w in by_draws.warnings)
    assert not any("no draw says" in w for w in by_refits.warnings)
    every = exact(posterior, of, [[k] for k in range(4)], seed=0, processes=1, progress=False)[0]
    assert by_refits.table.loc["m", "elpd"] == pytest.approx(sum(log for log, _ in every.values()), rel=1e-9)


def test_draws_that_are_all_alike_are_refused_by_name():
    posterior = fake(constant(sigma=SIGMA), table(loss=losses()), {"L0": [3.0]}, spread=0.0).accept()
    with pytest.raises(BayesmixError, match=r"draws of normal cannot stand in .* Leave it out of the comparison"):
        compare({"m": posterior})


def test_folds_need_no_importance_sampling():
    with_few = fit(constant(sigma=SIGMA), table(loss=losses()), seed=0, draws=4, preview=True).accept()
    with pytest.raises(BayesmixError, match="too few"):
        compare({"m": with_few})
    found = compare({"m": with_few}, folds=3)
    assert np.isfinite(found.table["elpd"]).all()


def test_fewer_than_two_folds_are_refused():
    with pytest.raises(BayesmixError, match="at least 2"):
        compare({"m": conjugate(losses(6))}, folds=1)


def test_a_single_run_cannot_be_left_out():
    runs = table(run=["a"] * 6, step=list("123456"), loss=losses(6))
    with pytest.raises(BayesmixError, match=r"only one run .* Leave out less"):
        compare({"m": conjugate(losses(6), runs)})
    assert compare({"m": conjugate(losses(6), runs)}, leave_out="observation").units == 6


def test_waic_is_that_of_a_calculation_by_hand():
    y = losses()
    posterior = conjugate(y)
    draws = posterior.values()["L0"]
    density = stats.norm(draws, SIGMA).logpdf(y)
    pointwise = np.log(np.exp(density).mean(axis=0)) - density.var(axis=0, ddof=1)
    row = compare({"m": posterior}).table.loc["m"]
    assert row["waic"] == pytest.approx(pointwise.sum(), rel=1e-10)
    assert row["waic_se"] == pytest.approx(np.sqrt(len(y)) * pointwise.std(ddof=1), rel=1e-10)
    assert row["waic"] == pytest.approx(row["elpd"], abs=0.1)


QUANTITIES = {  # of noises that are densities, and what is multiplied with the response
    "log_normal": ({"sigma": 0.03}, ()),
    "log_student_t": ({"sigma": 0.03, "nu": 5.0}, ()),
    "log_laplace": ({"sigma": 0.03}, ()),
    "normal": ({"sigma": 0.1}, ("sigma",)),
}


@pytest.mark.parametrize("noise", sorted(QUANTITIES))
def test_counting_the_response_in_other_units_shifts_the_elpd_by_their_logarithm(noise):
    y, factor = losses(), 1.4427
    values, scaled = QUANTITIES[noise]
    here = fake(constant(noise), table(loss=y), {"L0": 3.0, **values}, spread=0.01)
    drawn = {n: v * (factor if n in ("L0", *scaled) else 1.0) for n, v in here.values().items()}
    there = fake(constant(noise), table(loss=factor * y), drawn)
    before, after = (compare({"m": p}).table.loc["m"] for p in (here, there))
    for column in ("elpd", "waic"):
        assert after[column] - before[column] == pytest.approx(-len(y) * np.log(factor), abs=1e-8)
    assert after["p"] == pytest.approx(before["p"], abs=1e-8)


def test_normal_errors_of_the_loss_and_of_its_logarithm_are_comparable():
    y = losses(40)
    drawn = 3 + 0.01 * np.random.default_rng(0).standard_normal((1000, 1))
    normal = fake(constant("normal", sigma=SIGMA), table(loss=y), {"L0": drawn})
    logarithmic = fake(constant("log_normal", sigma=SIGMA / 3), table(loss=y), {"L0": drawn})
    rows = compare({"normal": normal, "log": logarithmic}).table
    # The two densities differ by a relative error of a few per cent a run; a missing Jacobian would be 40 log 3.
    assert abs(rows.loc["normal", "elpd"] - rows.loc["log", "elpd"]) < 2.0


def test_posteriors_of_other_runs_are_refused_by_name():
    first, second = (conjugate(y) for y in (losses(12), losses(10)))
    with pytest.raises(BayesmixError, match=r"different runs.*ours \(12 rows, hash \w{8}\); theirs \(10 rows"):
        compare({"ours": first, "theirs": second})


def test_posteriors_of_other_targets_are_refused_by_name():
    runs = table(loss__x=losses(), loss__y=losses(seed=4))
    by_target = {
        t: fake(dataclasses.replace(constant(sigma=SIGMA), targets=(f"loss.{t}",)), runs, {"L0": 3.0}) for t in "xy"
    }
    with pytest.raises(BayesmixError, match=r"different targets.*x \(loss.x\); y \(loss.y\)"):
        compare(by_target)


def test_counts_and_densities_are_refused_by_name():
    fraction = np.round(np.linspace(0.3, 0.6, 10), 2)
    runs = table(accuracy=fraction, **{"items__accuracy": [100] * 10})
    counts, density = (dataclasses.replace(constant(noise), targets=("accuracy",)) for noise in ("binomial", "normal"))
    posteriors = {
        "counts": fake(counts, runs, {"L0": 0.45}),
        "density": fake(density, runs, {"L0": 0.45, "sigma": 0.1}),
    }
    with pytest.raises(
        BayesmixError, match=r"kinds of noise.*counts \(probabilities of counts\); density \(densities\)"
    ):
        compare(posteriors)


def test_nothing_to_compare_is_refused():
    with pytest.raises(BayesmixError, match="at least one posterior"):
        compare({})


def test_a_posterior_that_did_not_converge_is_refused_unless_accepted():
    bad = fake(constant(sigma=SIGMA), table(loss=losses()), {"L0": 3.0}, spread=0.01, converged=False)
    with pytest.raises(NotConvergedError, match="diverged"):
        compare({"bad": bad})
    assert compare({"bad": bad.accept()}).units == 12


def test_stacking_weights_sum_to_one_and_prefer_the_model_behind_the_runs():
    runs = mixture_runs(30, targets=("loss",))
    w = runs.column("w")[:, 0]
    y = 3 + 0.2 * np.exp(-2 * w) + 0.01 * np.random.default_rng(0).standard_normal(len(w))
    runs = table(w__web=w, w__code=1 - w, loss=y)
    mean = 3 + 0.2 * np.exp(-2 * w)
    flat = fake(constant(sigma=0.06), runs, {"L0": y.mean()}, spread=0.003)
    mixing = Model(laws.get("ye_m4"), NOISES["normal"]).given(sigma=0.01)
    level = np.array([3 + 0.2 * np.exp(-2 * w.mean())])
    # 3 + .2 exp(-2 w) as floor and amplitude at the mean mixture.
    values = {"L0": level, "floor": 3 / level, "t": [[-1.0, 1.0]]}
    found = compare({"flat": flat, "mixing": fake(mixing, runs, values, spread=1e-4)})
    assert np.abs(mean - y).max() < 0.05
    assert sum(found.weights.values()) == pytest.approx(1, abs=1e-6)
    assert found.weights["mixing"] > 0.9
    assert list(found.table.index) == ["mixing", "flat"]
    assert found.table.loc["mixing", "diff"] == 0
    assert found.table.loc["flat", "diff"] < -10


def test_models_that_cannot_be_told_apart_are_said_to_be_so():
    y = losses()
    found = compare({"a": conjugate(y, seed=1), "b": conjugate(y, seed=2)})
    (said,) = (w for w in found.warnings if w.startswith("Not told apart from "))
    assert "(behind by " in said
    assert "The table does not decide between them" in said
    assert "95 % interval of 12 paired differences" in said
    assert any("Only 12 units" in w for w in found.warnings)
    assert found.undecided == (found.table.index[1],)


def test_each_model_is_told_apart_from_the_best_by_itself():
    y = losses(120)
    found = compare({"good": shifted(y, 0), "off": shifted(y, 0.1), "near": shifted(y, 0.001)})
    assert found.table.index[2] == "off"
    assert len(found.undecided) == 1
    assert found.undecided == (found.table.index[1],)


def shifted(y: np.ndarray, by: float, runs=None):
    """Return a posterior whose level is off by so much, of draws that hardly vary."""
    return fake(constant(sigma=SIGMA), runs or table(loss=y), {"L0": y.mean() + by}, spread=1e-6)


def verdict(y: np.ndarray, by: float, **kwargs) -> list[str]:
    runs = kwargs.pop("runs", None)
    return list(compare({"good": shifted(y, 0, runs), "off": shifted(y, by, runs)}, **kwargs).warnings)


def test_a_clear_difference_of_many_runs_is_not_doubted():
    y = losses(120)
    assert verdict(y, 0.1) == []
    assert any(w.startswith("Not told apart from good: off (") for w in verdict(y, 0.015))


def test_few_units_need_a_larger_difference_than_two_standard_errors():
    """The same difference of families, twice its standard error: of three it decides nothing, of many it would."""
    runs = table(family=["a", "a", "b", "b", "c", "c"], loss=[3.0, 3.001, 3.05, 3.051, 3.1, 3.101])
    y = np.asarray(runs.column("loss"))
    found = compare({"good": shifted(y, 0, runs), "off": shifted(y, 0.15, runs)}, leave_out="family")
    difference, error = found.table.loc["off", ["diff", "diff_se"]]
    assert -4.303 * error < difference < -2.1 * error
    assert difference < -4
    assert any(w.startswith("Not told apart from good: off") for w in found.warnings)


def test_bad_pareto_k_makes_the_difference_doubtful():
    y = np.array([*losses(20), 4.5])
    found = compare({"fragile": conjugate(y), "off": shifted(y, -0.6)})
    assert found.table.loc["fragile", "bad_k"] == 1
    assert any(w.startswith("As long as Pareto k is bad, off may be nearer to fragile") for w in found.warnings)


def test_an_outlier_that_decides_the_fit_is_warned_of_by_name():
    y = np.array([*losses(7), 4.5])
    found = compare({"fragile": conjugate(y)})
    assert found.table.loc["fragile", "bad_k"] >= 1
    assert found.table.loc["fragile", "max_k"] > 0.7
    assert any(w.startswith("fragile: Pareto k above 0.7 for 1 left-out runs") for w in found.warnings)
    assert any(w.startswith("fragile: ") and "WAIC is unreliable" in w for w in found.warnings)
