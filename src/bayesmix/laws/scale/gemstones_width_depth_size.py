r"""Gemstones with the number of parameters: a floor and power laws in width, depth, parameters and tokens.

$$L(w, l, N, D) = E + A\,(w/w_0)^{-\alpha} + B\,(l/l_0)^{-\beta} + P\,(N/N_0)^{-\delta} + C\,(D/D_0)^{-\gamma}$$

With P = 0 it is gemstones_width_depth, with A = B = 0 Chinchilla. N is nearly a function of width and depth,
$12\,l\,w^2$ and the embeddings, so that the three terms of a model's size trade off: their sum is known far better
than each. Shapes must vary at the same N.

Source: McLeish et al. (2025), Gemstones: A Model Suite for Multi-Faceted Scaling Laws. The number uses the constants
of the authors' repository for hot checkpoints, with Huber losses of delta 1e-4, and is self-computed. The repository
does not say in which order they are: in this one they fit its runs.

>>> from math import exp
>>> c = dict(E=exp(0.392458), A=exp(1.452011), alpha=0.244691, B=exp(-0.078102), beta=0.387152)
>>> c |= dict(P=exp(7.970033), delta=0.500084, C=exp(10.059426), gamma=0.476106)
>>> round(loss(N=543482880, D=1e11, width=1024, depth=28, N0=1, D0=1, width0=1, depth0=1, **c), 4)
2.7779
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, alpha, B, beta, P, delta, C, gamma, width0, depth0, N0, D0):
    """Return the amplitudes for width in units, depth in layers, N in parameters and D in tokens."""
    return {
        "A_raw": A * width0**alpha, "B_raw": B * depth0**beta,
        "P_raw": P * N0**delta, "C_raw": C * D0**gamma,
    }  # fmt: skip


@law(paper="arXiv:2502.06857", derived=coefficients)
def loss(
    N, D,
    width=covariate("width of the residual stream", "units", 128, 16384),
    depth=covariate("number of layers", "layers", 3, 128), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at width0 from finite width", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of the width"),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at depth0 from finite depth", relative=True),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of the depth"),
    P=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N", relative=True),
    delta=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    C=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    gamma=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    width0=reference("width"), depth0=reference("depth"), N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    shape = A * (width / width0) ** -alpha + B * (depth / depth0) ** -beta
    return E + shape + P * (N / N0) ** -delta + C * (D / D0) ** -gamma
