"""What a result was made with."""

from __future__ import annotations

from importlib.metadata import version

_PACKAGES = ("bayesmix", "numpyro", "jax", "arviz-stats", "numpy")


def versions() -> dict[str, str]:
    """Return the versions of the packages that a result depends on."""
    return {p: version(p) for p in _PACKAGES}
