r"""Ye's first candidate: a floor and an exponential of each domain's weight, added up.

$$L(w) = c + \sum_j k_j e^{t_j w_j} = L_0\left[f + (1 - f) \sum_j s_j\,e^{t_j (w_j - w_{0j})}\right]$$

for each target, at fixed N and D. Anchored at the reference mixture $w_0$: the loss there $L_0$, the share f of it
that no mixture removes, and the parts $s_j$ of the rest, s = softmax(g) with $\sum_j g_j = 0$. Unlike in ye_m4, domains
do not interact. A term with small $t_j$ is a constant, told from the floor by its prior only; and since the weights sum
to one, a constant added to all $s_j t_j$ shows by curvature alone, so that weights must vary widely. With one $t_j$
other than 0 it is the law of two domains, a floor and one exponential.

Source: Ye et al. (2024), Data Mixing Laws, candidate M1 of section 3. No constants are published; the number uses round
ones: 1 + 0.5 exp(-2 0.25) + 0.5 exp(0.75).

>>> round(loss(w=[0.25, 0.75], L0=2, floor=0.5, g=[0, 0], t=[-2, 1], w0=[0, 0]), 6)
2.361765
"""

import jax
import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(L0, floor, g, t, w0):
    """Return the paper's floor c and amplitudes k."""
    return {"c": L0 * floor, "k": ((jax.nn.softmax(g) * jnp.exp(-t * w0)).T * L0 * (1 - floor)).T}


@law(paper="arXiv:2403.16952", derived=coefficients)
def loss(
    w, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at the reference mixture", relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that no mixture removes"),
    g=prior(Normal(0, 1), "", "log of a domain's part in the rest at the reference mixture", dims=("domain",),
            zero_sum=True),
    t=prior(Normal(0, 5), "", "effect of a domain's weight on its part", dims=("domain",)),
    w0=reference("w"),
):  # fmt: skip
    return L0 * (floor + (1 - floor) * jax.nn.softmax(g) @ jnp.exp(t * (w - w0)))
