r"""Heuristics: mixtures that people train without any small run, from how many tokens there are of each domain.

With $U_j$ the unique tokens of domain j and D those of the planned run:

- ``natural``: $w_j \propto U_j$.
- ``temperature T``: $w_j \propto U_j^{1/T}$; 1 is natural, large is uniform (Conneau et al. 2020 and Xue et al.
  2021, section 3.1 of both, with $\alpha = 1/T$).
- ``capped K``: $w_j \propto \min(U_j, K)$, examples-proportional with a cap of K tokens (Raffel et al. 2020, section
  3.5.2).
- ``unimax E``: as near to uniform as no domain is seen more than E times: from the scarcest up, each gets an equal
  share of what is left, or all that E epochs allow (Chung et al. 2023, algorithm 1).
- ``uniform``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix.errors import Fault, InputError, listed

_NUMBERED = ("temperature", "capped", "unimax")
SHAPE = '"natural", "uniform", "temperature 2", "capped 1e9" or "unimax 4"'


def parsed(stated: str) -> tuple[str, float] | None:
    """Return the name and the number of a heuristic, which is NaN where it has none; None if it is not one."""
    name, _, number = stated.strip().partition(" ")
    if name in ("uniform", "natural"):
        return None if number else (name, float("nan"))
    try:
        value = float(number)
    except ValueError:
        return None
    return (name, value) if name in _NUMBERED and 0 < value < np.inf else None


def heuristic(
    stated: str, domains: tuple[str, ...], available: Mapping[str, float], D: float | None, what: str
) -> np.ndarray:
    """Return the mixture of a heuristic, shape (domain,); see the module.

    Parameters
    ----------
    stated : str
        Such as ``"temperature 2"``.
    domains : tuple of str
        Along the mixture.
    available : mapping of str to float
        Unique tokens of each domain.
    D : float or None
        Tokens of the planned run.
    what : str
        What the mixture is for, in errors.

    Raises
    ------
    InputError
        It is no heuristic, or tokens are missing.
    """
    if (known := parsed(stated)) is None:
        raise InputError(
            "problem", [Fault(f"{what} is {stated!r}", f"Give {SHAPE}, or a table with a weight per domain")]
        )
    name, number = known
    if name == "uniform":
        return np.full(len(domains), 1 / len(domains))
    faults = []
    if missing := [d for d in domains if d not in available]:
        lacking = f"{what} is {stated!r}, and nothing says how many tokens there are of {listed(missing)}"
        faults.append(Fault(lacking, "State them: [available]"))
    if name == "unimax" and D is None:
        faults.append(Fault(f"{what} is {stated!r}, and nothing says how many tokens are trained on", "Add planned.D"))
    if faults:
        raise InputError("problem", faults)
    tokens = np.array([float(available[d]) for d in domains])
    shares = {
        "natural": lambda: tokens,
        "temperature": lambda: (tokens / tokens.max()) ** (1 / number),
        "capped": lambda: np.minimum(tokens, number),
        "unimax": lambda: _unimax(tokens * number, float(D or 0)),
    }[name]()
    return shares / shares.sum()


def _unimax(most: np.ndarray, budget: float) -> np.ndarray:
    """Return equal shares of a budget, but none above the most that a domain may have."""
    shares = np.zeros(len(most))
    for left, domain in zip(range(len(most), 0, -1), np.argsort(most, kind="stable"), strict=True):
        shares[domain] = min(most[domain], budget / left)
        budget -= float(shares[domain])
    return shares
