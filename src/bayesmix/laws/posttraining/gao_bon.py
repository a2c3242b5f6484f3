r"""Gao, best of n: the true reward first rises, then falls with the distance that the proxy's choice has come.

$$R(d) = d\,(\alpha - \beta\,d),\quad d = \sqrt{\mathrm{KL}}$$

R is the gold reward beyond that of the initial policy and KL the divergence from it in nats, which for the best of n
samples is $\log n - (n - 1)/n$. The peak is at $d = \alpha / 2\beta$; $\beta$ needs runs at half of that or beyond. In
the paper both coefficients change about linearly with the log of the reward model's parameters, of 3M to 3B: pool them
over a label column, or fit one reward model at a time. There n is at most about 60,000, a KL of 10. KL has no
reference, since it may be 0, where R is 0.

Source: Gao, Schulman and Hilton (2022), Scaling Laws for Reward Model Overoptimization. The equation is as quoted
elsewhere and from memory, not checked against the paper, which has no table of constants; those here are for reward
models of 3M and 3B parameters as read off its figures. The number, the best of 16 with 3B, is self-computed.

>>> from math import log
>>> kl = log(16) - 15 / 16
>>> round(kl, 7), round(score(kl, alpha=0.662, beta=0.090), 4)
(1.8350887, 0.7316)
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior


def coefficients(alpha, beta):
    """Return where the reward peaks, and its height there."""
    return {"kl_peak": (alpha / (2 * beta)) ** 2, "score_peak": alpha**2 / (4 * beta)}


@law(paper="arXiv:2210.10760", derived=coefficients)
def score(
    kl=covariate("divergence from the initial policy", "nats", 0.0, 10.0), *,
    alpha=prior(LogNormal(-0.3, 0.8), "reward/nat^0.5", "gain of reward per distance at first", relative=True),
    beta=prior(LogNormal(-2.0, 0.8), "reward/nat", "loss of it to over-optimisation", relative=True),
):  # fmt: skip
    d = jnp.sqrt(kl)
    return d * (alpha - beta * d)
