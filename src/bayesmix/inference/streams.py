"""Threads that sample side by side: compiled programs run at once on several cores, Python takes turns."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock
from typing import Generic, TypeVar

from bayesmix.precision import double

T = TypeVar("T")


def cores() -> int:
    """Return how many threads this process may run at once, by its affinity and its container's quota."""
    from joblib import cpu_count

    return cpu_count()


class StoppedError(Exception):
    """Nobody waits for the results any more."""


class Streams(Generic[T]):
    """Iterators that run in threads; what they give comes out of this one, in the order in which it is ready.

    Parameters
    ----------
    threads : int
        How many run at once; the others wait.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bayesmix-stream")
        self._ready: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        self._lock, self._open, self._stopped = Lock(), 0, False

    def begin(self, stream: Iterator[T]) -> None:
        """Run another; a stream may begin one itself."""
        with self._lock:
            self._open += 1
            self._pool.submit(self._run, stream)

    def check(self) -> None:
        """Raise `StoppedError` in a stream that is no longer wanted."""
        if self._stopped:
            raise StoppedError

    def _run(self, stream: Iterator[T]) -> None:
        end: BaseException = StopIteration()
        try:
            with double():
                for item in stream:
                    self._ready.put((item, None))
        except BaseException as error:  # whatever it is, it is raised where the results are waited for
            end = error
        self._ready.put((None, end))

    def __enter__(self) -> Streams[T]:
        return self

    def __iter__(self) -> Iterator[T]:
        while self._open:
            item, end = self._ready.get()
            if end is None:
                yield item  # pyright: ignore[reportReturnType]
                continue
            if not isinstance(end, StopIteration):
                raise end
            with self._lock:
                self._open -= 1

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._pool.shutdown(cancel_futures=True)
