"""The bootstrap of Besiroglu et al. (2024): 4,000 resamples of the runs, each fitted by BFGS.

    bootstrap.py LAW FOLDER RESULT

Generous: exact gradients, one start for each resample, and that is the best fit to all runs. The resamples count as
draws, 4 x 1000 of them.
"""

import sys

import numpy as np
from huber import objective, quantities
from multistart import best
from scipy.optimize import minimize
from tables import read, record

RESAMPLES = 4000


def fit(table):
    N, D, loss = table["N"], table["D"], table["loss"][:, 0]
    start = best(N, D, loss)
    rng = np.random.default_rng(0)
    estimates = []
    for _ in range(RESAMPLES):
        i = rng.integers(len(N), size=len(N))
        estimates.append(minimize(objective, start, (N[i], D[i], loss[i]), method="BFGS", jac=True).x)
    return quantities(np.reshape(estimates, (4, -1, 5)), N, D), {}


if __name__ == "__main__":
    law, folder, result = sys.argv[1:]
    record(result, fit, read(folder))
