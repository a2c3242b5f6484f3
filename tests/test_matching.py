"""Draws moved to where a posterior lies without some of its runs."""

import dataclasses

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.optimize import brentq
from scipy.special import expit

from bayesmix import laws
from bayesmix.diagnostics import PARETO_K
from bayesmix.evaluation import log_likelihood
from bayesmix.importance import smoothed
from bayesmix.inference import fit
from bayesmix.inference.program import program
from bayesmix.inputs import padded
from bayesmix.loo import estimate
from bayesmix.matching import _centred, matching
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.precision import double
from bayesmix.runs import Runs
from bayesmix.shrinkage import Shrinkage
from bayesmix.units import units
from fakes import fake, mixture_runs, table

SIGMA = 0.1
ALONE = {"refit": False, "folds": None, "seed": 0, "processes": 1, "progress": False}


def constant(noise: str = "normal", **fixed: float) -> Model:
    return Model(laws.get("constant"), NOISES[noise]).given(**fixed)


def losses(count: int, *, seed: int = 3) -> np.ndarray:
    return 3 + SIGMA * np.random.default_rng(seed).standard_normal(count)


def left_out_density(y: np.ndarray, unit: list[int], sigma: float = SIGMA) -> float:
    """Return the log density of some responses given the others, under the prior relative to all of them."""
    level = np.linspace(1.5, 6, 90_001)
    prior = stats.lognorm(0.5, scale=np.exp(np.log(y).mean())).logpdf(level)
    log = stats.norm(level[:, None], sigma).logpdf(y)
    with_all, without = prior + log.sum(axis=1), prior + np.delete(log, unit, axis=1).sum(axis=1)
    return float(np.logaddexp.reduce(with_all) - np.logaddexp.reduce(without))


def test_a_run_that_decides_the_fit_gets_the_density_that_quadrature_finds():
    y = np.array([*losses(7), 4.5])
    truth, found = left_out_density(y, [7]), []
    for seed in range(4):
        posterior = fit(constant(sigma=SIGMA), table(loss=y), seed=seed)
        drawn = log_likelihood(posterior, np.arange(8))[..., 7].ravel()
        by_weights, k = smoothed(-drawn)
        assert k > PARETO_K
        # Importance weights alone are too optimistic.
        assert np.logaddexp.reduce(by_weights + drawn) > truth + 1
        ratio, k = matching(posterior).ratio(np.arange(8) != 7)  # pyright: ignore
        assert k < PARETO_K
        found.append(-ratio)
    error = np.std(found, ddof=1) / 2
    assert error < 0.1
    assert abs(np.mean(found) - truth) < 4 * error + 0.01


def test_many_runs_can_be_left_out_at_once():
    y = np.array([*losses(6), *(losses(6, seed=4) + 0.8)])
    unit = list(range(6, 12))
    found = [
        -matching(fit(constant(sigma=SIGMA), table(loss=y), seed=s)).ratio(np.arange(12) < 6)[0]  # pyright: ignore
        for s in range(4)
    ]
    error = np.std(found, ddof=1) / 2
    assert error < 0.1
    assert abs(np.mean(found) - left_out_density(y, unit)) < 4 * error + 0.01


def test_with_two_unknowns_the_covariance_is_matched_too():
    y = np.array([*losses(11), 3.9])
    sigma_prior = constant().unknowns["sigma"].distribution
    reference = np.exp(np.log(y).mean())

    def evidence(kept: np.ndarray) -> float:
        """Log marginal density by quadrature over the logarithms of level and error, each relative to the reference."""
        level, error = np.linspace(2.2, 4.2, 1201), np.geomspace(0.02, 2.0, 1201)
        log = stats.lognorm(0.5, scale=reference).logpdf(level)[:, None]
        log = log + np.asarray(sigma_prior.log_prob(error / reference)) - np.log(reference)
        squares = ((kept - level[:, None]) ** 2).sum(axis=1)
        log = log - len(kept) * np.log(error) - squares[:, None] / (2 * error**2) - len(kept) * np.log(2 * np.pi) / 2
        top = log.max()
        return float(top + np.log(integrate.trapezoid(integrate.trapezoid(np.exp(log - top), error), level)))

    truth, found = evidence(y) - evidence(y[:-1]), []
    for seed in range(4):
        posterior = fit(constant(), table(loss=y), seed=seed)
        ratio, k = matching(posterior).ratio(np.arange(12) < 11)  # pyright: ignore
        assert k < PARETO_K
        found.append(-ratio)
    assert abs(np.mean(found) - truth) < 4 * np.std(found, ddof=1) / 2 + 0.02


def test_targets_that_were_sampled_apart_are_moved_apart():
    x, y = np.array([*losses(7), 4.2]), losses(8, seed=5)
    posterior = fit(constant(sigma=SIGMA), table(loss__x=x, loss__y=y), seed=0)
    movable = matching(posterior)
    assert movable is not None
    assert len(movable.parts) == 2
    ratio, k = movable.ratio(np.arange(8) != 7)
    assert k < PARETO_K
    assert -ratio == pytest.approx(left_out_density(x, [7]) + left_out_density(y, [7]), abs=0.1)


def test_a_target_that_was_not_measured_there_adds_nothing():
    x = np.array([*losses(7), 4.2])
    both = table(loss__x=x, loss__y=[*losses(7), None])
    ratio, _ = matching(fit(constant(sigma=SIGMA), both, seed=0)).ratio(np.arange(8) != 7)  # pyright: ignore
    assert -ratio == pytest.approx(left_out_density(x, [7]), abs=0.1)


def pooled() -> tuple[Model, Runs]:
    names = [f"g{i}" for i in range(5) for _ in range(4)]
    y = np.concatenate([level + 0.02 * losses(4, seed=i) for i, level in enumerate((2.6, 2.8, 3.0, 3.1, 3.4))])
    model = dataclasses.replace(constant("log_normal"), pooling={"L0": Pooling("family", "partial")})
    return model, table(family=names, loss=y)


@pytest.mark.parametrize("name", ["pooled", "ye_m4_shrunk", "shrinkage"])
def test_how_groups_were_centred_is_found_from_the_draws(name):
    model, runs = pooled() if name == "pooled" else (Model.read("ye_m4_shrunk"), mixture_runs(targets=("loss.web",)))
    if name == "shrinkage":
        known = Shrinkage({"loss.web": {"web": 1.0, "code": 3.0}}, [runs.domains[:2]])
        model = dataclasses.replace(model, shrinkage={"t": known})
    inputs = padded(model.inputs(runs)[0])
    rng = np.random.default_rng(0)
    centring = {n: rng.uniform(0.5, 20, np.shape(c)) for n, c in inputs.centring.items()}
    assert centring
    truth = dataclasses.replace(inputs, centring=centring)
    with double():
        compiled = program(model, inputs)
        u = rng.standard_normal((50, compiled.size))
        found = _centred(compiled, inputs, u, compiled.constrain(u, truth)).centring
    for quantity, expected in centring.items():
        assert np.allclose(found[quantity], expected, rtol=1e-4)


def test_a_pooled_model_leaves_out_what_a_good_pareto_k_leaves_out_as_well():
    model, runs = pooled()
    posterior = fit(model, runs, seed=0)
    movable, of = matching(posterior), units(posterior, "run")
    assert movable is not None
    found = estimate(posterior, of, **ALONE)
    good = int(found.first_k.argmin())
    ratio, _ = movable.ratio(~of.rows([good]))
    # The same weights of the same draws, but for the smoothing of the largest.
    assert -ratio == pytest.approx(found.density[good], abs=0.01)


def test_draws_whose_coordinates_are_not_theirs_are_not_moved():
    runs = table(loss=losses(8))
    assert matching(fake(constant(sigma=SIGMA), runs, {"L0": 3.0}, spread=0.01)) is None
    posterior = fit(constant(sigma=SIGMA), runs, seed=0)
    tree = posterior.tree.copy()
    tree["posterior"] = tree["posterior"].to_dataset().assign(L0=lambda d: 1.001 * d["L0"])
    assert matching(dataclasses.replace(posterior, tree=tree)) is None


def test_the_worst_point_of_a_real_table_gets_the_density_between_its_fit_and_its_refit(shared_data):
    """The two posteriors, with the point and without, bridged (Bennett 1976; Meng and Wong 1996)."""
    runs = Runs.read(shared_data / "chinchilla_epoch" / "chinchilla_245.csv")
    model, worst = Model.read("chinchilla_normal"), np.arange(len(runs)) == 1
    whole, refit = (fit(model, r, seed=0, draws=2000) for r in (runs, runs.rows(~worst)))
    seen, unseen = (log_likelihood(p, np.zeros(1, int), runs.rows(worst)).ravel() for p in (whole, refit))
    assert smoothed(-seen)[1] > 1  # weights without a mean

    def excess(z: float) -> float:
        return float(expit(unseen - z).mean() - expit(z - seen).mean())

    bridged: float = brentq(excess, -150, -20)  # pyright: ignore
    shares = expit(unseen - bridged), expit(bridged - seen)
    error = np.sqrt(sum(s.var() / s.mean() ** 2 / len(s) for s in shares))
    assert error < 2
    out, k = matching(whole).ratio(~worst)  # pyright: ignore
    assert k < PARETO_K
    assert abs(-out - bridged) < 4 * error
    # From the refit's side the same, where the mean over its draws misses the point by nats.
    back, _ = matching(refit, runs, ~worst).ratio(np.ones(len(runs), bool))  # pyright: ignore
    assert back == pytest.approx(-out, abs=1.5)
    assert np.logaddexp.reduce(unseen) - np.log(len(unseen)) < bridged - 4 * error
