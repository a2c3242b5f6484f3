"""Draws of targets that were sampled apart, in pairs."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmix import Problem, decide, fit, predict
from bayesmix.model import Model
from bayesmix.noise import NOISES, sampled
from bayesmix.precision import double
from bayesmix.runs import Runs
from bayesmix.sensitivity import sensitivity
from fakes import mixture_runs

TARGETS = ("loss.web", "loss.code")
CORRELATION = 0.8
ROOT = np.linalg.cholesky([[1, CORRELATION], [CORRELATION, 1]])


def law(runs):
    """Return the losses of runs, a linear function of the mixture, shape (run, target)."""
    return 3 + runs.column("w") @ np.array([[-0.6, 0.1], [0.2, -0.8], [0.4, 0.7]])


def posterior(correlation, rows=60, missing=0, seed=1):
    """Return what runs say of a linear law, which theirs is, with errors of 2 % that go together."""
    runs = mixture_runs(rows, targets=TARGETS)
    root = ROOT if correlation else np.eye(2)
    losses = law(runs) * np.exp(0.02 * np.random.default_rng(seed).standard_normal((rows, 2)) @ root.T)
    losses[:missing, 1] = np.nan
    table = runs.table.assign(**dict(zip(TARGETS, losses.T, strict=True)))
    return fit(Model.read("regmix_linear"), Runs.of(table), seed=0, preview=True).accept()


def correlations(draws):
    """Return the correlation of two targets over draws, at every observation."""
    return np.array([np.corrcoef(draws[:, i].T)[0, 1] for i in range(draws.shape[1])])


@pytest.fixture(scope="module")
def together():
    return posterior(CORRELATION)


def test_no_draw_of_a_target_is_changed(together):
    pairs, seen = together.paired, 0
    for group in ("posterior", "unconstrained"):
        for name, values in together.tree[group].to_dataset().data_vars.items():
            before, after = (
                v.transpose("target", "chain", "draw", ...).values for v in (values, pairs.tree[group][name])
            )
            for one, other in zip(before, after, strict=True):
                a, b = (v.reshape(v.shape[0] * v.shape[1], -1) for v in (one, other))
                np.testing.assert_array_equal(a[np.lexsort(a.T)], b[np.lexsort(b.T)])
            seen += not np.array_equal(before, after)
    assert seen == len(together.model.unknowns) + 1


def test_quantities_of_a_target_stay_together(together):
    """Each coordinate vector still gives the quantities beside it."""
    pairs = together.paired
    u, L0 = pairs.tree["unconstrained"]["u"].values, pairs.tree["posterior"]["L0"].values
    before_u, before = together.tree["unconstrained"]["u"].values, together.tree["posterior"]["L0"].values
    where = {tuple(v): i for i, v in enumerate(before_u[:, :, 1].reshape(-1, u.shape[-1]))}
    order = [where[tuple(v)] for v in u[:, :, 1].reshape(-1, u.shape[-1])]
    np.testing.assert_array_equal(L0[:, :, 1].ravel(), before[:, :, 1].ravel()[order])


def test_errors_that_go_together_make_forecasts_that_do(together):
    """As in seemingly unrelated regressions, where the correlation of forecasts is that of the errors."""
    planned = mixture_runs(12, seed=5)
    apart = predict(replace(together, together=np.eye(2)), planned, seed=0)
    pairs = predict(together, planned, seed=0)
    # Chance makes one of .016 in 4,000 draws.
    assert abs(correlations(np.log(apart.expected))).max() < 4 * 0.016
    found = correlations(np.log(pairs.expected))
    # Of these runs' errors; a little is lost.
    assert np.median(found) == pytest.approx(together.paired.together[0, 1], abs=0.1)
    noise = correlations(np.log(pairs.measured) - np.log(pairs.expected))
    assert np.median(noise) == pytest.approx(together.paired.together[0, 1], abs=0.1)


def test_intervals_of_a_mean_are_wider_and_of_a_target_the_same(together):
    planned = mixture_runs(12, seed=5)
    apart, pairs = (predict(p, planned, seed=0) for p in (replace(together, together=np.eye(2)), together))
    ratio = pairs.measured.mean(axis=2).std(axis=0) / apart.measured.mean(axis=2).std(axis=0)
    assert np.median(ratio) == pytest.approx(np.sqrt(1 + CORRELATION), rel=0.1)
    np.testing.assert_array_equal(np.sort(pairs.expected, axis=0), np.sort(apart.expected, axis=0))


def test_independent_errors_leave_independent_draws():
    found = correlations(np.log(predict(posterior(0.0), mixture_runs(12, seed=5), seed=0).expected))
    assert abs(np.median(found)) < 4 * 0.016


def test_runs_that_lack_a_target_are_left_out():
    found = posterior(CORRELATION, missing=20)
    assert found.paired.together[0, 1] > 0.6
    assert np.median(correlations(np.log(predict(found, mixture_runs(12, seed=5), seed=0).expected))) > 0.4


def test_there_is_nothing_to_pair_in_one_target_or_few_runs():
    assert posterior(CORRELATION, rows=7).paired.together is None
    one = fit(replace(Model.read("regmix_linear"), targets=TARGETS[:1]), mixture_runs(20), seed=0, preview=True)
    assert one.paired is one


def test_pairs_stay_and_are_made_once(together):
    assert together.paired.paired is together.paired
    assert together.paired is together.paired


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_draws_that_never_moved_or_are_not_finite_do_no_harm(together, value):
    """A user may insist on them; they are shown as they are."""
    tree = together.tree.copy(deep=True)
    for group in ("posterior", "unconstrained"):
        for name, values in tree[group].to_dataset().data_vars.items():
            stuck = values.isel(chain=0, draw=0).values
            tree[group][name] = values.copy(data=np.broadcast_to(stuck + value, values.shape))
    bad = replace(together, tree=tree)
    expected = predict(bad, mixture_runs(3, seed=5), seed=0).expected
    assert np.isnan(expected).all() if np.isnan(value) else np.ptp(expected, axis=0).max() == 0


def test_sensitivity_is_of_draws_as_they_were_sampled(together):
    """Weights of prior and likelihood take targets that were sampled apart for independent."""
    planned = mixture_runs(2, seed=5)
    pd.testing.assert_frame_equal(
        sensitivity(together, planned), sensitivity(replace(together, together=np.eye(2)), planned)
    )


def test_diagnostics_are_of_the_order_of_sampling(together):
    assert list(map(str, together.paired.problems())) == list(map(str, together.problems()))


def test_a_gain_in_a_mean_of_targets_that_err_together_is_known_less_well(together):
    problem = Problem(baseline="uniform", bounds=dict.fromkeys(("web", "code", "books"), (0.1, 0.8)))
    apart, pairs = (decide({"a": p}, problem, seed=0) for p in (replace(together, together=np.eye(2)), together))
    assert pairs.gain.std() > 1.15 * apart.gain.std()
    assert not any("err together" in w for w in pairs.warnings)


@pytest.mark.parametrize("name", ["log_student_t", "log_normal", "log_laplace", "normal", "student_t"])
def test_correlated_errors_are_those_of_the_noise(name):
    """Quantiles of either target, and the correlation of normal scores between them."""
    noise, count = NOISES[name], 4000
    numbers = {n: v for n, v in {"sigma": 0.1, "nu": 30.0}.items() if n in noise.quantities}
    root = np.linalg.cholesky([[1.0, 0.7], [0.7, 1.0]])
    with double():
        distribution = noise.function(np.full((count, 2), 3.0), **numbers)
        drawn = np.asarray(sampled(distribution, jax.random.key(0), root))
        plain = np.asarray(distribution.sample(jax.random.key(1)))
    for target in range(2):
        assert stats.ks_2samp(drawn[:, target], plain[:, target]).pvalue > 0.001
    between = stats.spearmanr(*drawn.T)[0]
    # Scales of their own weaken it: by half of what is between normal and Laplace errors.
    least = 0.5 if name == "log_laplace" else 0.6
    assert least < between < 0.72


@pytest.mark.parametrize("name", ["beta", "binomial"])
def test_errors_of_fractions_are_drawn_apart(name):
    extra = {"items": np.full((4000, 2), 50)} if name == "binomial" else {"precision": 50.0}
    root = np.linalg.cholesky([[1.0, 0.9], [0.9, 1.0]])
    with double():
        drawn = np.asarray(sampled(NOISES[name].function(np.full((4000, 2), 0.3), **extra), jax.random.key(0), root))
    assert abs(stats.spearmanr(*drawn.T)[0]) < 4 * 0.016
    assert drawn.mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.slow
def test_intervals_of_a_mean_of_targets_hold():
    """Of the mean of two losses, and of what the next run measures, over 200 tables."""
    planned, inside = mixture_runs(1, targets=TARGETS, seed=5), []
    for seed in range(200):
        found = posterior(CORRELATION, seed=seed)
        drawn = predict(found, planned, seed=seed)
        errors = 0.02 * np.random.default_rng((seed, 1)).standard_normal(2) @ ROOT.T
        truth = law(planned) * np.exp(np.stack([np.zeros(2), errors]))
        for draws, true in zip((drawn.expected, drawn.measured), truth, strict=True):
            low, high = np.quantile(draws[:, 0].mean(axis=1), [0.05, 0.95])
            inside.append(low <= true.mean() <= high)
    covered = np.reshape(inside, (200, 2)).mean(axis=0)
    # Three standard errors; without pairs it would be .79.
    np.testing.assert_allclose(covered, 0.9, atol=3 * np.sqrt(0.9 * 0.1 / 200))
