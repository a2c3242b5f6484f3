"""design(): the first runs, before anything is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesmix.decision.constraints import choices
from bayesmix.decision.problem import Problem
from bayesmix.errors import BayesmixError
from bayesmix.filling import filling, rounded
from bayesmix.precision import in_double
from bayesmix.runs import Runs

_FALL = 0.5  # runs of a scale over those of the next smaller one, beyond two of each


@in_double
def design(
    domains: Sequence[str],
    runs: int,
    *,
    scales: Sequence[Mapping[str, float | str]] = ({},),
    problem: Problem | None = None,
    seed: int,
) -> pd.DataFrame:
    """Return first runs to train: mixtures that fill what is allowed, most of them at the smallest scale.

    The first mixture at every scale is the baseline. Larger scales repeat the first mixtures of the smallest, so that
    scale and mixture can be told apart.

    Parameters
    ----------
    domains : sequence of str
        At least two.
    runs : int
        How many; at least two a scale.
    scales : sequence of mapping
        N and D of each, e.g. ``{"N": 1e8, "D": 2e9}``, and labels, as text.
    problem : Problem, optional
        Its constraints hold for every mixture, and its baseline is the first, moved to where they allow it; without
        one, the uniform mixture is. Where a budget is to choose how many tokens are trained on, what is available
        limits no weight: only the baseline may be made of it.
    seed : int
        Of the mixtures.

    Returns
    -------
    DataFrame
        One row a run: ``run``, the scale's columns, ``w.<domain>`` in ten thousandths.

    Raises
    ------
    BayesmixError
        Too few domains or runs.
    InputError
        The problem is of other domains, or no mixture satisfies it.
    """
    domains = tuple(domains)
    if len(set(domains)) < max(2, len(domains)):
        raise BayesmixError(f"the domains are {', '.join(domains)}: give at least two, each once")
    counts = _counts(runs, len(scales))
    problem = problem or Problem()
    allowed = choices(_before_runs(problem), domains, np.eye(len(domains)))
    baseline = problem.baseline_mixture(domains)[None]
    if not allowed.holds(baseline[0]):
        baseline = allowed.into(baseline)
    spread = filling(
        counts[0] - 1,
        len(domains),
        seed=seed,
        before=baseline,
        allowed=allowed.into,
    )
    mixtures = rounded(np.concatenate([baseline, spread]))
    ordered = sorted(scales, key=_size)
    rows = [
        {"run": f"s{k + 1}-m{m:02}", **scale, **{f"w.{d}": x for d, x in zip(domains, mixtures[m], strict=True)}}
        for k, (scale, count) in enumerate(zip(ordered, counts, strict=True))
        for m in range(count)
    ]
    return pd.DataFrame(rows)


def _before_runs(problem: Problem) -> Problem:
    """Return the problem with the constraints that mean something before runs are fitted and a budget is split."""
    unsized = {"available": {}, "epochs": {}} if problem.budget else {}
    return replace(problem, within="simplex", **unsized)


def _size(scale: Mapping[str, float | str]) -> float:
    return float(np.prod([value for value in scale.values() if not isinstance(value, str)]))


def _counts(runs: int, scales: int) -> list[int]:
    """Return how many runs each scale has, from the smallest up."""
    if runs < 2 * scales:
        raise BayesmixError(f"{runs} runs are too few for {scales} scales: give at least two to each")
    parts = _FALL ** np.arange(scales)
    counts = np.maximum(2, np.floor((runs - 2 * scales) * parts / parts.sum()) + 2).astype(int)
    counts[0] += runs - counts.sum()
    return counts.tolist()


def imagined(frame: pd.DataFrame) -> Runs:
    """Return designed runs as if a loss of 1 had been measured on every domain, to see what they could tell."""
    losses = {f"loss.{name.removeprefix('w.')}": 1.0 for name in frame if str(name).startswith("w.")}
    return Runs.of(frame.assign(**losses), source="the design")
