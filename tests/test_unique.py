"""Columns unique.<domain>: how many different tokens there are to read."""

import numpy as np
import pandas as pd
import pytest

from bayesmix.card import Card
from bayesmix.decision import Problem, decide, propose
from bayesmix.errors import InputError
from bayesmix.model import Model
from bayesmix.prediction import predict
from bayesmix.runs import Runs
from fakes import fake

FRAME = {"N": [1e8, 2e8], "D": [1e9, 2e9], "w.web": [0.6, 0.5], "w.code": [0.4, 0.5], "loss.web": [3.0, 2.9]}


def runs(**more) -> Runs:
    return Runs.of(pd.DataFrame({**FRAME, **more}))


def test_a_domain_without_a_column_or_a_number_never_runs_out():
    table = runs(**{"unique.code": ["", "3e8"]})
    np.testing.assert_array_equal(table.column("unique"), [[np.inf, np.inf], [np.inf, 3e8]])
    assert table.symbols == ("N", "D", "C", "M", "w", "unique")


def test_what_was_written_is_read_back(tmp_path):
    table = runs(**{"unique.code": ["", "3e8"]})
    (tmp_path / "runs.csv").write_text(table.text())
    again = Runs.read(tmp_path / "runs.csv")
    np.testing.assert_array_equal(again.column("unique"), table.column("unique"))
    assert again.hash == table.hash


def test_the_unit_is_stated_for_all_domains():
    table = Runs.of(pd.DataFrame({**FRAME, "unique.code": [0.3, 0.3]}), Card(units={"unique": "billions"}))
    np.testing.assert_allclose(table.column("unique")[:, 1], 3e8)


def test_numbers_that_cannot_be_counts_and_domains_without_weights_are_faults():
    with pytest.raises(InputError) as caught:
        runs(**{"unique.code": [0, 3e8], "unique.book": [1e8, 1e8]})
    text = str(caught.value)
    assert "unique.code is 0.0, expected a finite number above 0 (tokens)" in text
    assert "column 'unique.book' counts tokens of a domain without a weight" in text


def test_a_law_that_needs_them_gets_them_in_the_order_of_the_fit():
    model = Model.read("effective_tokens_repeated")
    fitted = runs(**{"unique.code": [3e8, 3e8]})
    _, coordinates = model.inputs(fitted)
    turned = Runs.of(fitted.table[["N", "D", "w.code", "w.web", "unique.code", "loss.web"]])
    inputs, _ = model.inputs(turned, coordinates)
    np.testing.assert_array_equal(inputs.covariates["unique"], [[np.inf, 3e8]] * 2)
    np.testing.assert_array_equal(inputs.covariates["w"], fitted.column("w"))


def test_a_law_that_needs_them_says_so():
    with pytest.raises(InputError, match="no column 'unique'"):
        Model.read("effective_tokens_repeated").inputs(runs())


REPEATED = Model.read("effective_tokens_repeated")
# E = 1.5, A = 0.3, B = 0.8, alpha = beta = 0.3.
VALUES = {"L0": 2.6, "floor": 1.5 / 2.6, "split": 0.3 / 1.1, "kN": 0.3 * 0.3 / 2.6, "kD": 0.3 * 0.8 / 2.6, "rho": 0.5,
          "R": 5.0, "epsilon": 1e-3, "rise": 1e9, "tau": 1.0, "t": [[-1.0, 1.0]], "sigma": 0.003,
          "nu": 30.0}  # fmt: skip


def decided(**parts):
    w = np.linspace(0.2, 0.8, 6)
    columns = {"N": 1e8, "D": 1e10, "w.web": w, "w.code": 1 - w, "unique.code": 5e8, "loss.code": 3 - 0.2 * w}
    posterior = fake(REPEATED, Runs.of(pd.DataFrame(columns)), VALUES)
    return decide(posterior, Problem.of({"planned": {"N": 1e8, "D": 1e10}, **parts}), seed=0, draws=50).mixture


def test_a_decision_weighs_what_repeated_tokens_are_still_worth():
    """The less there is of the better domain the smaller its share, though it may be read as often as one likes."""
    code = [decided(available={"code": tokens}, epochs={"default": 1e3})[1] for tokens in (1e11, 1e9, 1e8)]
    assert code[0] > code[1] + 0.02
    assert code[1] > code[2] + 0.02
    assert decided(available={"code": 1e8}, epochs={"default": 4})[1] == pytest.approx(0.04, abs=1e-6)


def test_a_decision_by_such_a_law_needs_to_know_what_is_available():
    with pytest.raises(InputError, match=r"needs unique of the planned run. State the tokens .*: \[available\]"):
        decided()


def test_runs_that_are_proposed_can_be_predicted_by_such_a_law():
    w = np.linspace(0.2, 0.8, 6)
    columns = {"N": 1e8, "D": 1e10, "w.web": w, "w.code": 1 - w, "unique.code": 5e8, "loss.code": 3 - 0.2 * w}
    t = np.array([[-1.0, 1.0]]) * (1 + 0.3 * np.random.default_rng(0).standard_normal((1000, 1, 1)))
    posterior = fake(REPEATED, Runs.of(pd.DataFrame(columns)), {**VALUES, "t": t})
    problem = Problem(planned={"N": 1e8, "D": 1e10}, available={"code": 5e8}, epochs={"default": 1e3})
    proposal = propose(posterior, problem, seed=0, by="information", most=1)
    assert proposal.runs()["unique.code"].tolist() == [5e8]
    predict(posterior, Runs.of(proposal.runs(), planned=True), seed=0)
