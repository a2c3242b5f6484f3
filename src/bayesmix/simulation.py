"""Runs that a model makes up: from its priors, or from constants that somebody stated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import numpyro
from numpyro.infer import Predictive

from bayesmix.binding import bind, usual_items
from bayesmix.errors import BayesmixError
from bayesmix.inputs import Coordinates
from bayesmix.law import Prior, Reference
from bayesmix.model import Model
from bayesmix.pooling import INTERNAL
from bayesmix.precision import in_double
from bayesmix.runs import Runs


@in_double
def prior_predictive(model: Model, runs: Runs, *, seed: int, draws: int = 1000) -> dict[str, np.ndarray]:
    """Draw quantities from their priors and responses from them, at the covariates of the runs.

    Parameters
    ----------
    model : Model
        The model; its references come from the runs, its priors do not.
    runs : Runs
        The design.
    seed, draws : int
        Source of randomness, and how many.

    Returns
    -------
    dict of str to array
        Every quantity (draw, ...) and ``response``, shape (draw, observation, target).
    """
    inputs, _ = model.inputs(runs)
    drawn = Predictive(model, num_samples=draws)(jax.random.key(seed), inputs, observe=False)
    return {n: np.asarray(v) for n, v in drawn.items() if not n.endswith(INTERNAL)}


@in_double
def simulate(model: Model, planned: Runs, constants: Mapping[str, Any], *, targets: tuple[str, ...], seed: int) -> Runs:
    """Return the planned runs with responses that the model makes up from stated constants.

    Parameters
    ----------
    model : Model
        Law and noise.
    planned : Runs
        The design: covariates and labels.
    constants : mapping of str to number or nested list
        Every quantity and reference of law and noise: a number for all, or nested lists with the quantity's
        dimensions, groups in alphabetical order.
    targets : tuple of str
        Names of the responses.
    seed : int
        Source of the noise.

    Raises
    ------
    BayesmixError
        A constant is missing.
    """
    needed = [n for n, q in model.quantities.items() if isinstance(q, Prior | Reference)]
    if missing := [n for n in needed if n not in constants]:
        raise BayesmixError(f"model {model.name} needs a number for {', '.join(missing)} to simulate")
    references = {n: constants[n] for n, q in model.quantities.items() if isinstance(q, Reference)}
    columns = {p.by for p in model.pooling.values() if p.kind != "complete"} & set(planned.labels)
    levels = {by: tuple(sorted(set(planned.table[by]))) for by in columns}
    like = Coordinates(
        targets, planned.domains, levels, references, (1.0,) * len(targets), usual_items(planned, targets)
    )
    inputs, _ = bind(model, planned, like)
    values = {}
    for name in model.unknowns:
        values[name] = np.broadcast_to(np.asarray(constants[name], dtype=float), inputs.shape(model.dims(name)))
    mean = model.mean(values, inputs)
    with numpyro.handlers.seed(rng_seed=seed):
        responses = numpyro.sample("response", model.measured(values, mean, inputs))
    table = planned.table.assign(**{t: np.asarray(responses)[:, i] for i, t in enumerate(targets)})
    # The card is remembered, not applied again: names and units are standard by now.
    return dataclasses.replace(Runs.of(table, source="simulated runs"), card=planned.card)
