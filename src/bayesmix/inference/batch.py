"""Batches: posteriors of one program, conditioned together; retries of those that fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesmix.diagnostics import Problem, sampling_problems
from bayesmix.inference.explore import Block, Explored, explore
from bayesmix.inference.preview import approximate
from bayesmix.inference.program import Program, program
from bayesmix.inference.progress import Tally
from bayesmix.inference.sampling import Sample, Settings, compiling, sample
from bayesmix.inference.streams import Streams
from bayesmix.inputs import Inputs
from bayesmix.model import Model
from bayesmix.scores import half_width

# Posteriors that one thread samples at once: they share what a step costs beside its arithmetic, which matters where
# covariates have no more numbers than `_SMALL`. More than a few outgrow the caches of a CPU.
_SLOTS, _SMALL = (1, 2, 3, 4, 6, 8), 256
# What each attempt asks for: an acceptance rate, and how many times the draws, of which the rest is thinned away. The
# last is for chains that nearly agree and lack nothing but effective draws.
_LADDER: tuple[tuple[float | None, int], ...] = ((None, 1), (0.95, 1), (0.99, 2), (0.99, 6))
_FUNNEL = 0.9  # acceptance rate to begin with where runs hardly know a scale
# Fewer draws a chain cannot pass the diagnostics, however well they mix.
_JUDGED = 400


@dataclass(frozen=True)
class Outcome:
    """What came of a block.

    Attributes
    ----------
    quantities : dict of str to array, shape (chain, draw, ...)
        Draws by name.
    sample : Sample
        The same as coordinates, with what the sampler says of them.
    modes : int
        Separate modes that matter.
    prior_kept : dict of str to float
        Share of the prior's standard deviation that is left, by quantity.
    attempts : tuple of str
        What was wrong with the attempts before, in a few words each.
    pareto_k : float
        How far an approximation is from the posterior; NaN for what NUTS sampled.
    """

    quantities: dict[str, np.ndarray]
    sample: Sample
    modes: int
    prior_kept: dict[str, float]
    attempts: tuple[str, ...] = ()
    pareto_k: float = float("nan")


def condition(
    model: Model, blocks: list[Block], settings: Settings, slots: int, threads: int, preview: bool, tally: Tally
) -> Iterator[tuple[int, Outcome | None]]:
    """Yield (index, outcome) of every block as soon as it is there; None where no density is finite.

    All blocks have inputs of one shape. With the same number of slots, what comes of one depends neither on the others
    nor on the number of threads.
    """
    compiled = program(model, blocks[0].inputs)
    if not preview:
        compiling(compiled, blocks[0].inputs, slots, settings)
    if blocks[0].inputs.centring or compiled.noise is not None:
        settings = replace(settings, acceptance=_FUNNEL)
    count = min(threads, -(-len(blocks) // slots))
    with Streams[tuple[int, Outcome | None]](threads) as streams:
        batch = _Batch(compiled, blocks, settings, slots, tally, streams)
        for first in range(count):
            part = range(first, len(blocks), count)
            streams.begin(batch.previewed(part) if preview else batch.sampled(part))
        yield from streams


def slots_for(posteriors: int, inputs: Inputs) -> int:
    """Return how many of so many posteriors, with inputs of this shape, one thread samples at once."""
    if sum(map(np.size, inputs.covariates.values())) > _SMALL:
        return 1
    return next((s for s in _SLOTS if s >= posteriors), _SLOTS[-1])


@dataclass(frozen=True)
class _Batch:
    """What the streams of a batch have in common."""

    compiled: Program
    blocks: list[Block]
    settings: Settings
    slots: int
    tally: Tally
    streams: Streams

    def explored(self, part: Sequence[int]) -> Iterator[tuple[int, Explored]]:
        """Find where some posteriors are."""
        for begin in range(0, len(part), self.slots):
            some = part[begin : begin + self.slots]
            yield from zip(some, explore(self.compiled, [self.blocks[i] for i in some], self.slots), strict=True)

    def previewed(self, part: Sequence[int]) -> Iterator[tuple[int, Outcome | None]]:
        """Approximate some posteriors."""
        for i, explored in self.explored(part):
            if not explored.modes:
                yield i, None
                continue
            taken, k = approximate(self.compiled, explored.task, self.settings)
            yield i, replace(_outcome(self.compiled, explored, taken), pareto_k=k)

    def sampled(self, part: Sequence[int]) -> Iterator[tuple[int, Outcome | None]]:
        """Sample some posteriors."""
        found = dict(self.explored(part))
        yield from ((i, None) for i, e in found.items() if not e.modes)
        if able := {i: e for i, e in found.items() if e.modes}:
            yield from self.attempt(able, self.slots, 0)

    def attempt(self, explored: Mapping[int, Explored], slots: int, rung: int) -> Iterator[tuple[int, Outcome]]:
        """Sample, and begin a stream for each that fails: whitened by its draws, more carefully, and longer."""
        order, (acceptance, times) = list(explored), _LADDER[rung]
        longer = replace(
            self.settings, acceptance=acceptance or self.settings.acceptance, draws=times * self.settings.draws
        )

        def report(position: int, draws: int, divergences: int) -> None:
            self.streams.check()
            self.tally(order[position], draws // times, divergences)

        for position, taken in sample(self.compiled, [explored[i].task for i in order], slots, longer, report):
            i = order[position]
            outcome = _outcome(self.compiled, explored[i], _thinned(taken, times))
            if not (wrong := _wrong(outcome, self.settings, rung)):
                yield i, outcome
                continue
            again = replace(
                explored[i],
                task=explored[i].task.after(outcome.sample.u),
                attempts=(*explored[i].attempts, "; ".join(w.short for w in wrong)),
            )
            # Alone: few fail as a rule, they are slow, and company would only wait for them.
            self.streams.begin(self.attempt({i: again}, 1, rung + 1))


def _thinned(taken: Sample, times: int) -> Sample:
    stats = {n: v[:, ::times] for n, v in taken.stats.items()}
    # What is left out counts where something went wrong.
    grouped = taken.stats["diverging"].reshape(len(taken.u), -1, times)
    return replace(taken, u=taken.u[:, ::times], stats=stats | {"diverging": grouped.any(axis=2)})


def _wrong(outcome: Outcome, settings: Settings, rung: int) -> list[Problem]:
    """Return what is wrong with an outcome and might not be with another attempt.

    A few divergences, which smaller steps as a rule are rid of, are worth one more, not two.
    """
    last = len(_LADDER) - 1
    if settings.draws < _JUDGED or rung == last:
        return []
    found = sampling_problems(outcome.quantities, outcome.sample.stats)
    wrong = [p for p in found if p.fatal or (rung == 0 and p.kind == "divergences")]
    return [] if rung == last - 1 and not all(p.mild for p in wrong) else wrong


def _outcome(compiled: Program, explored: Explored, taken: Sample) -> Outcome:
    shape = taken.u.shape[:2]
    flat = compiled.constrain(taken.u.reshape(-1, taken.u.shape[-1]), explored.task.inputs)
    quantities = {n: v.reshape(*shape, *v.shape[1:]) for n, v in flat.items()}
    inputs = explored.block.inputs
    before = compiled.constrain(explored.prior, inputs)
    kept = {
        n: _sd_kept(compiled.free(n, before[n], inputs), compiled.free(n, flat[n], inputs))
        for n in compiled.model.unknowns
    }
    return Outcome(quantities, taken, explored.modes, kept, explored.attempts)


def _sd_kept(before: np.ndarray, after: np.ndarray) -> float:
    """Return the largest share of an element's prior standard deviation that is left.

    By half of the central 68 %, since a prior with heavy tails has no standard deviation.
    """
    return float((half_width(after) / half_width(before)).max())
