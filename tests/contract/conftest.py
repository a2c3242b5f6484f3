from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """Drop what was compiled for a file when it ends: kept for all laws, it takes gigabytes."""
    yield
    jax.clear_caches()
