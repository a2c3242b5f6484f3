"""Targets that share nothing are sampled apart, and nobody can tell."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal, Normal

from bayesmix.inference import fit
from bayesmix.inference.blocks import blocks, separable
from bayesmix.inference.program import Program
from bayesmix.law import law, prior
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import double
from bayesmix.runs import Runs
from bayesmix.shrinkage import Shrinkage
from moments import assert_same_moments

TARGETS = ("loss.web", "loss.code")
NORMAL = NOISES["log_normal"]


@law(paper="nowhere")
def mixing(*, L0=prior(LogNormal(0, 1), "nats", "a loss", dims=("target",), relative=True)):
    return L0 + 1e-3 * L0.mean()


@law(paper="nowhere")
def shared(*, L0=prior(LogNormal(0, 1), "nats", "a loss", dims=("target",), relative=True),
           slope=prior(Normal(0, 1), "", "of all targets")):  # fmt: skip
    return L0 * jnp.exp(0.1 * slope)


@law(paper="nowhere")
def now_and_then(N, *, L0=prior(LogNormal(0, 1), "nats", "a loss", dims=("target",), relative=True)):
    """Mix the targets of all runs but the smallest."""
    return L0 + jnp.where(N > 1e8, 0.1 * L0.mean(), 0.0)


def mixtures(rows=20):
    """Return losses of two targets, each of which falls with a domain of its own, measured to 1 %."""
    rng = np.random.default_rng(0)
    w = rng.dirichlet([1.0, 1.0, 1.0], rows)
    losses = {t: (2 + np.exp(-2 * w[:, j])) * np.exp(rng.normal(0, 0.01, rows)) for j, t in enumerate(TARGETS)}
    return Runs.of(pd.DataFrame({f"w.{d}": w[:, j] for j, d in enumerate(("web", "code", "books"))} | losses))


MIXTURES = mixtures()


def model_of(name, **pooling):
    return replace(Model.read(name), targets=TARGETS, pooling=pooling)


APART = {
    "chinchilla": model_of("chinchilla"),
    "ye_m4": model_of("ye_m4"),
    "ye_m4_shrunk": model_of("ye_m4_shrunk"),
    "own weights": model_of("bimix"),
    "no pooling": model_of("chinchilla", E=Pooling("family", "none"), sigma=Pooling("family", "none")),
    "shrinkage": replace(
        model_of("ye_m4_shrunk"), shrinkage={"t": Shrinkage({TARGETS[1]: {"web": 2.0, "code": 1.0}}, [["web", "code"]])}
    ),
    "one scale for all": model_of("ye_m4_shrunk").given(tau=5.0),
}
TOGETHER = {
    "mixing": Model(mixing, NORMAL, targets=TARGETS),
    "shared": Model(shared, NORMAL, targets=TARGETS),
    "partial pooling": model_of("chinchilla", E=Pooling("family", "partial")),
    "partial pooling of noise": model_of("ye_m4", sigma=Pooling("family", "partial")),
}


@pytest.mark.parametrize("name", APART)
def test_targets_that_share_no_quantity_are_apart(name, synthetic):
    model = APART[name]
    inputs, _ = model.inputs(synthetic())
    assert separable(model, inputs)
    assert len(blocks(model, inputs)) == 2


@pytest.mark.parametrize("name", TOGETHER)
def test_targets_that_share_a_quantity_are_not(name, synthetic):
    model = TOGETHER[name]
    inputs, _ = model.inputs(synthetic())
    assert not separable(model, inputs)
    assert blocks(model, inputs) == [inputs]


def test_targets_that_are_mixed_in_some_runs_only_are_not_apart(synthetic):
    runs = Runs.of(synthetic().table.sort_values("N"))
    assert runs.column("N")[0] < 1e8 < runs.column("N")[-1]
    model = Model(now_and_then, NORMAL, targets=TARGETS)
    assert not separable(model, model.inputs(runs)[0])


def test_a_single_target_is_one_block(synthetic):
    model = replace(Model.read("ye_m4"), targets=TARGETS[:1])
    inputs, _ = model.inputs(synthetic())
    assert blocks(model, inputs) == [inputs]


@pytest.mark.parametrize("name", APART)
def test_the_density_of_the_whole_is_that_of_its_parts(name, synthetic):
    """In the coordinates of the parts, put together site by site."""
    model = APART[name]
    whole, _ = model.inputs(synthetic())
    parts = blocks(model, whole)
    with double():
        compiled, pieces = Program(model, whole), [Program(model, p) for p in parts]
        draws = [piece.prior(np.random.default_rng(j), 1)[0] for j, piece in enumerate(pieces)]
        sites = [piece.unravel(u) for piece, u in zip(pieces, draws, strict=True)]
        joined = {}
        for site, shape in compiled.shapes.items():
            axis = next(i for i, n in enumerate(shape) if n != sites[0][site].shape[i])
            joined[site] = np.concatenate([s[site] for s in sites], axis=axis)
        total = float(compiled.potential(compiled.ravel(joined), whole))
        each = [float(p.potential(u, i)) for p, u, i in zip(pieces, draws, parts, strict=True)]
    assert total == pytest.approx(sum(each), rel=1e-10)
    assert each[0] != pytest.approx(each[1], rel=1e-3)


def test_each_target_has_coordinates_and_statistics_of_its_own():
    posterior = fit(replace(model_of("ye_m4"), noise=NORMAL), MIXTURES, seed=0, draws=60)
    tree = posterior.tree
    for name in ("lp", "n_steps", "diverging", "energy", "acceptance_rate"):
        assert tree["sample_stats"][name].dims == ("chain", "draw", "target")
        assert tree["sample_stats"][name].shape == (4, 60, 2)
    assert tree["sample_stats"].coords["target"].values.tolist() == list(TARGETS)
    assert tree["unconstrained"]["u"].dims == ("chain", "draw", "target", "coordinate")
    assert tree["posterior"]["t"].dims == ("chain", "draw", "target", "domain")
    model, parts = posterior.model, blocks(posterior.model, posterior.inputs)
    for i, part in enumerate(parts):
        with double():
            program = Program(model, part)
            u = tree["unconstrained"]["u"].values[1, 7, i]
            assert float(program.potential(u, part)) == pytest.approx(
                -float(tree["sample_stats"]["lp"][1, 7, i]), rel=1e-10
            )
            t = np.asarray(program.values(u, part)["t"])
        np.testing.assert_allclose(t[0], tree["posterior"]["t"].values[1, 7, i], rtol=1e-10)


def test_a_target_among_others_has_the_posterior_that_it_has_alone():
    """Means and standard deviations within 4 standard errors of the two Monte Carlo estimates."""
    model = replace(model_of("ye_m4"), noise=NORMAL)
    both, alone = (fit(replace(model, targets=t), MIXTURES, seed=s) for t, s in ((TARGETS, 0), (TARGETS[1:], 5)))
    assert both.converged
    assert alone.converged
    assert alone.targets == TARGETS[1:]
    for name in ("L0", "floor", "sigma", "t"):
        assert_same_moments(*(p.tree["posterior"][name].sel(target=TARGETS[1]).values for p in (both, alone)), name)
