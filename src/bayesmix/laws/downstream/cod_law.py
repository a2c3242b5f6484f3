r"""COD: accuracy on tasks of like difficulty rises from guessing to a ceiling as the exponential of a power of compute.

$$\mathrm{Acc}(C) = g + (1 - g)\,\exp(-a\,(C/C_0)^{-b} - c)$$

For a group of tasks that improve alike; of a whole benchmark it is a sum of such curves. With g = 0 and c = 0 it is
passuntil in C. Runs near chance are needed to know g, runs near the ceiling $g + (1 - g)\,e^{-c}$ to know c; on the
way between the two, a and c trade off.

Source: Xu et al. (2025), Unveiling Downstream Performance Scaling of LLMs: A Clustering-Based Perspective, with the
amplitude anchored at C0. The form is as a review quotes it, and no constants are confirmed. Number: self-computed with
constants of no paper.

>>> round(accuracy(C=1e23, g=0.25, a=1.5, b=0.3, c=0.1, C0=1e21), 5)
0.71558
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import law, prior, reference


def coefficients(g, a, b, c, C0):
    """Return the amplitude for C in FLOP, and the accuracy with endless compute."""
    return {"a_raw": a * C0**b, "ceiling": g + (1 - g) * jnp.exp(-c)}


@law(paper="arXiv:2502.17262", derived=coefficients)
def accuracy(
    C, *,
    g=prior(Beta(2, 6), "", "accuracy of a model that guesses"),
    a=prior(LogNormal(-0.2, 0.8), "", "minus the log, at C0, of the share of the ceiling that is reached"),
    b=prior(LogNormal(-1.6, 0.7), "", "exponent of C"),
    c=prior(LogNormal(-1.6, 0.8), "", "minus the log of the share that endless compute would reach"),
    C0=reference("C"),
):  # fmt: skip
    return g + (1 - g) * jnp.exp(-a * (C / C0) ** -b - c)
