r"""Sensitivity: how coefficients, forecasts and the chosen mixture move when the prior counts for more or for less.

Power-scaling (Kallioinen, Paananen, Bürkner and Vehtari 2024, eq. 3): the posterior with the prior, or the likelihood,
raised to a power $\alpha$, $p_\alpha(q \mid y) \propto p(y \mid q)\, p(q)^\alpha$, reached from the draws at hand by
Pareto-smoothed importance weights. Where a prior's scale is a quantity itself, the prior of that scale is raised.
"""

from __future__ import annotations

import dataclasses

import arviz_base
import arviz_stats
import numpy as np
import numpyro.distributions as dist
import pandas as pd
import xarray as xr

from bayesmix.decision import Decision, Problem, decide
from bayesmix.diagnostics import PARETO_K
from bayesmix.errors import BayesmixError
from bayesmix.evaluation import log_likelihood
from bayesmix.importance import smoothed
from bayesmix.pooling import departure
from bayesmix.posterior import Posterior
from bayesmix.precision import in_double
from bayesmix.prediction import predict
from bayesmix.runs import Runs
from bayesmix.shrinkage import zero_sum_basis

# Powers that a decision is looked at with, and how far a mixture may move to count as the same.
POWERS = (0.8, 1.25)
SAME = 0.05
_EFFECTIVE = 100
_EQUAL = 1e-4  # range of log weights that changes nothing
THRESHOLD = 0.05  # of the sensitivity, from which on ArviZ calls it one


@in_double
def log_prior(posterior: Posterior) -> dict[str, np.ndarray]:
    """Return the log prior density of each quantity that has a prior of its own, shape (chain, draw)."""
    model, inputs = posterior.model, posterior.inputs
    drawn, found = posterior.tree["posterior"].to_dataset(), {}
    for name, quantity in model.unknowns.items():
        dims, site = model.dims(name), model.site(name)
        if quantity.scaled_by in model.unknowns:
            continue
        if quantity.scaled_by:
            found[name] = _of_effects(posterior, name, drawn[name].values)
        elif name in model.pooling and model.pooling[name].kind == "partial":
            population = model.element(name, inputs, dims[1:]).log_prob(drawn[f"{site}.population"].values)
            spread = dist.HalfNormal(model.pooling[name].spread).log_prob(drawn[f"{site}.spread"].values)
            found[name] = np.asarray(population + spread)
        else:
            relative = drawn[name].values / model.unit(name, inputs)
            found[name] = np.asarray(model.element(name, inputs, dims).log_prob(relative))
    return found


def _of_effects(posterior: Posterior, name: str, value: np.ndarray) -> np.ndarray:
    """Return the log prior density of effects that sum to zero and whose scale is a fixed number."""
    scale, known = posterior.model.scale_of(name, {}, posterior.inputs), posterior.inputs.shrinkage.get(name)
    # In an orthonormal basis, where they are one fewer.
    free = departure(value, known) if known else value @ zero_sum_basis(value.shape[-1]).T
    densities = np.asarray(dist.Normal(0, np.asarray(scale)[..., None]).log_prob(free))
    return densities.sum(axis=tuple(range(2, densities.ndim)))


def sensitivity(posterior: Posterior, planned: Runs | None = None, *, seed: int = 0) -> pd.DataFrame:
    """Return how sensitive each quantity, and each forecast, is to the prior and to the likelihood.

    Parameters
    ----------
    posterior : Posterior
        The posterior.
    planned : Runs, optional
        Runs whose expected responses are looked at too.
    seed : int
        Of the forecast.

    Returns
    -------
    DataFrame
        One row a quantity or forecast: ``prior`` and ``likelihood``, the rate at which the distribution changes with
        the logarithm of the power (to the base 2; from 0.05 on it matters), and ArviZ's ``diagnosis``: "potential
        prior-data conflict" where both matter, "potential strong prior / weak likelihood" where only the prior does.

    Raises
    ------
    NotConvergedError
        The posterior has not converged.
    """
    posterior.require_converged()
    group = posterior.tree["posterior"]
    shape = group.sizes["chain"], group.sizes["draw"]
    looked_at = {str(n): v.values for n, v in group.data_vars.items() if n in posterior.model.unknowns}
    dims = {str(n): list(v.dims[2:]) for n, v in group.data_vars.items()}
    coords = {str(n): v.values for n, v in group.coords.items() if n not in ("chain", "draw")}
    if planned is not None:
        # In the order of prior and likelihood, which take targets sampled apart for independent: with no pairs.
        apart = dataclasses.replace(posterior, together=np.eye(len(posterior.targets)))
        expected = predict(apart, planned, seed=seed).expected
        looked_at["forecast"] = expected.reshape(*shape, *expected.shape[1:])
        dims["forecast"] = ["planned", "target"]
        coords |= {"planned": list(planned.names), "target": list(posterior.targets)}
    tree = arviz_base.from_dict(
        {
            "posterior": looked_at,
            "log_prior": {"all": np.sum(list(log_prior(posterior).values()), axis=0)},
            "log_likelihood": {"runs": _log_likelihood(posterior)},
        },
        dims={n: d for n, d in dims.items() if n in looked_at},
        coords={n: c for n, c in coords.items() if any(n in dims[v] for v in looked_at)},
    )
    return arviz_stats.psense_summary(tree, threshold=THRESHOLD, round_to=4)


def power_scaled(posterior: Posterior, *, prior: float = 1.0, likelihood: float = 1.0, seed: int = 0) -> Posterior:
    """Return the posterior with prior and likelihood raised to powers, its draws resampled from those at hand.

    Raises
    ------
    BayesmixError
        The draws at hand are too far from it: Pareto k above 0.7, or fewer than 100 effective draws.
    """
    log = (prior - 1) * np.sum(list(log_prior(posterior).values()), axis=0)
    log = log + (likelihood - 1) * _log_likelihood(posterior)[..., 0]
    if np.ptp(log) < _EQUAL:
        return posterior
    weights, k = smoothed(np.ravel(log))
    share = np.exp(weights)
    effective = 1 / (share**2).sum()
    if not k <= PARETO_K or effective < _EFFECTIVE:
        raise BayesmixError(
            f"the draws of {posterior.model.name} are too far from those with prior to the power {prior:g} and "
            f"likelihood to the power {likelihood:g} (Pareto k {k:.2f}, {effective:.0f} effective draws). Fit "
            "with other priors instead"
        )
    chosen = np.random.default_rng(seed).choice(len(share), len(share), p=share)
    tree = xr.DataTree.from_dict(
        {name: _resampled(node.to_dataset(), chosen) for name, node in posterior.tree.children.items()}
    )
    # Repeated draws would fail diagnostics that the draws they were chosen from have passed.
    return dataclasses.replace(posterior, tree=tree, accepted=True)


def _log_likelihood(posterior: Posterior) -> np.ndarray:
    """Return the log likelihood of all runs together, shape (chain, draw, 1)."""
    return log_likelihood(posterior, np.zeros(len(posterior.runs), int))


def _resampled(group: xr.Dataset, chosen: np.ndarray) -> xr.Dataset:
    def take(values: xr.DataArray) -> xr.DataArray:
        if values.dims[:2] != ("chain", "draw"):
            return values
        flat = values.values.reshape(-1, *values.shape[2:])
        return values.copy(data=flat[chosen].reshape(values.shape))

    return group.map(take)


def mixtures(posterior: Posterior, problem: Problem, *, seed: int) -> dict[float, Decision]:
    """Return the decision with the prior as it is, and raised to each of `POWERS`."""
    powers = {1.0: posterior} | {p: power_scaled(posterior, prior=p, seed=seed) for p in POWERS}
    return {power: decide(each, problem, seed=seed) for power, each in powers.items()}


def moved(decisions: dict[float, Decision]) -> float:
    """Return the largest share of weight that another power of the prior moves between domains."""
    middle = decisions[1.0].mixture
    return max(float(np.abs(d.mixture - middle).sum() / 2) for d in decisions.values())
