"""fit(): condition a model on runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayesmix.errors import BayesmixError, InputError
from bayesmix.inference.batch import Block, Outcome, condition, slots_for
from bayesmix.inference.blocks import blocks, joined
from bayesmix.inference.mode import nowhere_finite
from bayesmix.inference.program import structure
from bayesmix.inference.progress import Report, Together
from bayesmix.inference.progress import progress as show
from bayesmix.inference.sampling import Settings
from bayesmix.inference.streams import cores
from bayesmix.inputs import Coordinates, Inputs, padded
from bayesmix.model import Model
from bayesmix.posterior import Posterior, assemble
from bayesmix.precision import in_double
from bayesmix.runs import Runs


@dataclass(frozen=True)
class Job:
    """One fit that is asked for."""

    model: Model
    runs: Runs
    seed: int


def fit(
    model: Model,
    runs: Runs,
    *,
    seed: int,
    draws: int = 1000,
    warmup: int = 1000,
    chains: int = 4,
    preview: bool = False,
    progress: bool = False,
) -> Posterior:
    """Sample the posterior of a model given runs.

    Modes are found first, by climbing from draws of the prior; NUTS then samples in coordinates that the
    Laplace approximation of the best mode has whitened, its chains started around all modes that matter. Targets
    that share no quantity are sampled apart, in as many threads as there are cores (or as the environment variable
    LOKY_MAX_CPU_COUNT says, if that is less); draws do not depend on their number. If the diagnostics fail, up to two
    more attempts are made, each more careful and slower, and one longer still where only effective draws are wanting;
    `problems()` tells of them.

    Parameters
    ----------
    model : Model
        What is believed before.
    runs : Runs
        What was measured.
    seed : int
        Source of all randomness: the same seed gives the same draws.
    draws : int
        Kept in each chain.
    warmup : int
        Discarded in each chain at most, but that the last stage is finished; the warm-up ends when it has adapted.
    chains : int
        At least 2, since convergence is judged by their agreement.
    preview : bool
        Do not sample: draw from an approximation, reweighted by importance. Quick, rough, and labelled so.
    progress : bool
        Show how far it is.

    Returns
    -------
    Posterior
        Ask it for `problems()` before anything else.

    Raises
    ------
    InputError
        Everything that the model needs and the runs do not have.
    BayesmixError
        The density is not finite anywhere that was tried, or nothing is unknown.
    """
    settings = checked(draws, warmup, chains)
    bound = _bind(Job(model, runs, seed))
    found: list[Posterior | BayesmixError] = []
    with show(model.name, draws * len(bound.blocks), progress) as report:
        _run([bound], settings, preview, None, cores(), report, lambda _, result: found.append(result))
    if isinstance(found[0], BayesmixError):
        raise found[0]
    return found[0]


def checked(draws: int, warmup: int, chains: int) -> Settings:
    """Return settings, or raise an error that says what is wrong with them."""
    if draws < 1 or warmup < 1:
        raise BayesmixError(f"draws and warmup must be at least 1, not {draws} and {warmup}")
    if chains < 2:
        raise BayesmixError(f"chains must be at least 2, not {chains}: convergence is judged by their agreement")
    return Settings(draws, warmup, chains)


@dataclass(frozen=True)
class _Bound:
    """A job whose runs have met its model."""

    job: Job
    coordinates: Coordinates
    blocks: list[Inputs]

    @property
    def program(self) -> Any:
        """Equal for jobs whose posteriors one compiled program can sample side by side."""
        return structure(self.job.model), self.blocks[0].sizes, self.blocks[0].response.shape


def run(
    jobs: Sequence[Job],
    settings: Settings,
    preview: bool,
    slots: int,
    threads: int,
    finished: Callable[[int, Posterior | BayesmixError], None],
) -> None:
    """Do the jobs, those of one program together; tell of each (index, result) as soon as it is there.

    So many threads, each of which samples as many posteriors of a program at once as there are slots.
    """
    _run(_bound(jobs), settings, preview, slots, threads, lambda *_: None, finished)


@in_double
def _run(
    bound: Sequence[_Bound],
    settings: Settings,
    preview: bool,
    slots: int | None,
    threads: int,
    report: Report,
    finished: Callable[[int, Posterior | BayesmixError], None],
) -> None:
    programs: dict[Any, list[tuple[int, int]]] = {}
    for i, b in enumerate(bound):
        for j in range(len(b.blocks)):
            programs.setdefault(b.program, []).append((i, j))
    outcomes: list[dict[int, Outcome | None]] = [{} for _ in bound]
    together = Together(report)
    for places in programs.values():
        todo = [Block(bound[i].blocks[j], (bound[i].job.seed, j)) for i, j in places]
        model, at_once = bound[places[0][0]].job.model, slots or slots_for(len(todo), todo[0].inputs)
        for index, outcome in condition(model, todo, settings, at_once, threads, preview, together.among(places)):
            i, j = places[index]
            outcomes[i][j] = outcome
            if len(outcomes[i]) == len(bound[i].blocks):
                finished(i, _assembled(bound[i], [outcomes[i][k] for k in range(len(outcomes[i]))]))
                outcomes[i] = {}


def group(jobs: Sequence[Job], todo: set[int], limit: int) -> list[tuple[list[int], int]]:
    """Return the jobs to do in groups that share a program, each with its number of slots.

    That number follows from all jobs, so that those of an interrupted sweep come out as they would have.

    Parameters
    ----------
    jobs : sequence of Job
        All of them.
    todo : set of int
        Indices of those that are not done.
    limit : int
        Posteriors to sample in one group, at most.
    """
    programs: dict[Any, list[int]] = {}
    bound = _bound(jobs)
    for i, b in enumerate(bound):
        programs.setdefault(b.program, []).append(i)
    groups = []
    for members in programs.values():
        parts = len(bound[members[0]].blocks)
        size, left = max(1, limit // parts), [i for i in members if i in todo]
        slots = slots_for(parts * len(members), bound[members[0]].blocks[0])
        groups += [(left[i : i + size], slots) for i in range(0, len(left), size)]
    return groups


def _bound(jobs: Sequence[Job]) -> list[_Bound]:
    """Bring runs and models together, and say everything that is wrong with any of them."""
    bound, faults = [], []
    for job in jobs:
        try:
            bound.append(_bind(job))
        except InputError as error:
            if len(jobs) == 1:
                raise
            faults += [replace(f, what=f"{error.source}: {f.what}") for f in error.faults]
    if faults:
        raise InputError("the fits asked for", faults)
    return bound


def _bind(job: Job) -> _Bound:
    if not job.model.unknowns:
        raise BayesmixError(f"model {job.model.name} has nothing unknown: every quantity is fixed to a number")
    inputs, coordinates = job.model.inputs(job.runs)
    return _Bound(job, coordinates, blocks(job.model, padded(inputs)))


def _assembled(bound: _Bound, results: Sequence[Outcome | None]) -> Posterior | BayesmixError:
    outcomes = [o for o in results if o is not None]
    if len(outcomes) < len(results):
        return nowhere_finite(bound.job.model.name)
    job, apart = bound.job, len(outcomes) > 1
    samples = [o.sample for o in outcomes]

    def together(arrays: list[np.ndarray]) -> np.ndarray:
        return np.stack(arrays, axis=2) if apart else arrays[0]

    said = [(f"{t}: " if apart else "") + a for t, o in zip(bound.coordinates.targets, outcomes, strict=False)
            for a in o.attempts]  # fmt: skip
    ks = [o.pareto_k for o in outcomes]
    return assemble(
        job.model,
        job.runs,
        bound.coordinates,
        joined(job.model, [o.quantities for o in outcomes]),
        together([s.u for s in samples]),
        {n: together([s.stats[n] for s in samples]) for n in samples[0].stats},
        job.seed,
        modes=max(o.modes for o in outcomes),
        prior_kept={n: max(o.prior_kept[n] for o in outcomes) for n in outcomes[0].prior_kept},
        attempts=tuple(said),
        pareto_k=max(ks),
    )
