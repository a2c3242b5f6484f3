"""TOML: files that people write, of which what cannot be read is one error, and text that reads back the same."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

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


def key(name: str) -> str:
    """Return a name as TOML writes the key of a line or a table.

    >>> key("web"), key("dclm:science")
    ('web', '"dclm:science"')
    """
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else value(name)


def value(content: Any) -> str:
    """Return text, a number, a list or a table as TOML writes it on one line.

    >>> value({"LogNormal": [0, 1e22], "by name": True})
    '{ LogNormal = [0, 1e+22], "by name" = true }'
    """
    if isinstance(content, Mapping):
        return "{ " + ", ".join(f"{key(k)} = {value(v)}" for k, v in content.items()) + " }"
    if isinstance(content, list | tuple):
        return "[" + ", ".join(map(value, content)) + "]"
    if isinstance(content, float):
        return repr(float(content))
    # A JSON string is a TOML string, but for the one control character that only TOML wants escaped.
    return json.dumps(content, ensure_ascii=False).replace("\x7f", "\\u007f")


def is_number(content: Any) -> TypeGuard[float]:
    """Say whether a value of a file is a finite number; true and false are none."""
    return isinstance(content, int | float) and not isinstance(content, bool) and abs(content) <= sys.float_info.max
