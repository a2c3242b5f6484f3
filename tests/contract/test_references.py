"""Other references give other quantities, but the same responses and the same coefficients in the paper's units."""

import inspect
from dataclasses import replace

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from numpyro.distributions import Normal

from bayesmix import laws
from bayesmix.law import OWN, Prior, Reference, prior
from bayesmix.model import Model
from bayesmix.precision import double
from bayesmix.priors import draw
from bayesmix.report.facts import anchored
from bayesmix.runs import Runs

ROWS, ALONE = 60, 24  # runs, and those of them that are trained on one domain
STEPS, TRIES = 4, 12
# The family of curves depends on these, so that no other quantities give the same responses.
FIXED = {"farseer": ["D0"], "rl_post_training": ["x0"]}
# Stated at the references, as their documents say.
STATED = {n: {"A", "B"} for n in ("effective_data", "effective_tokens_nd", "effective_tokens_repeated")}
STATED |= {"ye_nested": {"K", "A", "B"}}
CONSTANTS = (int, float)


def moving(name):
    """Return the references of a law that can be others."""
    declared = laws.get(name).quantities
    kept = FIXED.get(name, [])
    return [n for n, q in declared.items() if isinstance(q, Reference) and q.covariate != OWN and n not in kept]


NAMES = [name for name in laws.names() if laws.get(name).derived and moving(name)]


class Anchored:
    """A law, with quantities at the references of runs, and with those that say the same at other references."""

    def __init__(self, name, synthetic):
        self.law = laws.get(name)
        self.constants = {n: q for n, q in self.law.quantities.items() if isinstance(q, CONSTANTS)}
        model = Model(self.law, Model.read(name).noise, covariates=Model.read(name).covariates)
        table = synthetic(ROWS, model=model).table
        table.loc[: ALONE - 1, ["w.web", "w.code", "w.books"]] = np.resize(np.eye(3), (ALONE, 3))
        inputs, _ = model.inputs(Runs.of(table))
        self.covariates, self.references = inputs.covariates, inputs.references
        self.quantities = self.drawn(inputs)
        self.elsewhere = self.others()
        self.moved, self.missed = self.solve()

    def drawn(self, inputs):
        """Draw quantities from the middle of their priors."""
        rng, found = np.random.default_rng(0), {}
        for n, q in self.law.quantities.items():
            if isinstance(q, Prior):
                sorted_ = np.sort(draw(q.distribution, rng, (1001,)))
                values = sorted_[rng.integers(200, 800, inputs.shape(q.dims))]
                found[n] = values - values.mean(axis=-1, keepdims=True) if q.zero_sum else values
        return found

    def others(self):
        rng, found = np.random.default_rng(1), dict(self.references)
        for n in moving(self.law.name):
            mixture = self.law.quantities[n].covariate == "w"
            towards = np.array([0.6, 0.3, 0.1]) if mixture else self.references[n] * rng.choice([0.4, 2.5])
            found[n] = 0.7 * self.references[n] + 0.3 * towards
        return found

    def solve(self):
        """Return the quantities that give the same responses at the other references, and by how much they do not.

        References move in steps, and Gauss and Newton's method follows. What the runs do not show stays as it is: of
        all solutions it finds the nearest, which leaves sums of zero what they are.
        """
        flat, structured = ravel_pytree(self.quantities)
        unit = ravel_pytree({
            n: np.ones_like(v) if self.law.quantities[n].zero_sum else np.abs(v) for n, v in self.quantities.items()
        })[0]  # fmt: skip

        def responses(shift, references):
            rest = structured(flat + unit * shift) | references | self.constants
            return jax.vmap(lambda at: self.law.function(**at, **rest))(self.covariates).ravel()

        slopes = jax.jit(lambda s, r: (responses(s, r), jax.jacfwd(responses)(s, r)))
        shift, wanted = np.zeros(len(flat)), np.asarray(slopes(np.zeros(len(flat)), self.references)[0])
        missed = np.inf
        for part in np.arange(1, STEPS + 1) / STEPS:
            here = {n: v + part * (self.elsewhere[n] - v) for n, v in self.references.items()}
            for _ in range(TRIES):
                got, slope = (np.asarray(found) for found in slopes(shift, here))
                missed = np.abs(got / wanted - 1).max()
                if missed < 1e-14:
                    break
                shift = shift + np.linalg.lstsq(slope, wanted - got, rcond=1e-10)[0]
        return {n: np.asarray(v) for n, v in structured(flat + unit * shift).items()}, missed

    def derived(self, quantities, references):
        known, wanted = quantities | references | self.constants, inspect.signature(self.law.derived).parameters
        return self.law.derived(**{n: known[n] for n in wanted})


@pytest.fixture(scope="module", params=NAMES)
def law(request, synthetic):
    with double():
        return Anchored(request.param, synthetic)


def test_other_references_can_give_the_same_responses(law):
    assert law.missed < 1e-10
    assert any(not np.allclose(law.moved[n], v, rtol=1e-6) for n, v in law.quantities.items())


def test_coefficients_in_the_units_of_the_paper_do_not_depend_on_the_references(law):
    stated = STATED.get(law.law.name, set())
    with double():
        before, after = law.derived(law.quantities, law.references), law.derived(law.moved, law.elsewhere)
    assert stated <= set(before)
    for name, value in before.items():
        if name in stated:
            assert not np.allclose(after[name], value, rtol=1e-3), name
        else:
            np.testing.assert_allclose(after[name], value, rtol=1e-8, err_msg=name)


@pytest.mark.parametrize("law", [n for n in NAMES if Model.read(n).published], indirect=True)
def test_what_depends_on_the_references_says_so(law):
    """Else a report sets it beside a published number, which is for other references."""
    model = Model.read(law.law.name)
    for name, value in law.quantities.items():
        if np.ndim(value) == 0 and not np.allclose(law.moved[name], value, rtol=1e-6):
            assert anchored(model, name), name


@pytest.mark.parametrize(
    "meaning", ["loss at N0", "loss at D0; of a family", "of the reference shape", "at the references"]
)
def test_a_meaning_says_what_is_stated_at_a_reference(meaning):
    model = Model.read("chinchilla")
    stated = replace(model, law=model.law.given(alpha=prior(Normal(0, 1), "", meaning)))
    assert anchored(stated, "alpha")
    assert not anchored(model, "alpha")
