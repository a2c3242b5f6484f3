"""Posteriors of chosen draws, for tests in which sampling is not the point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.model import Model
from bayesmix.posterior import Posterior, assemble
from bayesmix.runs import Runs

CHAINS = 4
DOMAINS = ("web", "code", "books")


def fake(
    model: Model,
    runs: Runs,
    values: Mapping[str, Any],
    *,
    draws: int = 250,
    spread: float = 1e-9,
    converged: bool = True,
    seed: int = 0,
) -> Posterior:
    """Return a posterior whose draws are given, and look as if they had been sampled well.

    `values` are absolute, as in a posterior: either one value of the quantity, scattered by the relative `spread`, or
    all draws, shape (4 * draws, ...).
    """
    rng = np.random.default_rng(seed)
    inputs, coordinates = model.inputs(runs)
    quantities = {}
    for name in model.unknowns:
        shape = inputs.shape(model.dims(name))
        given = np.asarray(values[name], dtype=float)
        if given.ndim <= len(shape):
            given = np.broadcast_to(given, (CHAINS * draws, *shape))
            given = given * (1 + spread * rng.standard_normal(given.shape))
        quantities[name] = given.reshape(CHAINS, draws, *shape)
    # Chains that disagree have not converged.
    u = rng.standard_normal((CHAINS, draws, 2))
    stats = {
        "diverging": np.full((CHAINS, draws), fill_value=not converged),
        "energy": rng.standard_normal((CHAINS, draws)),
        "n_steps": np.full((CHAINS, draws), 7),
        "lp": rng.standard_normal((CHAINS, draws)),
        "acceptance_rate": np.full((CHAINS, draws), 0.9),
    }
    return assemble(model, runs, coordinates, quantities, u, stats, seed, modes=1, prior_kept={})


def table(**columns: Sequence[Any]) -> Runs:
    """Return runs of the columns given; a dot in a name is written as two underscores."""
    return Runs.of(pd.DataFrame({name.replace("__", "."): column for name, column in columns.items()}))


def scale_runs(rows: int = 24, *, seed: int = 0) -> Runs:
    """Return runs of several N and D, with losses around 3."""
    rng = np.random.default_rng(seed)
    N, D = 10 ** rng.uniform(7.5, 9.5, rows), 10 ** rng.uniform(9.0, 11.0, rows)
    loss = (1.8 + 400 * N**-0.34 + 410 * D**-0.28) * np.exp(0.003 * rng.standard_normal(rows))
    return table(run=[f"r{i}" for i in range(rows)], N=N, D=D, loss=loss)


def mixture_runs(
    rows: int = 20,
    *,
    domains: Sequence[str] = DOMAINS,
    targets: Sequence[str] = ("loss.web", "loss.code"),
    seed: int = 0,
) -> Runs:
    """Return runs of one size with several mixtures, with losses around 3."""
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.full(len(domains), 2.0), rows)
    frame = pd.DataFrame({"run": [f"m{i}" for i in range(rows)], "N": 70e6, "D": 10e9})
    frame = frame.assign(**{f"w.{d}": w[:, j] for j, d in enumerate(domains)})
    losses = {t: 3 + 0.2 * np.exp(-2 * w[:, j % len(domains)]) for j, t in enumerate(targets)}
    if any(t.startswith("accuracy") for t in targets):
        losses = {t: values / 10 for t, values in losses.items()}
    return Runs.of(frame.assign(**losses))


def chinchilla_values(runs: Runs, *, alpha=0.34, beta=0.28, E=1.8, A=400.0, B=410.0, sigma=0.003) -> dict[str, Any]:
    """Return quantities, anchored at the references of the runs, for coefficients in the paper's units."""
    N0, D0 = (np.exp(np.log(runs.column(symbol)).mean()) for symbol in ("N", "D"))
    A, B = A * N0 ** -np.asarray(alpha), B * D0 ** -np.asarray(beta)
    return {"E": E, "A": A, "B": B, "alpha": alpha, "beta": beta, "sigma": sigma, "nu": 30.0}


def mixing_values(t: Any, *, L0: Any = 3.0, floor: Any = 0.5, sigma: float = 0.003) -> dict[str, Any]:
    """Return quantities of ye_m4 with log_student_t noise; t by target and domain, with or without draws."""
    return {"L0": L0, "floor": floor, "t": np.asarray(t, dtype=float), "sigma": sigma, "nu": 30.0}
