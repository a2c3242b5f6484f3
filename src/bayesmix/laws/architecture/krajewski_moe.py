r"""Krajewski: finer-grained experts lower the part of the loss that finite N leaves, by a power of granularity.

$$L(N, D, G) = E + \left[A + g\,(G/G_0)^{-\gamma}\right](N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}$$

The granularity G is how many times smaller an expert is than the dense feed-forward layer; N counts all parameters of
all experts but no embeddings, and the share of them that is active is the same in all runs. At one G, and with g = 0
or endless G, it is Chinchilla. A and g are told apart by several G; $\gamma$ needs more than a decade of them. In the
paper N is 129M to 3.7B, D 16B to 130B and G 1 to 16.

Source: Krajewski et al. (2024), Scaling Laws for Fine-Grained Mixture of Experts (A, B and E are a, b and c there).
The number uses the published constants for 64 times more parameters than are active and is self-computed.

>>> c = dict(E=0.47, A=18.1, g=2.1, B=30.8, alpha=0.115, beta=0.147, gamma=0.58, N0=1, D0=1, G0=1)
>>> round(loss(N=1e9, D=2e10, granularity=8, **c), 6)
3.140393
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, g, B, alpha, beta, gamma, N0, D0, G0):
    """Return the amplitudes for N in parameters, D in tokens and a granularity of 1."""
    return {"a": A * N0**alpha, "g_raw": g * N0**alpha * G0**gamma, "b": B * D0**beta}


@law(paper="arXiv:2402.07871", derived=coefficients)
def loss(
    N, D, granularity=covariate("size of the dense layer over that of an expert", "", 1, 16), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 with the finest experts", relative=True),
    g=prior(LogNormal(-3.5, 0.8), "nats/token", "excess loss at N0 and G0 from coarse experts", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    gamma=prior(LogNormal(-0.5, 0.5), "", "exponent of granularity"),
    N0=reference("N"), D0=reference("D"), G0=reference("granularity"),
):  # fmt: skip
    return E + (A + g * (granularity / G0) ** -gamma) * (N / N0) ** -alpha + B * (D / D0) ** -beta
