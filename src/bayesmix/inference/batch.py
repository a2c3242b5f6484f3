"""Batches: posteriors of one program, conditioned together; retries of those that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bayesmix.diagnostics import Problem, sampling_problems
from bayesmix.inference.laplace import approximate
from bayesmix.inference.mode import Mode, find_modes
from bayesmix.inference.program import Program, program, rows_of, stacked
from bayesmix.inference.sampling import Sample, Settings, Task, compiling, sample
from bayesmix.inputs import Inputs
from bayesmix.model import Model

# Posteriors that run at once: more than a few gain nothing on a CPU, whose caches they outgrow.
_SLOTS = (1, 2, 3, 4, 6, 8)
# What each attempt asks for: an acceptance rate, and how many times the draws, of which the rest is thinned away. The
# last is for chains that nearly agree and lack nothing but effective draws.
_LADDER: tuple[tuple[float | None, int], ...] = ((None, 1), (0.95, 1), (0.99, 2), (0.99, 6))
_FUNNEL = 0.9  # acceptance rate to begin with where a scale is unknown
# Fewer draws a chain cannot pass the diagnostics, however well they mix.
_JUDGED = 400
_PRIOR_DRAWS = 1000
# Of more rows than `_MANY`, a sample of `_ENOUGH` shows where to climb.
_MANY, _ENOUGH = 4096, 1024

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Block:
    """One posterior to be sampled: padded inputs and the seed of its randomness."""

    inputs: Inputs
    seed: tuple[int, ...]


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
        What was wrong with the attempts before, in sentences.
    pareto_k : float
        How far a Laplace approximation is from the posterior; NaN for what NUTS sampled.
    """

    quantities: dict[str, np.ndarray]
    sample: Sample
    modes: int
    prior_kept: dict[str, float]
    attempts: tuple[str, ...] = ()
    pareto_k: float = float("nan")


def condition(
    model: Model, blocks: list[Block], settings: Settings, slots: int, preview: bool, report: Report
) -> Iterator[tuple[int, Outcome | None]]:
    """Yield (index, outcome) of every block as soon as it is there; None where no density is finite.

    All blocks have inputs of one shape. With the same number of slots, what comes of one does not depend on the others.
    """
    compiled = program(model, blocks[0].inputs)
    if not preview:
        compiling(compiled, blocks[0].inputs, slots, settings)
    posteriors: dict[int, _Explored] = {}
    for begin in range(0, len(blocks), slots):
        for i, explored in enumerate(_explored(compiled, blocks[begin : begin + slots], slots), start=begin):
            if explored.task.modes:
                posteriors[i] = explored
            else:
                yield i, None
    if not posteriors:
        return
    if preview:
        for i, explored in posteriors.items():
            taken, k = approximate(compiled, explored.task, settings)
            yield i, replace(_outcome(compiled, explored, taken), pareto_k=k)
        return
    yield from _sampled(compiled, posteriors, settings, slots, report)


def slots_for(posteriors: int) -> int:
    """Return how many of so many posteriors run at once."""
    return next((s for s in _SLOTS if s >= posteriors), _SLOTS[-1])


@dataclass(frozen=True)
class _Explored:
    """A block whose modes are known."""

    block: Block
    task: Task
    prior: np.ndarray


def _explored(compiled: Program, blocks: list[Block], slots: int) -> list[_Explored]:
    full = blocks + [blocks[-1]] * (slots - len(blocks))
    rngs = [np.random.default_rng(b.seed) for b in full]
    inputs = [b.inputs for b in full]
    priors = [compiled.prior(rng, _PRIOR_DRAWS, i) for rng, i in zip(rngs, inputs, strict=True)]
    modes = _modes(compiled, inputs, priors)
    if inputs[0].centring and any(modes):
        inputs, modes = _centred(compiled, inputs, modes, priors)
    return [_Explored(b, Task(i, m, r), p) for b, i, m, r, p in zip(blocks, inputs, modes, rngs, priors, strict=False)]


def _modes(compiled: Program, inputs: list[Inputs], priors: list[np.ndarray]) -> list[list[Mode]]:
    """Return the modes of each posterior; of very many rows a sample is climbed first, from all over the prior."""
    starts, rows = None, len(inputs[0].response)
    if rows > _MANY:
        few = np.random.default_rng(0).choice(rows, _ENOUGH, replace=False)
        sampled = [rows_of(i, few) for i in inputs]
        found = find_modes(program(compiled.model, sampled[0]).smooth, stacked(sampled), priors)
        if all(found):
            starts = np.stack([_tiled(modes, max(map(len, found))) for modes in found])
    return find_modes(compiled.smooth, stacked(inputs), priors, starts)


def _tiled(modes: list[Mode], count: int) -> np.ndarray:
    """Return the centres of so many modes, the last one repeated; shape (mode, coordinate)."""
    return np.stack([modes[min(rank, len(modes) - 1)].centre for rank in range(count)])


def _sampled(
    compiled: Program, posteriors: dict[int, _Explored], settings: Settings, slots: int, report: Report
) -> Iterator[tuple[int, Outcome]]:
    """Sample, and sample those again that fail, whitened by the draws at hand, more carefully, and longer."""
    attempts: dict[int, tuple[str, ...]] = dict.fromkeys(posteriors, ())
    tasks = {i: e.task for i, e in posteriors.items()}
    if any(t.inputs.centring for t in tasks.values()):
        settings = replace(settings, acceptance=_FUNNEL)
    for rung, (acceptance, times) in enumerate(_LADDER):
        longer = replace(settings, acceptance=acceptance or settings.acceptance, draws=times * settings.draws)
        order, failed = list(tasks), {}
        for position, taken in sample(compiled, [tasks[i] for i in order], slots, longer, report):
            i = order[position]
            outcome = replace(_outcome(compiled, posteriors[i], _thinned(taken, times)), attempts=attempts[i])
            wrong = _wrong(outcome, settings, rung)
            if not wrong:
                yield i, outcome
                continue
            attempts[i] = (*attempts[i], "; ".join(w.short for w in wrong))
            failed[i] = replace(tasks[i], modes=[_fitted(outcome.sample.u)])
        tasks, slots = failed, 1  # few as a rule, and slow: company would only wait for them
        if not tasks:
            return


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


def _fitted(u: np.ndarray) -> Mode:
    """Return the normal distribution with the mean and covariance of draws."""
    flat = u.reshape(-1, u.shape[-1])
    covariance = np.atleast_2d(np.cov(flat.T))
    # Directions that hardly move would otherwise be lost to rounding.
    bends, axes = np.linalg.eigh(covariance)
    scale = axes * np.sqrt(np.maximum(bends, 1e-12 * max(bends.max(), 1e-12)))
    return Mode(flat.mean(axis=0), scale, 0.0)


def _centred(
    compiled: Program, inputs: list[Inputs], modes: list[list[Mode]], priors: list[np.ndarray]
) -> tuple[list[Inputs], list[list[Mode]]]:
    """Choose how each group is centred by how well the runs know it, and find the modes in those coordinates."""
    after = [_informed(compiled, i, found[0]) if found else i for i, found in zip(inputs, modes, strict=True)]
    most = max(map(len, modes))
    starts = np.zeros((len(inputs), most, compiled.size))
    for k, (a, b, found) in enumerate(zip(inputs, after, modes, strict=True)):
        for rank, centre in enumerate(_tiled(found, most) if found else ()):
            starts[k, rank] = compiled.recentred(centre, a, b)
    again = find_modes(compiled.smooth, stacked(after), priors, starts)
    return after, [new if found else [] for new, found in zip(again, modes, strict=True)]


def _informed(compiled: Program, inputs: Inputs, mode: Mode) -> Inputs:
    """Centre each group by how well the runs know it: the precision of its offsets beyond that of the prior."""
    precision = compiled.unravel(np.diag(np.linalg.pinv(mode.scale @ mode.scale.T)))
    values = {n: v[0] for n, v in compiled.constrain(mode.centre[None], inputs).items()}
    centring = {}
    for name, now in inputs.centring.items():
        offsets = precision[f"{compiled.model.site(name)}.offset"].reshape(*now.shape, -1).mean(axis=-1)
        scale = np.asarray(compiled.model.scale_of(name, values, inputs))
        centring[name] = np.sqrt(np.maximum(offsets - 1, 0.0)) / scale
    return replace(inputs, centring=centring)


def _outcome(compiled: Program, explored: _Explored, taken: Sample) -> Outcome:
    shape = taken.u.shape[:2]
    flat = compiled.constrain(taken.u.reshape(-1, taken.u.shape[-1]), explored.task.inputs)
    quantities = {n: v.reshape(*shape, *v.shape[1:]) for n, v in flat.items()}
    inputs = explored.block.inputs
    before = compiled.constrain(explored.prior, inputs)
    kept = {
        n: _sd_kept(compiled.free(n, before[n], inputs), compiled.free(n, flat[n], inputs))
        for n in compiled.model.unknowns
    }
    return Outcome(quantities, taken, len(explored.task.modes), kept)


def _sd_kept(before: np.ndarray, after: np.ndarray) -> float:
    """Return the largest share of an element's prior standard deviation that is left."""
    return float((after.std(axis=0) / before.std(axis=0)).max())
