r"""Ye: every target's loss is a floor and an exponential of a linear function of the mixture.

$$L_i(w) = c_i + k_i \exp\left(\sum_j t_{ij}\,(w_j - w_{0j})\right)$$

at fixed N and D. Anchored at the reference mixture $w_0$ and written by what the runs see: the loss there,
$L_{0i} = c_i + k_i$, and the share of it that no mixture removes, $f_i = c_i / L_{0i}$. Since the weights sum to one,
adding a constant to all $t_{ij}$ of a target changes nothing: $\sum_j t_{ij} = 0$ by construction. A domain whose
weight never varies has a $t$ known by its prior only; with all $t$ small, the floor is.

Source: Ye et al. (2024), Data Mixing Laws, eq. 6 (M4). The number uses the constants published with the code for
the target "prose" of five domains (log c = 1.2624, log k = -2.1656), where $w_0 = 0$.

>>> from math import exp
>>> c, k = exp(1.2624), exp(-2.1656)
>>> t = [[1.3930, -4.6811, 0.7855, 1.8719, 0.5734]]
>>> loss(w=[0.2] * 5, L0=[c + k], floor=[c / (c + k)], t=t, w0=[0] * 5).round(5).tolist()
[3.64727]
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(L0, floor, t, w0):
    """Return the paper's floor c, and amplitude k for a mixture of zero weights with the same zero-sum t."""
    return {"c": L0 * floor, "k": L0 * (1 - floor) * jnp.exp(-t @ w0)}


@law(paper="arXiv:2403.16952", derived=coefficients)
def loss(
    w, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at the reference mixture", dims=("target",), relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that no mixture removes", dims=("target",)),
    t=prior(Normal(0, 5), "", "effect of a domain on a target", dims=("target", "domain"), zero_sum=True),
    w0=reference("w"),
):  # fmt: skip
    return L0 * (floor + (1 - floor) * jnp.exp(t @ (w - w0)))
