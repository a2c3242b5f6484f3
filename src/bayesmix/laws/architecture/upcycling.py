r"""Upcycling: a mixture of experts grown from a dense model gains less from its tokens the more the dense one had.

$$L(D_1, D) = e + A\,(D_1/D_{10})^{-a_1}\,(D/D_0)^{-a_2 + a_3 \ln(D_1/D_{10})}$$

$D_1$ is the tokens of the dense model and D those of the mixture of experts made of it, for runs of one size. At one
$D_1$ it is a power law in D with a floor; with $a_3 = 0$ both kinds of tokens act on their own. $a_3$ needs several D
at several $D_1$, e needs D over more than 1.5 decades.

Source: Liew et al. (2025), Scaling Laws for Upcycling Mixture-of-Experts Language Models. That the law is a product
with an interaction is the paper's; its layout is from memory, not checked against it, and no constants are confirmed.
The number is self-computed from made-up constants.

>>> c = dict(e=1.5, A=1.0, a1=0.1, a2=0.1, a3=0.01)
>>> round(loss(dense_tokens=1e11, D=1e10, dense_tokens0=1e10, D0=1e9, **c), 4)
2.1653
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, a1, a2, a3, dense_tokens0, D0):
    """Return the amplitude and the exponents at one token each, for natural logs of tokens."""
    dense, after = jnp.log(dense_tokens0), jnp.log(D0)
    return {
        "A_raw": A * jnp.exp(a1 * dense + a2 * after + a3 * dense * after),
        "a1_raw": a1 + a3 * after,
        "a2_raw": a2 + a3 * dense,
    }


@law(paper="arXiv:2502.03009", derived=coefficients)
def loss(
    D, dense_tokens=covariate("tokens that the dense model was trained on before", "tokens", 1e9, 1e12), *,
    e=prior(LogNormal(-0.5, 0.5), "nats/token", "loss that more tokens after the dense ones tend to", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at dense_tokens0 and D0", relative=True),
    a1=prior(LogNormal(-2.3, 0.7), "", "exponent of the dense model's tokens at D0"),
    a2=prior(LogNormal(-2.3, 0.7), "", "exponent of D at dense_tokens0"),
    a3=prior(Normal(0, 0.02), "", "what the exponent of D loses with the log of the dense model's tokens"),
    D0=reference("D"), dense_tokens0=reference("dense_tokens"),
):  # fmt: skip
    dense, after = jnp.log(dense_tokens / dense_tokens0), jnp.log(D / D0)
    return e + A * jnp.exp(-a1 * dense - a2 * after + a3 * dense * after)
