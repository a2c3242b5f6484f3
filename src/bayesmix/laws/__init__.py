"""The catalogue of laws: the folder is the registry, one law a file, one folder a family.

>>> get("chinchilla").covariates
('N', 'D')
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from pathlib import Path

from bayesmix.errors import BayesmixError, suggest
from bayesmix.law import Law


@cache
def _modules() -> dict[str, str]:
    root = Path(__file__).parent
    return {path.stem: f"{__name__}.{path.parent.name}.{path.stem}" for path in sorted(root.glob("*/[!_]*.py"))}


def names() -> list[str]:
    """Return the names of all laws in the catalogue."""
    return list(_modules())


def get(name: str, *, trusted: bool = True) -> Law:
    """Return a law by name, or a law of another package as ``"my_package.my_law:loss"``.

    Parameters
    ----------
    name : str
        Name in the catalogue, or module and function.
    trusted : bool
        Whether a module of another package may be imported. Otherwise it must have been imported before: a file
        that names a module shall not be able to run code.

    Raises
    ------
    BayesmixError
        There is no such law, or its module may not be imported.
    """
    if ":" in name:
        return _external(name, trusted)
    if name not in _modules():
        raise BayesmixError(f"there is no law {name!r}. {suggest(name, names())}")
    module = importlib.import_module(_modules()[name])
    return next(value for value in vars(module).values() if isinstance(value, Law))


def _external(name: str, trusted: bool) -> Law:
    module_name, _, function = name.partition(":")
    if not trusted and module_name not in sys.modules:
        raise BayesmixError(f"the law {name!r} is not part of bayesmix. Import {module_name} first if you trust it")
    try:
        found = getattr(importlib.import_module(module_name), function, None)
    except (ImportError, ValueError, TypeError) as error:
        raise BayesmixError(f"the law {name!r} cannot be imported: {error}") from error
    if not isinstance(found, Law):
        raise BayesmixError(f"{name!r} is not a law. Decorate the function {function} with @law(paper=...)")
    return found
