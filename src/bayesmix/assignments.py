"""What a user states as NAME=VALUE."""

from __future__ import annotations

from collections.abc import Sequence

from bayesmix.errors import Fault


def assignments(texts: Sequence[str], example: str, faults: list[Fault], *, columns: bool = False) -> dict[str, str]:
    """Read texts such as `N=1e6`, and add what is wrong with them to the faults.

    Names that are columns of a file may hold a `=` themselves, or be empty, as that of an exported index.
    """
    found: dict[str, str] = {}
    for text in texts:
        parts = text.rpartition("=") if columns else text.partition("=")
        name, sign, value = (part.strip() for part in parts)
        if not (sign and value and (name or columns)):
            faults.append(Fault(f"{text!r} is not NAME=VALUE", f"Write such as {example}"))
        elif name in found:
            faults.append(Fault(f"{name!r} is given twice: {found[name]!r} and {value!r}", "Keep one of them"))
        else:
            found[name] = value
    return found
