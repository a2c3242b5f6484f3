import numpy as np
import numpyro
import pytest
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.errors import BayesmixError, InputError
from bayesmix.inference.program import Program
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling, shifted
from bayesmix.precision import double

DRAWS = 2000
NORMAL = NOISES["log_normal"]


def model_of(law="chinchilla", targets=("loss.web", "loss.code"), **pooling):
    return Model(Model.read(law).law, NORMAL, targets=targets, pooling=pooling)


def sites(model, inputs):
    with double():
        trace = numpyro.handlers.trace(numpyro.handlers.seed(model, 0)).get_trace(inputs)
    return {n: np.shape(s["value"]) for n, s in trace.items() if n != "response"}


def prior_draws(model, runs, name, draws=DRAWS):
    inputs, _ = model.inputs(runs)
    with double():
        program = Program(model, inputs)
        return program.constrain(program.prior(np.random.default_rng(0), draws), inputs)[name], inputs


@pytest.mark.parametrize("kind", ["complete", "none", "partial"])
def test_shapes_and_dims_follow_the_kind(kind, synthetic):
    model = model_of(E=Pooling("family", kind), alpha=Pooling("family", kind), sigma=Pooling("family", kind))
    inputs, coordinates = model.inputs(synthetic())
    got = sites(model, inputs)
    varies = kind != "complete"
    shape, dims = ((3, 2), ("family", "target")) if varies else ((2,), ("target",))
    for name in ("E", "alpha", "sigma"):
        assert got[name] == shape
        assert model.dims(name) == dims
    assert got["beta"] == (2,)
    assert coordinates.levels == ({"family": ("dense", "sparse", "wide")} if varies else {})
    if kind == "partial":
        assert got["alpha.population"] == (2,)
        assert got["alpha.spread"] == ()
        assert got["alpha.offset"] == (3, 2)
        assert got["E.relative.population"] == (2,)
    else:
        assert not any(n.endswith((".population", ".spread", ".offset")) for n in got)


def test_an_effect_of_domains_is_pooled_with_its_zero_sum(synthetic):
    model = model_of("ye_m4", t=Pooling("family", "partial", 2.0), floor=Pooling("family", "none"))
    t, inputs = prior_draws(model, synthetic(), "t", 50)
    assert t.shape == (50, 3, 2, 3)
    assert model.dims("t") == ("family", "target", "domain")
    np.testing.assert_allclose(t.sum(axis=-1), 0, atol=1e-12)
    assert (t.std(axis=1) > 1e-6).all(), "groups must differ"
    assert sites(model, inputs)["floor"] == (3, 2)


def test_every_run_gets_the_value_of_its_group(synthetic):
    model = model_of(E=Pooling("family", "none"))
    inputs, _ = model.inputs(synthetic())
    values = {n: np.zeros(2) for n in ("A", "B", "alpha", "beta", "sigma")}
    E = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with double():
        mean = np.asarray(model.mean({**values, "E": E}, inputs))
    level = {"dense": 0, "sparse": 1, "wide": 2}
    np.testing.assert_array_equal(mean, [E[level[f]] for f in synthetic().table["family"]])


def test_every_run_gets_the_noise_of_its_group(synthetic):
    model = model_of(sigma=Pooling("family", "none"))
    inputs, _ = model.inputs(synthetic())
    sigma = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    with double():
        got = model.measured({"sigma": sigma}, np.ones((12, 2)), inputs).log_prob(np.ones((12, 2)))
    expected = -np.log(sigma[inputs.groups["family"]]) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(got, expected)


@pytest.mark.parametrize("name", ["alpha", "E"])
@pytest.mark.parametrize(("spread", "correlation"), [(1e-6, 1.0), (1e2, 0.0)])
def test_partial_pooling_lies_between_complete_and_none(name, spread, correlation, synthetic):
    """Correlation of two groups over draws of the prior, within 4 standard errors of that of two independent ones."""
    model = model_of(**{name: Pooling("family", "partial", spread)})
    draws, _ = prior_draws(model, synthetic(), name)
    # Values reach from exp(-100) to exp(100): their ranks are compared.
    ranks = draws[:, :2, 0].argsort(axis=0).argsort(axis=0)
    got = np.corrcoef(ranks.T)[0, 1]
    assert got == pytest.approx(correlation, abs=4 / np.sqrt(DRAWS))
    if correlation == 1.0:
        np.testing.assert_allclose(draws[:, 0], draws[:, 1], rtol=1e-4)


def test_a_partially_pooled_quantity_has_the_population_as_its_centre(synthetic):
    model = model_of(alpha=Pooling("family", "partial", 0.3))
    inputs, _ = model.inputs(synthetic())
    with double():
        program = Program(model, inputs)
        drawn = program.constrain(program.prior(np.random.default_rng(0), DRAWS), inputs)
    z = np.log(drawn["alpha"] / drawn["alpha.population"][:, None]) / drawn["alpha.spread"][:, None, None]
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / z.size)
    tau = drawn["alpha.spread"]
    assert abs((tau**2).mean() / 0.09 - 1) < 4 * np.sqrt(2 / DRAWS)


@pytest.mark.parametrize(
    ("one", "population", "expected"),
    [
        (LogNormal(0, 1), 2.0, 2.0 * np.exp(0.5)),
        (Normal(0, 1), 2.0, 2.5),
        (Beta(1, 1), 0.5, 1 / (1 + np.exp(-0.5))),
    ],
)
def test_the_shift_is_on_the_unconstrained_scale(one, population, expected):
    assert float(shifted(one, population, 0.5, False)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("family", "some"), "its kind is 'some'. Write one of complete, none, partial"),
        (("family", "partial", 0.0), "its spread is 0.0. Write a finite number above 0"),
        (("family", "partial", float("nan")), "its spread is nan. Write a finite number above 0"),
        (("family", "partial", float("inf")), "its spread is inf. Write a finite number above 0"),
        (("family", "partial", "x"), "its spread is 'x'. Write a finite number above 0"),
        (("family", "partial", True), "its spread is True. Write a finite number above 0"),
        ((3, "partial"), "it is by 3. Write the name of a label column in quotes"),
        (("", "partial"), "it is by ''. Write the name of a label column in quotes"),
        (
            ("target", "partial"),
            "it is by 'target', a dimension of its own: every target has its own quantities. "
            "Pool by a label column of another name",
        ),
    ],
)
def test_an_impossible_pooling_says_why(arguments, text):
    with pytest.raises(InputError) as caught:
        Pooling(*arguments)
    assert str(caught.value) == f"pooling: 1 fault\n  {text}"


def test_everything_that_is_wrong_with_a_pooling_is_one_error():
    with pytest.raises(InputError) as caught:
        Pooling(3, ["some"], "x")
    assert [f.what for f in caught.value.faults] == ["its kind is ['some']", "it is by 3", "its spread is 'x'"]


def test_a_column_that_is_not_there_is_named(synthetic):
    with pytest.raises(InputError) as caught:
        model_of(E=Pooling("famly", "none")).inputs(synthetic())
    assert str(caught.value) == (
        "frame for model chinchilla: 1 fault\n  there is no label column 'famly' to pool over. Did you mean 'family'?"
    )


def test_only_unknown_quantities_are_pooled():
    with pytest.raises(BayesmixError) as caught:
        model_of(N0=Pooling("family", "none"))
    assert str(caught.value).startswith("model chinchilla: unknown pooled quantity 'N0'. ")
