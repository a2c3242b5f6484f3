r"""Effective tokens with scale: Chinchilla in which a target's tokens are what the mixture's are worth to it.

$$L_i(w, N, D) = E_i + A_i\,(N/N_0)^{-\alpha_i} + B_i\,(e_i(w)\, D/D_0)^{-\beta_i},\qquad
e_i(w) = \left[\frac{\sum_j w_{0j} \exp(t_{ij})\, (w_j / w_{0j})^{\rho_i}}{\sum_j w_{0j} \exp(t_{ij})}
\right]^{1/\rho_i}$$

One posterior over mixture and scale: with more tokens the same mixture matters less, and differently to every target.
At the reference mixture $w_0$, and for any one mixture with another B, it is Chinchilla. Symbols are those of
effective_tokens, whose remarks on t and $\rho$ hold here too; N and D must vary as for Chinchilla, at one mixture or
at several.

Source: this project's own, from Hoffmann et al. (2022), Training Compute-Optimal Large Language Models, eq. 10, and
the sum of effective_tokens. Number: self-computed.

>>> c = dict(E=[1.7], A=[0.4], B=[0.5], alpha=[0.34], beta=[0.28], rho=[0.5], tau=[1], t=[[1.0, -1.0]])
>>> at = dict(N=1e9, D=2e10, N0=1e9, D0=2e10, w0=[0.5, 0.5], eps=0)
>>> loss(w=[0.5, 0.5], **c, **at).round(4).tolist(), loss(w=[0.75, 0.25], **c, **at).round(4).tolist()
([2.6], [2.5594])
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing.effective_tokens import effective


@law(paper="arXiv:2203.15556")
def loss(
    w, N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", dims=("target",), relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N", dims=("target",), relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0, w0 from finite D", dims=("target",),
            relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N", dims=("target",)),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D", dims=("target",)),
    rho=prior(LogNormal(-0.9, 0.5), "", "how well domains replace each other, 1 entirely", dims=("target",)),
    tau=prior(LogNormal(0.2, 0.3), "", "typical size of t of a target", dims=("target",)),
    t=prior(Normal(0, 1), "", "log worth of a domain's tokens to a target", dims=("target", "domain"), zero_sum=True,
            scaled_by="tau"),
    N0=reference("N"), D0=reference("D"), w0=reference("w"), eps=1e-3,
):  # fmt: skip
    tokens = effective(w, t, rho, w0, eps) + jnp.log(D / D0)
    return E + A * (N / N0) ** -alpha + B * jnp.exp(-beta * tokens)
