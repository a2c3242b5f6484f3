"""NumPyro as its user would write it first: raw units, weak priors, `MCMC(NUTS(model))` with vectorised chains.

    textbook.py LAW FOLDER RESULT [CURVES]

Draws are handed back as the quantities that bayesmix has, so that effective sample sizes are of the same things.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS
from tables import read, record


def observe(mean, loss) -> None:
    shape = loss.shape[1:]
    sigma = numpyro.sample("sigma", dist.LogNormal(-4.6, 1.0).expand(shape).to_event(len(shape)))
    nu = numpyro.sample("nu", dist.Gamma(2, 0.1).expand(shape).to_event(len(shape)))
    numpyro.sample("log_loss", dist.StudentT(nu, jnp.log(mean), sigma), obs=jnp.log(loss))


def chinchilla(N, D, loss, **_) -> None:
    E = numpyro.sample("E", dist.LogNormal(0.5, 0.5))
    A = numpyro.sample("A", dist.LogNormal(6.0, 2.0))
    B = numpyro.sample("B", dist.LogNormal(6.0, 2.0))
    alpha = numpyro.sample("alpha", dist.LogNormal(-1.4, 0.6))
    beta = numpyro.sample("beta", dist.LogNormal(-1.4, 0.6))
    observe(E + A / N**alpha + B / D**beta, loss[:, 0])


def alab_m2(D, loss, **_) -> None:
    E = numpyro.sample("E", dist.LogNormal(0.5, 0.5))
    A = numpyro.sample("A", dist.LogNormal(6.0, 2.0))
    c = numpyro.sample("c", dist.LogNormal(-1.05, 0.6))
    observe(E + A / D**c, loss[:, 0])


def ye_m4(w, loss, **_) -> None:
    targets, domains = loss.shape[1], w.shape[1]
    t = numpyro.sample("t", dist.Normal(0, 5).expand([targets, domains]).to_event(2))
    mixture(w, loss, t)


def ye_m4_shrunk(w, loss, **_) -> None:
    targets, domains = loss.shape[1], w.shape[1]
    tau = numpyro.sample("tau", dist.LogNormal(0.7, 1.0).expand([targets]).to_event(1))
    mixture(w, loss, numpyro.sample("t", dist.Normal(0, tau[:, None]).expand([targets, domains]).to_event(2)))


def mixture(w, loss, t) -> None:
    targets = loss.shape[1]
    c = numpyro.sample("c", dist.LogNormal(0.5, 1.0).expand([targets]).to_event(1))
    k = numpyro.sample("k", dist.LogNormal(0.0, 1.0).expand([targets]).to_event(1))
    observe(c + k * jnp.exp(w @ t.T), loss)


def power_law(draws, N=None, D=None, **_):
    """Return the amplitudes at the geometric means, as bayesmix has them."""
    of = {"A": (N, "alpha"), "B": (D, "beta")} if "alpha" in draws else {"A": (D, "c")}
    anchored = {a: draws[a] * np.exp(-draws[exponent] * np.log(x).mean()) for a, (x, exponent) in of.items()}
    return draws | anchored


def anchored_mixture(draws, w, **_):
    """Return the loss at the mean mixture, the share of the floor, and effects that sum to zero."""
    c, k, t = draws.pop("c"), draws.pop("k"), draws["t"]
    L0 = c + k * np.exp(t @ w.mean(axis=0))
    return draws | {"L0": L0, "floor": c / L0, "t": t - t.mean(axis=-1, keepdims=True)}


LAWS = {
    "chinchilla": (chinchilla, power_law),
    "alab_m2": (alab_m2, power_law),
    "ye_m4": (ye_m4, anchored_mixture),
    "ye_m4_shrunk": (ye_m4_shrunk, anchored_mixture),
}


def main(law: str, folder: str, result: str, count: str = "") -> None:
    model, converted = LAWS[law]

    def fit(table):
        # Tables are arguments of the compiled program, so that the cache on disk has it for the next of this shape.
        mcmc = MCMC(
            NUTS(model),
            num_warmup=500,
            num_samples=1000,
            num_chains=4,
            chain_method="vectorized",
            progress_bar=False,
            jit_model_args=True,
        )
        mcmc.run(jax.random.key(0), extra_fields=("num_steps", "diverging"), **table)
        draws = {n: np.asarray(v) for n, v in mcmc.get_samples(group_by_chain=True).items()}
        extra = mcmc.get_extra_fields(group_by_chain=True)
        return converted(draws, **table), {"diverging": extra["diverging"], "n_steps": extra["num_steps"]}

    record(result, fit, read(folder, count))


if __name__ == "__main__":
    numpyro.enable_x64()
    main(*sys.argv[1:])
