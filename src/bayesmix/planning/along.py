"""Which setting is best, and how much of something reaches a response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from bayesmix.covariates import signs
from bayesmix.errors import BayesmixError, listed
from bayesmix.parabola import vertex
from bayesmix.planning.answer import Answer, inherited
from bayesmix.planning.curves import GRID, crossing, responses
from bayesmix.posterior import Posterior
from bayesmix.prediction import distance
from bayesmix.runs import Runs

_SIZES = {"N", "D", "C", "M"}  # each follows from the others, and moves them


def settings(by: str, low: float, high: float, at: Mapping[str, float | str], count: int = GRID) -> Runs:
    """Return planned runs along a column, in equal steps of its logarithm where it is positive, all else alike.

    Parameters
    ----------
    by : str
        The column.
    low, high : float
        Its least and greatest value.
    at : mapping of str to number or str
        The other columns, labels as text.
    count : int
        Number of runs.

    Raises
    ------
    BayesmixError
        The values are no range, or `at` has the column too.
    """
    if not -np.inf < low < high < np.inf or count < 2:
        raise BayesmixError(f"{by} from {low:g} to {high:g} in {count} steps is no range")
    if by in at:
        stated = at[by] if isinstance(at[by], str) else f"{at[by]:g}"
        raise BayesmixError(f"{by} is what varies, and cannot be {stated} too")
    values = np.geomspace(low, high, count) if low > 0 else np.linspace(low, high, count)
    return Runs.of(pd.DataFrame({**at, by: values}), planned=True, source=f"{by} from {low:g} to {high:g}")


def best_setting(posterior: Posterior, settings: Runs, by: str) -> Answer:
    r"""Find the setting of least response along a column, e.g. learning rate, batch, sparsity, precision or D/N.

    $$x^* = \arg\min_x L(x)$$

    in each draw, on a parabola through the best setting and its neighbours, in log x where all x are positive. Of
    scores and accuracies it is the greatest. A draw whose best setting is the first or the last has no optimum among
    them.

    Parameters
    ----------
    posterior : Posterior
        Of a law that takes the column.
    settings : Runs
        At least three planned runs, with different values of the column. Other columns may change along with it.
    by : str
        The column.

    Returns
    -------
    Answer
        One case, with the optimum (named like the column), the response there, and ``regret``: what the setting of
        best expected response loses to the optimum.

    Raises
    ------
    BayesmixError
        The settings are too few or alike.
    NotConvergedError
        The posterior has not converged.
    """
    x, response = _along(posterior, settings, by)
    if len(x) < 3:
        raise BayesmixError(f"an optimum along {by} needs three settings or more, not {len(x)}")
    sign = signs(posterior.targets)
    losses, places = sign * response, np.log(x) if x[0] > 0 else x
    best = losses.argmin(axis=1)
    inside = (best > 0) & (best < len(x) - 1)
    middle = np.clip(best, 1, len(x) - 2)
    at, least = vertex(places, losses, middle)
    optimum = np.where(inside, np.exp(at) if x[0] > 0 else at, np.nan)
    lowest = np.where(inside, least, losses.min(axis=1))
    safe = losses.mean(axis=0).argmin(axis=0)
    regret = np.take_along_axis(losses, safe[None, None], axis=1)[:, 0] - lowest
    warnings = inherited(posterior, settings)
    ends = {0: "lowest", len(x) - 1: "highest"}
    for j, target in enumerate(posterior.targets):
        end = f", the {ends[safe[j]]} tried: the best lies there or beyond" if safe[j] in ends else ""
        warnings.append(f"{target}: best in expectation is {by} = {x[safe[j]]:.4g}{end}.")
        for at_end, end in ends.items():
            if (share := (best[:, j] == at_end).mean()) > 0.01:
                warnings.append(
                    f"{target}: in {share:.0%} of the draws the {end} {by} is best, and the table leaves these out: "
                    "try beyond it."
                )
    draws = {by: optimum, "response": sign * lowest, "regret": np.maximum(regret, 0.0)}
    return Answer({n: v[:, None] for n, v in draws.items()}, (f"best {by}",), posterior.targets, tuple(warnings))


def needed(posterior: Posterior, settings: Runs, by: str, response: Sequence[float]) -> Answer:
    """Find how much of a column reaches a response: how many tokens, how large a model, how many samples.

    In each draw it is the first crossing, interpolated in the logarithm of the column; infinite where no setting
    reaches the response, and the least setting where that does already.

    Parameters
    ----------
    posterior : Posterior
        Of a law that takes the column.
    settings : Runs
        Planned runs with different positive values of the column; the finer, the better.
    by : str
        The column.
    response : sequence of float
        Responses to reach, in the unit of the fitted ones.

    Returns
    -------
    Answer
        One case a response.

    Raises
    ------
    BayesmixError
        The settings are alike or not positive, or no response is asked for.
    NotConvergedError
        The posterior has not converged.
    """
    x, found = _along(posterior, settings, by)
    _positive(by, x)
    if not len(response):
        raise BayesmixError("say which response is to be reached")
    sign = signs(posterior.targets)
    draws = np.stack([crossing(np.log(x), sign * found, sign * float(r)) for r in response], axis=1)
    cases = tuple(f"{r:g}" for r in response)
    warnings = [str(p) for p in posterior.problems()]
    # Of the range searched, the settings that are the answers count.
    answers = np.quantile(draws, 0.5, axis=0, method="inverted_cdf")
    nearest = {int(np.abs(np.log(x) - a).argmin()) for a in answers[np.isfinite(answers)]}
    if nearest:
        warnings += distance(posterior, settings.rows(np.isin(settings.column(by), x[list(nearest)])), bent=False)
    for i, case in enumerate(cases):
        warnings += _ends(posterior.targets, by, x, draws[:, i], case)
    return Answer({by: np.exp(draws)}, cases, posterior.targets, tuple(warnings))


def _ends(targets: Sequence[str], by: str, x: np.ndarray, draws: np.ndarray, case: str) -> Iterator[str]:
    """Yield in what share of the draws, shape (draw, target), no setting reaches a response, or the least does."""
    for target, never, always in zip(
        targets, np.isinf(draws).mean(axis=0), (draws <= np.log(x[0])).mean(axis=0), strict=True
    ):
        if never > 0:
            yield (
                f"{target}: in {never:.1%} of the draws no {by} up to {x[-1]:.4g} reaches {case}: they are inf in "
                "the table, and have no answer."
            )
        if always > 0:
            yield (
                f"{target}: in {always:.1%} of the draws {by} = {x[0]:.4g}, the least tried, reaches {case} already: "
                "they are that in the table, and less may do. Try below it."
            )


def _along(posterior: Posterior, settings: Runs, by: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a column in ascending order, and the law's response, shape (draw, setting, target)."""
    posterior.require_converged()
    if by not in settings.table:
        raise BayesmixError(f"the settings have no column {by}; they have {listed(list(settings.table))}")
    uses = posterior.model.uses
    if by not in uses and not (by in _SIZES and uses & _SIZES):
        raise BayesmixError(
            f"law {posterior.model.law.name} does not take {by}; it takes {listed(sorted(uses)) or 'nothing'}"
        )
    x = settings.column(by)
    if len(np.unique(x)) < max(len(x), 2):
        raise BayesmixError(f"the settings must all differ in {by}")
    order = np.argsort(x)
    return x[order], responses(posterior, settings)[:, order]


def _positive(by: str, x: np.ndarray) -> None:
    if x[0] <= 0:
        raise BayesmixError(f"{by} is {x[0]:g} in one setting: give positive ones")
