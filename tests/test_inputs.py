from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from bayesmix.errors import InputError
from bayesmix.evaluation import log_likelihood
from bayesmix.inference.program import Program
from bayesmix.inputs import stacked
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import double
from bayesmix.runs import Runs
from fakes import fake, mixing_values

CHINCHILLA = Model.read("chinchilla")
YE = Model.read("ye_m4")
LINK = Model.read("gadre_error")


def mixtures(order=("web", "code", "books"), targets=("loss.web", "loss.code"), **changes):
    rng = np.random.default_rng(0)
    w = dict(zip(("web", "code", "books"), rng.dirichlet([1, 1, 1], 6).T, strict=True))
    losses = {"loss.web": rng.uniform(2, 3, 6), "loss.code": rng.uniform(1, 2, 6)}
    table = {f"w.{d}": w[d] for d in order} | {t: losses[t] for t in targets} | changes
    return Runs.of(pd.DataFrame(table))


def fault_of(model, runs, like=None):
    with pytest.raises(InputError) as caught:
        model.inputs(runs, like)
    return str(caught.value)


def test_references_are_geometric_means():
    runs = Runs.of(pd.DataFrame({"N": [1e8, 1e10], "D": [1e9, 4e9], "loss.a": [4.0, 1.0], "bpb": [1.0, 0.25]}))
    inputs, coordinates = CHINCHILLA.inputs(runs)
    assert coordinates.references == pytest.approx({"N0": 1e9, "D0": 2e9})
    assert coordinates.targets == ("loss.a", "bpb")
    assert coordinates.scale == pytest.approx((2.0, 0.5))
    assert inputs.references["N0"] == pytest.approx(1e9)
    assert inputs.shape(("target", "domain")) == (2, 0)


def test_the_reference_mixture_is_the_mean_mixture():
    inputs, coordinates = YE.inputs(mixtures())
    np.testing.assert_allclose(coordinates.references["w0"], inputs.covariates["w"].mean(axis=0))
    assert sum(coordinates.references["w0"]) == pytest.approx(1)
    assert coordinates.of("domain") == ("web", "code", "books")
    assert coordinates.of("target") == ("loss.web", "loss.code")


def test_a_fixed_reference_is_not_resolved():
    _, coordinates = CHINCHILLA.given(N0=1).inputs(
        Runs.of(pd.DataFrame({"N": [1e8, 1e10], "D": [1e9, 4e9], "loss": [4.0, 1.0]}))
    )
    assert set(coordinates.references) == {"D0"}


def test_what_was_not_measured_is_masked_and_filled_with_the_scale():
    runs = mixtures(**{"loss.web": [2.0, np.nan, 2.0, 4.0, 1.0, np.nan]})
    inputs, _ = YE.inputs(runs)
    np.testing.assert_array_equal(inputs.observed[:, 0], [True, False, True, True, True, False])
    assert inputs.observed[:, 1].all()
    assert inputs.scale[0] == pytest.approx(2.0)
    np.testing.assert_allclose(inputs.response[:, 0], [2, 2, 2, 4, 1, 2])


def test_what_was_not_measured_has_no_say():
    seen = mixtures(**{"loss.web": [2.0, 2.5, 2.0, 4.0, 1.0, np.nan]})
    inputs, _ = YE.inputs(seen)
    moved = replace(inputs, response=np.where(inputs.observed, inputs.response, 99.0))
    with double():
        program = Program(YE, inputs)
        u = np.random.default_rng(0).normal(0, 0.3, program.size)
        batch = stacked([inputs, moved, replace(inputs, response=1.1 * inputs.response)])
        values, gradients = program.density(np.stack([[u]] * 3), batch)
    assert values[0] == values[1]
    np.testing.assert_array_equal(gradients[0], gradients[1])
    assert np.isfinite(gradients).all()
    assert values[0] != values[2], "what was measured has a say"


def test_a_run_that_was_not_measured_has_a_log_likelihood_of_zero():
    model = replace(YE, targets=("loss.web",))
    posterior = fake(model, mixtures(**{"loss.web": [2.0, 2.5, 2.0, 4.0, 1.0, np.nan]}), mixing_values([[1, 0, -1]]))
    of_runs = log_likelihood(posterior, np.arange(6))
    assert (of_runs[..., 5] == 0).all()
    assert (of_runs[..., :5] != 0).all()


def test_reordered_domains_give_the_same_arrays():
    first, coordinates = YE.inputs(mixtures())
    second, again = YE.inputs(mixtures(order=("books", "web", "code")), coordinates)
    assert again is coordinates
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_reordered_targets_give_the_same_arrays():
    first, coordinates = YE.inputs(mixtures())
    second, _ = YE.inputs(mixtures(targets=("loss.code", "loss.web")), coordinates)
    np.testing.assert_array_equal(first.response, second.response)


def test_planned_runs_are_seen_in_the_units_of_the_fit():
    _, coordinates = YE.inputs(mixtures())
    planned = Runs.of(pd.DataFrame({"w.web": [1.0], "w.code": [0.0], "w.books": [0.0]}), planned=True)
    inputs, _ = YE.inputs(planned, coordinates)
    assert inputs.references["w0"].tolist() == coordinates.references["w0"]
    assert inputs.scale.tolist() == list(coordinates.scale)
    assert not inputs.observed.any()
    assert inputs.response.shape == (1, 2)


def test_other_domains_than_those_of_the_fit_are_refused():
    _, coordinates = YE.inputs(mixtures())
    other = Runs.of(pd.DataFrame({"w.web": [0.5], "w.maths": [0.5]}), planned=True)
    assert fault_of(YE, other, coordinates) == (
        "frame for model ye_m4: 1 fault\n"
        "  domains are web, maths, but the fit had web, code, books. Give each a weight, 0 where it is not used"
    )


def test_a_missing_column_is_named_with_the_closest_one():
    runs = Runs.of(pd.DataFrame({"N": [1e8, 1e9], "Dd": ["1", "2"], "loss": [2.0, 3.0]}))
    assert fault_of(CHINCHILLA, runs) == (
        "frame for model chinchilla: 1 fault\n  no column 'D' (covariate 'D' of law chinchilla). "
        "Did you mean 'Dd'? Or name its column in the model: covariates = { D = \"...\" }"
    )


def test_every_missing_column_is_named_at_once():
    runs = Runs.of(pd.DataFrame({"family": ["a", "b"], "loss": [2.0, 3.0]}))
    text = fault_of(replace(CHINCHILLA, pooling={"E": Pooling("famly", "none")}), runs)
    assert "3 faults" in text
    assert "no column 'N'" in text
    assert "no column 'D'" in text
    assert "there is no label column 'famly' to pool over. Did you mean 'family'?" in text


def test_a_covariate_without_a_value_is_named_by_its_run():
    runs = Runs.of(pd.DataFrame({"run": ["a", "b"], "loss": [np.nan, 2.5], "error": [0.3, 0.4]}))
    assert fault_of(LINK, runs) == (
        "frame for model gadre_error: 1 fault\n"
        "  run a: loss has no value, but law gadre_error needs it. Give it, or leave the run out"
    )


def test_an_unknown_level_is_refused(synthetic):
    model = replace(CHINCHILLA, pooling={"E": Pooling("family", "partial")})
    runs = synthetic()
    _, coordinates = model.inputs(runs.where("family!=wide"))
    assert fault_of(model, runs, coordinates) == (
        "frame for model chinchilla: 1 fault\n  family = wide was not among the runs of the fit. Known: dense, sparse"
    )
    part, _ = model.inputs(runs.where("family=sparse"), coordinates)
    assert set(part.groups["family"]) == {1}


@pytest.mark.parametrize(
    ("model", "frame", "fault"),
    [
        (
            CHINCHILLA,
            {"N": [1e8, 1e9], "D": [1e9, 1e10], "accuracy": [0.2, 0.3]},
            "law chinchilla predicts loss or bpb, but the targets are: accuracy. "
            "Name the column by its kind, e.g. loss.web",
        ),
        (
            replace(CHINCHILLA, targets=("loss.wbe",)),
            {"N": [1e8, 1e9], "D": [1e9, 1e10], "loss.web": [2.0, 3.0]},
            "there is no target 'loss.wbe'. Did you mean 'loss.web'?",
        ),
        (
            LINK,
            {"loss": [2.0, 3.0], "error": [0.0, 0.0]},
            "error is 0 in every run, so it has no scale. Leave it out: targets = [...]",
        ),
        (
            replace(LINK, noise=NOISES["beta"]),
            {"loss": [2.0, 3.0], "error": [0.5, 1.0]},
            "run 2: error is 1, which has no density under noise beta. "
            "Choose the noise normal or student_t, or binomial with columns items.<target>",
        ),
    ],
)
def test_targets_that_the_model_cannot_predict_are_explained(model, frame, fault):
    text = fault_of(model, Runs.of(pd.DataFrame(frame)))
    assert text == f"frame for model {model.name}: 1 fault\n  {fault}"


def test_binomial_needs_the_number_of_items():
    model = replace(LINK, noise=NOISES["binomial"])
    runs = Runs.of(pd.DataFrame({"loss": [2.0, 3.0], "error.arc": [0.25, 0.5]}))
    assert fault_of(model, runs).endswith(
        "noise binomial needs the number of evaluation items. Add columns items.<target>, or choose the noise beta"
    )


def test_what_is_no_number_of_items_is_named():
    model = replace(LINK, noise=NOISES["binomial"])
    error, items = [0.333, 0.333, 0.33, 1 / 3, 0.41234567, np.nan, 0.5], [10, 1000, 164, 150, 14042, 10, 3]
    frame = pd.DataFrame({"loss": np.linspace(2, 3, 7), "error.arc": error, "items.error.arc": items})
    assert fault_of(model, Runs.of(frame)).splitlines()[1:] == [
        "  run 1: error.arc is 0.333 of 10 items: 3.33, no whole number. "
        "Correct items.error.arc, or choose the noise beta if it is a weighted mean",
        "  run 5: error.arc is 0.41234567 of 14042 items: 5790.1579, no whole number. "
        "Correct items.error.arc, or choose the noise beta if it is a weighted mean",
        "  run 7: error.arc is 0.5 of 3 items: 1.5, no whole number. "
        "Correct items.error.arc, or choose the noise beta if it is a weighted mean",
    ]
    assert LINK.inputs(Runs.of(frame))[0].observed.sum() == 6, "other noises do not count"


def test_a_missing_count_of_items_does_not_reach_the_gradient():
    model = replace(LINK, noise=NOISES["binomial"])
    frame = {"loss": [2.0, 2.5, 3.0], "error.arc": [0.25, np.nan, 0.5], "items.error.arc": [100, np.nan, 100]}
    inputs, _ = model.inputs(Runs.of(pd.DataFrame(frame)))
    assert inputs.items.ravel().tolist() == [100, 100, 100]
    with double():
        program = Program(model, inputs)
        value, gradient = program.density(np.full((1, 1, program.size), 0.1), stacked([inputs]))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("order", [("web", "code", "books"), ("books", "code", "web")])
def test_domains_keep_the_order_of_the_table(order):
    assert YE.inputs(mixtures(order=order))[1].domains == order


COUNTED = replace(LINK, noise=NOISES["binomial"])


@pytest.mark.parametrize(("stated", "items"), [({}, [100.0, 100.0]), ({"items.error.arc": [50, 200]}, [50.0, 200.0])])
def test_planned_runs_have_as_many_items_as_is_usual_unless_they_say(stated, items):
    frame = {"loss": [2.0, 2.5, 3.0], "error.arc": [0.25, 0.3, 0.5], "items.error.arc": [100, 100, 80]}
    like = COUNTED.inputs(Runs.of(pd.DataFrame(frame)))[1]
    planned = Runs.of(pd.DataFrame({"loss": [1.8, 1.9], **stated}), planned=True)
    assert COUNTED.inputs(planned, like)[0].items.ravel().tolist() == items


def test_runs_that_did_not_measure_a_counted_target_need_no_count():
    targets = ("error.arc", "error.piqa")
    frame = {"loss": [2.0, 2.5, 3.0]} | {t: [0.25, 0.3, 0.5] for t in targets} | {f"items.{t}": 100 for t in targets}
    both = replace(COUNTED, targets=targets)
    like = both.inputs(Runs.of(pd.DataFrame(frame)))[1]
    only = pd.DataFrame({"loss": [1.8], "error.piqa": [0.2], "items.error.piqa": [100]})
    assert both.inputs(Runs.of(only), like)[0].observed.tolist() == [[False, True]]


@pytest.mark.parametrize("response", [-0.1, 1.2])
def test_shares_outside_of_one_have_no_density_as_beta(response):
    assert NOISES["beta"].excludes(np.array([0.5, response])).tolist() == [False, True]


def test_a_reference_of_a_column_with_zeros_names_the_runs():
    runs = Runs.of(pd.DataFrame({"lr": [0.0, 1e-3, -1.0], "loss": [3.0, 2.9, 2.8]}))
    model = replace(Model.read("alab_m2"), covariates={"x": "lr"})
    text = fault_of(model, runs)
    assert "2 faults" in text
    assert "run 1: lr is 0, and must be positive to have a geometric mean" in text
    assert "run 3: lr is -1" in text


def test_planned_runs_in_another_order_of_domains_that_say_nothing_of_what_runs_out():
    model = Model.read("effective_tokens_repeated")
    rng = np.random.default_rng(0)
    w = rng.dirichlet([1, 1], 8)
    frame = {"N": np.geomspace(1e8, 1e9, 8), "D": np.geomspace(1e9, 1e10, 8), "w.web": w[:, 0], "w.code": w[:, 1]}
    runs = Runs.of(pd.DataFrame(frame | {"unique.code": 1e9, "loss": np.linspace(3, 2, 8)}))
    planned = Runs.of(pd.DataFrame({"N": [1e9], "D": [1e10], "w.code": [0.5], "w.web": [0.5]}), planned=True)
    assert "no column 'unique'" in fault_of(model, planned, model.inputs(runs)[1])
