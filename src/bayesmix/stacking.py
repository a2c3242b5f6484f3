r"""Weights of several laws, from densities of responses that they had not seen, left out or hidden.

Stacking: the shares that would have forecast best together,

$$w = \operatorname{arg\,max} \sum_i \log \sum_k w_k\, p_k(y_i).$$

The score is concave in the weights, and expectation-maximisation climbs it to the top.

Pseudo-BMA+: how often each law is the one that forecast best, softly, if other runs like these had come,

$$w_k = \operatorname{E}_a \frac{\exp z_k}{\sum_l \exp z_l}, \quad z_k = n \sum_i a_i \log p_k(y_i), \quad
a \sim \mathrm{Dirichlet}(1, \dots, 1).$$

Source: Yao, Vehtari, Simpson and Gelman (2018), Using Stacking to Average Bayesian Predictive Distributions, eq. 4 and
section 3.4.

>>> import numpy as np
>>> stacking(np.log([[0.9, 0.9, 0.1], [0.3, 0.3, 0.9]])).round(3).tolist()
[0.583, 0.417]
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

_STEPS, _SETTLED = 10_000, 1e-9
_BOOTSTRAPS = 1000


def stacking(log_densities: np.ndarray) -> np.ndarray:
    """Return the weights of the mixture of highest log score, shape (model,), from densities (model, response)."""
    weights = np.full(len(log_densities), 1 / len(log_densities))
    # A response that no law thought possible does not tell the laws apart.
    log_densities = log_densities[:, np.isfinite(log_densities.max(axis=0))]
    if not log_densities.size:
        return weights
    densities = np.exp(log_densities - log_densities.max(axis=0))
    for _ in range(_STEPS):
        shares = weights[:, None] * densities
        following = (shares / shares.sum(axis=0)).mean(axis=1)
        if np.abs(following - weights).max() < _SETTLED:
            break
        weights = following
    return weights


def pseudo_bma(log_densities: np.ndarray, *, seed: int) -> np.ndarray:
    """Return pseudo-BMA+ weights, shape (model,), from densities (model, response); `seed` is of the bootstrap."""
    count = log_densities.shape[1]
    shares = np.random.default_rng(seed).dirichlet(np.ones(count), _BOOTSTRAPS)
    return softmax(count * shares @ log_densities.T, axis=1).mean(axis=0)
