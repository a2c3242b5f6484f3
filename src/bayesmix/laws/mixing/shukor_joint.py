r"""Shukor's joint law: the mixture also says how much parameters and tokens are worth.

$$L(w, N, D) = E + m \left[\sum_j s_j \left(\frac{w_j + \delta}{w_{0j} + \delta}\right)^{\gamma_j}\right]^{-1}
+ A\,\bar a(w)^{\kappa_A} (N/N_0)^{-\alpha} + B\,\bar b(w)^{\kappa_B} (D/D_0)^{-\beta}$$
$$\bar a(w) = \frac{\sum_j e^{a_j} w_j}{\sum_j e^{a_j} w_{0j}},\quad
\bar b(w) = \frac{\sum_j e^{b_j} w_j}{\sum_j e^{b_j} w_{0j}}$$

for each target. The first mixture term is that of shukor_additive. The paper's amplitudes are
$(\sum_j C_j w_j)^{\kappa}$; A and B are their values at the reference mixture $w_0$, and $a_j$, $b_j$ the logs of
the $C_j$ up to a constant, so that they sum to zero. The best mixture moves with N and D. $\kappa$ and the spread of
the $C_j$ are nearly redundant: only their product counts while the spread is small, so $\kappa > 0$. Runs of several
mixtures at each of several N and D are needed. With all $a_j$ and all $b_j$ equal it is shukor_additive.

Source: Shukor et al. (2025), Scaling Laws for Optimal Data Mixtures. No constants are confirmed; the number uses
round ones: 1 + 1 / (0.5^0.5 + 3 0.5^2) + 0.5 4^-0.5 (0.5 + 0.5 4)^2 + 0.5 16^-0.25, where C^A = (1, 4) / sqrt(2).

>>> from math import log
>>> c = dict(E=1, m=1 / 4, g=[0, log(3)], gamma=[0.5, 2], B=0.5, alpha=0.5, beta=0.25, b=[0, 0], kappaB=1)
>>> c |= dict(A=0.5 * 25, a=[-log(2), log(2)], kappaA=2, delta=0, N0=1, D0=1, w0=[1, 1])
>>> round(loss(w=[0.5, 0.5], N=4, D=16, **c), 6)
3.373792
"""

import jax
import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(m, g, gamma, A, B, a, b, kappaA, kappaB, alpha, beta, delta, N0, D0, w0):
    """Return the paper's gains C, C^A and C^B, for N in parameters and D in tokens."""
    gains = jax.nn.softmax(g) * (w0 + delta) ** -gamma
    gainsA, gainsB = (jnp.exp(x).T / (jnp.exp(x) @ w0) for x in (a, b))
    return {
        "C": (gains.T / m).T,
        "CA": (gainsA * (A * N0**alpha) ** (1 / kappaA)).T,
        "CB": (gainsB * (B * D0**beta) ** (1 / kappaB)).T,
    }


@law(paper="arXiv:2507.09404", derived=coefficients)
def loss(
    w, N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "loss that no mixture, N or D removes", relative=True),
    m=prior(LogNormal(-2.0, 1.0), "nats/token", "excess loss from the reference mixture", relative=True),
    g=prior(Normal(0, 1), "", "log of a domain's part in the help at the reference mixture", dims=("domain",),
            zero_sum=True),
    gamma=prior(LogNormal(-0.7, 0.6), "", "exponent of a domain's weight", dims=("domain",)),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 and the reference mixture", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 and the reference mixture", relative=True),
    a=prior(Normal(0, 0.7), "", "log of a domain's part in A", dims=("domain",), zero_sum=True),
    b=prior(Normal(0, 0.7), "", "log of a domain's part in B", dims=("domain",), zero_sum=True),
    kappaA=prior(LogNormal(0, 0.5), "", "exponent of the mixture in A"),
    kappaB=prior(LogNormal(0, 0.5), "", "exponent of the mixture in B"),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    delta=1e-4,
    N0=reference("N"), D0=reference("D"), w0=reference("w"),
):  # fmt: skip
    help_ = jax.nn.softmax(g) @ ((w + delta) / (w0 + delta)) ** gamma
    fromN = A * (jnp.exp(a) @ w / (jnp.exp(a) @ w0)) ** kappaA * (N / N0) ** -alpha
    fromD = B * (jnp.exp(b) @ w / (jnp.exp(b) @ w0)) ** kappaB * (D / D0) ** -beta
    return E + m / help_ + fromN + fromD
