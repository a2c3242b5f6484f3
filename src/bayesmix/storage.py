"""Posteriors as NetCDF files that carry their model, their runs and their provenance."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xarray as xr

from bayesmix import modelfile
from bayesmix.binding import usual_items
from bayesmix.card import Card
from bayesmix.errors import BayesmixError
from bayesmix.files import write_whole
from bayesmix.inputs import Coordinates
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs

FORMAT = 1


def save(posterior: Posterior, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a posterior to one NetCDF file, whole or not at all.

    Raises
    ------
    WouldOverwriteError
        The file exists and `overwrite` is false.
    """
    tree = posterior.tree.copy()
    tree.attrs = {
        "bayesmix_format": FORMAT,
        "model": modelfile.dumps(posterior.model, complete=True),
        "law_fingerprint": posterior.model.law.fingerprint,
        "runs": posterior.runs.text(),
        "runs_hash": posterior.runs.hash,
        "runs_source": posterior.runs.source,
        "card": posterior.runs.card.text(),
        "resolved": json.dumps(asdict(posterior.coordinates)),
        "seed": posterior.seed,
        "modes": posterior.modes,
        "attempts": json.dumps(posterior.attempts),
        "pareto_k": posterior.pareto_k,
        "prior_kept": json.dumps(dict(posterior.prior_kept)),
        "versions": json.dumps(dict(posterior.versions)),
        "notes": json.dumps(posterior.notes),
    }
    return write_whole(path, lambda p: tree.to_netcdf(p, engine="h5netcdf"), overwrite=overwrite)


def load(path: str | Path) -> Posterior:
    """Read a posterior; nothing in the file is executed.

    A law of another package must have been imported before. What differs from the code at hand is noted in
    `Posterior.notes` and so in its problems.

    Raises
    ------
    BayesmixError
        The file is not there, is not a posterior, or was written by a newer bayesmix.
    """
    path = Path(path)
    if not path.is_file():
        raise BayesmixError(f"there is no file {path}. Make it with: bayesmix fit MODEL RUNS --out {path}")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.load()
    except Exception as error:
        raise BayesmixError(f"{path} is not a posterior written by bayesmix, or is damaged: {error}") from None
    facts = {str(k): v for k, v in tree.attrs.items()}
    if "bayesmix_format" not in facts:
        raise BayesmixError(f"{path} is a NetCDF file, but not a posterior written by bayesmix")
    if facts["bayesmix_format"] > FORMAT:
        raise BayesmixError(
            f"{path} was written by bayesmix {json.loads(facts['versions'])['bayesmix']}, in a newer format "
            f"than bayesmix {version('bayesmix')} reads. Upgrade, or fit again"
        )
    return _restore(tree, facts, path)


def _restore(tree: xr.DataTree, facts: dict[str, Any], path: Path) -> Posterior:
    model = modelfile.loads(facts["model"], source=f"the model inside {path}", trusted=False)
    runs = Runs.loads(facts["runs"], Card.loads(facts["card"]), facts["runs_source"])
    notes = json.loads(facts["notes"])
    if model.law.fingerprint != facts["law_fingerprint"]:
        notes.append(
            f"{path} was made for another version of law {model.law.name} than the one at hand: its quantities may "
            "mean something else. Fit again."
        )
    if runs.hash != facts["runs_hash"]:
        notes.append(f"The runs inside {path} are not the ones that it says it was fitted to. Fit again.")
    then = json.loads(facts["versions"])
    if (was := then.get("bayesmix")) != (now := version("bayesmix")):
        notes.append(f"{path} was made by bayesmix {was}; this is {now}.")
    resolved = json.loads(facts["resolved"])
    return Posterior(
        tree=tree,
        model=model,
        runs=runs,
        coordinates=Coordinates(
            targets=tuple(resolved["targets"]),
            domains=tuple(resolved["domains"]),
            levels={k: tuple(v) for k, v in resolved["levels"].items()},
            references=resolved["references"],
            scale=tuple(resolved["scale"]),
            items=usual_items(runs, resolved["targets"]),
        ),
        seed=int(facts["seed"]),
        modes=int(facts["modes"]),
        prior_kept=json.loads(facts["prior_kept"]),
        versions=then,
        attempts=tuple(json.loads(facts["attempts"])),
        pareto_k=float(facts["pareto_k"]),
        notes=tuple(dict.fromkeys(notes)),
    )
