r"""QQT: samples of a pool are worth less at every repetition, by half after a number of epochs.

$$y = E + A\,(n_1/n_0)^{-b} \prod_{j=2}^{k} (n_j/n_{j-1})^{-b_j},\quad b_j = b\,2^{-(j-1)/\tau}$$

$n_j$ is the number of samples seen at the end of epoch j, the last of which need not be complete: $n_j = \min(n, jU)$
for a pool of U samples. A pool's quality is its utility b and its half-life $\tau$: filtering harder raises b and
lowers U. To fit several pools, let b and half_life vary over a label column and share E and A, which single pools
hardly know. $\tau$ needs runs of several epochs. In one epoch, or for endless $\tau$, it is alab_m2 in n. Beyond 64
epochs the utility is taken as constant; it is next to nothing by then unless the half-life is as long.

Source: Goyal et al. (2024), Scaling Laws for Data Filtering: Data Curation cannot be Compute Agnostic, the law for
one pool; CLIP on 32M to 640M samples of DataComp. The authors' code divides n by 1e5 and adds the floor in another
place, so its constants are not those of this equation. Number: self-computed, with round constants.

>>> round(error(samples=256e6, pool=128e6, E=0.2, A=0.5, b=0.2, half_life=1, samples0=128e6), 4)
0.6665
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import covariate, law, prior, reference

EPOCHS = 64


def coefficients(A, b, samples0):
    """Return the amplitude for single samples."""
    return {"A_raw": A * samples0**b}


@law(paper="arXiv:2404.07177", derived=coefficients)
def error(
    samples=covariate("samples seen in training, repetitions counted", "samples", 3e7, 6e8),
    pool=covariate("samples in the pool", "samples", 1e7, 1e8), *,
    E=prior(Beta(2, 4), "", "error that no number of fresh samples removes"),
    A=prior(LogNormal(-1.2, 0.6), "", "excess error after samples0 fresh samples"),
    b=prior(LogNormal(-1.6, 0.6), "", "utility: exponent of samples in the first epoch"),
    half_life=prior(LogNormal(1.1, 0.7), "epochs", "epochs after which the utility is halved"),
    samples0=reference("samples"),
):  # fmt: skip
    ends = jnp.append(jnp.minimum(samples, pool * jnp.arange(1, EPOCHS + 1)), samples)
    growth = jnp.diff(jnp.log(ends / samples0), prepend=0.0)
    utility = b * 0.5 ** (jnp.arange(EPOCHS + 1) / half_life)
    return E + A * jnp.exp(-(utility @ growth))
