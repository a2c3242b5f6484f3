r"""Gao, reinforcement learning: the true reward rises, then falls with the distance from the initial policy.

$$R(d) = d\,(\alpha - \beta \log d),\quad d = \sqrt{\mathrm{KL}}$$

R is the gold reward beyond that of the initial policy and KL the divergence from it in nats. The peak is at
$d = e^{\alpha/\beta - 1}$; runs that stay well below it cannot tell the law from gao_bon, with which it coincides for
$\beta = 0$, and $\alpha = R(1)$. Its slope is infinite at d = 0, so that it does not hold very near the initial policy.
In the paper $\alpha$ hardly depends on the reward model's parameters and $\beta$ falls with their log. Rafailov et al.
(2024), Scaling Laws for Reward Model Overoptimization in Direct Alignment Algorithms, use the same law for DPO, IPO and
SLiC, with win rates beyond that of the initial policy for R, and KL measured with an error that is ignored here; this
is from the abstract and from memory, not checked against the paper.

Source: Gao, Schulman and Hilton (2022), Scaling Laws for Reward Model Overoptimization. The equation is as quoted
elsewhere and from memory, not checked against the paper, which has no table of constants; those here are for reward
models of 3M and 3B parameters as read off its figures. The number, with 3B, is self-computed.

>>> round(score(kl=16, alpha=0.35, beta=0.118), 4)
0.7457
"""

import jax.numpy as jnp
from jax.scipy.special import xlogy
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior


def coefficients(alpha, beta):
    """Return the log of the divergence at which the reward peaks: itself it may be beyond any number."""
    return {"log_kl_peak": 2 * (alpha / beta - 1)}


@law(paper="arXiv:2210.10760", derived=coefficients)
def score(
    kl=covariate("divergence from the initial policy", "nats", 0.0, 50.0), *,
    alpha=prior(LogNormal(-0.3, 0.8), "reward/nat^0.5", "reward at a divergence of 1 nat", relative=True),
    beta=prior(LogNormal(-1.3, 0.8), "reward/nat^0.5", "loss of it to over-optimisation", relative=True),
):  # fmt: skip
    d = jnp.sqrt(kl)
    return alpha * d - beta * xlogy(d, d)
