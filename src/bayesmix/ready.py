"""Files that come with the package: ready models, and a table of measured runs."""

from __future__ import annotations

from pathlib import Path

from bayesmix.errors import BayesmixError, suggest

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parents[1]


def _folder(installed: str, checkout: str) -> Path:
    """Return a folder of the installed package, or of the checkout that an editable install points to."""
    return next((p for p in (_PACKAGE / "ready" / installed, _CHECKOUT / checkout) if p.is_dir()), _PACKAGE / "ready")


def models() -> dict[str, Path]:
    """Return the ready models: name to file."""
    return {p.stem: p for p in sorted(_folder("models", "models").glob("*.toml"))}


def model(name: str) -> Path:
    """Return the file of a ready model.

    Raises
    ------
    BayesmixError
        There is no such model; the known ones are listed.
    """
    if name not in models():
        raise BayesmixError(f"there is no model file or ready model {name!r}. {suggest(name, models())}")
    return models()[name]


def demo() -> Path:
    """Return the folder with a table of measured runs, its card, and models and a problem for it."""
    return _folder("demo", "case_studies/tiny_lm")
