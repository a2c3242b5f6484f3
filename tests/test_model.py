"""What is printed of models and results, and of laws that are none."""

import pytest

from bayesmix import Model, Problem, Runs, compare, decide, predict
from bayesmix.errors import BayesmixError
from bayesmix.optimum import compute_optimal
from bayesmix.planning import needed, settings
from fakes import chinchilla_values, fake, mixing_values, mixture_runs, scale_runs


def test_a_name_is_no_law():
    with pytest.raises(BayesmixError) as caught:
        Model(law="chinchilla")  # pyright: ignore
    assert str(caught.value) == ('law is \'chinchilla\': give laws.get("chinchilla"), or take Model.read("chinchilla")')


def test_models_and_results_are_printed_in_a_line():
    runs = scale_runs()
    posterior = fake(Model.read("chinchilla"), runs, chinchilla_values(runs))
    planned = Runs.of(runs.table.head(1).drop(columns="loss"), planned=True)
    answer = needed(posterior, settings("D", 1e9, 1e12, {"N": 1e9}), "D", [2.5])
    for value, said in (
        (posterior.model, "<Model chinchilla: law chinchilla, noise log_student_t>"),
        (
            posterior,
            "<Posterior chinchilla: 4 x 250 draws of E, A, B, alpha, beta and 2 more given 24 rows; converged>",
        ),
        (predict(posterior, planned, seed=0), "<Prediction of 1 runs: 1000 draws of loss>"),
        (compute_optimal(posterior, [1e21]), "<Optimum at 1 budgets: 1000 draws of N and D for loss>"),
        (answer, "<Answer: D of 2.5, for loss>"),
    ):
        assert repr(value) == said
    assert repr(compare({"c": posterior})).endswith(" 24 units left out by run; weights c 100%>")
    bad = fake(Model.read("chinchilla"), runs, chinchilla_values(runs), converged=False)
    assert repr(bad).endswith("; not converged>")


def test_a_decision_is_printed_in_a_line():
    mixing = fake(Model.read("ye_m4"), mixture_runs(), mixing_values([[1.0, -2.0, 1.0], [0.5, 0.5, -1.0]]))
    decision = decide(mixing, Problem(bounds={"default": (0.1, 0.7)}), seed=0, draws=100)
    weights = ", ".join(f"{d} {w:.1%}" for d, w in zip(decision.domains, decision.mixture, strict=True))
    gain = decision.gain.mean()
    assert repr(decision) == f"<Decision {weights}: gain {gain:.3g}, better with probability 1.00>"
