r"""Rectified: the loss of a fine-tuned model falls as a power law only once samples outweigh what it learned before.

$$L(D) = \frac{B}{D_l + D^\beta} + E = E + \frac{A}{1 + (D/D_h)^\beta}$$

D is the number of fine-tuning samples, 0 included; $D_l$ the pre-learned data size. The second form, fitted here, is
by what the runs see: A is the loss above the floor before fine-tuning, $D_h = D_l^{1/\beta}$ the number of samples that
halves it, and $B = A\,D_l$. One pre-trained model and one task. Without runs of few samples, or none, A and $D_h$ trade
off: only $A\,D_h^\beta = B$ is known, and with $D_l = 0$ it is alab_m2 in D.

Source: Lin et al. (2024), Selecting Large Language Model to Fine-tune via Rectified Scaling Law; 0 to 1.6 million
samples. Number: self-computed, with the round constants B = 40, D_l = 20, beta = 0.5.

>>> round(loss(samples=10_000, E=1.5, A=2.0, half=400.0, beta=0.5), 4)
1.8333
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior

# Stands for no samples at all: its logarithm is finite, and so small that the loss is that before fine-tuning.
NONE = 1e-300


def coefficients(A, half, beta):
    """Return the constants of the paper."""
    return {"B": A * half**beta, "Dl": half**beta}


@law(paper="arXiv:2402.02314", derived=coefficients)
def loss(
    samples=covariate("fine-tuning samples, 0 for the model as it was", "samples", 0.0, 1.6e6), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-0.2, 0.8), "nats/token", "excess loss before fine-tuning", relative=True),
    half=prior(LogNormal(8.0, 2.5), "samples", "samples that halve the excess loss"),
    beta=prior(LogNormal(-0.7, 0.5), "", "exponent of samples"),
):  # fmt: skip
    gained = beta * (jnp.log(jnp.maximum(samples, NONE)) - jnp.log(half))
    return E + A * jnp.exp(-jnp.logaddexp(0.0, gained))
