r"""Effective tokens of scarce domains: with scale, and with every domain's repeated tokens worth less and less.

$$L_i = E_i + A_i\,(N/N_0)^{-\alpha_i} + B_i\,(e_i\, D/D_0)^{-\beta_i},\qquad
e_i = \left[\frac{\sum_j w_{0j} \exp(t_{ij})\, (w'_{ij} / w_{0j})^{\rho_i}}{\sum_j w_{0j} \exp(t_{ij})}
\right]^{1/\rho_i}$$
$$w'_{ij} D = U_j\,[1 + R_i\,(1 - e^{-r_j / R_i})]\ \text{where}\ r_j = w_j D / U_j - 1 > 0,
\quad\text{else}\quad w_j D$$

$U_j$ is the number of unique tokens of domain j (columns ``unique.<domain>``; endless without one), $r_j$ how often
they are repeated. As long as no domain is read twice it is effective_tokens_nd, whose symbols these are; of a single
domain it is Muennighoff without excess parameters. R needs runs that read a domain, which matters to the target, more
than about four times.

Source: this project's own, from effective_tokens_nd and Muennighoff et al. (2023), Scaling Data-Constrained Language
Models, eq. 5. Number: self-computed.

>>> c = dict(E=[1.7], A=[0.4], B=[0.5], alpha=[0.34], beta=[0.28], rho=[0.5], R=[5], tau=[1], t=[[1.0, -1.0]])
>>> at = dict(w=[0.75, 0.25], N=1e9, D=2e10, N0=1e9, D0=2e10, w0=[0.5, 0.5], eps=0)
>>> endless = float("inf")
>>> [loss(unique=[u, endless], **at, **c).round(4).tolist() for u in (1.5e10, 1.5e9)]
[[2.5594], [2.644]]
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference
from bayesmix.laws.data.muennighoff import worth
from bayesmix.laws.mixing.effective_tokens import effective


@law(paper="arXiv:2305.16264")
def loss(
    w, N, D, unique, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", dims=("target",), relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N", dims=("target",), relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0, w0 from finite D", dims=("target",),
            relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N", dims=("target",)),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D", dims=("target",)),
    rho=prior(LogNormal(-0.9, 0.5), "", "how well domains replace each other, 1 entirely", dims=("target",)),
    R=prior(LogNormal(2.7, 0.7), "epochs", "repetitions after which tokens lose 1 - 1/e of their worth",
            dims=("target",)),
    tau=prior(LogNormal(0.2, 0.3), "", "typical size of t of a target", dims=("target",)),
    t=prior(Normal(0, 1), "", "log worth of a domain's tokens to a target", dims=("target", "domain"), zero_sum=True,
            scaled_by="tau"),
    N0=reference("N"), D0=reference("D"), w0=reference("w"), eps=1e-3,
):  # fmt: skip
    fresh = worth(unique, w * D, jnp.asarray(R)[..., None])
    tokens = effective(fresh / D, t, rho, w0, eps) + jnp.log(D / D0)
    return E + A * (N / N0) ** -alpha + B * jnp.exp(-beta * tokens)
