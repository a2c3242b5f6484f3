"""How fast a fit is, against the same model sampled the usual way, in one process.

    python benchmarks/inference.py

Both sides sample the Chinchilla law with Student-t noise on the same simulated table, four chains, 500 + 1000 draws, in
64 bit. The rival is what a NumPyro user would write first: raw units A / N^alpha, weak priors, `MCMC(NUTS(model))` with
vectorised chains and the default diagonal mass matrix. Compilation is counted on both sides; nothing is cached on disk.
"""

import os
import time

os.environ["BAYESMIX_CACHE"] = "off"

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
from arviz_stats import ess
from numpyro.infer import MCMC, NUTS

from bayesmix import Model, Runs, fit, simulate


def table(seed: int) -> Runs:
    rng = np.random.default_rng(seed)
    N = np.exp(rng.uniform(np.log(5e7), np.log(5e9), 200))
    design = Runs.of(pd.DataFrame({"N": N, "D": N * np.exp(rng.uniform(np.log(5), np.log(200), 200))}), planned=True)
    model = Model.read("chinchilla")
    constants = {**model.published["besiroglu2024"], "sigma": 0.004, "nu": 3.0}
    return simulate(model, design, constants, targets=("loss",), seed=seed)


def textbook(N, D, loss):
    E = numpyro.sample("E", dist.LogNormal(0.5, 0.5))
    A = numpyro.sample("A", dist.LogNormal(6.0, 2.0))
    B = numpyro.sample("B", dist.LogNormal(6.0, 2.0))
    alpha = numpyro.sample("alpha", dist.LogNormal(-1.4, 0.6))
    beta = numpyro.sample("beta", dist.LogNormal(-1.4, 0.6))
    sigma = numpyro.sample("sigma", dist.LogNormal(-4.6, 1.0))
    nu = numpyro.sample("nu", dist.Gamma(2, 0.1))
    mean = jax.numpy.log(E + A / N**alpha + B / D**beta)
    numpyro.sample("log_loss", dist.StudentT(nu, mean, sigma), obs=jax.numpy.log(loss))


def row(name: str, seconds: float, steps: float, draws: dict[str, np.ndarray]) -> dict:
    smallest = min(float(ess(draws[q])) for q in ("E", "alpha", "beta"))
    return {
        "": name,
        "seconds": seconds,
        "steps per draw": steps,
        "least ESS": smallest,
        "ESS per second": smallest / seconds,
    }


def ours(runs: Runs, name: str) -> dict:
    begin = time.perf_counter()
    posterior = fit(Model.read("chinchilla"), runs, seed=0)
    seconds = time.perf_counter() - begin
    group = posterior.tree["posterior"]
    draws = {q: group[q].values[..., 0] for q in ("E", "alpha", "beta")}
    return row(name, seconds, float(posterior.tree["sample_stats"]["n_steps"].mean()), draws)


def rival(runs: Runs) -> dict:
    with jax.enable_x64(True):
        begin = time.perf_counter()
        mcmc = MCMC(
            NUTS(textbook),
            num_warmup=500,
            num_samples=1000,
            num_chains=4,
            chain_method="vectorized",
            progress_bar=False,
        )
        mcmc.run(jax.random.key(0), *(runs.column(c) for c in ("N", "D", "loss")), extra_fields=("num_steps",))
        draws = {q: np.asarray(v) for q, v in mcmc.get_samples(group_by_chain=True).items()}
        seconds = time.perf_counter() - begin
        return row("textbook NumPyro, raw units", seconds, float(mcmc.get_extra_fields()["num_steps"].mean()), draws)


def main() -> None:
    rows = [
        ours(table(1), "bayesmix, first fit"),
        ours(table(2), "bayesmix, second table of the same shape"),
        rival(table(1)),
    ]
    result = pd.DataFrame(rows)
    result["ESS per second, ratio to the rival"] = result["ESS per second"] / rows[-1]["ESS per second"]
    print(result.to_string(index=False, float_format=lambda v: f"{v:.3g}"))


if __name__ == "__main__":
    main()
