"""What is said of a decision: its objective, its constraints, and the size that was chosen with it."""
# ruff: noqa: RUF001 - typographic signs are meant

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bayesmix.decision import Problem
from bayesmix.figures import gain_figure
from bayesmix.report import mixture
from bayesmix.report.blocks import Table, Text
from bayesmix.report.groups import Results, group


def results(posterior, decision):
    return Results(group({"ye_m4": posterior}, ()), decision, {}, {})


def facts(posterior, decision):
    """Return the table of facts, by the words before each."""
    section = mixture.section(results(posterior, decision))
    assert section is not None
    tables = [dict(block.rows) for block in section.blocks if isinstance(block, Table) and len(block.header) == 2]
    return tables[0]


def with_problem(decision, **changes):
    return dataclasses.replace(decision, problem=dataclasses.replace(decision.problem, **changes))


def test_a_function_of_ones_own_is_no_weighted_mean_and_has_no_unit(mixing, decision):
    stated = with_problem(decision, objective={"loss.web": 1.0})
    own = dataclasses.replace(stated, own_objective=True)
    assert mixture.objective_unit(results(mixing, stated)) == "nats/token"
    assert mixture.objective_unit(results(mixing, own)) == ""
    assert gain_figure(own).axes[0].get_xlabel() == "gain over the baseline (units of the objective)"
    said = facts(mixing, own)
    assert said["objective"] == "a function given in Python"
    assert "gain" in said, "without a unit"
    assert mixture.reached(results(mixing, own), own).startswith("an objective, a function given in Python, of 2.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "all targets equally"),
        ({"objective": {"loss.web": 1.0, "loss.code": 2.0}}, "loss.web × 1, loss.code × 2"),
        ({"combine": "worst"}, "the worst of all targets equally"),
        (
            {"combine": "worst excess", "objective": {"loss.web": 1.0}},
            "the worst excess, over the best of each alone, of loss.web × 1",
        ),
    ],
)
def test_how_targets_make_one_objective_is_said(mixing, decision, changes, said):
    assert facts(mixing, with_problem(decision, **changes))["objective"] == said


def test_constraints_that_no_weight_shows_are_said(mixing, decision):
    bare = facts(mixing, decision)
    assert not [words for words in bare if words.startswith(("group", "trusted", "within"))]
    groups = {
        "text": {"domains": ["web", "books"], "least": 0.2, "greatest": 0.6},
        "cost": {"domains": {"web": 1.0, "code": 2.5}, "greatest": 1.5},
    }
    trusted = {"mixture": {"web": 0.5, "code": 0.25, "books": 0.25}, "divergence": 0.1}
    said = facts(mixing, with_problem(decision, groups=groups, trusted=trusted, within="fitted mixtures"))
    assert said["group text"] == "web + books: at least 0.2, at most 0.6"
    assert said["group cost"] == "web × 1 + code × 2.5: at most 1.5"
    assert said["trusted mixture"] == "web 50.0 %, code 25.0 %, books 25.0 %: at most 0.1 nats from it"
    assert said["within"] == "the convex hull of the fitted mixtures"


def test_an_objective_that_nobody_stated_is_of_all_targets(mixing, decision):
    assert mixture.reached(results(mixing, decision), decision).startswith("the mean of all 2 targets of 2.")
    one = dataclasses.replace(decision, targets=("loss.web",))
    assert mixture.reached(results(mixing, one), one).startswith("loss.web 2.")
    higher = dataclasses.replace(decision, targets=("accuracy.a", "accuracy.b"), objective=np.full(9, -0.62))
    assert mixture.reached(results(mixing, higher), higher).startswith("the mean of all 2 targets of 0.62")
    assert mixture.objective_unit(results(mixing, higher)) == ""


@pytest.mark.parametrize(
    ("risk", "N", "half", "twice"),
    [
        ([2.52, 2.5, 2.53], 1e9, "would lose 0.02", "would lose 0.03"),
        ([2.5, 2.52, 2.55], 5e8, "was not tried", "would lose 0.02"),
        ([2.55, 2.52, 2.5], 2e9, "would lose 0.02", "was not tried"),
        ([np.inf, np.inf, 2.5], 1.9e9, "is not possible", "was not tried"),
        ([np.nan, 2.5, 2.52], 1.1e9, "was not tried", "was not tried"),
    ],
)
def test_what_another_size_would_lose_is_said_of_those_tried(mixing, decision, risk, N, half, twice):
    sizes = pd.DataFrame({"N": [5e8, 1e9, 2e9], "D": [4e10, 2e10, 1e10], "risk": risk, "regret": 0.0})
    sized = dataclasses.replace(decision, sizes=sizes, problem=Problem(planned={"N": N, "D": 2e19 / N}))
    section = mixture.section(results(mixing, sized))
    assert section is not None
    (said,) = [b.text for b in section.blocks if isinstance(b, Text) and "are chosen with the mixture" in b.text]
    assert said.endswith(f": half the size {half} at the same compute, twice the size {twice}.")
