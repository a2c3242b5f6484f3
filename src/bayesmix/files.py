"""Writing results: whole or not at all, and never over an existing one unasked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bayesmix.errors import BayesmixError, WouldOverwriteError


def write_whole(
    path: str | Path, write: Callable[[Path], object], *, overwrite: bool = False, marker: str = ""
) -> Path:
    """Write a file or a folder under a temporary name, then move it into place.

    A process that is killed half-way leaves `path` as it was, but for a folder, which cannot be replaced in one step:
    it is renamed to `path`-...-replaced, and removed once the new one is in its place. An error between the two renames
    moves it back; a kill there leaves it under that name.

    Parameters
    ----------
    path : str or Path
        Where the result belongs.
    write : callable
        Receives a temporary path beside `path` and writes a file, or makes a folder, there.
    overwrite : bool
        Replace an existing result.
    marker : str
        For a folder: a file in it, see `refuse_overwrite`.

    Raises
    ------
    WouldOverwriteError
        `path` exists and `overwrite` is false, or holds something else.
    """
    path = Path(path)
    refuse_overwrite(path, overwrite=overwrite, marker=marker)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as scratch:
        temporary = Path(scratch) / path.name
        write(temporary)
        if path.is_dir():
            _replace_folder(path, temporary, path.with_name(f"{Path(scratch).name[1:]}-replaced"))
        else:
            os.replace(temporary, path)
    return path


def _replace_folder(path: Path, new: Path, aside: Path) -> None:
    """Move a new result to where a folder is, which waits aside until the new one is in place, and is removed then."""
    os.replace(path, aside)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(aside, path)
        raise
    # The scratch folder, where the new one was, is removed with all that is in it.
    os.replace(aside, new)


def write_text(path: str | Path, text: str, *, overwrite: bool = False) -> Path:
    """Write a text as `write_whole` does."""
    return write_whole(path, lambda p: p.write_text(text, encoding="utf-8"), overwrite=overwrite)


def refuse_overwrite(path: str | Path, *, overwrite: bool, marker: str = "") -> None:
    """Raise an error if a result cannot be written to `path`; called before long work too, lest it be done in vain.

    Parameters
    ----------
    path : str or Path
        Where to.
    overwrite : bool
        Whether a result that is there may be replaced.
    marker : str
        For a result that is a folder: a file in it. Folders without it hold something else, and are never replaced.

    Raises
    ------
    WouldOverwriteError
        It exists and may not be replaced.
    BayesmixError
        No file can be made there.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise WouldOverwriteError(f"{path} exists. Choose another name, or ask for it to be replaced (--force)")
    if path.is_dir() and not marker:
        raise WouldOverwriteError(f"{path} is a folder. Name a file")
    if path.is_dir() and any(path.iterdir()) and not (path / marker).is_file():
        raise WouldOverwriteError(f"{path} holds something else, which would be lost: it has no {marker}. Name another")
    if path.is_file() and marker:
        raise WouldOverwriteError(f"{path} is a file. Name a folder")
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise BayesmixError(
            f"{path} cannot be written: {nearest} is not a folder that you may write to. Choose another"
        )
