r"""Muennighoff: repeated tokens and excess parameters are worth less and less.

$$L = E + A\,(N'/N_0)^{-\alpha} + B\,(D'/D_0)^{-\beta}$$
$$D' = U_D\,[1 + R_D^*(1 - e^{-R_D/R_D^*})],\quad U_D = \min(D, U),\quad R_D = D/U_D - 1$$
$$N' = U_N\,[1 + R_N^*(1 - e^{-R_N/R_N^*})],\quad U_N = \min(N, N_{opt}(U_D)),\quad R_N = N/U_N - 1$$

U is the number of unique tokens; $N_{opt}(U)$ the compute-optimal model for U tokens, i.e. the N with
$\alpha A (N/N_0)^{-\alpha} = \beta B (U/D_0)^{-\beta}$. It is taken of U_D, the tokens that are unique in the run, not
of all of U as the paper can be read; the two agree wherever U <= D. For D <= U and N <= N_opt(D) it is Chinchilla
exactly. The paper's runs have 7M to 9B parameters, up to 900B tokens and 1,500 epochs of C4. R_D needs runs of more
than about 4 epochs; R_N needs models far above N_opt(U).

Source: Muennighoff et al. (2023), Scaling Data-Constrained Language Models, eqs. 5 and 6 and appendix A; constants
of the authors' repository (logs 6.255414, 7.3049974, 0.6254804).

>>> from math import exp
>>> c = dict(E=exp(0.6254804), A=exp(6.255414), B=exp(7.3049974), alpha=0.3526596, beta=0.3526596, N0=1, D0=1)
>>> round(loss(N=6.34e9, D=242e9, U=25e9, RD=15.387756, RN=5.309743, **c), 6)
2.225644
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(A, B, alpha, beta, N0, D0):
    """Return the amplitudes for N in parameters and D in tokens."""
    return {"A_raw": A * N0**alpha, "B_raw": B * D0**beta}


def worth(unique, total, half_life):
    """Return the amount of fresh material that `total` is worth, where `unique`, maybe endless, is all there is."""
    repeats = jnp.maximum(total / unique, 1) - 1
    return jnp.minimum(unique, total) * (1 - half_life * jnp.expm1(-repeats / half_life))


@law(paper="arXiv:2305.16264", derived=coefficients)
def loss(
    N, D, U, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    RD=prior(LogNormal(2.7, 0.7), "epochs", "repetitions after which tokens lose 1 - 1/e of their worth"),
    RN=prior(LogNormal(1.6, 0.7), "", "the same for parameters in excess of the optimum for U"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    optimal = N0 * (alpha * A / (beta * B) * (jnp.minimum(D, U) / D0) ** beta) ** (1 / alpha)
    tokens = worth(U, D, RD)
    parameters = worth(optimal, N, RN)
    return E + A * (parameters / N0) ** -alpha + B * (tokens / D0) ** -beta
