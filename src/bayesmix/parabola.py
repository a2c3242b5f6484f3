"""A curve that is known at some places, between them: its lowest point, and its values."""

from __future__ import annotations

import numpy as np


def vertex(places: np.ndarray, losses: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return place and value of the lowest point of a parabola through a place and its neighbours.

    `middle` are positions of places. Shapes are (place,), (draw, place, target) and (draw, target). Where the three do
    not bend up it is the middle.
    """
    left, centre, right = _around(losses, middle)
    here = places[middle]
    before, after = here - places[middle - 1], places[middle + 1] - here
    with np.errstate(invalid="ignore"):
        falls, rises = (left - centre) / before, (right - centre) / after
        bend = (falls + rises) / (before + after)
        slope = (rises * before - falls * after) / (before + after)
        shift = np.where((bend > 0) & np.isfinite(bend), -slope / np.where(bend > 0, 2 * bend, 1.0), 0.0)
        return here + shift, centre + slope * shift / 2


def between(values: np.ndarray, middle: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return values some steps from a place, on a parabola through it and its neighbours, all one step apart.

    Shapes are those of `vertex`; steps, from -1 to 1, have that of the middle.
    """
    left, centre, right = _around(values, middle)
    with np.errstate(invalid="ignore"):
        return centre + steps * (right - left) / 2 + steps**2 * (left + right - 2 * centre) / 2


def _around(values: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    left, centre, right = (np.take_along_axis(values, (middle + s)[:, None], axis=1)[:, 0] for s in (-1, 0, 1))
    return left, centre, right
