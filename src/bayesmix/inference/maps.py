"""Memory maps: every compiled program holds hundreds, the kernel allows a process 65,530, and XLA aborts it there."""

from __future__ import annotations

import gc
from pathlib import Path

_LIMIT = Path("/proc/sys/vm/max_map_count")
_MAPS = Path("/proc/self/maps")
# A fit takes about 450 of them, and 30 MB.
_SHARE = 0.25


def used() -> float:
    """Return the share of the memory maps allowed to this process that it has; 0 where the system does not say."""
    try:
        return _MAPS.read_bytes().count(b"\n") / int(_LIMIT.read_text())
    except (OSError, ValueError):
        return 0.0


def make_room() -> None:
    """Drop compiled programs if too many memory maps are taken; those needed again are read from the disk's cache."""
    if used() < _SHARE:
        return
    import jax

    from bayesmix.inference.program import _program

    _program.cache_clear()
    jax.clear_caches()
    gc.collect()
