r"""Transfer: pre-training is worth a number of fine-tuning tokens that grows with the data and with the model.

$$L(N, D) = \left[A^{1/\beta}\,(N/N_0)^{-\alpha/\beta} + B^{1/\beta}\,\frac{D_0}{D + D_T}\right]^{\beta},\quad
D_T = T\,D_0\,(D/D_0)^{\gamma}\,(N/N_0)^{\delta}$$

D counts fine-tuning tokens, N parameters without embeddings; $D_T$ is the effective data transferred and $T$ its share
of D at the references. The loss is Kaplan's with $D + D_T$ tokens, and kaplan_nd where nothing is transferred (T = 0).
Runs from scratch, fitted with kaplan_nd, must give A, B, alpha and beta: among fine-tuned runs alone, B and T trade
off.

Source: Hernandez et al. (2021), Scaling Laws for Transfer, within eq. 1.5 of Kaplan et al. (2020). The equation and
the constants for text to Python, $D_T = 1.9 \cdot 10^4\,D^{0.18}\,N^{0.38}$ in characters, are from memory, not checked
against the paper. Number: self-computed with these and Kaplan's constants, which are for other units: an illustration
only.

>>> c = dict(A=1, B=1, alpha=0.076, beta=0.103, N0=6.4e13, D0=1.8e13)
>>> transfer = 1.9e4 * c["D0"] ** (0.18 - 1) * c["N0"] ** 0.38
>>> round(loss(N=1e9, D=1e8, transfer=transfer, gamma=0.18, delta=0.38, **c), 4)
2.7052
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(A, B, alpha, beta, transfer, gamma, delta, N0, D0):
    """Return N_c and D_c of Kaplan et al. and k of D_T = k D^gamma N^delta."""
    k = transfer * D0 ** (1 - gamma) * N0**-delta
    return {"Nc": N0 * A ** (1 / alpha), "Dc": D0 * B ** (1 / beta), "k": k}


@law(paper="arXiv:2102.01293", derived=coefficients)
def loss(
    N, D, *,
    A=prior(LogNormal(-0.3, 0.4), "nats/token", "loss at N0 if data were unlimited", relative=True),
    B=prior(LogNormal(-0.3, 0.4), "nats/token", "loss from scratch at D0 if parameters were unlimited", relative=True),
    alpha=prior(LogNormal(-2.4, 0.5), "", "exponent of N"),
    beta=prior(LogNormal(-2.4, 0.5), "", "exponent of D"),
    transfer=prior(LogNormal(0.0, 2.0), "", "effective data transferred over fine-tuning data, at N0 and D0"),
    gamma=prior(LogNormal(-1.7, 0.6), "", "exponent of D in the data transferred"),
    delta=prior(LogNormal(-1.0, 0.6), "", "exponent of N in the data transferred"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    n, d = jnp.log(N / N0), jnp.log(D / D0)
    tokens = jnp.logaddexp(d, jnp.log(transfer) + gamma * d + delta * n)
    # As in kaplan_nd: with exponents 1/beta near 10 and beyond the raw powers overflow.
    return jnp.exp(beta * jnp.logaddexp((jnp.log(A) - alpha * n) / beta, jnp.log(B) / beta - tokens))
