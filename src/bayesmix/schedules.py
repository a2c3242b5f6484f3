"""Learning-rate schedules: the areas that laws of training dynamics take, and how much annealing has given back."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from bayesmix.errors import BayesmixError


def areas(rates: Any, decay: float = 0.999) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the forward area and the annealing area at every step of a schedule.

    $$S_1(s) = \sum_{i=1}^{s} \eta_i,\qquad
    S_2(s) = \sum_{i=1}^{s} \sum_{k=2}^{i} (\eta_{k-1} - \eta_k)\,\lambda^{i-k}$$

    The inner sum is a momentum of the decreases of the learning rate. A warm-up belongs to the schedule or not as the
    caller decides, but alike for all runs: its increases count as negative decreases.

    Parameters
    ----------
    rates : array, shape (step,)
        Learning rate of every step.
    decay : float
        lambda: how much of a decrease's momentum is left after one step, 0.99 to 0.999 in the paper.

    Returns
    -------
    forward, annealing : array, shape (step,)
        S1 and S2, both in units of the learning rate.

    Raises
    ------
    BayesmixError
        A rate is negative or no number, or `decay` is not from 0 to 1.

    Notes
    -----
    Source: Tissue, Wang and Wang (2024), Scaling Law with Learning Rate Annealing, arXiv:2408.11029.

    Examples
    --------
    >>> forward, annealing = areas([4, 4, 2, 2], decay=0.5)
    >>> forward.tolist(), annealing.tolist()
    ([4.0, 8.0, 10.0, 12.0], [0.0, 0.0, 2.0, 3.0])
    """
    rates = _checked(rates)
    if not 0 <= decay <= 1:
        raise BayesmixError(f"decay is {decay:g}, expected a number from 0 to 1")
    decreases = np.append(rates[:1], rates[:-1]) - rates
    momentum = list(accumulate(decreases, lambda before, decrease: decay * before + decrease))
    return np.cumsum(rates), np.cumsum(momentum)


def annealed(
    rates: Any,
    at: Any = None,
    *,
    C: float = 2.074,
    beta: float = 0.591,
    gamma: float = 0.644,
    peak: float | None = None,
) -> np.ndarray:
    r"""Return how much of a schedule's peak rate has been annealed away, and taken effect, by some of its steps.

    $$a(t) = 1 + \frac{1}{\eta_{max}} \sum_{k=1}^{t} (\eta_{k-1} - \eta_k)
    \left[1 - \left(1 + C\,\eta_k^{-\gamma} S_k(t)\right)^{-\beta}\right],
    \qquad S_k(t) = \sum_{i=k}^{t} \eta_i,\quad \eta_0 = 0$$

    It is near 0 at a constant rate, and near 1 long after the rate has fallen to almost nothing. The schedule starts
    with its warm-up, whose increases count as negative decreases.

    Parameters
    ----------
    rates : array, shape (step,)
        Learning rate of every step, all above 0.
    at : integer array, shape (observation,), optional
        Steps to return, counted from 1; by default the last one.
    C, beta, gamma : float
        Constants of the law, for rates as they are. The defaults are the means of those published for 25M, 100M and
        400M parameters, which hardly differ.
    peak : float, optional
        The peak rate; by default that of the schedule. Give one for all, where runs of several are fitted together.

    Returns
    -------
    array, shape (observation,)

    Raises
    ------
    BayesmixError
        A rate is not above 0, or a step is not one of the schedule.

    Notes
    -----
    Source: Luo et al. (2025), A Multi-Power Law for Loss Curve Prediction Across Learning Rate Schedules,
    arXiv:2503.12811. Their loss is $L_0 + A\,S_1^{-\alpha} - B\,\eta_{max}\,(a - 1)$.

    Examples
    --------
    A constant rate of 0.5 for two steps; the one increase, from 0, has 1 - (1 + 1)^-1.

    >>> annealed([0.5, 0.5], C=1, beta=1, gamma=0).tolist()
    [0.5]
    """
    rates = _checked(rates)
    if (rates == 0).any():
        raise BayesmixError("a learning rate is 0, expected numbers above 0: leave out steps that do not train")
    steps = np.array([len(rates)]) if at is None else np.asarray(at)
    if steps.dtype.kind not in "iu" or ((steps < 1) | (steps > len(rates))).any():
        raise BayesmixError(f"asked for steps that are no whole numbers from 1 to {len(rates)}")
    forward = np.cumsum(rates)
    decreases = np.append(0.0, rates[:-1]) - rates
    speed = C * rates**-gamma
    back = [
        decreases[:t] @ -np.expm1(-beta * np.log1p(speed[:t] * (forward[t - 1] - forward[:t] + rates[:t])))
        for t in steps.ravel()
    ]
    return 1 + np.array(back).reshape(steps.shape) / (rates.max() if peak is None else peak)


def _checked(rates: Any) -> np.ndarray:
    rates = np.asarray(rates, dtype=float)
    if rates.ndim != 1 or not rates.size or not (np.isfinite(rates) & (rates >= 0)).all():
        raise BayesmixError("a schedule is a list of learning rates, one a step, each a finite number of 0 or more")
    return rates
