r"""ParScale: P parallel streams through one model are worth a logarithm of P in parameters.

$$L(N, P) = E + A \left[(1 + k \ln P)\,N/N_0\right]^{-\alpha}$$

for runs of one number of tokens (42B in the paper, with N of 0.5B to 4.7B and P of 1 to 8), with the few parameters
that depend on P counted in N. A single stream leaves a power law in N with a floor. Over a single decade of N, E and
$\alpha$ trade off against each other almost freely; k needs several P at one N.

Source: Chen et al. (2025), Parallel Scaling Law for Language Models; A is 1 where N0 is the paper's A times 1e9. The
number uses the constants of the authors' code for Python from Stack-V2 and is self-computed.

>>> round(loss(N=1.6e9, streams=8, E=0.6912071, A=1, alpha=0.1893583, k=0.3934568, N0=0.0113071e9), 6)
1.040806
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, alpha, N0):
    """Return the paper's A, in thousands of millions of parameters."""
    return {"A_raw": A ** (1 / alpha) * N0 / 1e9}


@law(paper="arXiv:2505.10475", derived=coefficients)
def loss(
    N, streams=covariate("parallel streams, with one set of weights", "", 1, 8), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at N0 with a single stream", relative=True),
    alpha=prior(LogNormal(-1.6, 0.4), "", "exponent of N"),
    k=prior(LogNormal(-0.9, 0.5), "", "what e times as many streams add, in models"),
    N0=reference("N"),
):  # fmt: skip
    return E + A * ((1 + k * jnp.log(streams)) * N / N0) ** -alpha
