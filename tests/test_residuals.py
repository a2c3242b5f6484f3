"""Targets of a run that err together."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmix import Problem, decide
from bayesmix.model import Model
from bayesmix.residuals import FEW, correlation, sentence, widening
from bayesmix.runs import Runs
from fakes import fake, mixture_runs

TARGETS = ("loss.web", "loss.code", "loss.books")
QUANTITIES = {
    "L0": [3.0, 3.1, 3.2],
    "floor": 0.6,
    "t": 1e-6 * np.array([[1.0, 1.0, -2.0]] * 3),
    "sigma": 0.01,
    "nu": 30.0,
}


def posterior(between, rows=400, seed=0):
    """Return a law that is right, and runs whose errors of 1, 2 and 3 % go together."""
    model = replace(Model.read("ye_m4"), targets=TARGETS)
    runs = mixture_runs(rows, targets=TARGETS)
    rng, sd = np.random.default_rng(seed), np.array([0.01, 0.02, 0.03])
    matrix = np.where(np.eye(3, dtype=bool), 1.0, between) * np.outer(sd, sd)
    losses = np.array(QUANTITIES["L0"]) + rng.multivariate_normal(np.zeros(3), matrix, rows)
    table = runs.table.assign(**dict(zip(TARGETS, losses.T, strict=True)))
    return fake(model, Runs.of(table), QUANTITIES), matrix


@pytest.mark.parametrize("between", [0.0, 0.6])
def test_the_correlation_of_residuals_is_that_of_the_errors(between):
    # Ranks of 400 errors know a correlation to 0.05.
    np.testing.assert_allclose(correlation(posterior(between)[0]), np.where(np.eye(3), 1.0, between), atol=0.2)


def test_chance_is_not_taken_for_correlation():
    """Of twelve runs, where independent errors show correlations of .3."""
    found = [correlation(posterior(0.0, rows=12, seed=seed)[0]) for seed in range(20)]
    assert np.mean([np.abs(f[np.triu_indices(3, 1)]).mean() for f in found]) < 0.1


def test_rows_need_not_measure_all_targets():
    """Every row lacks one of three: pairs have a third of the rows."""
    found, _ = posterior(0.6)
    table = found.runs.table.copy()
    for k, target in enumerate(TARGETS):
        table.loc[k::3, target] = np.nan
    again = correlation(fake(found.model, Runs.of(table), QUANTITIES))
    np.testing.assert_allclose(again, np.where(np.eye(3), 1.0, 0.6), atol=0.3)


def test_single_runs_that_diverged_do_not_count():
    found, _ = posterior(0.0)
    table = found.runs.table.copy()
    table.loc[:5, list(TARGETS)] *= 3
    again = fake(found.model, Runs.of(table), QUANTITIES)
    assert widening(again, [1, 1, 1]) < 1.15


def test_a_sum_of_targets_that_err_together_is_known_less_well():
    found, matrix = posterior(0.6)
    v = np.array([1.0, 1.0, 0.0])
    expected = np.sqrt(v @ matrix @ v / (v**2 @ np.diag(matrix)))
    assert widening(found, v) == pytest.approx(expected, rel=0.1)
    # A difference is known better, and so is nothing but one target.
    assert widening(found, [1, -1, 0]) < 0.9
    assert widening(found, [1, 0, 0]) == 1.0


def test_few_runs_say_nothing_of_it():
    assert correlation(posterior(0.6, rows=FEW - 1)[0]) is None
    assert sentence(posterior(0.6, rows=FEW - 1)[0], [1, 1, 1]) == ""


def test_a_decision_says_so_where_it_matters():
    """The mean of three targets, and one of them alone."""
    found, _ = posterior(0.6)
    problem = Problem(baseline="uniform", bounds=dict.fromkeys(("web", "code", "books"), (0.1, 0.8)))
    both = decide({"a": found}, problem, seed=0, draws=200)
    assert any("err together" in w and "1.4 times" in w for w in both.warnings)
    one = decide({"a": found}, replace(problem, objective={"loss.web": 1.0}), seed=0, draws=200)
    assert not any("err together" in w for w in one.warnings)
    none = decide({"a": posterior(0.0)[0]}, problem, seed=0, draws=200)
    assert not any("err together" in w for w in none.warnings)
