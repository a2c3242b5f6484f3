"""What a result was made with."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

CATALOGUE = "bayesmix.laws."
_PACKAGES = ("bayesmix", "numpyro", "jax", "arviz-stats", "numpy")


def versions() -> dict[str, str]:
    """Return the versions of the packages that a result depends on."""
    return {p: version(p) for p in _PACKAGES}


def fingerprint(function: Callable) -> str:
    """Hash the code of a law's function: in the catalogue of all files it is made of, elsewhere of itself alone."""
    code = "".join(map(_code, _files(function) or [function]))
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _files(function: Callable) -> list[ModuleType]:
    """Return the catalogue's modules that a function is made of: its own first, then those it takes functions from."""
    found: list[ModuleType] = []
    waiting = [function.__module__]
    while waiting:
        name = waiting.pop(0)
        if name.startswith(CATALOGUE) and sys.modules[name] not in found:
            found.append(sys.modules[name])
            waiting += [f.__module__ for f in vars(found[-1]).values() if inspect.isfunction(f)]
    return found


def _code(source: Any) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(source)))
    except OSError:  # typed into an interpreter, which keeps no source
        code = source.__code__
        return f"{code.co_code.hex()} {code.co_names} {[c for c in code.co_consts[1:] if not inspect.iscode(c)]}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.unparse(tree)
