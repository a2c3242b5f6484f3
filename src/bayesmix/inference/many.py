"""fit_many(): many models or many tables at once, in one program, in several processes, or on a cluster."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bayesmix import modelfile
from bayesmix.errors import BayesmixError, WouldOverwriteError
from bayesmix.inference.fit import Job, checked, group, run
from bayesmix.inference.sampling import Settings
from bayesmix.inference.streams import cores
from bayesmix.inference.workers import packed, unpacked, workers
from bayesmix.model import Model
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs


def fit_many(
    models: Model | Sequence[Model],
    runs: Runs | Sequence[Runs],
    *,
    seed: int,
    names: Sequence[str] | None = None,
    out: str | Path | None = None,
    draws: int = 1000,
    warmup: int = 1000,
    chains: int = 4,
    preview: bool = False,
    processes: int = 1,
    cluster: str | None = None,
    progress: bool = False,
) -> dict[str, Posterior]:
    """Fit many models, or one model to many tables: folds, domains, benchmarks, simulated runs.

    Fits of one law on tables of about one size share one compiled program, in which several are sampled side by side.

    Parameters
    ----------
    models, runs : Model or sequence, Runs or sequence
        The i-th model is fitted to the i-th table; a single one goes with all of the other.
    seed : int
        Source of all randomness. Each fit has a seed of its own, made from this and its name, and kept in its
        posterior.
    names : sequence of str, optional
        What each fit is called; numbers by default.
    out : path, optional
        Folder that gets every posterior as NAME.nc as soon as it is there. Those that are there already, of the same
        model, law, runs and settings (but `warmup`, which no file tells), are not fitted again: a sweep that was killed
        goes on where it was, to the same end.
    draws, warmup, chains, preview
        As for `fit`.
    processes : int
        How many to use on this machine.
    cluster : str, optional
        Address of a Dask scheduler, such as ``tcp://10.0.0.1:8786``, whose workers have bayesmix installed; then
        `processes` counts for nothing.
    progress : bool
        Show how far it is.

    Returns
    -------
    dict of str to Posterior
        By name, in the order that was asked for. Ask each for its `problems()`.

    Raises
    ------
    InputError
        What a model needs and its runs do not have.
    BayesmixError
        Some could not be fitted at all; the others are in `out` all the same.
    WouldOverwriteError
        `out` holds a posterior of that name, but of something else.
    """
    found = dict(
        stream(models, runs, seed=seed, names=names, out=out, settings=checked(draws, warmup, chains),
               preview=preview, processes=processes, cluster=cluster, progress=progress)
    )  # fmt: skip
    return {name: found[name] for name in _names(_pairs(models, runs), names)}


# Posteriors in one piece of work: what a worker that dies loses, and long enough to share a program well.
_SHARE = 64


@dataclass(frozen=True)
class _Sweep:
    settings: Settings
    preview: bool
    out: Path | None


def stream(
    models: Model | Sequence[Model],
    runs: Runs | Sequence[Runs],
    *,
    seed: int,
    names: Sequence[str] | None,
    out: str | Path | None,
    settings: Settings,
    preview: bool,
    processes: int,
    cluster: str | None,
    progress: bool,
) -> Iterator[tuple[str, Posterior]]:
    """Yield (name, posterior) of group after group of them; files and progress are there as each finishes.

    See `fit_many`.
    """
    from bayesmix.inference.progress import progress as show

    pairs = _pairs(models, runs)
    named = _names(pairs, names)
    sweep = _Sweep(settings, preview, Path(out) if out is not None else None)
    jobs = {n: Job(m, r, _seed(seed, n)) for n, (m, r) in zip(named, pairs, strict=True)}
    there = {n: posterior for n, job in jobs.items() if (posterior := _there(n, job, sweep))}
    failures: dict[str, str] = {}
    with show("fit-many", len(jobs), progress, "fits") as report:
        done = itertools.count(len(there))

        def tick() -> None:
            report(next(done), 0)

        tick()
        yield from there.items()
        for name, result in _results(jobs, set(there), sweep, processes, cluster, tick):
            if isinstance(result, str):
                failures[name] = result
            else:
                yield name, result
    if failures:
        listed = "\n".join(f"  {name}: {what}" for name, what in failures.items())
        raise BayesmixError(f"{len(failures)} of {len(jobs)} fits failed:\n{listed}")


def _pairs(models: Model | Sequence[Model], runs: Runs | Sequence[Runs]) -> list[tuple[Model, Runs]]:
    ms = [models] if isinstance(models, Model) else list(models)
    rs = [runs] if isinstance(runs, Runs) else list(runs)
    if not ms or not rs:
        raise BayesmixError("there is nothing to fit: give at least one model and one table of runs")
    if len(ms) != len(rs) and 1 not in (len(ms), len(rs)):
        raise BayesmixError(f"{len(ms)} models cannot be paired with {len(rs)} tables: give as many, or one of either")
    count = max(len(ms), len(rs))
    return list(zip(ms * (count // len(ms)), rs * (count // len(rs)), strict=True))


def _names(pairs: Sequence[Any], names: Sequence[str] | None) -> list[str]:
    if names is None:
        return [f"{i:0{len(str(len(pairs) - 1))}d}" for i in range(len(pairs))]
    if len(names) != len(pairs) or len(set(names)) != len(names):
        raise BayesmixError(f"{len(pairs)} fits need as many different names, not {len(set(names))}")
    if odd := [n for n in names if not n or Path(n).name != n]:
        raise BayesmixError(f"{odd[0]!r} cannot be the name of a fit, since it cannot be that of a file")
    return list(names)


def _seed(seed: int, name: str) -> int:
    return int(np.random.SeedSequence((seed, zlib.crc32(name.encode()))).generate_state(1)[0])


def _file(name: str, out: Path) -> Path:
    return out / f"{name}.nc"


def _there(name: str, job: Job, sweep: _Sweep) -> Posterior | None:
    """Return what an earlier sweep has left, if it is what is asked for."""
    if sweep.out is None or not _file(name, sweep.out).exists():
        return None
    found = Posterior.load(_file(name, sweep.out))
    sizes = found.tree["posterior"].sizes
    same = (
        modelfile.dumps(found.model) == modelfile.dumps(job.model)
        and found.tree.attrs["law_fingerprint"] == job.model.law.fingerprint
        and found.runs.hash == job.runs.hash
        and found.seed == job.seed
        and found.preview == sweep.preview
        and (sizes["chain"], sizes["draw"]) == (sweep.settings.chains, sweep.settings.draws)
    )
    if not same:
        raise WouldOverwriteError(
            f"{_file(name, sweep.out)} is the posterior of another model, another version of its law, other runs, "
            "another seed or other settings. Choose another folder, or remove it"
        )
    return found


def _results(
    jobs: dict[str, Job], there: set[str], sweep: _Sweep, processes: int, cluster: str | None, tick: Callable[[], None]
) -> Iterator[tuple[str, Posterior | str]]:
    """Yield (name, posterior, or what went wrong) of the jobs that are not there; tick as each is done."""
    names = list(jobs)
    todo = {i for i, n in enumerate(names) if n not in there}
    if not todo:
        return
    every = list(jobs.values())
    if cluster is None and processes == 1:
        for part, slots in group(every, todo, _SHARE):
            yield from _here({names[i]: every[i] for i in part}, slots, sweep, tick)
        return
    with workers(processes, cluster) as (count, do):
        share = min(_SHARE, max(1, -(-len(todo) // count)))
        tasks = [({names[i]: packed(every[i]) for i in part}, slots, asdict(sweep.settings), sweep.preview)
                 for part, slots in group(every, todo, share)]  # fmt: skip
        for answers in do(tasks):
            for name, answer in answers.items():
                tick()
                yield name, answer if isinstance(answer, str) else _kept(name, unpacked(answer), sweep)


def _here(
    jobs: dict[str, Job], slots: int, sweep: _Sweep, tick: Callable[[], None]
) -> Iterator[tuple[str, Posterior | str]]:
    results: list[tuple[str, Posterior | str]] = []
    names = list(jobs)

    def finished(i: int, result: Posterior | BayesmixError) -> None:
        kept = str(result) if isinstance(result, BayesmixError) else _kept(names[i], result, sweep)
        results.append((names[i], kept))
        tick()

    run(list(jobs.values()), sweep.settings, sweep.preview, slots, cores(), finished)
    yield from results


def _kept(name: str, posterior: Posterior, sweep: _Sweep) -> Posterior:
    if sweep.out is not None:
        posterior.save(_file(name, sweep.out))
    return posterior
