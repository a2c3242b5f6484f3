"""64-bit floating point and compiled programs kept on disk, inside a scope: nothing global stays changed."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def double() -> Iterator[None]:
    """Compute in 64 bit: amplitudes and exponents of scaling laws are too correlated for 32.

    Compiled programs are kept in the user's cache folder, unless JAX was told of another. The environment variable
    ``BAYESMIX_CACHE`` names another folder, or is ``off``.
    """
    import jax

    with jax.enable_x64(True), _kept_programs(jax.config):
        yield


@contextmanager
def _kept_programs(config) -> Iterator[None]:
    folder = os.environ.get("BAYESMIX_CACHE") or _cache_folder()
    if config.jax_compilation_cache_dir or folder == "off":
        yield
        return
    # The default of JAX keeps only what took a second to compile; a fit has many programs of less than that.
    wanted = {"jax_compilation_cache_dir": folder, "jax_persistent_cache_min_compile_time_secs": 0.1}
    before = {name: getattr(config, name) for name in wanted}
    _configure(config, wanted)
    try:
        yield
    finally:
        _configure(config, before)


def _configure(config, values: Mapping[str, Any]) -> None:
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    for name, value in values.items():
        config.update(name, value)
    # Or JAX goes on with the folder that it used first.
    reset_cache()


@functools.cache
def _cache_folder() -> str:
    import platformdirs

    return str(platformdirs.user_cache_path("bayesmix") / "programs")


def in_double(function: Callable[P, R]) -> Callable[P, R]:
    """Run the decorated function inside `double`."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with double():
            return function(*args, **kwargs)

    return wrapped
