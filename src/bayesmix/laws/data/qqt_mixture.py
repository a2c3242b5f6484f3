r"""QQT for mixtures: pools of samples add up their utilities, and each is repeated less the smaller its share.

$$y = E + A\,(n_1/n_0)^{-b_1} \prod_{j=2}^{k} (n_j/n_{j-1})^{-b_j},\quad
b_j = \sum_i w_i\,b_i\,2^{-w_i (j-1)/\tau_i},\quad n_j = \min(n, jU)$$

All pools have U samples, and pool i is a domain with weight $w_i$, utility $b_i$ and half-life $\tau_i$. For p pools
mixed equally it is the paper's law, the mean of the utilities with half-lives p times as long; other weights are this
project's own generalisation. The first epoch has no decay, as for single pools: the exponent counts epochs from 0,
where the paper's for mixtures counts them from 1, so that with all weight on one pool it is qqt_filtering. Runs must
vary the weights, and repeat each pool, to know its $b_i$ and $\tau_i$.

Source: Goyal et al. (2024), Scaling Laws for Data Filtering: Data Curation cannot be Compute Agnostic, the law for
mixtures. Number: self-computed, with round constants.

>>> c = dict(E=0.2, A=0.5, b=[0.2, 0.1], half_life=[1, 3], samples0=128e6)
>>> round(error(samples=256e6, pool=128e6, w=[0.5, 0.5], **c), 4)
0.6616
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import covariate, law, prior, reference

EPOCHS = 64


@law(paper="arXiv:2404.07177")
def error(
    w,
    samples=covariate("samples seen in training, repetitions counted", "samples", 3e7, 6e8),
    pool=covariate("samples in each pool", "samples", 1e7, 1e8), *,
    E=prior(Beta(2, 4), "", "error that no number of fresh samples removes"),
    A=prior(LogNormal(-1.2, 0.6), "", "excess error after samples0 fresh samples"),
    b=prior(LogNormal(-1.6, 0.6), "", "utility of a pool: exponent of samples in its first epoch", dims=("domain",)),
    half_life=prior(LogNormal(1.1, 0.7), "epochs", "epochs after which a pool's utility is halved", dims=("domain",)),
    samples0=reference("samples"),
):  # fmt: skip
    ends = jnp.append(jnp.minimum(samples, pool * jnp.arange(1, EPOCHS + 1)), samples)
    growth = jnp.diff(jnp.log(ends / samples0), prepend=0.0)
    utility = 0.5 ** jnp.outer(jnp.arange(EPOCHS + 1), w / half_life) @ (w * b)
    return E + A * jnp.exp(-(utility @ growth))
