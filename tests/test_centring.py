"""Groups that share a spread: how each is sampled follows from what the runs know of it."""

from dataclasses import replace

import arviz_stats
import jax
import numpy as np
import numpyro
import pandas as pd
import pytest

from bayesmix import laws
from bayesmix.inference import batch, fit
from bayesmix.inference.program import padded, program
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import double, in_double
from bayesmix.runs import Runs

# The effects of coaching in eight schools and their standard errors (Rubin 1981), as logarithms of losses.
EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]) / 100
SCHOOLS = tuple("ABCDEFGH")


def level(sigma, spread=0.3):
    """Return the model of one level a group, around a population, measured to a known error."""
    law = laws.get("constant")
    return Model(law, NOISES["log_normal"], pooling={"L0": Pooling("school", "partial", spread)}).given(sigma=sigma)


def runs_of(school, log):
    return Runs.of(pd.DataFrame({"school": list(school), "loss": 3 * np.exp(np.asarray(log))}))


@in_double
def chosen(model, runs):
    """Return the centring of each group that a fit would sample with."""
    inputs = padded(model.inputs(runs)[0])
    (explored,) = batch._explored(program(model, inputs), [batch.Block(inputs, (0,))], 1)
    return explored.task.inputs.centring


def test_groups_that_are_well_known_are_centred_and_others_are_not():
    """A hundred runs of A, which know it ten times better than the spread does, and of B none that was measured."""
    rng = np.random.default_rng(0)
    table = runs_of("A" * 100 + "C" * 5, np.concatenate([rng.normal(0.3, 0.1, 100), rng.normal(-0.3, 0.1, 5)])).table
    table = pd.concat([table.assign(bpb=np.nan), pd.DataFrame({"school": ["B"], "bpb": [1.0]})], ignore_index=True)
    model = replace(level(0.1, 1.0), targets=("loss",))
    centring = chosen(model, Runs.of(table.assign(run=[str(i) for i in range(len(table))])))["L0"]
    a, b, c = centring
    assert a > 0.95
    assert b < 0.05
    assert b < c < a


def test_the_better_the_runs_know_the_groups_the_more_they_are_centred():
    log = np.repeat(EFFECTS, 2)
    shares = [chosen(level(sigma), runs_of(np.repeat(SCHOOLS, 2), log))["L0"] for sigma in (0.01, 0.1, 1.0)]
    assert shares[0].min() > 0.9
    assert shares[2].max() < 0.1
    assert (shares[0] > shares[1]).all()
    assert (shares[1] > shares[2]).all()


def test_effects_whose_scale_is_learned_are_centred_target_by_target():
    """The mixture moves one loss by a factor, to 0.1 %, and leaves the other to its errors of 30 %."""
    rng = np.random.default_rng(0)
    w = rng.dirichlet([1.0, 1.0, 1.0], 40)
    model = replace(Model.read("ye_m4_shrunk"), noise=NOISES["log_normal"])
    shares = {}
    for name, effect, error in (("clear", 2.0, 0.001), ("dim", 0.0, 0.3)):
        loss = (2 + np.exp(-effect * w[:, 0])) * np.exp(rng.normal(0, error, 40))
        table = pd.DataFrame({f"w.{d}": w[:, j] for j, d in enumerate("abc")} | {"loss": loss})
        shares[name] = chosen(model, Runs.of(table))["t"].item()
    assert shares["clear"] > 0.9
    assert shares["dim"] < 0.5


@pytest.mark.parametrize("error", [0.02, 0.12])
def test_eight_schools_converge_at_once_to_what_numpyro_finds(error):
    """Means and second moments within 4 combined standard errors of a long run of NumPyro's own sampler."""
    model, runs = level(error), runs_of(SCHOOLS, EFFECTS)
    posterior = fit(model, runs, seed=0)
    assert posterior.converged, posterior.problems()
    assert posterior.attempts == ()
    inputs, _ = model.inputs(runs)
    with double():
        sampler = numpyro.infer.NUTS(model, target_accept_prob=0.95)
        theirs = numpyro.infer.MCMC(
            sampler, num_warmup=1000, num_samples=4000, num_chains=4, chain_method="vectorized", progress_bar=False
        )
        centred = {"L0": np.full(8, 1.0 if error < 0.1 else 0.0)}
        theirs.run(jax.random.key(0), replace(inputs, centring=centred))
        theirs = jax.device_get(theirs.get_samples(group_by_chain=True))
    ours = {n: v.values for n, v in posterior.tree["posterior"].data_vars.items()}
    spread = next(n for n in ours if n.endswith(".spread"))
    for name in ("L0", spread, spread.replace(".spread", ".population")):
        pair = [np.log(v[name].reshape(*v[name].shape[:2], -1)) for v in (ours, theirs)]
        for first, second in zip(*(np.moveaxis(v, -1, 0) for v in pair), strict=True):
            for power in (1, 2):
                moments = [(v - second.mean()) ** power for v in (first, second)]
                ess = [float(arviz_stats.ess(m, method="mean")) for m in moments]
                assert min(ess) > 400
                combined = np.sqrt(sum(m.var() / e for m, e in zip(moments, ess, strict=True)))
                assert abs(moments[0].mean() - moments[1].mean()) < 4 * combined, name
