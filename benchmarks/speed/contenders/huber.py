"""The objective that most papers minimise: Huber loss of log residuals, amplitudes and floor by their logarithms.

With delta = 1e-3, as Hoffmann et al. (2022) and Besiroglu et al. (2024) have it.
"""

import numpy as np

DELTA = 1e-3
# Ranges of the grid of starts of Hoffmann et al., in the order a = log A, b = log B, e = log E, alpha, beta.
LOW = np.array([0.0, 0.0, -1.0, 0.0, 0.0])
HIGH = np.array([25.0, 25.0, 1.0, 2.0, 2.0])


def residuals(theta: np.ndarray, N: np.ndarray, D: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return log residuals and their derivatives by (a, b, e, alpha, beta), shape (5, run)."""
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * np.log(N), b - beta * np.log(D), np.full(len(N), e)])
    mean = np.logaddexp.reduce(terms, axis=0)
    shares = np.exp(terms - mean)
    slopes = np.concatenate([shares, -shares[:2] * np.log([N, D])])
    return mean - np.log(loss), slopes


def objective(theta: np.ndarray, N: np.ndarray, D: np.ndarray, loss: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the sum of Huber losses and its gradient."""
    r, slopes = residuals(theta, N, D, loss)
    size = np.abs(r)
    value = np.where(size < DELTA, r**2 / 2, DELTA * (size - DELTA / 2)).sum()
    return value, slopes @ np.clip(r, -DELTA, DELTA)


def quantities(theta: np.ndarray, N: np.ndarray, D: np.ndarray) -> dict[str, np.ndarray]:
    """Return estimates, shape (..., 5), as the quantities that bayesmix has."""
    a, b, e, alpha, beta = np.moveaxis(theta, -1, 0)
    A, B = np.exp(a - alpha * np.log(N).mean()), np.exp(b - beta * np.log(D).mean())
    return {"E": np.exp(e), "A": A, "B": B, "alpha": alpha, "beta": beta}
