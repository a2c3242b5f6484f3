"""What the law says of the runs it was fitted to, and how far each of them is from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.covariates import is_fraction
from bayesmix.evaluation import measured_draws, thinned
from bayesmix.posterior import Posterior

# Quantiles at 5 and 95 % need no more draws than this, and a figure should not take a minute.
_DRAWS = 800


@dataclass(frozen=True)
class Fitted:
    """The law at the fitted runs; arrays of shape (observation, target).

    Attributes
    ----------
    measured : array
        What was measured; NaN where nothing was.
    median : array
        Posterior median of the law's response.
    residual, low, high : array
        Measured less median, and the 90 % predictive interval of that: in per cent of the median, or in percentage
        points where the response is a fraction.
    """

    measured: np.ndarray
    median: np.ndarray
    residual: np.ndarray
    low: np.ndarray
    high: np.ndarray


def fitted(posterior: Posterior) -> Fitted:
    """Evaluate the law at the fitted runs; the noise follows the seed of the fit."""
    model, inputs = posterior.model, posterior.inputs
    expected, noisy = measured_draws(model, thinned(posterior, _DRAWS), inputs, posterior.seed)
    median = np.median(expected, axis=0)
    measured = np.where(inputs.observed, inputs.response, np.nan)
    unit = np.where([is_fraction(t) for t in posterior.targets], 100.0, 100.0 / median)
    low, high = np.quantile(noisy, [0.05, 0.95], axis=0)
    return Fitted(measured, median, (measured - median) * unit, (low - median) * unit, (high - median) * unit)
