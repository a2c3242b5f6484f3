"""A law's response along planned runs in every draw, and where it falls to a level."""

from __future__ import annotations

import numpy as np

from bayesmix.errors import BayesmixError, listed
from bayesmix.evaluation import expected_draws
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs

GRID = 160  # points of a search, in equal steps of the logarithm
SPAN = 1e4  # of a search around what was fitted or asked


def require_scale(posterior: Posterior, asked: str) -> None:
    """Raise an error unless the law takes N and D alone."""
    needs = sorted(set(posterior.model.columns.values()))
    if needs != ["D", "N"]:
        raise BayesmixError(f"law {posterior.model.law.name} takes {listed(needs) or 'nothing'}; {asked} N and D")


def responses(posterior: Posterior, planned: Runs) -> np.ndarray:
    """Return the law's response in every draw, shape (draw, run, target)."""
    inputs, _ = posterior.model.inputs(planned, posterior.coordinates)
    return expected_draws(posterior, inputs)


def crossing(places: np.ndarray, losses: np.ndarray, level: float | np.ndarray) -> np.ndarray:
    """Return where losses, shape (draw, place, target), first fall to a level, shape (draw, target) or less.

    Infinite where they never do, and the first place where they are there already.
    """
    level = np.broadcast_to(level, (len(losses), losses.shape[2]))
    reached = losses <= level[:, None]
    first = reached.argmax(axis=1)
    after = np.maximum(first, 1)
    high, low = (np.take_along_axis(losses, (after - s)[:, None], axis=1)[:, 0] for s in (1, 0))
    share = np.clip((high - level) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
    between = places[after - 1] + share * (places[after] - places[after - 1])
    return np.where(reached.any(axis=1), np.where(first == 0, places[0], between), np.inf)
