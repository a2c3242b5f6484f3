"""Problem: what is wanted of a mixture, and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bayesmix.errors import BayesmixError, Fault, InputError, suggest

_KEYS = ("objective", "planned", "bounds", "baseline")


@dataclass(frozen=True)
class Problem:
    """The decision to take.

    Parameters
    ----------
    objective : mapping of str to float
        Weight of each target in the objective, scaled to sum to one; empty for all targets equally. Losses and errors
        are minimised, accuracies maximised.
    planned : mapping of str to number or str
        The planned run apart from its mixture: N, D, U and labels, where the laws use them.
    bounds : mapping of str to (float, float)
        Least and greatest weight of a domain; ``default`` for those not named, 0 to 1 without one.
    baseline : mapping of str to float, or "uniform"
        The mixture to beat.
    """

    objective: Mapping[str, float] = field(default_factory=dict)
    planned: Mapping[str, float | str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    baseline: Mapping[str, float] | str = "uniform"

    @classmethod
    def read(cls, path: str | Path) -> Problem:
        """Read a problem from a TOML file with tables objective, planned, bounds and baseline.

        Raises
        ------
        BayesmixError
            The file is not there.
        InputError
            Everything that is wrong with it.
        """
        path = Path(path)
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise BayesmixError(f"{path} cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(str(path), [Fault(f"not a TOML file: {error}", "Mend the line named")]) from None
        return cls.of(table, source=str(path))

    @classmethod
    def of(cls, table: Mapping[str, Any], *, source: str = "problem") -> Problem:
        """Build a problem from the tables of a TOML file."""
        faults = [Fault(f"unknown key {k!r}", suggest(k, _KEYS)) for k in table if k not in _KEYS]
        for key in ("objective", "planned", "bounds"):
            if not isinstance(table.get(key, {}), Mapping):
                faults.append(Fault(f"{key} is {table[key]!r}", f"Write a table [{key}]"))
        table = {k: v for k, v in table.items() if k == "baseline" or isinstance(v, Mapping)}
        objective = dict(table.get("objective", {}))
        for target, weight in objective.items():
            if not _number(weight) or weight < 0:
                faults.append(Fault(f"objective of {target} is {weight!r}", "Give a weight of at least 0"))
        if objective and all(w == 0 for w in objective.values()):
            faults.append(Fault("all weights of the objective are 0", "Give at least one target a positive weight"))
        bounds = {}
        for domain, pair in table.get("bounds", {}).items():
            if not (
                isinstance(pair, list | tuple)
                and len(pair) == 2
                and all(map(_number, pair))
                and 0 <= pair[0] <= pair[1] <= 1
            ):
                faults.append(
                    Fault(
                        f"bounds of {domain} are {pair!r}",
                        "Give [least, greatest] with 0 <= least <= greatest <= 1",
                    )
                )
            else:
                bounds[domain] = (float(pair[0]), float(pair[1]))
        baseline = table.get("baseline", "uniform")
        for domain, weight in baseline.items() if isinstance(baseline, Mapping) else ():
            if not _number(weight) or weight < 0:
                faults.append(Fault(f"baseline of {domain} is {weight!r}", "Give a weight of at least 0"))
        if not (baseline == "uniform" or isinstance(baseline, Mapping)):
            faults.append(
                Fault(
                    f"baseline is {baseline!r}",
                    'Write baseline = "uniform", or a table with a weight per domain',
                )
            )
        if faults:
            raise InputError(source, faults)
        return cls(objective, dict(table.get("planned", {})), bounds, baseline)

    def limits(self, domains: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and greatest weight of each domain.

        Raises
        ------
        InputError
            Bounds that name an unknown domain, or that no mixture can satisfy.
        """
        faults = [
            Fault(f"bounds for an unknown domain {d!r}", suggest(d, domains))
            for d in self.bounds
            if d not in (*domains, "default")
        ]
        low, high = np.array([self.bounds.get(d, self.bounds.get("default", (0.0, 1.0))) for d in domains]).T
        if low.sum() > 1 + 1e-9:
            faults.append(Fault(f"the least weights sum to {low.sum():.3g}, more than 1", "Lower some of them"))
        if high.sum() < 1 - 1e-9:
            faults.append(Fault(f"the greatest weights sum to {high.sum():.3g}, less than 1", "Raise some of them"))
        if faults:
            raise InputError("problem", faults)
        return low, high

    def baseline_mixture(self, domains: tuple[str, ...]) -> np.ndarray:
        """Return the mixture to beat, shape (domain,).

        Raises
        ------
        InputError
            Weights for unknown domains, missing ones, or a sum other than 1.
        """
        if isinstance(self.baseline, str):
            return np.full(len(domains), 1 / len(domains))
        faults = [
            Fault(f"baseline has an unknown domain {d!r}", suggest(d, domains))
            for d in self.baseline
            if d not in domains
        ]
        weights = np.array([float(self.baseline.get(d, 0.0)) for d in domains])
        if abs(weights.sum() - 1) > 1e-3 or (weights < 0).any():
            faults.append(
                Fault(
                    f"the baseline's weights sum to {weights.sum():.4g}",
                    "Give weights of at least 0 that sum to 1",
                )
            )
        if faults:
            raise InputError("problem", faults)
        return weights / weights.sum()


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


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
