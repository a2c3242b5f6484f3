"""PyMC with nutpie, its fastest sampler: bayesmix's priors and parametrisation, as a careful PyMC user writes them.

pymc_nutpie.py LAW FOLDER RESULT (diagonal | low-rank) [CURVES]
"""

import sys

import numpy as np
import nutpie
import pymc as pm
from tables import read, record


def geometric(values: np.ndarray) -> np.ndarray:
    return np.exp(np.log(values).mean(axis=0))


def noise(mean, loss, shape=()) -> None:
    sigma = pm.LogNormal("sigma", -4.6, 1.0, shape=shape)
    nu = pm.Gamma("nu", 2, 0.1, shape=shape)
    pm.StudentT("log_loss", nu=nu, mu=pm.math.log(mean), sigma=sigma, observed=pm.math.log(loss))


def chinchilla(N, D, loss, **_) -> None:
    loss = loss[:, 0]
    E = pm.Deterministic("E", geometric(loss) * pm.LogNormal("E_relative", -0.58, 0.31))
    A = pm.Deterministic("A", geometric(loss) * pm.LogNormal("A_relative", -1.61, 0.58))
    B = pm.Deterministic("B", geometric(loss) * pm.LogNormal("B_relative", -1.81, 0.52))
    alpha = pm.LogNormal("alpha", -1.10, 0.52)
    beta = pm.LogNormal("beta", -0.81, 0.57)
    noise(E + A * (N / geometric(N)) ** -alpha + B * (D / geometric(D)) ** -beta, loss)


def containers(D, loss, **_) -> dict[str, np.ndarray]:
    return {"x": D / geometric(D), "y": loss[:, 0], "scale": geometric(loss[:, 0])}


def alab_m2(**table) -> None:
    # Containers and not constants: one compiled model then serves all curves.
    x, y, scale = (pm.Data(name, values) for name, values in containers(**table).items())
    E = pm.Deterministic("E", scale * pm.LogNormal("E_relative", -0.32, 0.18))
    A = pm.Deterministic("A", scale * pm.LogNormal("A_relative", -1.34, 0.52))
    c = pm.LogNormal("c", -0.86, 0.76)
    noise(E + A * x**-c, y)


def mixture(w, loss, t) -> None:
    targets = loss.shape[1]
    L0 = pm.Deterministic("L0", geometric(loss) * pm.LogNormal("L0_relative", 0.0, 0.3, shape=targets))
    floor = pm.Beta("floor", 4, 2, shape=targets)
    mean = L0 * (floor + (1 - floor) * pm.math.exp((w - w.mean(axis=0)) @ t.T))
    noise(mean, loss, targets)


def ye_m4(w, loss, **_) -> None:
    mixture(w, loss, pm.ZeroSumNormal("t", 5, shape=(loss.shape[1], w.shape[1])))


def ye_m4_shrunk(w, loss, **_) -> None:
    tau = pm.LogNormal("tau", 0.7, 1.0, shape=loss.shape[1])
    # Not tau z: with hundreds of runs it needs twice as many leapfrog steps.
    mixture(w, loss, pm.ZeroSumNormal("t", tau[:, None], shape=(loss.shape[1], w.shape[1])))


# What is handed back is what bayesmix has, so that effective sample sizes are of the same things.
LAWS = {
    "chinchilla": (chinchilla, ("E", "A", "B", "alpha", "beta", "sigma", "nu")),
    "alab_m2": (alab_m2, ("E", "A", "c", "sigma", "nu")),
    "ye_m4": (ye_m4, ("L0", "floor", "t", "sigma", "nu")),
    "ye_m4_shrunk": (ye_m4_shrunk, ("L0", "floor", "tau", "t", "sigma", "nu")),
}


def main(law: str, folder: str, result: str, mass: str, count: str = "") -> None:
    settings = {"draws": 1000, "chains": 4, "cores": 2, "low_rank_modified_mass_matrix": mass == "low-rank"}
    program = None

    def fit(table):
        nonlocal program
        if program is None:
            with pm.Model() as model:
                LAWS[law][0](**table)
            program = nutpie.compile_pymc_model(model)
        else:
            program = program.with_data(**containers(**table))
        trace = nutpie.sample(program, seed=0, progress_bar=False, **settings)
        stats = {n: trace.sample_stats[n].values for n in ("diverging", "n_steps")}
        return {n: trace.posterior[n].values for n in LAWS[law][1]}, stats

    record(result, fit, read(folder, count))


if __name__ == "__main__":
    main(*sys.argv[1:])
