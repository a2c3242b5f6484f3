"""Where a posterior is, before it is sampled: its modes, and the centring of its groups that suits them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesmix.inference.mode import Mode, find_modes
from bayesmix.inference.program import Program, program
from bayesmix.inference.task import Task
from bayesmix.inputs import Inputs, rows_of, stacked

_PRIOR_DRAWS = 1000
# Of more rows than `_MANY`, a sample of `_ENOUGH` shows where to climb.
_MANY, _ENOUGH = 4096, 1024


@dataclass(frozen=True)
class Block:
    """One posterior to be sampled: padded inputs and the seed of its randomness."""

    inputs: Inputs
    seed: tuple[int, ...]


@dataclass(frozen=True)
class Explored:
    """A block whose modes are known.

    Attributes
    ----------
    block : Block
        What it is.
    task : Task
        What to sample, and where to begin; without modes if no density is finite.
    prior : array, shape (draw, coordinate)
        Draws from its prior.
    modes : int
        Separate modes that matter.
    attempts : tuple of str
        What was wrong with attempts to sample it.
    """

    block: Block
    task: Task
    prior: np.ndarray
    modes: int
    attempts: tuple[str, ...] = ()


def explore(compiled: Program, blocks: list[Block], slots: int) -> list[Explored]:
    """Find the modes of some blocks, as many at once as there are slots, and centre what is pooled."""
    full = blocks + [blocks[-1]] * (slots - len(blocks))
    rngs = [np.random.default_rng(b.seed) for b in full]
    inputs = [b.inputs for b in full]
    priors = [compiled.prior(rng, _PRIOR_DRAWS, i) for rng, i in zip(rngs, inputs, strict=True)]
    held = _held(compiled, inputs, priors)
    modes = _modes(compiled, inputs, priors, held)
    if inputs[0].centring and any(modes):
        inputs, modes = _centred(compiled, inputs, modes, priors, held)
    tasks = [Task.of(compiled, i, m, p, r) for i, m, p, r in zip(inputs, modes, priors, rngs, strict=True)]
    return [Explored(b, t, p, len(t.modes)) for b, t, p in zip(blocks, tasks, priors, strict=False)]


def _held(compiled: Program, inputs: list[Inputs], priors: list[np.ndarray]) -> np.ndarray | None:
    """Return where the noise of each posterior is held while modes are sought, NaN where it is not.

    A law may meet as many runs as it has coordinates without any error: the joint density is highest where the noise
    vanishes, which is as good as nowhere, and every such solution a mode of its own. So the noise stays in the middle
    of its prior.
    """
    if compiled.noise is None:
        return None
    exact = [np.asarray(i.observed).sum() <= len(compiled.of_law) for i in inputs]
    return np.where(exact, [np.median(prior[:, compiled.noise]) for prior in priors], np.nan)


def _modes(
    compiled: Program, inputs: list[Inputs], priors: list[np.ndarray], held: np.ndarray | None
) -> list[list[Mode]]:
    """Return the modes of each posterior; of very many rows a sample is climbed first, from all over the prior."""
    starts, rows = None, len(inputs[0].response)
    if rows > _MANY:
        few = np.random.default_rng(0).choice(rows, _ENOUGH, replace=False)
        sampled = [rows_of(i, few) for i in inputs]
        found = find_modes(program(compiled.model, sampled[0]).smooth, stacked(sampled), priors)
        if all(found):
            starts = np.stack([_tiled(modes, max(map(len, found))) for modes in found])
    return find_modes(compiled.smooth, stacked(inputs), priors, starts, held)


def _tiled(modes: list[Mode], count: int) -> np.ndarray:
    """Return the centres of so many modes, the last one repeated; shape (mode, coordinate)."""
    return np.stack([modes[min(rank, len(modes) - 1)].centre for rank in range(count)])


def _centred(
    compiled: Program,
    inputs: list[Inputs],
    modes: list[list[Mode]],
    priors: list[np.ndarray],
    held: np.ndarray | None,
) -> tuple[list[Inputs], list[list[Mode]]]:
    """Choose how each group is centred by how well the runs know it, and find the modes in those coordinates."""
    after = [_informed(compiled, i, found[0]) if found else i for i, found in zip(inputs, modes, strict=True)]
    most = max(map(len, modes))
    starts = np.zeros((len(inputs), most, compiled.size))
    for k, (a, b, found) in enumerate(zip(inputs, after, modes, strict=True)):
        for rank, centre in enumerate(_tiled(found, most) if found else ()):
            starts[k, rank] = compiled.recentred(centre, a, b)
    again = find_modes(compiled.smooth, stacked(after), priors, starts, held)
    return after, [new if found else [] for new, found in zip(again, modes, strict=True)]


def _informed(compiled: Program, inputs: Inputs, mode: Mode) -> Inputs:
    """Centre each group by how well the runs know it: the precision of its offsets beyond that of the prior."""
    precision = compiled.pieces(np.diag(np.linalg.pinv(mode.scale @ mode.scale.T)))
    values = {n: v[0] for n, v in compiled.constrain(mode.centre[None], inputs).items()}
    centring = {}
    for name, now in inputs.centring.items():
        offsets = precision[f"{compiled.model.site(name)}.offset"].reshape(*now.shape, -1).mean(axis=-1)
        scale = np.asarray(compiled.model.scale_of(name, values, inputs))
        centring[name] = np.sqrt(np.maximum(offsets - 1, 0.0)) / scale
    return replace(inputs, centring=centring)
