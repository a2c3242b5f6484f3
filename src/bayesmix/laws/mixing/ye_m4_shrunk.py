r"""Ye's exponential law with effects of domains shrunk towards zero, as far as each target's runs ask for it.

$$L_i(w) = L_{0i}\left[f_i + (1 - f_i) \exp\left(\sum_j t_{ij}\,(w_j - w_{0j})\right)\right],
\quad t_{ij} \sim N(0, \tau_i^2)$$

The equation of ye_m4, anchored at the reference mixture $w_0$: the loss there, $L_{0i}$, and the share of it that no
mixture removes, $f_i$, with $\sum_j t_{ij} = 0$ by construction. What differs is the prior: the typical size
$\tau_i$ of the effects on a target is learned. For many domains, of which most do little to a target. With $\tau_i$
fixed to 5 it is ye_m4.

Source: Ye et al. (2024), Data Mixing Laws, eq. 6 (M4); the shrinkage is this project's own. The number uses the
constants published with the code for the target "prose" of five domains (log c = 1.2624, log k = -2.1656), where
$w_0 = 0$; the law itself does not depend on $\tau$.

>>> from math import exp
>>> c, k = exp(1.2624), exp(-2.1656)
>>> t = [[1.3930, -4.6811, 0.7855, 1.8719, 0.5734]]
>>> loss(w=[0.2] * 5, L0=[c + k], floor=[c / (c + k)], t=t, tau=[1], w0=[0] * 5).round(5).tolist()
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
    tau=prior(LogNormal(0.7, 1.0), "", "typical size of the effects on a target", dims=("target",)),
    t=prior(Normal(0, 1), "", "effect of a domain on a target", dims=("target", "domain"), zero_sum=True,
            scaled_by="tau"),
    w0=reference("w"),
):  # fmt: skip
    return L0 * (floor + (1 - floor) * jnp.exp(t @ (w - w0)))
