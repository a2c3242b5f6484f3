r"""Broken neural scaling law with two breaks: three power laws, joined smoothly.

$$L(x) = a + A\,(x/x_0)^{-c_0} \prod_{i=1}^{2} \left[\frac{1 + (x/d_i)^{1/f_i}}
{1 + (x_0/d_i)^{1/f_i}}\right]^{-c_i f_i},\quad d_2 = d_1 e^{g}$$

The exponents are c0, c0 + c1 and c0 + c1 + c2 from the smallest x to the largest. g > 0 keeps the breaks in order,
without which they could change places. Otherwise as bnsl, which it is with c1 = 0 or c2 = 0. For double descent and
curves that level off twice; it needs several runs on each of the three pieces.

Source: Caballero et al. (2023), Broken Neural Scaling Laws, eq. 1 with n = 2, with the amplitude anchored at x0.
Number: self-computed, with round constants.

>>> c = dict(c0=0.1, d1=0.1, f1=0.5, c1=0.3, g=4.0, f2=0.2, c2=-0.2)
>>> round(loss(x=1e10, a=1.5, A=2.0, x0=1e8, **c), 4)
2.0679
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, c0, d1, f1, c1, g, f2, c2, x0):
    """Return the amplitude and the breaks of the paper, for x in its own unit."""
    log_b = jnp.log(A) + c0 * jnp.log(x0) - turns(0.0, d1, f1, c1, g, f2, c2)
    return {"b": jnp.exp(log_b), "d1_raw": d1 * x0, "d2_raw": d1 * jnp.exp(g) * x0}


def turns(log_x, d1, f1, c1, g, f2, c2):
    """Return the logarithm of the factor by which the breaks change the power law; x is over x0."""
    after = log_x - jnp.log(d1)
    return -c1 * f1 * jnp.logaddexp(0.0, after / f1) - c2 * f2 * jnp.logaddexp(0.0, (after - g) / f2)


@law(paper="arXiv:2210.14891", derived=coefficients)
def loss(
    x=covariate("whatever the loss changes with: tokens, parameters, compute", "", 1e7, 1e11), *,
    a=prior(LogNormal(-0.5, 0.5), "nats/token", "limit of the loss", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at x0", relative=True),
    c0=prior(Normal(0.3, 0.3), "", "exponent of x below the first break"),
    d1=prior(LogNormal(-1.0, 1.5), "", "place of the first break over x0"),
    f1=prior(LogNormal(-1.2, 0.7), "", "width of the first break in log x"),
    c1=prior(Normal(0.0, 0.5), "", "change of the exponent at the first break"),
    g=prior(LogNormal(0.7, 0.7), "", "log of the second break over the first"),
    f2=prior(LogNormal(-1.2, 0.7), "", "width of the second break in log x"),
    c2=prior(Normal(0.0, 0.5), "", "change of the exponent at the second break"),
    x0=reference("x"),
):  # fmt: skip
    log_x, breaks = jnp.log(x / x0), (d1, f1, c1, g, f2, c2)
    return a + A * jnp.exp(-c0 * log_x + turns(log_x, *breaks) - turns(0.0, *breaks))
