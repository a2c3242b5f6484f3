"""What a target that a model never saw keeps its loss at."""

import jax.numpy as jnp

SHARPNESS = 4


def bounded(log_excess, reference, rise):
    r"""Return an excess loss that cannot pass a ceiling, from the log of what it would be without one.

    $$b(x) = \left[(1 - s)\,x^{-4} + s\,x_0^{-4}\right]^{-1/4},\qquad s = \left(\frac{x_0}{x_0 + r}\right)^4$$

    It is $x_0$ where x is, nearly x far below, and $x_0 + r$ at most. Where r is endless it is x.
    """
    share = SHARPNESS * (jnp.log(reference) - jnp.log(reference + rise))
    free = jnp.log1p(-jnp.exp(share)) - SHARPNESS * log_excess
    return jnp.exp(-jnp.logaddexp(free, share - SHARPNESS * jnp.log(reference)) / SHARPNESS)
