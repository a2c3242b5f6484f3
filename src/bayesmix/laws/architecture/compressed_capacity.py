r"""Compressed representations: quantised or sparse weights act like fewer parameters.

$$L(N, D, q) = E + A\,(\rho^{q}\,N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}$$

$\rho$ is the share of parameters that a compression leaves in effect, q how many such compressions are composed: 0
for an uncompressed model, which follows Chinchilla, usually 1 for a compressed one. Several formats are given a
$\rho$ each by pooling it over the column that names them. Without uncompressed runs, $\rho$ is one with A.

Source: Panferov et al. (2025), Unified Scaling Laws for Compressed Representations: the capacity of composed formats
is the product of theirs. There $\rho$ is a function of the error of the format on Gaussian weights, whose form is from
memory, not checked against the paper, so it is free here. The number is self-computed, with the constants of Hoffmann
et al. (2022) and a made-up $\rho$.

>>> c = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28, N0=1, D0=1)
>>> round(loss(N=70e9, D=1.4e12, compressions=1, rho=0.7, **c), 4)
1.9474
"""

from numpyro.distributions import Beta, LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, B, alpha, beta, N0, D0):
    """Return the amplitudes for N in parameters and D in tokens."""
    return {"A_raw": A * N0**alpha, "B_raw": B * D0**beta}


@law(paper="arXiv:2506.01863", derived=coefficients)
def loss(
    N, D, compressions=covariate("compressions of the format that are composed; 0 is uncompressed", "", 0, 2), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N, uncompressed", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    rho=prior(Beta(4, 2), "", "share of parameters that one compression leaves in effect"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    return E + A * (rho**compressions * N / N0) ** -alpha + B * (D / D0) ** -beta
