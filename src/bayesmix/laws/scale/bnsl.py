r"""Broken neural scaling law with one break: a power law that smoothly turns into another.

$$L(x) = a + A\,(x/x_0)^{-c_0}\left[\frac{1 + (x/d)^{1/f}}{1 + (x_0/d)^{1/f}}\right]^{-c_1 f}$$

Far below the break at d the exponent is c0, far above it c0 + c1; f is how many units of log x the turn takes. The
loss tends to a where c0 + c1 is positive, and may rise and fall before. The quantity d is that of the paper over x0,
and A the excess loss at x0. The covariate is named by the model. f needs runs near d; where d lies beyond the runs, c1
is known by its prior only, which makes forecasts as uncertain as they are when the law may break.

Source: Caballero et al. (2023), Broken Neural Scaling Laws, eq. 1 with n = 1, with the amplitude anchored at x0.
Number: self-computed, with round constants.

>>> round(loss(x=1e10, a=1.5, A=2.0, c0=0.1, d=10.0, f=0.5, c1=0.3, x0=1e8), 4)
2.1325
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, c0, d, f, c1, x0):
    """Return the amplitude and the break of the paper, for x in its own unit."""
    return {"b": A * jnp.exp(c0 * jnp.log(x0) - turn(0.0, d, f, c1)), "d_raw": d * x0}


def turn(log_x, d, f, c):
    """Return the logarithm of the factor by which a break changes the power law; x is over x0."""
    return -c * f * jnp.logaddexp(0.0, (log_x - jnp.log(d)) / f)


@law(paper="arXiv:2210.14891", derived=coefficients)
def loss(
    x=covariate("whatever the loss changes with: tokens, parameters, compute", "", 1e7, 1e11), *,
    a=prior(LogNormal(-0.5, 0.5), "nats/token", "limit of the loss", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at x0", relative=True),
    c0=prior(Normal(0.3, 0.3), "", "exponent of x below the break"),
    d=prior(LogNormal(0.0, 2.0), "", "place of the break over x0"),
    f=prior(LogNormal(-1.2, 0.7), "", "width of the break in log x"),
    c1=prior(Normal(0.0, 0.5), "", "change of the exponent at the break"),
    x0=reference("x"),
):  # fmt: skip
    log_x = jnp.log(x / x0)
    return a + A * jnp.exp(-c0 * log_x + turn(log_x, d, f, c1) - turn(0.0, d, f, c1))
