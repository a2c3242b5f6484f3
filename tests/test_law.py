import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import Beta, Dirichlet, LogNormal, Normal

import bayesmix.provenance
from bayesmix import laws
from bayesmix.errors import BayesmixError
from bayesmix.law import Prior, Reference, law, prior, reference
from bayesmix.laws.data import muennighoff
from bayesmix.laws.mixing import _capacity, _ceiling


def unit_prior(**options):
    return prior(Normal(0, 1), "nat", "meaning", **options)


@law(paper="nowhere")
def loss(x, *, a=unit_prior(), b=2.0, x0=reference("x")):
    """A straight line."""
    return a * x / x0 + b


def test_the_signature_is_the_declaration():
    assert loss.covariates == ("x",)
    assert list(loss.quantities) == ["a", "b", "x0"]
    assert isinstance(loss.quantities["a"], Prior)
    assert loss.quantities["b"] == 2.0
    assert loss.quantities["x0"] == Reference("x")
    assert loss.name == "test_law"
    assert loss.response == "loss"
    assert loss.identifier == f"{__name__}:loss"
    assert not loss.vector
    assert loss.family == ("tests" if "." in __name__ else "")


def test_a_law_evaluates_with_numbers_in_double():
    assert loss(3.0, a=1.0, x0=2.0) == 3.5
    assert loss(x=3.0, a=1.0, b=0.0, x0=2.0) == 1.5
    got = loss(np.array([1.0, 3.0]), a=0.1, x0=1)
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, 0.1 * np.array([1.0, 3.0]) + 2)
    assert jax.config.jax_enable_x64 is False


def test_a_law_can_be_traced():
    assert jax.grad(lambda x: loss(x, a=3.0, x0=2.0))(1.0) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((1.0,), {}, "law test_law needs a number for a, x0"),
        ((), {"a": 1, "x0": 1}, "law test_law needs a number for x"),
        ((1.0,), {"alpha0": 1}, "law test_law has no argument 'alpha0'. Known: a, b, x, x0"),
        ((1.0, 2.0), {"a": 1, "x0": 1}, "law test_law has 2 positional arguments; its covariates are: x"),
        ((1.0,), {"x": 2.0, "a": 1, "x0": 1}, "law test_law was given x twice"),
    ],
)
def test_a_wrong_call_says_what_is_missing_or_unknown(args, kwargs, text):
    with pytest.raises(BayesmixError) as caught:
        loss(*args, **kwargs)
    assert str(caught.value) == text


def test_given_fixes_and_rejudges_and_leaves_the_law_alone():
    changed = loss.given(a=LogNormal(0, 2), x0=5)
    assert changed.quantities["x0"] == 5.0
    assert isinstance(changed.quantities["a"].distribution, LogNormal)
    assert changed.quantities["a"].meaning == "meaning"
    assert isinstance(loss.quantities["x0"], Reference)
    assert isinstance(loss.quantities["a"].distribution, Normal)
    assert loss.given(a=2.0)(1.0, x0=1.0) == 4.0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"x_0": 1.0}, "law test_law has no quantity 'x_0'. Did you mean 'x0'?"),
        ({"zzzz": 1.0}, "law test_law has no quantity 'zzzz'. Known: a, b, x0"),
        ({"b": Normal(0, 1)}, "b of law test_law is a constant; give prior(...) with unit and meaning instead"),
        ({"a": [1, 2]}, "a of law test_law cannot be [1, 2]: give a number, a distribution or prior(...)"),
        ({"a": "big"}, "a of law test_law cannot be 'big': give a number, a distribution or prior(...)"),
    ],
)
def test_given_refuses_what_it_cannot_do(changes, text):
    with pytest.raises(BayesmixError) as caught:
        loss.given(**changes)
    assert str(caught.value) == text


def test_a_quantity_that_sums_to_zero_cannot_be_one_number():
    with pytest.raises(BayesmixError) as caught:
        laws.get("ye_m4").given(t=1.0)
    assert str(caught.value) == "t of law ye_m4 sums to zero over domains and cannot be fixed to one number"


def test_given_a_prior_of_another_family_checks_it():
    with pytest.raises(BayesmixError, match="zero_sum needs a Normal prior centred on 0"):
        laws.get("ye_m4").given(t=LogNormal(0, 1))


@pytest.mark.parametrize("bad", [Beta(1, 1), Normal(1, 1)])
def test_zero_sum_needs_a_centred_normal(bad):
    with pytest.raises(BayesmixError) as caught:
        prior(bad, "", "x", dims=("domain",), zero_sum=True)
    assert str(caught.value) == "zero_sum needs a Normal prior centred on 0 with named dimensions"
    with pytest.raises(BayesmixError):
        prior(Normal(0, 1), "", "x", zero_sum=True)


def test_a_signature_without_declaration_is_refused():
    with pytest.raises(BayesmixError, match=r"^a of .*bad needs prior\(...\), reference\(...\) or a number$"):

        @law(paper="")
        def bad(x, *, a):
            return a

    with pytest.raises(BayesmixError, match=r"bad may not take \*args or \*\*kwargs: its signature declares it$"):

        @law(paper="")
        def bad(x, **rest):
            return x

    for default in (unit_prior(), reference("x")):
        with pytest.raises(BayesmixError, match=r"^a of .*bad is no covariate: write \*, before the quantities$"):

            @law(paper="")
            def bad(x, a=default):
                return a * x


def test_a_law_that_names_targets_is_a_vector_law():
    @law(paper="")
    def mixed(w, *, t=unit_prior(dims=("target", "domain"))):
        return t @ w

    assert mixed.vector
    assert not loss.vector


def test_the_fingerprint_follows_the_equation_not_the_priors():
    def declare(factor):
        if factor == 1:

            @law(paper="")
            def loss(x, *, a=unit_prior()):
                return a * x
        else:

            @law(paper="")
            def loss(x, *, a=unit_prior()):
                return 2 * a * x

        return loss

    assert declare(1).fingerprint == declare(1).fingerprint
    assert declare(1).fingerprint != declare(2).fingerprint
    assert declare(1).fingerprint == declare(1).given(a=3.0).fingerprint


@pytest.mark.parametrize(
    ("file", "laws_of_it"),
    [
        (_capacity, ["dai_capacity_closed", "dai_capacity_eq1", "dai_capacity_noise", "dai_capacity_tied"]),
        (_ceiling, ["effective_data", "effective_tokens", "effective_tokens_nd", "effective_tokens_repeated"]),
        (muennighoff, ["effective_tokens_repeated", "muennighoff"]),
    ],
)
def test_the_fingerprint_changes_with_the_files_that_a_law_takes_functions_from(file, laws_of_it, monkeypatch):
    def fingerprints():
        return {name: laws.get(name).given().fingerprint for name in laws.names()}

    before, code = fingerprints(), bayesmix.provenance._code
    assert fingerprints() == before
    monkeypatch.setattr("bayesmix.provenance._code", lambda source: code(source) + "\npass" * (source is file))
    after = fingerprints()
    assert sorted(name for name in before if after[name] != before[name]) == laws_of_it


def test_a_law_of_another_module_is_found_by_module_and_function():
    assert laws.get(f"{__name__}:loss") is loss


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("chinchila", "there is no law 'chinchila'. Did you mean 'chinchilla'?"),
        ("jax.numpy:exp", "'jax.numpy:exp' is not a law. Decorate the function exp with @law(paper=...)"),
        ("no_such_module:loss", "the law 'no_such_module:loss' cannot be imported: No module named 'no_such_module'"),
        (":loss", "the law ':loss' cannot be imported: Empty module name"),
    ],
)
def test_a_law_that_is_not_there_is_explained(name, text):
    with pytest.raises(BayesmixError) as caught:
        laws.get(name)
    assert str(caught.value) == text


def test_an_untrusted_law_is_not_imported():
    with pytest.raises(BayesmixError) as caught:
        laws.get("antigravity:fly", trusted=False)
    assert (
        str(caught.value)
        == "the law 'antigravity:fly' is not part of bayesmix. Import antigravity first if you trust it"
    )
    import sys

    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (Dirichlet(jnp.ones(3)), "Dirichlet cannot be a prior here. Use one of Beta, Cauchy, "),
        (Normal(0, 1).expand([3]), "ExpandedDistribution cannot be a prior here. Use one of "),
        (Normal(jnp.zeros(3), 1), "a prior is stated for one element, but this Normal has shape (3,). Name the dim"),
    ],
)
def test_priors_of_several_elements_are_refused(bad, text):
    for change in (lambda: prior(bad, "", "x", dims=("domain",)), lambda: loss.given(a=bad)):
        with pytest.raises(BayesmixError) as caught:
            change()
        assert str(caught.value).startswith(text)


def test_a_law_without_source_has_a_fingerprint_of_its_code():
    """Typed into an interpreter, which keeps none."""
    found = []
    for body in ("a * N", "a * N", "a + N", "2 * a * N"):
        names = {"law": law, "prior": prior, "Normal": Normal, "__name__": "__console__"}
        exec(f"@law(paper='nowhere')\ndef loss(N, *, a=prior(Normal(0, 1), '', 'any')):\n    return {body}", names)
        found.append(names["loss"].fingerprint)
    assert found[0] == found[1]
    assert len(set(found)) == 3
