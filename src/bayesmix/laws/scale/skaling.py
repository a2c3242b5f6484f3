r"""Skaling: Chinchilla with an outer exponent, so that lack of parameters and lack of tokens need not add.

$$L(N, D) = E + \left[A^{1/k}\,(N/N_0)^{-\alpha/k} + B^{1/k}\,(D/D_0)^{-\beta/k}\right]^{k}$$

A is the excess loss at N0 with endless data, B that at D0 with endless parameters, alpha and beta the exponents that
the loss has there, whatever k: the paper's inner exponents are $\alpha/k$ and $\beta/k$. Small k: the scarcer of the
two counts; k = 1 is Chinchilla; E = 0 and k = beta is kaplan_nd. k needs a grid of N and D, and trades off against E.

Source: Videau et al. (2026), the outer-exponent law, with amplitudes anchored at N0 and D0; the same form is the
supervised law of Busbridge et al. (2025), Distillation Scaling Laws. The number is self-computed from constants of the
latter that are from memory, not checked against the paper: E 1.22, A 3355, B 18186, alpha .408, beta .431, k .452.

>>> k = 0.452
>>> c = dict(A=3355**k, B=18186**k, alpha=0.408 * k, beta=0.431 * k, k=k, N0=1, D0=1)
>>> round(loss(N=1e9, D=2e10, E=1.22, **c), 7)
2.3746922
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(A, B, alpha, beta, k, N0, D0):
    """Return amplitudes and exponents inside the bracket, for N in parameters and D in tokens."""
    return {
        "A_raw": A ** (1 / k) * N0 ** (alpha / k),
        "B_raw": B ** (1 / k) * D0 ** (beta / k),
        "alpha_raw": alpha / k,
        "beta_raw": beta / k,
    }


@law(paper="Videau et al. (2026)", derived=coefficients)
def loss(
    N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 if data were unlimited", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 if parameters were unlimited", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    k=prior(LogNormal(-0.22, 0.5), "", "outer exponent"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    # The larger term is taken out of the sum: with small k the raw powers overflow.
    n = (jnp.log(A) - alpha * jnp.log(N / N0)) / k
    d = (jnp.log(B) - beta * jnp.log(D / D0)) / k
    return E + jnp.exp(k * jnp.logaddexp(n, d))
