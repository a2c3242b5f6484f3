"""Problem: what is wanted of a mixture, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from bayesmix import toml
from bayesmix.decision.heuristics import heuristic
from bayesmix.decision.reading import checked
from bayesmix.errors import Fault, InputError, suggest


@dataclass(frozen=True)
class Problem:
    """The decision to take.

    Parameters
    ----------
    objective : mapping of str to float
        Weight of each target in the objective; empty for all targets equally. Losses and errors are minimised,
        accuracies and scores maximised.
    planned : mapping of str to number or str
        The planned run apart from its mixture: N, D, U and labels, where the laws use them. C stands for the one of N
        and D that is not stated: C = 6ND.
    bounds : mapping of str to (float, float)
        Least and greatest weight of a domain; ``default`` for those not named, 0 to 1 without one.
    baseline : mapping of str to float, or str
        The mixture to beat: weights, or a heuristic such as "uniform", "natural" or "unimax 4"; see
        `bayesmix.decision.heuristics`.
    risk : str or mapping of str to float
        What of the objective's draws is minimised: "mean", ``{"quantile": p}``, ``{"cvar": share}`` or "worst law";
        see `bayesmix.decision.risk`.
    combine : {"mean", "worst", "worst excess"}
        How targets make one objective; see `bayesmix.decision.objective`.
    groups : mapping of str to mapping
        Linear inequalities by name: ``domains``, a list to sum over or a table of coefficients, with ``least`` or
        ``greatest`` or both.
    available : mapping of str to float
        Unique tokens there are of a domain. With `epochs`, weight times planned D stays within them.
    epochs : mapping of str to float
        How often a domain may be seen; ``default`` for those not named, once without one.
    trusted : mapping, optional
        A ``mixture`` to stay near to, and the greatest ``divergence`` from it: Kullback-Leibler, nats.
    within : {"simplex", "fitted mixtures"}
        Whether the choice must lie within the convex hull of the fitted mixtures.
    candidates : mapping of str to (mapping of str to float, or str)
        Mixtures to compare with the chosen one, by name: weights, or a heuristic.
    budget : mapping of str to float
        In place of planned N and D, which are then chosen too: ``C``, FLOP, for training and for the tokens ``served``
        if there are any; see `bayesmix.decision.budget`.
    near : float
        Share of the gain that may be lost by a mixture that counts as nearly as good.

    Raises
    ------
    InputError
        Everything that is wrong with these.
    """

    objective: Mapping[str, float] = field(default_factory=dict)
    planned: Mapping[str, float | str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    baseline: Mapping[str, float] | str = "uniform"
    risk: str | Mapping[str, float] = "mean"
    combine: str = "mean"
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    available: Mapping[str, float] = field(default_factory=dict)
    epochs: Mapping[str, float] = field(default_factory=dict)
    trusted: Mapping[str, Any] = field(default_factory=dict)
    within: str = "simplex"
    candidates: Mapping[str, Mapping[str, float] | str] = field(default_factory=dict)
    budget: Mapping[str, float] = field(default_factory=dict)
    near: float = 0.05

    def __post_init__(self) -> None:
        stated = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in checked(stated, "problem").items():
            object.__setattr__(self, name, value)

    @classmethod
    def read(cls, path: str | Path) -> Problem:
        """Read a problem from a TOML file, whose tables and keys are the parameters.

        Raises
        ------
        InputError
            The file is not there, or everything that is wrong with it.
        """
        return cls.of(toml.read(Path(path)), source=str(path))

    @classmethod
    def of(cls, table: Mapping[str, Any], *, source: str = "problem") -> Problem:
        """Build a problem from the tables of a TOML file."""
        return cls(**checked(table, source))

    def baseline_mixture(self, domains: tuple[str, ...]) -> np.ndarray:
        """Return the mixture to beat, shape (domain,).

        Raises
        ------
        InputError
            Weights for unknown domains, or a sum other than 1; or what a heuristic lacks.
        """
        return self._mixture(self.baseline, domains, "the baseline")

    def named(self, domains: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return the mixtures to compare with: the candidates, the baseline and the uniform one."""
        found = gather(
            *(lambda n=n, w=w: (n, self._mixture(w, domains, f"candidate {n}")) for n, w in self.candidates.items()),
            lambda: ("baseline", self.baseline_mixture(domains)),
        )
        uniform = {} if self.baseline == "uniform" else {"uniform": np.full(len(domains), 1 / len(domains))}
        return dict(found) | uniform

    def _mixture(self, stated: Mapping[str, float] | str, domains: tuple[str, ...], what: str) -> np.ndarray:
        if not isinstance(stated, str):
            return mixture(stated, domains, what)
        D = self.planned.get("D")
        return heuristic(stated, domains, self.available, float(D) if D is not None else None, what)


def mixture(weights: Mapping[str, float], domains: tuple[str, ...], what: str) -> np.ndarray:
    """Return stated weights as a mixture, shape (domain,).

    Raises
    ------
    InputError
        Weights for unknown domains, or a sum other than 1.
    """
    faults = [Fault(f"{what} has an unknown domain {d!r}", suggest(d, domains)) for d in weights if d not in domains]
    found = np.array([float(weights.get(d, 0.0)) for d in domains])
    if abs(found.sum() - 1) > 1e-3 or (found < 0).any():
        faults.append(
            Fault(f"the weights of {what} sum to {found.sum():.4g}", "Give weights of at least 0 that sum to 1")
        )
    if faults:
        raise InputError("problem", faults)
    return found / found.sum()


def gather(*checks: Callable[[], Any]) -> list[Any]:
    """Return the results of all checks, or raise one `InputError` with the faults of all of them."""
    results, faults = [], []
    for check in checks:
        try:
            results.append(check())
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError("problem", faults)
    return results
