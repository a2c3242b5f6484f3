"""What is known before of effects whose scale is learned: around what they lie, and which domains are alike."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal

from bayesmix.errors import BayesmixError, InputError
from bayesmix.inference import fit
from bayesmix.inference.program import Program
from bayesmix.model import Model
from bayesmix.modelfile import dumps, loads
from bayesmix.posterior import Posterior
from bayesmix.precision import double
from bayesmix.runs import Runs
from bayesmix.shrinkage import COMMON, DRIFT, Shrinkage, zero_sum_basis

DOMAINS = ("books", "code", "news", "web")
WORTH = {"books": 0.3, "code": -1.5, "news": 0.9, "poems": 0.3, "web": 0.3}
DRAWS = 4000


def mixtures(rows, domains=DOMAINS, seed=0, target="loss.prose"):
    """Return losses that an exponential of the weights makes, with errors of 1 %."""
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.full(len(domains), 1.5), rows)
    loss = 2 + np.exp(-w @ [WORTH[d] for d in domains]) * np.exp(rng.normal(0, 0.01, rows))
    return Runs.of(pd.DataFrame({f"w.{d}": w[:, j] for j, d in enumerate(domains)} | {target: loss}))


def shrunk(**known):
    return replace(Model.read("ye_m4_shrunk"), shrinkage={"t": Shrinkage(**known)})


def prior_of_t(model, runs):
    inputs, _ = model.inputs(runs)
    with double():
        program = Program(model, inputs)
        return program.constrain(program.prior(np.random.default_rng(0), DRAWS), inputs)["t"][:, 0]


def test_the_prior_lies_around_what_is_known_and_sums_to_zero():
    model = shrunk(around={"loss.prose": {"web": 3.0, "code": -2.0, "unheard of": 9.0}}).given(tau=0.5)
    t = prior_of_t(model, mixtures(8))
    np.testing.assert_allclose(t.sum(axis=1), 0, atol=1e-12)
    # Known ones less their mean, 0.5; the others are expected as ever.
    error = t.std(axis=0) / np.sqrt(DRAWS)
    assert (np.abs(t.mean(axis=0) - [0, -2.5, 0, 2.5]) < 4 * error).all()
    np.testing.assert_allclose(t.std(axis=0), 0.5 * np.sqrt(3 / 4), rtol=4 / np.sqrt(2 * DRAWS))


def test_domains_that_are_alike_act_alike():
    """Covariances of the prior are those of the stated correlation, made to sum to zero."""
    t = prior_of_t(shrunk(alike=[["news", "web"]]).given(tau=1.0), mixtures(8))
    covariance = np.eye(4)
    covariance[2, 3] = covariance[3, 2] = COMMON
    basis = zero_sum_basis(4)
    expected = basis.T @ basis @ covariance @ basis.T @ basis
    error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / DRAWS)
    assert (np.abs(np.cov(t.T) - expected) < 4.5 * error).all()
    # Apart from each other they differ by less than others do.
    assert np.var(t[:, 2] - t[:, 3]) < 0.6 * np.var(t[:, 0] - t[:, 1])


def test_knowing_nothing_changes_nothing():
    model, runs = Model.read("ye_m4_shrunk"), mixtures(8)
    np.testing.assert_allclose(prior_of_t(shrunk(), runs), prior_of_t(model, runs), rtol=1e-12, atol=1e-12)


def test_everything_that_does_not_fit_the_runs_is_said():
    model = shrunk(around={"loss.code": {"web": 1.0}}, alike=[["new", "web"]])
    with pytest.raises(InputError) as caught:
        model.inputs(mixtures(8))
    text = str(caught.value)
    assert "no domain 'new'" in text
    assert "'news'" in text
    assert "other domains on other targets" in text


@pytest.mark.parametrize(
    ("alike", "part"), [([["web", "news"], ["web", "code"]], "web are named twice"), ([["web"]], "alike to nothing")]
)
def test_groups_are_of_two_and_apart(alike, part):
    with pytest.raises(BayesmixError, match=part):
        Shrinkage(alike=alike)


@pytest.mark.parametrize("quantity", ["tau", "L0", "nothing"])
def test_only_effects_of_domains_of_learned_scale_are_shrunk(quantity):
    with pytest.raises(BayesmixError, match=f"unknown shrunk quantity '{quantity}'"):
        replace(Model.read("ye_m4_shrunk"), shrinkage={quantity: Shrinkage()})
    with pytest.raises(BayesmixError, match="unknown shrunk quantity 't'"):
        replace(Model.read("ye_m4"), shrinkage={"t": Shrinkage()})


def test_a_model_file_says_it_and_is_read_back():
    text = 'law = "ye_m4_shrunk"\n[shrinkage.t]\nalike = [["news", "web"]]\naround = { "loss.prose" = { web = 1 } }\n'
    model = loads(text)
    assert model.shrinkage["t"] == Shrinkage({"loss.prose": {"web": 1}}, [("news", "web")])
    assert loads(dumps(model)).shrinkage == model.shrinkage


@pytest.mark.parametrize(
    "line",
    [
        "t = 3",
        't = { alike = ["news", "web"] }',
        't = { around = { "loss.prose" = 2 } }',
        't = { around = { "loss.prose" = { web = nan } } }',
        "t = { like = [] }",
    ],
)
def test_a_model_file_that_says_it_wrongly_is_told_how(line):
    with pytest.raises(InputError, match=r"shrinkage of 't' is not understood"):
        loads(f'law = "ye_m4_shrunk"\n[shrinkage]\n{line}\n')


@pytest.fixture(scope="module")
def earlier():
    """Thirty mixtures of four domains, which show the effects well."""
    return fit(Model.read("ye_m4_shrunk"), mixtures(30), seed=0, draws=500, warmup=500)


def test_a_second_study_begins_where_the_first_ended(earlier):
    """Four mixtures, of other domains too, tell little themselves; what they share with the first study is known."""
    earlier.require_converged()
    model = Model.read("ye_m4_shrunk")
    informed = model.after(earlier)
    found = earlier.values()["t"][:, 0]
    np.testing.assert_allclose(
        list(informed.shrinkage["t"].around["loss.prose"].values()), found.mean(axis=0), atol=1e-4
    )
    tau = informed.quantities["tau"].distribution
    assert isinstance(tau, LogNormal)
    assert np.exp(tau.loc) == pytest.approx(np.hypot(DRIFT, np.sqrt(found.var(axis=0).mean())), rel=1e-3)
    domains = ("code", "news", "poems", "web")
    runs = mixtures(4, domains, seed=1)
    alone, together = (fit(m, runs, seed=0, draws=500, warmup=500) for m in (model, informed))
    truth = -np.array([WORTH[d] for d in domains])
    truth -= truth.mean()
    errors = []
    for posterior in (alone, together):
        t = posterior.values()["t"][:, 0]
        np.testing.assert_allclose(t.sum(axis=1), 0, atol=1e-9)
        errors.append(np.sqrt(((t - truth) ** 2).mean()))
    assert errors[1] < 0.5 * errors[0]


def test_a_posterior_file_carries_it(earlier, tmp_path):
    informed = Model.read("ye_m4_shrunk").after(earlier)
    posterior = fit(informed, mixtures(6, seed=2), seed=0, preview=True)
    posterior.save(tmp_path / "second.nc")
    assert Posterior.load(tmp_path / "second.nc").model.shrinkage == informed.shrinkage


def test_a_law_without_such_effects_cannot_come_after(earlier):
    with pytest.raises(BayesmixError, match="no effects of domains"):
        Model.read("chinchilla").after(earlier)


def test_effects_of_another_meaning_are_not_taken_over(earlier):
    """In ye_m4_shrunk a positive effect raises the loss, in effective_tokens it lowers it: both are called t."""
    with pytest.raises(BayesmixError, match="no effects of domains"):
        Model.read("effective_tokens").after(earlier)


def test_the_command_takes_an_earlier_posterior(earlier, bayesmix, tmp_path):
    earlier.save(tmp_path / "first.nc")
    mixtures(6, seed=2).table.to_csv(tmp_path / "runs.csv", index=False)
    code, out, err = bayesmix(
        "fit", "ye_m4_shrunk", tmp_path / "runs.csv", "--after", tmp_path / "first.nc", "--preview",
        "--out", tmp_path / "second.nc", "--accept-unconverged",
    )  # fmt: skip
    assert code == 0, err
    assert f"t: prior centred on what {tmp_path / 'first.nc'} found" in out
    assert f"wrote {tmp_path / 'second.nc'}" in out
    around = Posterior.load(tmp_path / "second.nc").model.shrinkage["t"].around
    assert list(around) == ["loss.prose"]
    assert set(around["loss.prose"]) == set(DOMAINS)
