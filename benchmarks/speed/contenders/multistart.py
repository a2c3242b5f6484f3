"""A point estimate: robust least squares by scipy from 500 random starts, the best kept.

multistart.py LAW FOLDER RESULT
"""

import sys

import numpy as np
from huber import DELTA, HIGH, LOW, quantities, residuals
from scipy.optimize import least_squares
from tables import read, record

STARTS = 500


def best(N: np.ndarray, D: np.ndarray, loss: np.ndarray) -> np.ndarray:
    def fitted(start):
        return least_squares(
            lambda theta: residuals(theta, N, D, loss)[0],
            start,
            jac=lambda theta: residuals(theta, N, D, loss)[1].T,
            loss="huber",
            f_scale=DELTA,
            x_scale="jac",
        )

    starts = np.random.default_rng(0).uniform(LOW, HIGH, (STARTS, len(LOW)))
    return min((fitted(start) for start in starts), key=lambda fit: fit.cost).x


def fit(table):
    theta = best(table["N"], table["D"], table["loss"][:, 0])
    return {n: np.reshape(v, (1, 1)) for n, v in quantities(theta, table["N"], table["D"]).items()}, {}


if __name__ == "__main__":
    law, folder, result = sys.argv[1:]
    record(result, fit, read(folder))
