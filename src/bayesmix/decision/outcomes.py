"""Outcomes: what candidate runs would measure, in the draws that an objective is over."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix.beyond import bent
from bayesmix.decision.objective import taken
from bayesmix.evaluation import measured_draws
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs


def outcomes(
    posteriors: Mapping[str, Posterior], counts: Mapping[str, int], runs: Runs, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return expected and measured responses of runs, shape (draw, run, target), as logarithms where all are positive.

    Draw by draw the law, its quantities and its bend are those of `objective.build` with the same counts and seed.
    """
    parts = [_of_one(posteriors[name], count, runs, (seed, 0, k)) for k, (name, count) in enumerate(counts.items())]
    expected, measured = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    if min(expected.min(), measured.min()) <= 0:
        return expected, measured
    return np.log(expected), np.log(measured)


def _of_one(posterior: Posterior, count: int, runs: Runs, stream: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    posterior = posterior.paired
    positions, bend = taken(posterior, count, stream)
    seed = int(np.random.SeedSequence(stream).generate_state(1)[0])
    inputs, _ = posterior.model.inputs(runs, posterior.coordinates)
    values = {name: v[positions] for name, v in posterior.values().items()}
    expected, measured = measured_draws(posterior.model, values, inputs, seed, together=posterior.together)
    # A run's own departure is no knowledge of others: it is part of what is measured, not of what is expected.
    found = bent(posterior, inputs, bend, np.random.default_rng((*stream, 1))) if posterior.model.discrepancy else None
    if found is None:
        return expected, measured
    shared, own = found
    return expected * shared[positions], measured * own[positions]
