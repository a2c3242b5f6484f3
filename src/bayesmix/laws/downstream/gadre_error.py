r"""Gadre's link: the average error on benchmarks falls exponentially in the loss.

$$\mathrm{Err}(L) = \epsilon - k\,\exp(-\gamma\,(L - L_0))$$

Its covariate is a loss, so that it turns a forecast of loss into one of benchmark error. Runs whose error is near
chance are needed to know $\epsilon$. In the paper it is of averages over 17 and over 46 tasks.

Source: Gadre et al. (2024), Language models scale reliably with over-training and on downstream tasks, eq. 5, with
the amplitude anchored at L0. The number uses the authors' 17-task constants for C4 and is self-computed.

>>> round(error(L=2.5, epsilon=0.8497, k=2.0789, gamma=0.7561, L0=0), 4)
0.5357
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(k, gamma, L0):
    """Return the amplitude of the paper, where L0 = 0."""
    return {"k_raw": k * jnp.exp(gamma * L0)}


@law(paper="arXiv:2403.08540", derived=coefficients)
def error(
    L=covariate("loss on a reference text", "nats/token", 1.5, 4.0), *,
    epsilon=prior(Beta(6, 2), "", "error of a model that knows nothing"),
    k=prior(LogNormal(-1.6, 0.8), "", "error below epsilon at loss L0"),
    gamma=prior(LogNormal(-0.2, 0.5), "token/nat", "rate at which the error falls with the loss"),
    L0=reference("L"),
):  # fmt: skip
    return epsilon - k * jnp.exp(-gamma * (L - L0))
