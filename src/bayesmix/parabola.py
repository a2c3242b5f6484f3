"""The lowest point of a curve that is known at some places, between them."""

from __future__ import annotations

import numpy as np


def vertex(places: np.ndarray, losses: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return place and value of the lowest point of a parabola through a place and its neighbours.

    `middle` are positions of places. Shapes are (place,), (draw, place, target) and (draw, target). Where the three do
    not bend up it is the middle.
    """
    left, centre, right = (np.take_along_axis(losses, (middle + s)[:, None], axis=1)[:, 0] for s in (-1, 0, 1))
    here = places[middle]
    before, after = here - places[middle - 1], places[middle + 1] - here
    with np.errstate(invalid="ignore"):
        falls, rises = (left - centre) / before, (right - centre) / after
        bend = (falls + rises) / (before + after)
        slope = (rises * before - falls * after) / (before + after)
        shift = np.where((bend > 0) & np.isfinite(bend), -slope / np.where(bend > 0, 2 * bend, 1.0), 0.0)
        return here + shift, centre + slope * shift / 2
