"""TOML files that people write: what cannot be read, or is no TOML, is one error."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from bayesmix.errors import Fault, InputError


def read(path: Path) -> dict[str, Any]:
    """Return the tables of a file.

    Raises
    ------
    InputError
        The file is not there, is not text in UTF-8, or is not TOML.
    """
    return parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return the text of a file, without the byte order mark that some editors begin it with.

    Raises
    ------
    InputError
        The file is not there, or is not text in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(str(path), [Fault(f"{path} cannot be read: {why}", "Name a TOML file in UTF-8")]) from None


def parse(text: str, source: str) -> dict[str, Any]:
    """Return the tables of TOML text, whose origin the error names.

    Raises
    ------
    InputError
        The text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(source, [Fault(f"not a TOML file: {error}", "Mend the line named")]) from None
