"""What every ready model must do."""

import re

import jax
import numpy as np
import pytest
from numpyro.distributions import biject_to

from bayesmix import modelfile, ready
from bayesmix.covariates import BY_DOMAIN
from bayesmix.inference.program import Program
from bayesmix.law import Prior, Reference
from bayesmix.model import Model
from bayesmix.precision import double
from bayesmix.priors import draw

MODELS = ready.models()
DRAWS = 100
FITS = [(name, fit) for name in MODELS for fit in Model.read(name).published]
# One observation on which every published law makes sense; w is uniform over the domains of the fit, and what is not
# here is in the middle of its usual range.
OBSERVATION = {"N": 1e9, "D": 2e10, "U": 1e10, "C": 1.2e20, "M": 20.0, "x": 2e10, "L": 2.8}
# At that observation but for what is stated, computed from the formulas of the papers without the code of the laws, of
# fits that no other test holds to a number.
SHAPE = {"width": 1024, "depth": 28}
VALUES = [
    ("gadre_error", "gadre2024_c4_17tasks", {}, 0.599436544),
    ("gadre_error", "gadre2024_redpajama_17tasks", {}, 0.558645365),
    ("gadre_error", "gadre2024_refinedweb_17tasks", {}, 0.559381910),
    ("gadre_error", "gadre2024_c4_46tasks", {}, 0.674203521),
    ("gadre_error", "gadre2024_redpajama_46tasks", {}, 0.651551886),
    ("gadre_error", "gadre2024_refinedweb_46tasks", {}, 0.654620617),
    ("gadre_overtraining", "gadre2024_c4", {}, 2.74244010),
    ("gadre_overtraining", "gadre2024_refinedweb", {}, 2.84626477),
    ("vocab_loss", "tao2024", {"vocabulary_parameters": 64e6}, 4.87965309),
    ("chinchilla", "mcleish2025_hot", {}, 2.86227143),
    ("gemstones_width_depth", "mcleish2025_hot_100b", SHAPE, 2.92629096),
    ("gemstones_width_depth_size", "mcleish2025_hot", SHAPE, 2.90127547),
    ("chinchilla", "krajewski2024_dense", {}, 2.98030515),
    ("frantar_sparsity", "frantar2023_vit", {"sparsity": 0.0}, 4.76222246),
    ("frantar_sparsity", "frantar2023_vit", {"sparsity": 0.75}, 4.70298547),
    ("diloco_optimum", "charles2025_inner_learning_rate", {"replicas": 1}, 2.53015491e-4),
    ("diloco_optimum", "charles2025_inner_learning_rate", {"replicas": 4}, 3.79743618e-4),
    ("diloco_optimum", "charles2025_global_batch", {"replicas": 1}, 119.164319),
    ("diloco_optimum", "charles2025_global_batch", {"replicas": 4}, 190.891428),
    ("kaplan_univariate", "clark2022_dense", {}, 2.26510917),
    ("alab_m1", "kaplan2020_tokens", {}, 2.11826143),
    ("alab_m1", "hestness2017_word_lm", {}, 2.48701830),
    ("step_law", "bergsma2025_critical_batch", {}, 2704.56090),
    ("multi_power_law", "luo2025_25M", {"area": 7.0, "annealed": 0.5}, 3.29032153),
    ("multi_power_law", "luo2025_100M", {"area": 7.0, "annealed": 0.5}, 2.96613427),
    ("multi_power_law", "luo2025_400M", {"area": 7.0, "annealed": 0.5}, 2.73727991),
]
# Of responses that have no limits of their own.
BELIEVABLE = {"loss": (0.5, 8.0), "bpb": (0.2, 4.0), "score": (-1e3, 1e3), "optimum": (0.0, np.inf)}


def judged(model):
    """Return the priors of the law that a published number can be held against.

    Left out is what depends on the runs: what is relative to their response, or means something at a reference. And
    what every domain has its own of: least squares puts the effect of one that says little anywhere.
    """
    references = {n for n, q in model.law.quantities.items() if isinstance(q, Reference)}
    return {
        n: q.distribution
        for n, q in model.law.quantities.items()
        if isinstance(q, Prior)
        and not q.relative
        and not q.dims
        and not references & set(re.findall(r"\w+", q.meaning))
    }


JUDGED = [(name, fit) for name, fit in FITS if judged(Model.read(name))]


def usual(about):
    low, high = about.plausible
    return np.sqrt(low * high) if low > 0 else (low + high) / 2


def observed(model):
    """Return the covariates of the observation, but for those of domains."""
    return {
        c: OBSERVATION.get(model.columns[c], OBSERVATION.get(c, usual(about)))
        for c, about in model.law.takes.items()
        if c not in BY_DOMAIN
    }


def test_there_are_ready_models():
    assert "chinchilla" in MODELS
    assert len(JUDGED) > 0.8 * len(FITS)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_reads_and_says_what_it_is_for(name):
    model = Model.read(name)
    assert model.name == name
    assert model.description.endswith(".")
    assert modelfile.dumps(model) == modelfile.dumps(modelfile.read(MODELS[name]))


@pytest.mark.parametrize("name", MODELS)
def test_the_file_says_nothing_that_the_law_says_already(name):
    model = Model.read(name)
    again = modelfile.dumps(model)
    assert ("[priors]" in again) == ("[priors]" in MODELS[name].read_text())


@pytest.mark.parametrize("name", MODELS)
def test_written_and_read_again_it_is_the_same(name):
    model = Model.read(name)
    text = modelfile.dumps(model)
    again = modelfile.loads(text)
    assert modelfile.dumps(again) == text
    assert again.published == model.published
    assert again.law.function is model.law.function
    assert again.noise.function is model.noise.function


# With changed priors, with pooling, with a vector of targets, and with none of it: two programs each take time.
@pytest.mark.parametrize("name", ["chinchilla", "busbridge_distill", "sloth", "ye_m4_shrunk", "bimix"])
def test_written_and_read_again_it_has_the_same_density(name, synthetic):
    model = Model.read(name)
    again = modelfile.loads(modelfile.dumps(model))
    inputs, _ = model.inputs(synthetic(model=model))
    inputs_again, _ = again.inputs(synthetic(model=model))
    with double():
        first, second = Program(model, inputs), Program(again, inputs_again)
        u = np.random.default_rng(0).normal(0, 0.3, first.size)
        assert second.labels == first.labels
        density = float(first.potential(u, inputs))
        assert np.isfinite(density)
        assert float(second.potential(u, inputs_again)) == pytest.approx(density, rel=1e-12)
        assert float(first.potential(u + 0.1, inputs)) != pytest.approx(density, rel=1e-6)


@pytest.mark.parametrize(("name", "fit"), FITS)
def test_published_constants_are_complete_and_finite(name, fit):
    model = Model.read(name)
    constants = dict(model.published[fit])
    assert len(constants.pop("source")) > 20
    assert set(constants) == set(model.law.quantities)
    covariates = observed(model)
    if "w" in model.law.covariates:
        domains = len(constants["w0"])
        covariates["w"] = np.full(domains, 1 / domains)
    response = np.asarray(model.law(**covariates, **constants))
    low, high = BELIEVABLE.get(model.law.response, (0.0, 1.0))
    assert ((response > low) & (response < high)).all(), response


@pytest.mark.parametrize(("name", "fit", "at", "number"), VALUES)
def test_published_constants_give_what_the_formula_of_the_paper_does(name, fit, at, number):
    model = Model.read(name)
    constants = {n: v for n, v in model.published[fit].items() if n != "source"}
    assert model.law(**observed(model) | at, **constants) == pytest.approx(number, rel=1e-6)


@pytest.mark.parametrize(("name", "fit"), JUDGED)
def test_published_constants_are_believable_under_the_prior(name, fit):
    """Within 4 standard deviations of the mean, on the unconstrained scale."""
    model = Model.read(name)
    for quantity, prior in judged(model).items():
        with double():
            unconstrained = biject_to(prior.support).inv
            draws = np.asarray(unconstrained(draw(prior, np.random.default_rng(0), (10_000,))))
            value = np.asarray(unconstrained(float(model.published[fit][quantity])))
        distance = float(abs(value - draws.mean()) / draws.std())
        assert distance < 4, (quantity, distance)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_prior_predictive_is_finite_and_covers_the_scale_of_the_runs(name, synthetic):
    model = Model.read(name)
    inputs, _ = model.inputs(synthetic(model=model))
    with double():
        program = Program(model, inputs)
        keys = jax.random.split(jax.random.key(11), DRAWS)
        draws = program.constrain(program.prior(np.random.default_rng(11), DRAWS), inputs)
        means = jax.vmap(lambda values: model.mean(values, inputs))(draws)
        responses = np.stack(
            [
                model.measured({n: v[i] for n, v in draws.items()}, means[i], inputs).sample(keys[i])
                for i in range(DRAWS)
            ]
        )
    assert np.isfinite(means).all()  # a Student-t error may overflow
    low, middle, high = np.quantile(responses, [0.005, 0.5, 0.995], axis=(0, 1))
    assert ((low < inputs.scale) & (inputs.scale < high)).all()
    assert (np.abs(np.log(np.maximum(middle, 1e-9) / inputs.scale)) < np.log(3)).all(), "the prior is centred elsewhere"
