r"""Farseer: a power law in tokens whose floor, amplitude and exponent all change with the number of parameters.

$$L(N, D) = L_{\infty}\,e^{u\,\phi(n; \gamma)} + B\,e^{v\,\phi(n; \beta)}\,(D/D_0)^{-b\,e^{s\,\phi(n; \alpha)}},\quad
\phi(n; p) = \frac{n^p - 1}{p},\quad n = N/N_0$$

The paper's $e^{a_3 N^\gamma + b_3} + e^{a_2 N^\beta + b_2}\,D^{-e^{a_1 N^\alpha + b_1}}$, in a basis centred at N0: u,
v and s are slopes there, per unit of log N, and with p = 0, $\phi = \log n$. The family depends on the unit of D, as
multiplying D by a constant bends B(N): the paper's is that with D0 = 1. At any one N it is alab_m2 in D. Nine
quantities need a grid of N and D with at least five D for every N; otherwise the prior decides the inner exponents.

Source: Li et al. (2025), Predictable Scale, Part II: Farseer. The form is as reviews quote it, without its constants.
Number: self-computed, with round constants.

>>> c = dict(floor=2.0, u=-0.1, gamma=0.1, B=0.5, v=-0.05, beta=-0.1, b=0.3, s=0.02, alpha=0.2, N0=1e9, D0=1e10)
>>> round(loss(N=8e9, D=1e11, **c), 4)
1.8072
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(floor, u, gamma, B, v, beta, b, s, alpha, N0):
    """Return the constants of the paper, for N in parameters and D in units of D0."""
    a1, a2, a3 = s / alpha, v / beta, u / gamma
    return {
        "a1": a1 * N0**-alpha, "b1": jnp.log(b) - a1,
        "a2": a2 * N0**-beta, "b2": jnp.log(B) - a2,
        "a3": a3 * N0**-gamma, "b3": jnp.log(floor) - a3,
    }  # fmt: skip


def phi(log_n, p):
    """Return (n^p - 1) / p, which is log n where p is 0."""
    z = p * log_n
    small = jnp.abs(z) < 1e-5
    safe = jnp.where(small, 1.0, z)
    return log_n * jnp.where(small, 1 + z / 2 + z**2 / 6, jnp.expm1(safe) / safe)


@law(paper="arXiv:2506.10972", derived=coefficients)
def loss(
    N, D, *,
    floor=prior(LogNormal(-0.5, 0.5), "nats/token", "loss at N0 and endless data", relative=True),
    u=prior(Normal(-0.05, 0.05), "", "slope of the log floor in log N at N0"),
    gamma=prior(Normal(0, 0.2), "", "inner exponent of the floor"),
    B=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at N0, D0 from finite D", relative=True),
    v=prior(Normal(0, 0.1), "", "slope of the log excess in log N at N0, D0"),
    beta=prior(Normal(0, 0.2), "", "inner exponent of the excess"),
    b=prior(LogNormal(-1.2, 0.5), "", "exponent of D at N0"),
    s=prior(Normal(0, 0.1), "", "slope of the log exponent in log N at N0"),
    alpha=prior(Normal(0, 0.2), "", "inner exponent of the exponent"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    log_n = jnp.log(N / N0)
    exponent = b * jnp.exp(s * phi(log_n, alpha))
    excess = B * jnp.exp(v * phi(log_n, beta) - exponent * jnp.log(D / D0))
    return floor * jnp.exp(u * phi(log_n, gamma)) + excess
