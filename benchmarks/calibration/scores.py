"""All scores of a contender that has nothing but predictive draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from bayesmix.scores import LEVELS, bias, covered, crps, interval, interval_score, pit

_WILD = 0.01  # weight of the wide component of the density behind the log score
_CAUCHY = 0.7413  # of the interquartile range: a robust standard deviation


def log_score(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return minus the log predictive density, of the log response: smaller is better, as with the other scores.

    The density is a normal kernel on every draw (Silverman's bandwidth, 0.9 min(sd, IQR/1.34) n^-1/5) with a weight
    of 99 %, and 1 % of a Cauchy distribution at the median with the draws' own scale. Without the latter, a truth
    beyond all draws would be judged by the bandwidth; with it, by how many widths it is away.
    """
    low, middle, high = np.quantile(draws, [0.25, 0.5, 0.75], axis=0)
    robust = np.maximum(_CAUCHY * (high - low), 1e-9)
    width = 0.9 * np.minimum(np.maximum(draws.std(axis=0), 1e-9), robust) * len(draws) ** -0.2
    kernels = -0.5 * ((truth - draws) / width) ** 2 - np.log(width * np.sqrt(2 * np.pi))
    near = logsumexp(kernels, axis=0) - np.log(len(draws))
    wild = -np.log(np.pi * robust * (1 + ((truth - middle) / robust) ** 2))
    return -np.logaddexp(np.log1p(-_WILD) + near, np.log(_WILD) + wild)


def scored(draws: np.ndarray, truth: np.ndarray, beyond: np.ndarray) -> pd.DataFrame:
    """Return all scores, one row an observation.

    Parameters
    ----------
    draws : array, shape (draw, observation)
        Predictive draws of the response as measured; those that are no positive number count as the smallest one.
    truth : array, shape (observation,)
        What was measured.
    beyond : array, shape (observation,)
        Decades beyond the data.
    """
    tiny = np.finfo(float).tiny
    x, y = np.log(np.clip(np.nan_to_num(draws, nan=tiny, posinf=1e300), tiny, 1e300)), np.log(truth)
    inside = {f"coverage{level:.0%}": covered(x, y, level).astype(float) for level in LEVELS}
    numbers = {f.__name__: f(x, y) for f in (pit, crps, log_score, bias)}
    low, high = interval(x, 0.9)
    return pd.DataFrame(
        {
            "beyond": beyond,
            **inside,
            **numbers,
            "interval_score95%": interval_score(x, y),
            "absolute_error": np.abs(numbers["bias"]),
            "width90%": high - low,
        }
    )
