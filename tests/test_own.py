"""Laws that know which domain is a target's own."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from bayesmix import laws
from bayesmix.describe import law_card
from bayesmix.errors import InputError
from bayesmix.inference.program import Program
from bayesmix.law import OWN, Reference
from bayesmix.model import Model
from bayesmix.precision import double
from bayesmix.runs import Runs
from conftest import feeding

BIMIX = Model.read("bimix")
MIXING = [n for n in laws.names() if "w" in laws.get(n).covariates]
OWNING = [n for n in laws.names() if Reference(OWN) in laws.get(n).quantities.values()]
ROWS = 10


def table(domains=("web", "code", "books"), targets=("loss.books", "loss.web"), **changes):
    rng = np.random.default_rng(5)
    w = dict(zip(("web", "code", "books"), rng.dirichlet([1, 1, 1], ROWS).T, strict=True))
    columns = {f"w.{d}": w[d] for d in domains} | {t: rng.uniform(2, 3, ROWS) for t in targets}
    return Runs.of(
        pd.DataFrame({"N": rng.uniform(1e8, 1e9, ROWS), "D": rng.uniform(1e9, 1e10, ROWS)} | columns | changes)
    )


def test_there_are_laws_of_own_weights():
    assert {"bimix", "he_multilingual", "dai_capacity_noise"} <= set(OWNING)


def test_a_domain_is_the_targets_own_by_its_name():
    inputs, coordinates = BIMIX.inputs(table(targets=("loss.books", "loss.elsewhere", "loss.web", "loss", "bpb.code")))
    assert coordinates.targets == ("loss.books", "loss.elsewhere", "loss.web", "loss", "bpb.code")
    assert coordinates.domains == ("web", "code", "books")
    own = [[0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert coordinates.references["own"] == own
    np.testing.assert_array_equal(inputs.references["own"], own)


def test_planned_runs_are_seen_by_the_fit_in_whatever_order_their_domains_are():
    straight, fitted = BIMIX.inputs(table())
    planned = Runs.of(
        table(domains=("books", "web", "code")).table.drop(columns=["loss.books", "loss.web"]), planned=True
    )
    inputs, coordinates = BIMIX.inputs(planned, fitted)
    assert planned.domains == ("books", "web", "code")
    assert coordinates.references == fitted.references
    np.testing.assert_array_equal(inputs.references["own"], [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(inputs.covariates["w"], straight.covariates["w"])


def test_runs_none_of_whose_targets_is_a_domain_are_refused():
    with pytest.raises(InputError) as caught:
        BIMIX.inputs(table(targets=("loss", "loss.elsewhere")))
    assert "law bimix is about a target's own weight (its own)" in str(caught.value)
    assert "no target (loss, loss.elsewhere) has the name of a domain (web, code, books)" in str(caught.value)
    assert "e.g. loss.web beside w.web" in str(caught.value)


def test_the_matrix_can_be_given_instead():
    given = laws.get("bimix")(
        w=[0.2, 0.8], D=1, E=[1], B=[1], alpha=[1], beta=[1], epsilon=[0], D0=1, w0=[0.4, 0.6], own=[[1, 0]]
    )
    np.testing.assert_allclose(given, [4.0], rtol=1e-12)


def test_a_target_that_is_no_domain_does_without_its_weight():
    rest = {"D": 1, "E": [1, 1], "B": [1, 1], "alpha": [1, 1], "beta": [1, 1], "epsilon": [0, 0.1], "D0": 1}
    for w in ([0.2, 0.8], [0.0, 1.0]):
        given = laws.get("bimix")(w=w, w0=[0.4, 0.6], own=np.zeros((2, 2)), **rest)
        np.testing.assert_array_equal(given, [2, 2])


@pytest.mark.parametrize("name", OWNING)
def test_the_card_says_what_own_is(name):
    assert any(line.startswith("own") and "1 where the domain has the target's name" in line for line in law_card(name))


@pytest.mark.parametrize("name", MIXING)
def test_weights_of_zero_leave_everything_finite(name):
    """Almost half of the weights of RegMix are exactly 0, and one may be so in all runs."""
    runs = table(targets=("loss.books", "loss.web", "loss"))
    w = runs.column("w") * (np.arange(ROWS)[:, None] % 3 != np.arange(3))
    w[:2], w[:, 1] = np.eye(3)[[0, 2]], 0.0
    w /= w.sum(axis=1, keepdims=True)
    frame = runs.table.assign(**{f"w.{domain}": w[:, j] for j, domain in enumerate(runs.domains)})
    # A domain that runs out in some runs and never does in others, one that is not used; the third never runs out.
    scarce = {"unique.web": np.where(np.arange(ROWS) % 2, np.nan, 1e8), "unique.code": 1e8}
    model = Model.read(name)
    inputs, _ = model.inputs(Runs.of(feeding(model, frame.assign(error=0.5, **scarce))))
    with double():
        program = Program(model, inputs)
        u = program.prior(np.random.default_rng(2), 20)

        def mean(u, w):
            at = replace(inputs, covariates={**inputs.covariates, "w": w})
            return model.mean(program.values(u, at), at)

        values = np.asarray(jax.vmap(mean, in_axes=(0, None))(u, inputs.covariates["w"]))
        total = jax.grad(lambda u, w: mean(u, w).sum(), argnums=(0, 1))
        slopes = jax.vmap(total, in_axes=(0, None))(u, inputs.covariates["w"])
    assert np.isfinite(values).all()
    assert all(np.isfinite(s).all() for s in slopes)
