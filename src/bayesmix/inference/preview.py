"""A quick look at a posterior: its Laplace approximation, brought nearer by its own draws, reweighted by importance."""

from __future__ import annotations

import numpy as np

from bayesmix.importance import smoothed
from bayesmix.inference.funnel import outside
from bayesmix.inference.mode import Mode
from bayesmix.inference.program import Program
from bayesmix.inference.sampling import Sample, Settings
from bayesmix.inference.task import Task
from bayesmix.inputs import stacked

# A proposal is good below this Pareto k; so many are tried.
_GOOD, _ROUNDS = 0.5, 5
# Draws that count, for each coordinate, in what the next proposal is made of; no more than this share of all.
_COUNTING, _SHARE = 20, 0.25


def approximate(program: Program, task: Task, settings: Settings) -> tuple[Sample, float]:
    """Return draws of a posterior, approximated and resampled by importance, and the Pareto k of that.

    The first proposal is a mixture of the modes by their evidence, with Student-t tails of 7 degrees of freedom. Where
    it is far from the posterior, the next has the mean and covariance of the weighted draws (population Monte Carlo:
    Cappé et al. 2004), whose weights are tempered until enough draws count (Koblents and Míguez 2015). Of all
    rounds the one with the least Pareto k is kept.
    """
    shape = (settings.chains, settings.draws)
    rounds, modes = [], task.modes
    for _ in range(_ROUNDS):
        rounds.append(_weighed(program, task, modes, settings.chains * settings.draws))
        v, weights, _, k = rounds[-1]
        if k < _GOOD:
            break
        modes = [Mode.fitted(v, _tempered(weights, v.shape[1]))]
    v, weights, potential, k = min(rounds, key=lambda r: r[-1])
    chosen = task.rng.choice(len(v), shape, p=weights)
    u, volume = outside(task.funnel, v[chosen])
    nothing = np.zeros(shape)
    stats = {
        "lp": -potential[chosen] - volume,
        "energy": potential[chosen],
        "acceptance_rate": nothing + 1,
        "n_steps": nothing.astype(int),
        "diverging": nothing.astype(bool),
    }
    return Sample(u, stats), k


def _weighed(
    program: Program, task: Task, modes: list[Mode], number: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return draws of a proposal, their weights, which sum to one, their potentials, and Pareto k of the weights."""
    v, proposed = _proposed(modes, task.rng, number)
    u, volume = outside(task.funnel, v)
    potential = program.density(u[None], stacked([task.inputs]))[0][0] - volume
    log_weights = np.where(np.isfinite(potential), -potential - proposed, -np.inf)
    weights, k = smoothed(log_weights)
    if np.isinf(k) and np.isfinite(log_weights).any():
        weights = log_weights  # which still say where to look next
    return v, _normalised(weights), potential, k


def _normalised(log_weights: np.ndarray) -> np.ndarray:
    return np.exp(log_weights - np.logaddexp.reduce(log_weights))


def _tempered(weights: np.ndarray, size: int) -> np.ndarray:
    """Return the weights to the largest power, of a ladder, at which enough draws count."""
    logs = np.log(np.maximum(weights, np.finfo(float).tiny))
    wanted = min(_COUNTING * size, _SHARE * len(weights))
    tried = (_normalised(power * logs) for power in 0.9 ** np.arange(60))
    return next((w for w in tried if 1 / (w**2).sum() >= wanted), np.full(len(weights), 1 / len(weights)))


def _proposed(modes: list[Mode], rng: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of the proposal and its log density up to a constant."""
    evidence = np.array([m.evidence for m in modes])
    shares = np.exp(evidence - np.logaddexp.reduce(evidence))
    which = rng.choice(len(modes), number, p=shares / shares.sum())
    size = len(modes[0].centre)
    z = rng.standard_normal((number, size)) / np.sqrt(rng.chisquare(7, (number, 1)) / 7)
    v = np.stack([modes[m].centre + modes[m].scale @ row for m, row in zip(which, z, strict=True)])
    parts = []
    for mode, share in zip(modes, shares, strict=True):
        distance = (np.linalg.solve(mode.scale, (v - mode.centre).T) ** 2).sum(axis=0)
        volume = np.linalg.slogdet(mode.scale)[1]
        parts.append(np.log(share) - volume - 0.5 * (7 + size) * np.log1p(distance / 7))
    return v, np.logaddexp.reduce(parts, axis=0)
