"""The Python of bayesmix and that of PyMC, with what is installed there."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

REQUIREMENTS = ("pymc", "nutpie")
_VERSIONS = """
import importlib, importlib.metadata, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""


def rival(folder: Path) -> Path:
    """Return the Python of a virtual environment with PyMC and nutpie, made if it is not there yet."""
    python, finished = folder / "bin" / "python", folder / "installed"
    if not finished.exists():
        print(f"installing {' and '.join(REQUIREMENTS)} into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        finished.touch()
    return python


def versions(python: str | Path, packages: Sequence[str], environment: dict[str, str]) -> str:
    """Import packages and return their versions.

    Importing also brings their files into memory, so that the first to be measured does not pay for the disk.
    """
    command = [python, "-W", "ignore", "-c", _VERSIONS, *packages]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return ", ".join(f"{name} {version}" for name, version in json.loads(answer.splitlines()[-1]).items())
