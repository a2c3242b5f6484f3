r"""Abnar: the sparsity of a mixture of experts moves both the floor and a second power law in parameters.

$$L(N, D, S) = e + c\,(1 - S)^{\kappa} + A\,(N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}
+ d\,(1 - S)^{-\delta}\,(N/N_0)^{-\gamma}$$

N counts all parameters, active or not; S is the share of experts that is idle for a token. At one S it is Chinchilla
with two power laws in N; at S = 1, where all experts would be idle, it is infinite. With small $\kappa$, e and c are
told apart by S near 1 only; A and d need N over several decades and S that varies at each.

Source: Abnar et al. (2025), Parameters vs FLOPs: Scaling Laws for Optimal Sparsity for Mixture-of-Experts Language
Models ($\kappa = -\lambda$). The number uses the published constants, as a review quotes them, and is self-computed.

>>> c = dict(e=0.94, c=0.4598, A=16612.5, B=5455.67, d=17.26, alpha=0.5962, beta=0.3954, gamma=0.1595)
>>> round(loss(N=1e9, D=2e10, sparsity=0.9, kappa=0.1666, delta=0.1603, N0=1, D0=1, **c), 6)
2.701872
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, B, d, alpha, beta, gamma, N0, D0):
    """Return the amplitudes for N in parameters and D in tokens."""
    return {"a": A * N0**alpha, "b": B * D0**beta, "d_raw": d * N0**gamma}


@law(paper="arXiv:2501.12370", derived=coefficients)
def loss(
    N, D, sparsity=covariate("share of experts that is idle for a token", "", 0.0, 0.98), *,
    e=prior(LogNormal(-0.9, 0.5), "nats/token", "irreducible loss of the sparsest models", relative=True),
    c=prior(LogNormal(-1.6, 0.8), "nats/token", "irreducible loss that sparsity removes", relative=True),
    A=prior(LogNormal(-2.3, 0.8), "nats/token", "excess loss at N0 that sparsity does not change", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    d=prior(LogNormal(-1.6, 0.8), "nats/token", "dense excess loss at N0 that sparsity raises", relative=True),
    alpha=prior(LogNormal(-1.0, 0.6), "", "exponent of N in what sparsity does not change"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    gamma=prior(LogNormal(-1.8, 0.5), "", "exponent of N in what sparsity raises"),
    delta=prior(LogNormal(-1.8, 0.5), "", "exponent of the active share in what sparsity raises"),
    kappa=prior(LogNormal(-1.8, 0.5), "", "exponent of the active share in the irreducible loss"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    active = 1 - sparsity
    floor = e + c * active**kappa
    return floor + A * (N / N0) ** -alpha + B * (D / D0) ** -beta + d * active**-delta * (N / N0) ** -gamma
