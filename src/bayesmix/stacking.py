r"""Stacking: the shares of several laws that would have forecast best together.

$$w = \operatorname{arg\,max} \sum_i \log \sum_k w_k\, p_k(y_i)$$

over densities of responses that the laws had not seen, left out or hidden. The score is concave in the weights, and
expectation-maximisation climbs it to the top.

Source: Yao, Vehtari, Simpson and Gelman (2018), Using Stacking to Average Bayesian Predictive Distributions, eq. 4.

>>> import numpy as np
>>> stacking(np.log([[0.9, 0.9, 0.1], [0.3, 0.3, 0.9]])).round(3).tolist()
[0.583, 0.417]
"""

from __future__ import annotations

import numpy as np

_STEPS, _SETTLED = 10_000, 1e-9


def stacking(log_densities: np.ndarray) -> np.ndarray:
    """Return the weights of the mixture of highest log score, shape (model,), from densities (model, response)."""
    weights = np.full(len(log_densities), 1 / len(log_densities))
    densities = np.exp(log_densities - log_densities.max(axis=0))
    for _ in range(_STEPS):
        shares = weights[:, None] * densities
        following = (shares / shares.sum(axis=0)).mean(axis=1)
        if np.abs(following - weights).max() < _SETTLED:
            break
        weights = following
    return weights
