r"""Loss to loss: what two losses exceed their floors by are powers of each other.

$$L_1 = E_1 + K \left(\frac{L - E_0}{L_0 - E_0}\right)^\kappa,\quad E_0 = s\,L_0$$

L is the loss on one text, or after training on one, and $L_1$ that on another, or after training on another, of the
same N and D; $L_0$ is the reference of L, and K the excess there. Exact where both excesses are powers of one quantity,
with $\kappa$ the ratio of their exponents; approximate for two additive laws of N and D. $E_0$, $E_1$ and $\kappa$ lie
on a ridge unless the losses come near their floors; the paper takes both floors from fits of chinchilla. Errors of L
are ignored, and an L below $E_0$ is taken for one at it. State the targets: L itself should not be one.

Source: Brandfonbrener et al. (2024), Loss-to-Loss Prediction: Scaling Laws for All Datasets, with the amplitude
anchored at L0; constants differ by pair of data sets. Number: self-computed with constants of no paper.

>>> round(loss(L=3.0, E_1=1.6, K=1.0, kappa=1.1, s=0.6, L0=2.5), 5)
3.16207
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(K, kappa, s, L0):
    """Return the floor of L, and the amplitude for an excess in its own unit."""
    return {"E_0": s * L0, "K_raw": K * (L0 - s * L0) ** -kappa}


@law(paper="arXiv:2411.12925", derived=coefficients)
def loss(
    L=covariate("loss on, or trained on, another text", "nats/token", 1.5, 4.0), *,
    E_1=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    K=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at L0", relative=True),
    kappa=prior(LogNormal(0.0, 0.2), "", "exponent of the excess of L"),
    s=prior(Beta(4, 3), "", "share of L0 that is irreducible"),
    L0=reference("L"),
):  # fmt: skip
    # A floor above some run's L has no power: the limit is just above 0, where its gradient is finite.
    excess = jnp.maximum((L / L0 - s) / (1 - s), 1e-6)
    return E_1 + K * excess**kappa
