r"""Olmix: a floor, and the weighted geometric mean of what each domain alone would leave above it.

$$L(w) = c + \exp\left(\sum_j t_j\,w_j\right) = c + \prod_j k_j^{w_j}$$

for each target, at fixed N and D. $k_j = e^{t_j}$ is the excess loss of a model trained on domain j alone. It is the
same function of the mixture as ye_m4, with the amplitude in the $t_j$, of which none is too many. What differs is what
is believed before the runs: here the excess of each single domain apart, hence little about mixtures far from those of
the runs; there the loss at the mean mixture and effects around it. A domain whose weight never varies has a $k_j$ known
by its prior and by the level of the others; the floor is known by curvature only. Olmix advises 3 (K + 1) runs or more
for K domains.

Source: Chen et al. (2026), Olmix, the log-linear law of the code. No constants are published; the number uses those of
Ye et al. (2024) for the target "prose" of five domains: log c = 1.2624, t + log k with log k = -2.1656.

>>> from math import exp
>>> k = [exp(t - 2.1656) for t in (1.3930, -4.6811, 0.7855, 1.8719, 0.5734)]
>>> round(loss(w=[0.2] * 5, c=exp(1.2624), k=k), 5)
3.64727
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import law, prior


def coefficients(c, k):
    """Return the logarithms that Olmix fits."""
    return {"log_c": jnp.log(c), "t": jnp.log(k)}


@law(paper="github.com/allenai/olmix", derived=coefficients)
def loss(
    w, *,
    c=prior(LogNormal(-0.5, 0.5), "nats/token", "loss that no mixture removes", relative=True),
    k=prior(LogNormal(-1.2, 3.0), "nats/token", "excess loss of a domain alone", dims=("domain",), relative=True),
):  # fmt: skip
    return c + jnp.exp(w @ jnp.log(k))
