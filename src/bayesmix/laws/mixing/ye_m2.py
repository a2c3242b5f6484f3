r"""Ye's second candidate: a floor and a sum of exponentials of the domains' weights, of one amplitude.

$$L(w) = c + k \sum_j e^{t_j w_j} = L_0\left[f + (1 - f)\,\frac{\sum_j e^{t_j w_j}}{\sum_j e^{t_j w_{0j}}}\right]$$

for each target, at fixed N and D. Anchored at the reference mixture $w_0$: the loss there $L_0$, and the share f of it
that no mixture removes. It is ye_m1 with equal $k_j$. A term with small $t_j$ is a constant, which is near to the
floor, and a domain whose weight never varies has a $t_j$ known by its prior only.

Source: Ye et al. (2024), Data Mixing Laws, candidate M2 of section 3; the form is from memory, not checked against the
paper. No constants are published; the number uses round ones: 1 + 0.5 exp(-2 0.25) + 0.5 exp(0.75).

>>> round(loss(w=[0.25, 0.75], L0=2, floor=0.5, t=[-2, 1], w0=[0, 0]), 6)
2.361765
"""

import jax.numpy as jnp
from jax.nn import logsumexp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(L0, floor, t, w0):
    """Return the paper's floor c and amplitude k."""
    return {"c": L0 * floor, "k": L0 * (1 - floor) * jnp.exp(-logsumexp(t * w0, axis=-1))}


@law(paper="arXiv:2403.16952", derived=coefficients)
def loss(
    w, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at the reference mixture", relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that no mixture removes"),
    t=prior(Normal(0, 5), "", "effect of a domain's weight on its term", dims=("domain",)),
    w0=reference("w"),
):  # fmt: skip
    return L0 * (floor + (1 - floor) * jnp.exp(logsumexp(t * w) - logsumexp(t * w0)))
