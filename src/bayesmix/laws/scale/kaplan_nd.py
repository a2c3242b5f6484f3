r"""Kaplan: power laws in parameters and in tokens, joined so that the scarcer of the two limits; no floor.

$$L(N, D) = \left[A^{1/\beta}\,(N/N_0)^{-\alpha/\beta} + B^{1/\beta}\,(D/D_0)^{-1}\right]^{\beta}$$

In the paper's symbols $\alpha = \alpha_N$, $\beta = \alpha_D$, $A = (N_c/N_0)^{\alpha_N}$ is the loss at N0 and
unlimited data, $B = (D_c/D_0)^{\alpha_D}$ the loss at D0 and unlimited parameters. N counts no embeddings there.
For early-stopped runs, which may overfit, not for compute-optimal ones. Runs of one N, one D or one D/N cannot tell the
two apart. Data that have a floor bias the exponents down.

Source: Kaplan et al. (2020), Scaling Laws for Neural Language Models, eq. 1.5, constants of table 2, as a review quotes
them. Amplitudes A and B are 1 when N0 = N_c and D0 = D_c.

>>> round(loss(N=1.5e9, D=22e9, A=1, B=1, alpha=0.076, beta=0.103, N0=6.4e13, D0=1.8e13), 4)
2.3125
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(A, B, alpha, beta, N0, D0):
    """Return the scales N_c and D_c of the paper."""
    return {"Nc": N0 * A ** (1 / alpha), "Dc": D0 * B ** (1 / beta)}


@law(paper="arXiv:2001.08361", derived=coefficients)
def loss(
    N, D, *,
    A=prior(LogNormal(-0.3, 0.4), "nats/token", "loss at N0 if data were unlimited", relative=True),
    B=prior(LogNormal(-0.3, 0.4), "nats/token", "loss at D0 if parameters were unlimited", relative=True),
    alpha=prior(LogNormal(-2.4, 0.5), "", "exponent of N"),
    beta=prior(LogNormal(-2.4, 0.5), "", "exponent of D"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    # The larger term is taken out of the sum: with exponents 1/beta near 10 and beyond the raw powers overflow.
    n = (jnp.log(A) - alpha * jnp.log(N / N0)) / beta
    d = jnp.log(B) / beta - jnp.log(D / D0)
    return jnp.exp(beta * jnp.logaddexp(n, d))
