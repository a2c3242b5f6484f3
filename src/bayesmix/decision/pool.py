"""Pool: the small runs that could be done next, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayesmix.covariates import BY_DOMAIN
from bayesmix.decision.allowed import Allowed
from bayesmix.decision.decision import Decision
from bayesmix.decision.planned import planned_run
from bayesmix.errors import Fault, InputError
from bayesmix.filling import filling, rounded
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs

_SPREAD, _OPTIMA = 48, 14  # mixtures that fill the simplex, and best ones of single draws
_SCALES = 5


@dataclass(frozen=True)
class Pool:
    """Candidate runs.

    Attributes
    ----------
    runs : Runs
        With the mixture and all else that the laws need.
    cost : array, shape (run,)
        Training FLOP: the column C, or 6 N D; 1 each where neither is known.
    in_flop : bool
        Whether it is.
    """

    runs: Runs
    cost: np.ndarray
    in_flop: bool

    @classmethod
    def of(cls, runs: Runs) -> Pool:
        """Take planned runs, whose names tell them apart, as candidates.

        Raises
        ------
        InputError
            Two have the same name.
        """
        names = runs.names
        first: dict[str, int] = {}
        twice = [
            Fault("another candidate has this name", "Give each its own", row, name)
            for row, name in enumerate(names)
            if first.setdefault(name, row) != row
        ]
        if twice:
            raise InputError(runs.source, twice)
        known = "C" in runs.symbols
        return cls(runs, runs.column("C") if known else np.ones(len(runs)), known)


def scaling(posteriors: Mapping[str, Posterior]) -> list[str]:
    """Return the columns that say how large a run is: N and D, and all else that feeds a law and is not by domain."""
    runs = next(iter(posteriors.values())).runs
    fed = dict.fromkeys(c for p in posteriors.values() for c in p.model.columns.values())
    return [c for c in dict.fromkeys(("N", "D", *fed)) if c in runs.table and c not in BY_DOMAIN]


def scales_of(posteriors: Mapping[str, Posterior]) -> list[dict[str, float]]:
    """Return the scales of the runs that were done, from the cheapest to the dearest; few if they are many."""
    runs, columns = next(iter(posteriors.values())).runs, scaling(posteriors)
    if not columns:
        return [{}]
    distinct = np.unique(np.column_stack([runs.column(c) for c in columns]), axis=0)
    distinct = distinct[np.argsort(distinct.prod(axis=1), kind="stable")]
    kept = np.unique(np.linspace(0, len(distinct) - 1, _SCALES).round().astype(int))
    return [dict(zip(columns, row.tolist(), strict=True)) for row in distinct[kept]]


def candidates(
    posteriors: Mapping[str, Posterior],
    decision: Decision,
    allowed: Allowed,
    scales: Sequence[Mapping[str, float | str]],
    seed: int,
) -> Runs:
    """Return candidate runs: at every scale, mixtures that fill the simplex and those that may turn out to be the best.

    Half of the former are moved to where the problem allows them: what lies outside can teach too. All else that the
    planned run has, such as labels and unique tokens, stays as it is there.
    """
    domains = len(decision.domains)
    inside = filling(
        _SPREAD // 2, domains, seed=seed, allowed=allowed.into if len(allowed.corners) == domains else None
    )
    around = filling(_SPREAD // 2, domains, seed=seed + 1, before=inside)
    optima = decision.some_optima(_OPTIMA)
    named = {
        "chosen": decision.mixture,
        "baseline": decision.baseline,
        **{f"optimum{k + 1:02}": w for k, w in enumerate(optima)},
        **{f"spread{k + 1:02}": w for k, w in enumerate(np.concatenate([inside, around]))},
    }
    w = rounded(np.array(list(named.values())))
    unlike = np.sort(np.unique(w, axis=0, return_index=True)[1])
    names = [list(named)[k] for k in unlike]
    frames = [_at(scale, w[unlike], names, posteriors, decision, several=len(scales) > 1) for scale in scales]
    return Runs.of(pd.concat(frames, ignore_index=True), planned=True, source="the candidates")


def _at(
    scale: Mapping[str, float | str],
    w: np.ndarray,
    names: Sequence[str],
    posteriors: Mapping[str, Posterior],
    decision: Decision,
    *,
    several: bool,
) -> pd.DataFrame:
    first = next(iter(posteriors.values()))
    # What says how large the planned run is does not hold for a smaller one.
    sizes = {"N", "D", "C", *scaling(posteriors)} if scale else set()
    kept = {k: v for k, v in decision.problem.planned.items() if k not in sizes}
    problem = replace(decision.problem, planned={**kept, **scale})
    row = planned_run(first, problem, decision.domains).table.iloc[0]
    parts = (f"-{s}{value if isinstance(value, str) else f'{value:.2e}'}" for s, value in scale.items())
    where = "".join(parts) if several else ""
    frame = pd.DataFrame([row] * len(w)).reset_index(drop=True)
    frame["run"] = [name + where for name in names]
    frame[[f"w.{d}" for d in decision.domains]] = w
    return frame
