r"""Effective tokens of scarce domains: with scale, and with every domain's repeated tokens worth less and less.

$$L_i = E_i + b_i\!\left(A_i\,(N/N_0)^{-\alpha_i} + B_i\,(e_i\, D/D_0)^{-\beta_i}\right),\qquad
e_i = \left[\frac{\sum_j w_{0j} \exp(t_{ij})\, (w'_{ij} / w_{0j})^{\rho_i}}{\sum_j w_{0j} \exp(t_{ij})}
\right]^{1/\rho_i}$$
$$w'_{ij} D = U_j\,[1 + R_i\,(1 - e^{-r_j / R_i})]\ \text{where}\ r_j = w_j D / U_j - 1 > 0,
\quad\text{else}\quad w_j D$$

$U_j$ is the number of unique tokens of domain j (columns ``unique.<domain>``; endless without one), $r_j$ how often
they are repeated. As long as no domain is read twice it is effective_tokens_nd, whose symbols these are; of a single
domain it is Muennighoff without excess parameters, but for b. R needs runs that read a domain, which matters to the
target, more than about four times.

Source: this project's own, from effective_tokens_nd and Muennighoff et al. (2023), Scaling Data-Constrained Language
Models, eq. 5. Number: self-computed, of the constants of effective_tokens_nd's number and R = 5.

>>> L0, k = 2.6, dict(kN=[0.34 * 0.4 / 2.6], kD=[0.28 * 0.5 / 2.6])
>>> c = dict(L0=[L0], floor=[1.7 / L0], split=[0.4 / 0.9], **k, rho=[0.5], R=[5], tau=[1], t=[[1.0, -1.0]])
>>> endless = float("inf")
>>> at = dict(w=[0.75, 0.25], N=1e9, D=2e10, N0=1e9, D0=2e10, w0=[0.5, 0.5], epsilon=0, rise=endless)
>>> [loss(unique=[u, endless], **at, **c).round(4).tolist() for u in (1.5e10, 1.5e9)]
[[2.5594], [2.644]]
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference
from bayesmix.laws.data.muennighoff import worth
from bayesmix.laws.mixing._ceiling import bounded
from bayesmix.laws.mixing.effective_tokens import effective
from bayesmix.laws.mixing.effective_tokens_nd import coefficients


@law(paper="arXiv:2305.16264", derived=coefficients)
def loss(
    w, N, D, unique, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at N0, D0 and w0", dims=("target",), relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that is irreducible", dims=("target",)),
    split=prior(Beta(2, 2), "", "share of the rest that is from finite N", dims=("target",)),
    kN=prior(LogNormal(-2.6, 0.8), "", "elasticity of the loss to N at N0, D0 and w0", dims=("target",)),
    kD=prior(LogNormal(-2.6, 0.8), "", "elasticity of the loss to D at N0, D0 and w0", dims=("target",)),
    rise=prior(LogNormal(0.3, 0.8), "", "rise of the loss above L0, over L0, if it was never seen", dims=("target",)),
    rho=prior(LogNormal(-0.9, 0.5), "", "how well domains replace each other, 1 entirely", dims=("target",)),
    R=prior(LogNormal(2.7, 0.7), "epochs", "repetitions after which tokens lose 1 - 1/e of their worth",
            dims=("target",)),
    epsilon=prior(LogNormal(-6.5, 1.0), "", "weight below which less makes no difference", dims=("target",)),
    tau=prior(LogNormal(0.2, 0.3), "", "typical size of t of a target", dims=("target",)),
    t=prior(Normal(0, 1), "", "log worth of a domain's tokens to a target", dims=("target", "domain"), zero_sum=True,
            scaled_by="tau"),
    N0=reference("N"), D0=reference("D"), w0=reference("w"),
):  # fmt: skip
    fresh = worth(unique, w * D, jnp.asarray(R)[..., None])
    tokens = effective(fresh / D, t, rho, epsilon, w0) + jnp.log(D / D0)
    c = coefficients(L0, floor, split, kN, kD)
    excess = c["A"] * (N / N0) ** -c["alpha"] + c["B"] * jnp.exp(-c["beta"] * tokens)
    return c["E"] + bounded(jnp.log(excess), L0 * (1 - floor), L0 * rise)
