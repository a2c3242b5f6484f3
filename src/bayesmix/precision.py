"""64-bit floating point and compiled programs kept on disk, inside a scope: nothing global is changed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def double() -> Iterator[None]:
    """Compute in 64 bit: amplitudes and exponents of scaling laws are too correlated for 32."""
    import jax

    with jax.enable_x64(True):
        yield


def in_double(function: Callable[P, R]) -> Callable[P, R]:
    """Run the decorated function inside `double`."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with double():
            return function(*args, **kwargs)

    return wrapped
