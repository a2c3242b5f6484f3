"""Who takes part: scripts, the Python that runs them, and where their compiled programs are kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tasks import CURVES, Task

SCRIPTS = Path(__file__).parent / "contenders"
SOME = 15  # curves that rivals fit, since all would take hours


@dataclass(frozen=True)
class Contender:
    """A script and its surroundings.

    Parameters
    ----------
    name : str
        How it is asked for.
    what : str
        What it does, for the reader of the table.
    script : str
        File in the folder of contenders.
    variables : callable
        Environment variables, given an empty folder for all compiled programs.
    own : bool
        It runs in an environment of its own, not in the one of bayesmix.
    options : tuple of str
        Further arguments of the script.
    made : int
        Fits that it makes of a task.
    """

    name: str
    what: str
    script: str
    variables: Callable[[Path], dict[str, str]]
    own: bool = False
    options: tuple[str, ...] = ()
    made: int = 1

    def environment(self, cache: Path) -> dict[str, str]:
        """Return the environment variables of its process."""
        # bayesmix leaves compiled programs where JAX was told to, which here would be a cache that is not empty.
        kept = {n: v for n, v in os.environ.items() if n != "JAX_COMPILATION_CACHE_DIR"}
        return kept | self.variables(cache)


def _bayesmix(folder: Path) -> dict[str, str]:
    return {"BAYESMIX_CACHE": str(folder)}


def _jax(folder: Path) -> dict[str, str]:
    # With the threshold that bayesmix sets for itself.
    return {"JAX_COMPILATION_CACHE_DIR": str(folder), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1"}


def _pytensor(folder: Path) -> dict[str, str]:
    return {"PYTENSOR_FLAGS": f"base_compiledir={folder}", "NUMBA_CACHE_DIR": str(folder / "numba")}


def _one_thread(folder: Path) -> dict[str, str]:
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


_TEXTBOOK = Contender(
    "textbook",
    "NumPyro as written first: raw units, weak priors, MCMC(NUTS), 4 vectorised chains, 500 + 1,000 draws",
    "textbook.py",
    _jax,
)
_PYMC = Contender(
    "pymc",
    "PyMC sampled by nutpie: priors and anchored form of bayesmix, 4 chains on 2 cores, 1,000 draws each",
    "pymc_nutpie.py",
    _pytensor,
    own=True,
    options=("diagonal",),
)
_PYMC_LOW_RANK = replace(
    _PYMC,
    name="pymc-low-rank",
    what="the same with nutpie's experimental low-rank mass matrix, which suits correlated quantities",
    options=("low-rank",),
)
BAYESMIX = Contender("bayesmix", "fit(model, runs, seed=0)", "ours.py", _bayesmix)
ONE_FIT = (BAYESMIX, _TEXTBOOK, _PYMC, _PYMC_LOW_RANK)
POINTWISE = (
    Contender(
        "bootstrap",
        "as Besiroglu et al. (2024): 4,000 resamples, BFGS on Huber losses; generous: exact gradients, and one start "
        "each, the best fit to all runs; resamples count as draws",
        "bootstrap.py",
        _one_thread,
    ),
    Contender(
        "multistart",
        "scipy least squares on Huber losses from 500 starts: a point, so it has no effective sample size",
        "multistart.py",
        _one_thread,
    ),
)
MANY = replace(
    BAYESMIX,
    what=f"for {CURVES} curves: fit_many(model, runs, seed=0)",
    script="ours_curves.py",
    options=(str(CURVES), "fit_many"),
    made=CURVES,
)
LOOP = replace(
    MANY, name="bayesmix-loop", what="fit for one curve after the other, in one process", options=(str(CURVES), "fit")
)
PROCESSES = replace(
    MANY, name="bayesmix-processes", what="fit_many(..., processes=2)", options=(str(CURVES), "processes")
)
SHELL = replace(
    MANY,
    name="bayesmix-shell",
    what="bayesmix fit for one curve after the other",
    options=(str(SOME), "shell"),
    made=SOME,
)
MANY_FITS = (
    MANY,
    PROCESSES,
    LOOP,
    SHELL,
    *(replace(c, options=(*c.options, str(SOME)), made=SOME) for c in (_TEXTBOOK, _PYMC, _PYMC_LOW_RANK)),
)
_SPECIAL = {"chinchilla": ONE_FIT + POINTWISE, "curves200": MANY_FITS, "growth": (BAYESMIX,), "domains": (BAYESMIX,)}


def contenders(task: Task) -> tuple[Contender, ...]:
    """Return who takes part in a task."""
    return _SPECIAL.get(task.family, ONE_FIT)
