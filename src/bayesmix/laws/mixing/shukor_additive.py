r"""Shukor's additive law: Chinchilla plus a term of the mixture, to which every domain brings a power of its weight.

$$L(w, N, D) = E + m \left[\sum_j s_j \left(\frac{w_j + \delta}{w_{0j} + \delta}\right)^{\gamma_j}\right]^{-1}
+ A\,(N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}$$

for each target. The paper's term is $1 / \sum_j C_j w_j^{\gamma_j}$; m is its value at the reference mixture $w_0$
and $s_j$ the domain's part of the sum there, s = softmax(g) with $\sum_j g_j = 0$. The fixed
$\delta = 10^{-4}$, this project's own, keeps slopes finite at weights of 0. The best mixture does not depend on N
or D, which can be tested against shukor_joint; at a fixed mixture it is Chinchilla. E and m are told apart only by
mixtures that vary much; gains and exponents of domains of little weight everywhere are known by their priors.

Source: Shukor et al. (2025), Scaling Laws for Optimal Data Mixtures. No constants are confirmed; the number uses
round ones: 1 + 1 / (0.5^0.5 + 3 0.5^2) + 0.5 4^-0.5 + 0.5 16^-0.25, where C = (1, 3).

>>> from math import log
>>> c = dict(E=1, m=1 / 4, g=[0, log(3)], gamma=[0.5, 2], A=0.5, B=0.5, alpha=0.5, beta=0.25)
>>> round(loss(w=[0.5, 0.5], N=4, D=16, delta=0, N0=1, D0=1, w0=[1, 1], **c), 6)
2.186292
"""

import jax
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(m, g, gamma, A, B, alpha, beta, delta, N0, D0, w0):
    """Return the paper's gains C, and its amplitudes for N in parameters and D in tokens."""
    gains = jax.nn.softmax(g) * (w0 + delta) ** -gamma
    return {"C": (gains.T / m).T, "A_raw": A * N0**alpha, "B_raw": B * D0**beta}


@law(paper="arXiv:2507.09404", derived=coefficients)
def loss(
    w, N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "loss that no mixture, N or D removes", relative=True),
    m=prior(LogNormal(-2.0, 1.0), "nats/token", "excess loss from the reference mixture", relative=True),
    g=prior(Normal(0, 1), "", "log of a domain's part in the help at the reference mixture", dims=("domain",),
            zero_sum=True),
    gamma=prior(LogNormal(-0.7, 0.6), "", "exponent of a domain's weight", dims=("domain",)),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    delta=1e-4,
    N0=reference("N"), D0=reference("D"), w0=reference("w"),
):  # fmt: skip
    help_ = jax.nn.softmax(g) @ ((w + delta) / (w0 + delta)) ** gamma
    return E + m / help_ + A * (N / N0) ** -alpha + B * (D / D0) ** -beta
