r"""Effective tokens: what a target learns from a mixture is an amount of tokens, to which every domain adds its part.

$$L_i(w) = L_{0i}\left[f_i + b_i\!\left((1 - f_i)\, e_i(w)^{-k_i / (1 - f_i)}\right)\right],\qquad
e_i(w) = \left[\frac{\sum_j w'_{0j} \exp(t_{ij})\, (w'_j / w'_{0j})^{\rho_i}}{\sum_j w'_{0j} \exp(t_{ij})}
\right]^{1/\rho_i},\qquad w' = w + \epsilon_i$$
$$b(x) = \left[(1 - s)\,x^{-4} + s\,(1 - f)^{-4}\right]^{-1/4},\qquad s = \left(\frac{1 - f}{1 - f + r}\right)^4$$

at fixed N and D, anchored at the reference mixture $w_0$: $L_{0i}$ is the loss there, $f_i$ the share of it that no
mixture removes, $k_i$ by how many per cent the loss falls if the effective tokens grow by one. The effective tokens
$e_i$ are a sum with constant elasticity of substitution: at the reference mixture one more token of domain j is worth
$\exp(t_{ij})$ to target i, relatively, and $\sum_j t_{ij} = 0$ by construction. With $\rho = 1$ it is worth that
anywhere; the smaller $\rho$, the more the first tokens of a domain are worth and the less the later ones, which
others cannot replace. How large the t are is learned for every target. Weights are moved by $\epsilon_i$: below it less
of a domain makes no difference, so that the first token is not worth infinitely much.

What a model never saw is not learned however it is trained: b keeps the loss below $L_0 (1 + r)$, the loss of a target
to which no domain is worth anything. Where r is endless, b(x) = x; s is so small as a rule that $k$ is hardly changed.

A domain whose weight never varies has a t known by its prior only. Where no weight comes near zero, $\rho$ is known
by little, and neither are $\epsilon$ and r. With $t = 0$ and $\rho = 1$ mixtures do not matter.

Source: this project's own; the sum is that of Arrow, Chenery, Minhas and Solow (1961), Capital-Labor Substitution and
Economic Efficiency. Number: self-computed, with round constants.

>>> c = dict(L0=[3.0], floor=[0.6], k=[0.1], rho=[0.5], tau=[1], t=[[1.0, -1.0]], w0=[0.5, 0.5])
>>> at, endless = dict(epsilon=0, rise=1), dict(epsilon=0, rise=float("inf"))
>>> [loss(w=w, **at, **c).round(4).tolist() for w in ([0.75, 0.25], [0.0, 1.0])]
[[2.9132], [4.5765]]
>>> [loss(w=w, **endless, **c).round(4).tolist() for w in ([0.75, 0.25], [0.0, 1.0])]
[[2.9127], [4.7227]]
"""

import jax.numpy as jnp
from jax.scipy.special import logsumexp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._ceiling import bounded


def effective(w, t, rho, epsilon, w0):
    """Return the log of the effective tokens of every target, as a multiple of those at the reference mixture."""
    rows = jnp.asarray(epsilon)[..., None]
    worth = t + jnp.log(w0 + rows)
    part = jnp.asarray(rho)[..., None] * jnp.log((w + rows) / (w0 + rows))
    return (logsumexp(worth + part, axis=-1) - logsumexp(worth, axis=-1)) / rho


@law(paper="https://doi.org/10.2307/1927286")
def loss(
    w, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at the reference mixture", dims=("target",), relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that no mixture removes", dims=("target",)),
    k=prior(LogNormal(-2.3, 0.8), "", "elasticity of the loss to effective tokens at w0", dims=("target",)),
    rise=prior(LogNormal(0.3, 0.8), "", "rise of the loss above L0, over L0, if it was never seen", dims=("target",)),
    rho=prior(LogNormal(-0.9, 0.5), "", "how well domains replace each other, 1 entirely", dims=("target",)),
    epsilon=prior(LogNormal(-6.5, 1.0), "", "weight below which less makes no difference", dims=("target",)),
    tau=prior(LogNormal(0.2, 0.3), "", "typical size of t of a target", dims=("target",)),
    t=prior(Normal(0, 1), "", "log worth of a domain's tokens to a target", dims=("target", "domain"), zero_sum=True,
            scaled_by="tau"),
    w0=reference("w"),
):  # fmt: skip
    excess = L0 * (1 - floor)
    fallen = jnp.log(excess) - k / (1 - floor) * effective(w, t, rho, epsilon, w0)
    return L0 * floor + bounded(fallen, excess, L0 * rise)
