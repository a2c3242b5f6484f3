r"""Mixture and scale: a floor, an exponential of the mixture as in `ye_m4`, and power laws in N and D, all added.

$$L(w, N, D) = L_0\left[f + (1 - f) \exp\left(\sum_j t_j\,(w_j - w_{0j})\right)\right]
+ A\,(N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}$$

The additive law of Shukor et al. (2025), Scaling Laws for Optimal Data Mixtures, with the mixture's term of Ye et al.
(2024), Data Mixing Laws. The best mixture is then the same at every scale. Every target has quantities of its own.
Number: self-computed.

>>> round(loss(w=[0.5, 0.5], N=1e8, D=1e9, L0=2, floor=0.5, t=[1, -1], A=1, B=1, alpha=.3, beta=.3, w0=[0.5, 0.5],
...            N0=1e8, D0=1e9), 4)
4.0
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference


@law(paper="arXiv:2507.09404")
def loss(
    w,
    N,
    D,
    *,
    L0=prior(LogNormal(-0.4, 0.4), "nats/token", "irreducible loss at the reference mixture", relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that no mixture removes"),
    t=prior(Normal(0, 5), "", "effect of a domain", dims=("domain",), zero_sum=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    w0=reference("w"),
    N0=reference("N"),
    D0=reference("D"),
):
    mixed = L0 * (floor + (1 - floor) * jnp.exp(t @ (w - w0)))
    return mixed + A * (N / N0) ** -alpha + B * (D / D0) ** -beta
