"""Which model is cheapest to train and serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bayesmix.covariates import signs
from bayesmix.errors import BayesmixError
from bayesmix.grids import grid
from bayesmix.parabola import between, vertex
from bayesmix.planning.answer import Answer
from bayesmix.planning.curves import GRID, SPAN, crossing, require_scale, responses
from bayesmix.posterior import Posterior
from bayesmix.prediction import distance

_COARSE = 40  # sizes in a first look


def inference_optimal(
    posterior: Posterior, response: float, served: Sequence[float], labels: Mapping[str, str] | None = None
) -> Answer:
    r"""Find the model that reaches a loss with the least compute over its whole life.

    $$\min_{N, D}\; 6 N D + 2 N T \quad \text{where} \quad L(N, D) = \ell$$

    T is the number of tokens served. In each draw D follows from N and the loss, and N is searched for. With T = 0 it
    is compute-optimal training; the more is served, the smaller the model and the longer its training.

    Parameters
    ----------
    posterior : Posterior
        Of a law in N and D alone.
    response : float
        Loss to reach.
    served : sequence of float
        Numbers T of tokens, prompts and answers together; 0 for none.
    labels : mapping of str to str, optional
        Level of each label column that the model pools over.

    Returns
    -------
    Answer
        One case a T, with N, D, D/N and the total C in FLOP; NaN where a draw cannot reach the loss.

    Raises
    ------
    BayesmixError
        The law needs something else, a number of tokens is negative, or a label is missing.
    NotConvergedError
        The posterior has not converged.

    Sources: Sardana, Portes, Doubov and Frankle (2024), Beyond Chinchilla-Optimal, eq. 2.
    """
    posterior.require_converged()
    require_scale(posterior, "this asks for")
    if not len(served) or min(served) < 0:
        raise BayesmixError(f"tokens served are {list(served)}: give at least one number, none below 0")
    labels = labels or {}
    fitted = {n: posterior.runs.column(n) for n in ("N", "D")}
    N, D = (np.geomspace(v.min() / SPAN, v.max() * SPAN, GRID) for v in fitted.values())
    coarse = _log_tokens(posterior, N[:: GRID // _COARSE], D, response, labels)
    N = _narrowed(N[:: GRID // _COARSE], coarse, served)
    log_D = _log_tokens(posterior, N, D, response, labels)
    answers = [_cheapest(N, log_D, tokens) for tokens in served]
    draws = {name: np.stack([a[name] for a in answers], axis=1) for name in ("N", "D", "D/N", "C")}
    warnings = [
        *(str(p) for p in posterior.problems()),
        *_unreached(posterior, log_D, response),
        *_at_an_end(posterior, N, log_D, served, draws["N"]),
    ]
    if np.isfinite(draws["C"]).any():
        middle = grid(posterior, {n: [np.nanmedian(draws[n])] for n in ("N", "D")}, labels, "models to serve")
        warnings += distance(posterior, middle, bent=False)
    return Answer(draws, tuple(f"{t:g} tokens served" for t in served), posterior.targets, tuple(warnings))


def _unreached(posterior: Posterior, log_D: np.ndarray, response: float) -> Iterator[str]:
    """Yield for each target in what share of the draws no size reaches the response."""
    never = ~np.isfinite(log_D).any(axis=1)
    for target, sign, share in zip(posterior.targets, signs(posterior.targets), never.mean(axis=0), strict=True):
        if share > 0:
            limit = "below the floor" if sign > 0 else "above the ceiling"
            yield f"{target}: in {share:.1%} of the draws no N and D reach {response:g}, {limit}: they have no answer."


def _at_an_end(
    posterior: Posterior, N: np.ndarray, log_D: np.ndarray, served: Sequence[float], found: np.ndarray
) -> Iterator[str]:
    """Yield for each number of tokens and target in what share of the draws no size between the ends is cheapest."""
    reached = np.isfinite(log_D.min(axis=1))
    for i, tokens in enumerate(served):
        for j, target in enumerate(posterior.targets):
            if share := float((reached[:, j] & np.isnan(found[:, i, j])).mean()):
                yield (
                    f"{target}: in {share:.1%} of the draws the cheapest model for {tokens:g} tokens served is at an "
                    f"end of the sizes tried, N = {N[0]:.3g} to {N[-1]:.3g}: they have no answer."
                )


def _log_tokens(
    posterior: Posterior, N: np.ndarray, D: np.ndarray, response: float, labels: Mapping[str, str]
) -> np.ndarray:
    """Return the log of the tokens that reach a response, shape (draw, size, target); infinite where none of D do."""
    sign, found = signs(posterior.targets), []
    for size in N:
        tried = grid(posterior, {"N": size, "D": D}, labels, "models to serve")
        found.append(crossing(np.log(D), sign * responses(posterior, tried), sign * response))
    return np.stack(found, axis=1)


def _log_cost(N: np.ndarray, log_D: np.ndarray, served: float) -> np.ndarray:
    return np.log(6 * np.exp(log_D) + 2 * served) + np.log(N)[:, None]


def _narrowed(N: np.ndarray, log_D: np.ndarray, served: Sequence[float]) -> np.ndarray:
    """Return a fine grid of sizes around the cheapest of every draw."""
    best = [_log_cost(N, log_D, tokens).argmin(axis=1)[np.isfinite(log_D).any(axis=1)] for tokens in served]
    every = np.concatenate(best) if any(map(len, best)) else np.array([0, len(N) - 1])
    return np.geomspace(N[max(every.min() - 1, 0)], N[min(every.max() + 1, len(N) - 1)], GRID)


def _cheapest(N: np.ndarray, log_D: np.ndarray, served: float) -> dict[str, np.ndarray]:
    """Return N, D, their ratio and the compute of the cheapest size in every draw, shape (draw, target)."""
    cost = _log_cost(N, log_D, served)
    best = np.clip(cost.argmin(axis=1), 1, len(N) - 2)
    at, least = vertex(np.log(N), cost, best)
    steps = (at - np.log(N)[best]) / np.log(N[1] / N[0])
    # At an end of the sizes tried, or where no size reaches the response, there is no optimum.
    inside = np.isfinite(least) & (np.abs(steps) < 1)
    # D is not what the cost leaves for training: where serving is nearly all of it, that is a difference of roundings.
    log_tokens = between(log_D, best, np.where(inside, steps, 0.0))
    size, tokens = (np.where(inside, np.exp(v), np.nan) for v in (at, log_tokens))
    return {"N": size, "D": tokens, "D/N": tokens / size, "C": size * (6 * tokens + 2 * served)}
