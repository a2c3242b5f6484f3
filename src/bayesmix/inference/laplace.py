"""A quick look at a posterior: its Laplace approximation, reweighted by importance."""

from __future__ import annotations

import numpy as np

from bayesmix.inference.mode import Mode
from bayesmix.inference.program import Program, stacked
from bayesmix.inference.sampling import Sample, Settings, Task


def approximate(program: Program, task: Task, settings: Settings) -> tuple[Sample, float]:
    """Return draws of a posterior's Laplace approximation, resampled by importance, and the Pareto k of that.

    The proposal is a mixture of the modes by their evidence, with Student-t tails of 7 degrees of freedom.
    """
    from arviz_stats.base import array_stats

    shape = (settings.chains, settings.draws)
    u, proposed = _proposed(task.modes, task.rng, settings.chains * settings.draws)
    potential = program.density(u[None], stacked([task.inputs]))[0][0]
    log_weights = np.where(np.isfinite(potential), -potential - proposed, -np.inf)
    # ArviZ takes what importance sampling for LOO starts from: log likelihoods, the negative of log weights.
    smoothed, k = array_stats.psislw(log_weights.max() - log_weights)
    weights = np.exp(smoothed - np.logaddexp.reduce(smoothed))
    chosen = task.rng.choice(len(u), shape, p=weights / weights.sum())
    nothing = np.zeros(shape)
    stats = {
        "lp": -potential[chosen],
        "energy": potential[chosen],
        "acceptance_rate": nothing + 1,
        "n_steps": nothing.astype(int),
        "diverging": nothing.astype(bool),
    }
    return Sample(u[chosen], stats), float(k)


def _proposed(modes: list[Mode], rng: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of the proposal and its log density up to a constant."""
    evidence = np.array([m.evidence for m in modes])
    shares = np.exp(evidence - np.logaddexp.reduce(evidence))
    which = rng.choice(len(modes), number, p=shares / shares.sum())
    size = len(modes[0].centre)
    z = rng.standard_normal((number, size)) / np.sqrt(rng.chisquare(7, (number, 1)) / 7)
    u = np.stack([modes[m].centre + modes[m].scale @ row for m, row in zip(which, z, strict=True)])
    parts = []
    for mode, share in zip(modes, shares, strict=True):
        distance = (np.linalg.solve(mode.scale, (u - mode.centre).T) ** 2).sum(axis=0)
        volume = np.linalg.slogdet(mode.scale)[1]
        parts.append(np.log(share) - volume - 0.5 * (7 + size) * np.log1p(distance / 7))
    return u, np.logaddexp.reduce(parts, axis=0)
