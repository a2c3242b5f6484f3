r"""Effective tokens with scale: Chinchilla in which a target's tokens are what the mixture's are worth to it.

$$L_i(w, N, D) = E_i + b_i\!\left(A_i\,(N/N_0)^{-\alpha_i} + B_i\,(e_i(w)\, D/D_0)^{-\beta_i}\right),\qquad
e_i(w) = \left[\frac{\sum_j w_{0j} \exp(t_{ij})\, (w_j / w_{0j})^{\rho_i}}{\sum_j w_{0j} \exp(t_{ij})}
\right]^{1/\rho_i}$$

One posterior over mixture and scale: with more tokens the same mixture matters less, and differently to every target.
At the reference mixture $w_0$, and for any one mixture with another B, it is Chinchilla, but for b, which keeps the
loss below $L_0 (1 + r)$: what a model never saw it learns at no N and D. Symbols are those of effective_tokens, with
A + B in place of 1 - f in b; its remarks on t, $\rho$ and r hold here too. N and D must vary as for Chinchilla, at one
mixture or at several.

What is believed and sampled is what runs show even if they are few: the loss at the references,
$L_0 = E + A + B$, and its elasticities to N and to D, $k_N = \alpha A / L_0$ and $k_D = \beta B / L_0$. How $L_0$ is
split into E, A and B takes curvature over decades to see, and is left in shares.

Source: this project's own, from Hoffmann et al. (2022), Training Compute-Optimal Large Language Models, eq. 10, and
the sum of effective_tokens. Number: self-computed, of E = 1.7, A = 0.4, B = 0.5, alpha = 0.34, beta = 0.28.

>>> L0, k = 2.6, dict(kN=[0.34 * 0.4 / 2.6], kD=[0.28 * 0.5 / 2.6])
>>> c = dict(L0=[L0], floor=[1.7 / L0], split=[0.4 / 0.9], **k, rho=[0.5], tau=[1], t=[[1.0, -1.0]])
>>> at = dict(N=1e9, D=2e10, N0=1e9, D0=2e10, w0=[0.5, 0.5], epsilon=0, rise=float("inf"))
>>> loss(w=[0.5, 0.5], **c, **at).round(4).tolist(), loss(w=[0.75, 0.25], **c, **at).round(4).tolist()
([2.6], [2.5594])
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._ceiling import bounded
from bayesmix.laws.mixing.effective_tokens import effective


def coefficients(L0, floor, split, kN, kD):
    """Return the amplitudes and exponents of Chinchilla at the reference mixture."""
    E, A, B = L0 * floor, L0 * (1 - floor) * split, L0 * (1 - floor) * (1 - split)
    return {"E": E, "A": A, "B": B, "alpha": kN * L0 / A, "beta": kD * L0 / B}


@law(paper="arXiv:2203.15556", derived=coefficients)
def loss(
    w, N, D, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at N0, D0 and w0", dims=("target",), relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that is irreducible", dims=("target",)),
    split=prior(Beta(2, 2), "", "share of the rest that is from finite N", dims=("target",)),
    kN=prior(LogNormal(-2.6, 0.8), "", "elasticity of the loss to N at N0, D0 and w0", dims=("target",)),
    kD=prior(LogNormal(-2.6, 0.8), "", "elasticity of the loss to D at N0, D0 and w0", dims=("target",)),
    rise=prior(LogNormal(0.3, 0.8), "", "rise of the loss above L0, over L0, if it was never seen", dims=("target",)),
    rho=prior(LogNormal(-0.9, 0.5), "", "how well domains replace each other, 1 entirely", dims=("target",)),
    epsilon=prior(LogNormal(-6.5, 1.0), "", "weight below which less makes no difference", dims=("target",)),
    tau=prior(LogNormal(0.2, 0.3), "", "typical size of t of a target", dims=("target",)),
    t=prior(Normal(0, 1), "", "log worth of a domain's tokens to a target", dims=("target", "domain"), zero_sum=True,
            scaled_by="tau"),
    N0=reference("N"), D0=reference("D"), w0=reference("w"),
):  # fmt: skip
    c = coefficients(L0, floor, split, kN, kD)
    tokens = effective(w, t, rho, epsilon, w0) + jnp.log(D / D0)
    excess = c["A"] * (N / N0) ** -c["alpha"] + c["B"] * jnp.exp(-c["beta"] * tokens)
    return c["E"] + bounded(jnp.log(excess), L0 * (1 - floor), L0 * rise)
