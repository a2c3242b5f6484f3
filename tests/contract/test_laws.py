"""What every law of the catalogue must do, whatever its equation."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from bayesmix import laws, ready
from bayesmix.covariates import BY_DOMAIN, COVARIATES
from bayesmix.errors import BayesmixError
from bayesmix.inference.program import Program
from bayesmix.inputs import stacked
from bayesmix.law import OWN, Prior, Reference
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.precision import double

DRAWS = 8
MIXING = [n for n in laws.names() if "w" in laws.get(n).covariates]
FLOORED = [n for n in laws.names() if "E" in laws.get(n).quantities and set(laws.get(n).covariates) <= {*"NDCMUx"}]


def model_of(name):
    ready = Model.read(name)
    return Model(laws.get(name), ready.noise, covariates=ready.covariates)


class Case:
    """A law with draws from its prior at runs of the right kind."""

    def __init__(self, name, synthetic):
        self.name, self.law, self.model = name, laws.get(name), model_of(name)
        self.runs = synthetic(model=self.model)
        self.inputs, self.coordinates = self.model.inputs(self.runs)
        with double():
            self.program = Program(self.model, self.inputs)
            self.u = self.program.prior(np.random.default_rng(3), DRAWS)
            draws = self.program.constrain(self.u, self.inputs)
        self.draws = {n: v for n, v in draws.items() if n in self.law.quantities}

    def mean(self, inputs=None, draws=None):
        with double():
            inputs, draws = inputs or self.inputs, draws or self.draws
            return np.asarray(jax.vmap(lambda values: self.model.mean(values, inputs))(draws))


@pytest.fixture(scope="module", params=laws.names())
def case(request, synthetic):
    """One law at a time, and whatever was compiled for it until the next one's turn."""
    return Case(request.param, synthetic)


def test_the_catalogue_is_not_empty():
    assert {"chinchilla", "constant", "ye_m4"} <= set(laws.names())
    assert MIXING
    assert FLOORED


@pytest.mark.parametrize("name", laws.names())
def test_the_document_states_equation_source_and_number(name):
    document = laws.get(name).document
    assert document.count("$$") >= 2
    assert "\nSource: " in document
    assert "\n>>> " in document


@pytest.mark.parametrize("name", laws.names())
def test_the_paper_is_named(name):
    assert bool(laws.get(name).paper) == (name != "constant")


@pytest.mark.parametrize("name", laws.names())
def test_there_is_a_ready_model_of_the_same_name(name):
    assert name in ready.models()
    assert Model.read(name).law is not None
    assert Model.read(name).law.name == name


@pytest.mark.parametrize("name", laws.names())
def test_the_law_is_found_again_by_its_identifier(name):
    law = laws.get(name)
    assert law.name == law.identifier == name
    assert laws.get(law.identifier) is law
    assert law.family in {"scale", "dynamics", "data", "mixing", "architecture", "downstream", "hyperparameters",
                          "posttraining", "other"}  # fmt: skip


@pytest.mark.parametrize("name", laws.names())
def test_every_unknown_says_what_it_is(name):
    for quantity, declared in laws.get(name).quantities.items():
        if isinstance(declared, Prior):
            assert declared.meaning, quantity
            assert isinstance(declared.unit, str), quantity
            assert declared.unit or not declared.relative, f"{quantity} is relative to a response, so it has its unit"
            assert set(declared.dims) <= {"target", "domain"}, quantity


@pytest.mark.parametrize("name", laws.names())
def test_every_covariate_says_what_it_is(name):
    law = laws.get(name)
    for covariate, about in law.takes.items():
        assert covariate in {*COVARIATES, *law.described}
        assert about.meaning, covariate
        assert about.plausible[0] < about.plausible[1], covariate


@pytest.mark.parametrize("name", laws.names())
def test_every_reference_belongs_to_a_covariate(name):
    law = laws.get(name)
    covariates = [q.covariate for q in law.quantities.values() if isinstance(q, Reference)]
    assert set(covariates) <= {*law.covariates, OWN}
    assert len(set(covariates)) == len(covariates)
    if OWN in covariates:
        assert "w" in law.covariates
        assert law.vector, "targets that have domains of their own are seen all at once"


def test_the_response_is_finite_wherever_the_prior_is(case):
    mean = case.mean()
    targets = case.coordinates.targets
    assert len(targets) >= 2
    assert mean.shape == (DRAWS, len(case.runs), len(targets))
    assert np.isfinite(mean).all()
    assert (mean.std(axis=0) > 0).all(), "draws of the prior must differ in the response"


def test_every_covariate_moves_the_response(case):
    for covariate, values in case.inputs.covariates.items():
        moved = np.roll(values, 1, axis=0)
        inputs = replace(case.inputs, covariates={**case.inputs.covariates, covariate: moved})
        assert np.abs(case.mean(inputs) - case.mean()).max() > 1e-6, covariate


def test_the_law_as_a_function_agrees_with_the_model(case):
    references = case.coordinates.references
    constants = {n: q for n, q in case.law.quantities.items() if isinstance(q, float | int)}
    covariates = {c: v[4] for c, v in case.inputs.covariates.items()}
    values = {n: v[0] if case.law.vector else v[0, 1] for n, v in case.draws.items()}
    alone = case.law(**covariates, **values, **constants, **references)
    expected = case.mean()[0, 4] if case.law.vector else case.mean()[0, 4, 1]
    np.testing.assert_allclose(alone, expected, rtol=1e-12)


def test_gradients_are_finite_and_right(case):
    direction, step = np.random.default_rng(1).standard_normal(case.program.size), 1e-5
    points = np.concatenate([case.u, case.u + step * direction, case.u - step * direction])
    with double():
        values, gradients = (found[0] for found in case.program.density(points[None], stacked([case.inputs])))
    assert np.isfinite(values).all()
    assert np.isfinite(gradients).all()
    here, ahead, behind = np.split(values, 3)
    for i, slope in enumerate((ahead - behind) / (2 * step)):
        assert slope == pytest.approx(float(gradients[i] @ direction), rel=1e-4, abs=1e-6 * abs(here[i]))


@pytest.mark.parametrize("case", MIXING, indirect=True)
def test_the_order_of_domains_does_not_matter(case):
    order = np.array([2, 0, 1])
    domain = [q for q, p in case.law.quantities.items() if isinstance(p, Prior) and "domain" in p.dims]
    draws = {
        n: np.take(v, order, axis=1 + case.model.dims(n).index("domain")) if n in domain else v
        for n, v in case.draws.items()
    }
    references = {
        n: v[..., order] if case.model.references[n] in ("w", OWN) else v for n, v in case.inputs.references.items()
    }
    covariates = {c: v[:, order] if c in BY_DOMAIN else v for c, v in case.inputs.covariates.items()}
    inputs = replace(case.inputs, covariates=covariates, references=references)
    np.testing.assert_allclose(case.mean(inputs, draws), case.mean(), rtol=1e-12)
    forgotten = case.mean(replace(case.inputs, covariates=covariates))
    assert not np.allclose(forgotten, case.mean(), rtol=1e-6), "the order of the domains must matter to the arrays"


@pytest.mark.parametrize("name", laws.names())
def test_an_unknown_name_is_answered_with_the_known_ones(name):
    law = laws.get(name)
    with pytest.raises(BayesmixError) as caught:
        law.given(xxxxxxxx=1.0)
    assert str(caught.value) == f"law {name} has no quantity 'xxxxxxxx'. Known: {', '.join(sorted(law.quantities))}"


@pytest.mark.parametrize("case", FLOORED, indirect=True)
def test_the_loss_tends_to_the_floor(case):
    huge = {c: v if c == "M" else v * 1e250 for c, v in case.inputs.covariates.items()}
    mean = case.mean(replace(case.inputs, covariates=huge))
    floor = np.broadcast_to(case.draws["E"][:, None, :], mean.shape)
    np.testing.assert_allclose(mean, floor, rtol=1e-4)
    assert (case.mean() > floor * 1.001).all(), "a floor must not be reached by the runs themselves"


def test_priors_mean_the_same_in_any_unit(case, synthetic):
    """With losses ten times larger and N, D, U a thousand times larger, only the unit may change."""
    unit = 10.0 if case.law.response in ("loss", "score", "optimum") else 1.0
    inputs, _ = case.model.inputs(synthetic(unit=unit, size=1e3, model=case.model))
    np.testing.assert_allclose(inputs.scale, unit * case.inputs.scale, rtol=1e-12)
    with double():
        draws = case.program.constrain(case.u, inputs)
        scaled = case.mean(inputs, {n: v for n, v in draws.items() if n in case.law.quantities})
        np.testing.assert_allclose(scaled / inputs.scale, case.mean() / case.inputs.scale, rtol=1e-9)
        first = {n: v[0] for n, v in draws.items()}
        before = {n: v[0] for n, v in case.program.constrain(case.u, case.inputs).items()}
        for noise in NOISES.values():
            if noise.name in ("beta", "binomial") or (case.law.response == "score" and noise.name.startswith("log_")):
                continue  # of fractions, which have no unit, or of positive responses only
            responses = []
            for at, values, mean in ((case.inputs, before, case.mean()[0]), (inputs, first, scaled[0])):
                sigma = 0.01 * (at.scale if noise.quantities["sigma"].relative else 1.0)
                model = replace(case.model, noise=noise)
                measured = model.measured({**values, "sigma": sigma, "nu": 4.0}, mean, at)
                responses.append(measured.sample(jax.random.key(0)) / at.scale)
            np.testing.assert_allclose(*responses, rtol=1e-9, err_msg=noise.name)
