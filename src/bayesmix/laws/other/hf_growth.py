r"""Growth on a hub: the fine-tunes of an open model rise in an S over the log of its age, as citations do.

$$c(t) = c_\infty\,\frac{e^{\lambda \Phi(z)} - 1}{e^{\lambda} - 1},\qquad z = \frac{\ln(t/t_0) - \mu}{s}$$

$\Phi$ is the normal distribution function, $\lambda$ the fitness, $\mu$ the immediacy and s the longevity of the
model. Written by the number that is reached in the end, $c_\infty = m\,(e^\lambda - 1)$, since small $\lambda$ shows
its product with m only. Ages well past $t_0 e^\mu$ are needed to know $c_\infty$: before the bend it is a guess.

Source: Bhandari et al. (2025), Forecasting Open-Weight AI Model Growth on Hugging Face, who use the citation model of
Wang, Song and Barabasi (2013), Quantifying Long-Term Scientific Impact. The form is from the abstract and from memory,
not checked against the papers. The number is self-computed from made-up constants.

>>> round(score(days=100, c_inf=1000, fitness=2.0, immediacy=0.0, longevity=1.0, t0=100), 3)
268.941
"""

import jax.numpy as jnp
from jax.scipy.special import ndtr
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(c_inf, fitness, immediacy, t0):
    """Return m of the citation model, and its immediacy for ages in days."""
    return {"m": c_inf / jnp.expm1(fitness), "mu": immediacy + jnp.log(t0)}


@law(paper="arXiv:2502.15987", derived=coefficients)
def score(
    days=covariate("age of the model since its release", "days", 7, 1000), *,
    c_inf=prior(LogNormal(1.0, 0.7), "fine-tunes", "number that is reached in the end", relative=True),
    fitness=prior(LogNormal(0.5, 0.7), "", "how much the fine-tunes there are draw further ones"),
    immediacy=prior(Normal(0, 1), "", "log of the age of fastest growth, over t0"),
    longevity=prior(LogNormal(0.0, 0.5), "", "width of the growth in the log of the age"),
    t0=reference("days"),
):  # fmt: skip
    share = ndtr((jnp.log(days / t0) - immediacy) / longevity)
    return c_inf * jnp.expm1(fitness * share) / jnp.expm1(fitness)
