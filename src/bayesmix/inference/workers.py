"""Other processes, here or on a cluster: jobs go there as text, posteriors come back as the bytes of their files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bayesmix import modelfile
from bayesmix.card import Card
from bayesmix.errors import BayesmixError
from bayesmix.inference.fit import Job, run
from bayesmix.inference.sampling import Settings
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs

Do = Callable[[list[tuple]], Iterable[dict[str, bytes | str]]]


@contextmanager
def workers(processes: int, cluster: str | None) -> Iterator[tuple[int, Do]]:
    """Yield how many workers there are, and a function from tasks to their answers, as they come."""
    if cluster is None:
        from joblib import Parallel, delayed

        parallel: Any = Parallel(n_jobs=processes, return_as="generator_unordered", pre_dispatch="all")
        yield processes, lambda tasks: parallel(delayed(_task)(*task) for task in tasks)
        return
    try:
        from dask.distributed import Client, as_completed
    except ImportError:
        raise BayesmixError("a cluster needs Dask: pip install 'bayesmix[cluster]'") from None
    try:
        # As the default, it would take over every other use of Dask, even after it has failed to connect.
        client: Any = Client(cluster, timeout=10, set_as_default=False)
    except OSError as error:
        raise BayesmixError(f"no Dask scheduler answers at {cluster}: {error}") from None
    with client:
        if not (threads := sum(client.nthreads().values())):
            raise BayesmixError(f"the scheduler at {cluster} has no workers. Start one with: dask worker {cluster}")

        def do(tasks: list[tuple]) -> Iterator[dict[str, bytes | str]]:
            # Dask gives the tasks of a worker that died to another.
            for future in as_completed([client.submit(_task, *task, pure=False) for task in tasks], loop=client.loop):
                yield future.result()

        yield threads, do


def packed(job: Job) -> dict[str, Any]:
    """Return a job as text and numbers, which another process may read without executing anything."""
    if job.model.law.module == "__main__":
        raise BayesmixError(
            f"law {job.model.law.name} is defined in __main__, where other processes cannot find it. Put it into a "
            "module, or use one process"
        )
    runs = job.runs
    return {
        "model": modelfile.dumps(job.model),
        "runs": runs.text(),
        "card": runs.card.text(),
        "source": runs.source,
        "seed": job.seed,
    }


def _task(
    jobs_as_text: dict[str, dict[str, Any]], slots: int, settings: dict[str, Any], preview: bool
) -> dict[str, bytes | str]:
    """Do some jobs in a worker; return each posterior as the bytes of its file, or what went wrong."""
    jobs = [
        Job(
            modelfile.loads(p["model"], source="a model sent here", trusted=True),
            Runs.loads(p["runs"], Card.loads(p["card"]), p["source"]),
            p["seed"],
        )
        for p in jobs_as_text.values()
    ]
    answers: dict[str, bytes | str] = {}
    names = list(jobs_as_text)

    def finished(i: int, result: Posterior | BayesmixError) -> None:
        answers[names[i]] = str(result) if isinstance(result, BayesmixError) else _bytes(result)

    run(jobs, Settings(**settings), preview, slots, 1, finished)  # there are as many workers as cores
    return answers


def _bytes(posterior: Posterior) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return posterior.save(Path(folder) / "posterior.nc").read_bytes()


def unpacked(content: bytes) -> Posterior:
    """Return the posterior that a worker sent back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "posterior.nc"
        path.write_bytes(content)
        return Posterior.load(path)
