"""Sampling a batch of posteriors with NUTS: warm-up that stops when it is adapted, then draws."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from bayesmix.diagnostics import energy_mixing
from bayesmix.inference import nuts
from bayesmix.inference.funnel import Funnel, outside
from bayesmix.inference.program import Program
from bayesmix.inference.progress import Tally
from bayesmix.inference.task import Task
from bayesmix.inputs import Inputs, stacked

STATS = ("lp", "energy", "acceptance_rate", "n_steps", "diverging")
# Draws of each chain in the first stages of the warm-up; the last is repeated.
_STAGES = (60, 100, 150, 200)
_AGREE = 1.1  # R-hat of the chains of one stage of the warm-up
_QUICK = 7  # leapfrog steps a draw, below which better whitening gains nothing


@dataclass(frozen=True)
class Settings:
    """What a fit is asked for.

    Parameters
    ----------
    draws : int
        Kept in each chain.
    warmup : int
        Discarded in each chain; more only to the end of the stage in which they are reached.
    chains : int
        Chains of each posterior.
    acceptance : float
        Acceptance rate that the step size aims at.
    """

    draws: int = 1000
    warmup: int = 1000
    chains: int = 4
    acceptance: float = 0.8


@dataclass(frozen=True)
class Sample:
    """Draws of one posterior.

    Attributes
    ----------
    u : array, shape (chain, draw, coordinate)
        Unconstrained coordinates.
    stats : dict of str to array, shape (chain, draw)
        Those named in `STATS`, and ``bfmi``, one number a chain.
    """

    u: np.ndarray
    stats: dict[str, np.ndarray]


@dataclass
class _Chains:
    """The chains of one posterior while they run."""

    funnel: Funnel | None
    centre: np.ndarray
    scale: np.ndarray
    step: float
    settings: Settings
    z: np.ndarray
    stage: int = 0
    warmup: int = 0
    seen: list[list[dict[str, np.ndarray]]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    sample: Sample | None = None

    @property
    def wanted(self) -> int:
        return self.settings.draws if self.sampling else _STAGES[min(self.stage, len(_STAGES) - 1)]

    @property
    def sampling(self) -> bool:
        return self.stage < 0

    @property
    def count(self) -> int:
        """Draws that every chain has by now."""
        return min(self.counts, default=0)

    @classmethod
    def idle(cls, size: int, settings: Settings) -> _Chains:
        return cls(None, np.zeros(size), np.eye(size), 1.0, settings, np.zeros((settings.chains, size)), stage=-1)

    def take(self, out: dict[str, np.ndarray], state: Any, slot: int) -> bool:
        """Add what a round gave, arrays (step, chain, ...); return whether the lanes must begin anew."""
        chains = range(self.settings.chains)
        self.seen, self.counts = self.seen or [[] for _ in chains], self.counts or [0 for _ in chains]
        for chain in chains:
            done = out["done"][:, chain]
            self.seen[chain].append({n: out[n][done, chain] for n in (*STATS, "z")})
            self.counts[chain] += int(done.sum())
        if self.count < self.wanted:
            return False
        draws = {
            n: np.stack([np.concatenate([p[n] for p in chain])[: self.wanted] for chain in self.seen])
            for n in (*STATS, "z")
        }
        self.seen, self.counts = [], []
        if self.sampling:
            u, volume = outside(self.funnel, self.centre + draws["z"] @ self.scale.T)
            stats = {n: draws[n] for n in STATS} | {"lp": draws["lp"] - volume}
            # Of all draws, since thinned ones seem to mix better.
            bfmi = np.repeat(energy_mixing(stats["energy"])[:, None], stats["energy"].shape[1], axis=1)
            self.sample = Sample(u, stats | {"bfmi": bfmi})
            return False
        v = self.centre + np.asarray(state.tree.proposal.z)[slot] @ self.scale.T
        # One step size for all chains: a single one that was misled shall not sample with its own.
        self.step = float(np.exp(np.asarray(state.averaging.average)[slot].mean()))
        self._adapt(draws)
        self.z = np.linalg.solve(self.scale, (v - self.centre).T).T
        return True

    def _adapt(self, draws: dict[str, np.ndarray]) -> None:
        """Whiten by the draws of a stage, unless they show that this is done."""
        self.warmup += draws["z"].shape[1]
        late = {n: v[:, v.shape[1] // 3 :] for n, v in draws.items()}
        z = late["z"]
        within = z - z.mean(axis=1, keepdims=True)
        count, size = z.shape[0] * (z.shape[1] - 1), z.shape[2]
        covariance = np.einsum("cni,cnj->ij", within, within) / count
        agree = _r_hat(np.concatenate([z, late["lp"][..., None]], axis=2)) < _AGREE
        if (agree and (late["n_steps"].mean() <= _QUICK or _white(covariance, count))) or (
            self.warmup >= self.settings.warmup
        ):
            self.stage = -1
            return
        # The present whitening is worth as much as this many draws.
        belief = 2 * size + 20
        covariance = (count * covariance + belief * np.eye(size)) / (count + belief)
        self.centre = self.centre + self.scale @ z.mean(axis=(0, 1))
        self.scale = self.scale @ np.linalg.cholesky(covariance)
        self.stage += 1


def _r_hat(draws: np.ndarray) -> float:
    """Return the largest R-hat of draws, shape (chain, draw, quantity), as first defined: a look, not a verdict."""
    within = draws.var(axis=1, ddof=1).mean(axis=0)
    between = draws.mean(axis=1).var(axis=0, ddof=1)
    return float(np.sqrt(1 + (between / np.maximum(within, 1e-300)).max()))


def _white(covariance: np.ndarray, count: int) -> bool:
    """Return whether a covariance is that of white noise, within a factor of 2 and the scatter of so many draws."""
    scatter = np.sqrt(len(covariance) / count)
    lengths = np.linalg.eigvalsh(covariance)
    return bool(lengths[-1] < 2 * (1 + scatter) ** 2 and lengths[0] > max(0.0, 1 - scatter) ** 2 / 2)


def sample(
    program: Program, tasks: Sequence[Task], slots: int, settings: Settings, report: Tally
) -> Iterator[tuple[int, Sample]]:
    """Yield (index, sample) of every task as it is done.

    As many posteriors as there are slots run at once; when one is done, the next takes its place. What a posterior's
    draws are does not depend on the others.

    Parameters
    ----------
    program : Program
        The density of all of them.
    tasks : sequence of Task
        At least one.
    slots : int
        Posteriors that run at once.
    settings : Settings
        Of all of them.
    report : callable
        Told after every round (index, draws, divergences) of each that runs; divergences once it is done.
    """
    queue = deque(range(len(tasks)))
    chains: list[_Chains | None] = [None] * slots
    holds = [0] * slots
    state = _idle_lanes(slots, settings.chains, program.size)
    batch: Any = None
    while queue or any(chains):
        for slot in range(slots):
            if chains[slot] is None and queue:
                holds[slot] = queue.popleft()
                chains[slot] = begun = _begun(program, tasks[holds[slot]], settings)
                state = _begin_lanes(state, slot, begun)
                batch = stacked([(tasks[i].inputs, tasks[i].funnel) for i in holds])
        uniform, momentum = _random([tasks[i] for i in holds], chains, settings.chains, program.size)
        running = [c or _Chains.idle(program.size, settings) for c in chains]
        state, out = program.advance(
            state, uniform, momentum, *batch,
            np.stack([c.centre for c in running]), np.stack([c.scale for c in running]),
            np.full(slots, settings.acceptance), np.array([not c.sampling for c in running]),
        )  # fmt: skip
        out = {n: np.asarray(v) for n, v in out._asdict().items()}
        for slot, c in enumerate(chains):
            if c is None:
                continue
            if c.take({n: v[:, slot] for n, v in out.items()}, state, slot):
                state = _begin_lanes(state, slot, c)
            if c.sample is not None:
                report(holds[slot], settings.draws, int(c.sample.stats["diverging"].sum()))
                chains[slot] = None
                yield holds[slot], c.sample
            else:
                report(holds[slot], c.count if c.sampling else 0, 0)


def _random(tasks: list[Task], chains: list[_Chains | None], number: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the random numbers of a round; a slot without a posterior needs none."""
    uniform = np.full((nuts.STEPS, len(tasks), number, 3), 0.5)
    momentum = np.zeros((nuts.STEPS, len(tasks), number, size))
    for slot, task in enumerate(tasks):
        if chains[slot] is not None:
            uniform[:, slot] = task.rng.random((nuts.STEPS, number, 3))
            momentum[:, slot] = task.rng.standard_normal((nuts.STEPS, number, size))
    return uniform, momentum


def _begun(program: Program, task: Task, settings: Settings) -> _Chains:
    v, white = _starts(program, task, settings.chains), task.whitening or task.modes[0]
    z = np.linalg.solve(white.scale, (v - white.centre).T).T
    return _Chains(task.funnel, white.centre, white.scale, program.size**-0.25, settings, z)


def _idle_lanes(slots: int, number: int, size: int) -> Any:
    lane = nuts.begin(np.zeros(size), nuts.averaging(1.0))
    return jax.tree.map(lambda leaf: np.broadcast_to(leaf, (slots, number, *np.shape(leaf))).copy(), lane)


def _begin_lanes(state: Any, slot: int, chains: _Chains) -> Any:
    """Return lanes of which those of a slot begin where its chains are, in the coordinates that they have now."""
    state = jax.tree.map(np.array, state)
    for chain, z in enumerate(chains.z):
        lane = nuts.begin(z, nuts.averaging(chains.step))
        for array, new in zip(jax.tree.leaves(state), jax.tree.leaves(lane), strict=True):
            array[slot, chain] = new
    return state


def compiling(program: Program, example: Inputs, slots: int, settings: Settings) -> None:
    """Begin to compile what `sample` needs, beside what is done until then."""
    size, shape = program.size, (nuts.STEPS, slots, settings.chains)
    vector, matrix = np.zeros((slots, size)), np.zeros((slots, size, size))
    funnel = None if program.noise is None else Funnel(vector, matrix, vector, vector)
    program.prepare(
        _idle_lanes(slots, settings.chains, size), np.zeros((*shape, 3)), np.zeros((*shape, size)),
        stacked([example] * slots), funnel, vector, matrix, np.zeros(slots), np.zeros(slots, bool),
    )  # fmt: skip


def _starts(program: Program, task: Task, number: int) -> np.ndarray:
    """Return a start for each chain around the modes in turn, shape (chain, coordinate)."""
    around = [task.modes[c % len(task.modes)] for c in range(number)]
    centres = np.stack([m.centre for m in around])
    offsets = np.stack([m.scale @ task.rng.standard_normal(program.size) for m in around])
    share = np.ones(number)
    for _ in range(10):
        # Where the Laplace approximation reaches too far, into a wall or into nowhere, start nearer to the mode.
        points = np.concatenate([centres, centres + share[:, None] * offsets])
        values = program.smooth.density(outside(task.funnel, points)[0][None], stacked([task.inputs]))[0][0]
        far = ~(values[number:] < values[:number] + 5 * program.size + 50)
        if not far.any():
            break
        share = np.where(far, share / 2, share)
    return centres + share[:, None] * offsets
