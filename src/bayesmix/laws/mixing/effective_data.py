r"""Effective data: all of the loss that can be reduced falls with what a mixture is worth to a target.

$$L_i(w, N, D) = E_i + b_i\!\left(\left[A_i\,(N/N_0)^{-\alpha_i} + B_i\,(D/D_0)^{-\beta_i}\right] e_i(w)^{-m_i}\right)$$
$$e_i(w) = \left[\frac{\sum_j w'_{0j} \exp(t_{ij})\, (w'_j / w'_{0j})^{\rho_i}}{\sum_j w'_{0j} \exp(t_{ij})}
\right]^{1/\rho_i},\qquad w' = w + \epsilon_i$$
$$b(x) = \left[(1 - s)\,x^{-4} + s\,(A + B)^{-4}\right]^{-1/4},\qquad s = \left(\frac{A + B}{A + B + L_0 r}\right)^4$$

In effective_tokens_nd, whose symbols these are, a better mixture is worth more tokens, and can do no more for a target
than endless tokens would. Here it lowers the part of the loss that is from finite parameters as well, by an elasticity
m of its own, and alike at any N and D: what is the best mixture for one target stays it. At fixed N and D it is
effective_tokens with $k = m(1 - f)$; at the reference mixture $w_0$ it is Chinchilla, but for b, and needs what that
needs. What a model never saw it learns at no N and D: b keeps the loss below $L_0 (1 + r)$, $L_0 = E + A + B$.
Mixtures at several N or D tell the two laws of scale apart.

Source: this project's own, from Hoffmann et al. (2022), Training Compute-Optimal Large Language Models, eq. 10, and
the sum of effective_tokens. Number: self-computed, of E = 1.7, A = 0.4, B = 0.5, alpha = 0.34, beta = 0.28: 1.7 + 0.9
(.75 sqrt(1.5) + .25 sqrt(.5))^-0.6, for worths of 3 to 1.

>>> from math import log
>>> L0, k = 2.6, dict(kN=[0.34 * 0.4 / 2.6], kD=[0.28 * 0.5 / 2.6])
>>> c = dict(L0=[L0], floor=[1.7 / L0], split=[0.4 / 0.9], **k, m=[0.3], rho=[0.5], t=[[log(3) / 2, -log(3) / 2]])
>>> at = dict(N=1e9, D=2e10, N0=1e9, D0=2e10, w0=[0.5, 0.5], epsilon=[0], tau=[1], rise=[float("inf")])
>>> loss(w=[0.5, 0.5], **c, **at).round(4).tolist(), loss(w=[0.75, 0.25], **c, **at).round(4).tolist()
([2.6], [2.5521])
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._ceiling import bounded
from bayesmix.laws.mixing.effective_tokens import effective
from bayesmix.laws.mixing.effective_tokens_nd import coefficients


@law(paper="arXiv:2203.15556", derived=coefficients)
def loss(
    w, N, D, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at N0, D0 and w0", dims=("target",), relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that is irreducible", dims=("target",)),
    split=prior(Beta(2, 2), "", "share of the rest that is from finite N", dims=("target",)),
    kN=prior(LogNormal(-2.6, 0.8), "", "elasticity of the loss to N at N0, D0 and w0", dims=("target",)),
    kD=prior(LogNormal(-2.6, 0.8), "", "elasticity of the loss to D at N0, D0 and w0", dims=("target",)),
    m=prior(LogNormal(-1.2, 0.8), "", "elasticity of the reducible loss to effective data", dims=("target",)),
    rise=prior(LogNormal(0.3, 0.8), "", "rise of the loss above L0, over L0, if it was never seen", dims=("target",)),
    rho=prior(LogNormal(-0.9, 0.5), "", "how well domains replace each other, 1 entirely", dims=("target",)),
    epsilon=prior(LogNormal(-6.5, 1.0), "", "weight below which less makes no difference", dims=("target",)),
    tau=prior(LogNormal(0.2, 0.3), "", "typical size of t of a target", dims=("target",)),
    t=prior(Normal(0, 1), "", "log worth of a domain's tokens to a target", dims=("target", "domain"), zero_sum=True,
            scaled_by="tau"),
    N0=reference("N"), D0=reference("D"), w0=reference("w"),
):  # fmt: skip
    c = coefficients(L0, floor, split, kN, kD)
    reducible = c["A"] * (N / N0) ** -c["alpha"] + c["B"] * (D / D0) ** -c["beta"]
    fallen = jnp.log(reducible) - m * effective(w, t, rho, epsilon, w0)
    return c["E"] + bounded(fallen, L0 * (1 - floor), L0 * rise)
