r"""A learning curve with two plateaus: the loss of a guess where x is small, a floor where x is large.

$$\frac{L - E}{(L_{\max} - L)^{a}} = \frac{A}{(L_{\max} - E)^{a}}\,(x/x_0)^{-c},\quad E = f\,L_{\max}$$

solved for L. A is the excess loss that a power law without the upper plateau would have at x0. a is how gradually the
curve leaves that plateau: as a tends to 0, the law tends to the lesser of alab_m2 and $L_{\max}$, which it is with
a = 0. Fix $L_{\max}$ where the loss of a guess is known, e.g. the logarithm of the number of classes. a and c are told
apart only by curves that reach both plateaus. The covariate is named by the model.

Source: Alabdulmohsin, Neyshabur and Zhai (2022), Revisiting Neural Scaling Laws in Language and Vision, M4 (there with
c negated, and a called alpha). Number: self-computed, with round constants.

>>> round(loss(x=1e10, ceiling=10.0, floor=0.2, A=4.0, c=0.25, a=0.5, x0=1e8), 4)
3.1689
"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid, softplus
from numpyro.distributions import Beta, HalfNormal, LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(ceiling, floor, A, c, a, x0):
    """Return the floor, and the amplitude of the paper for x in its own unit."""
    return {"E": floor * ceiling, "beta": A * (ceiling * (1 - floor)) ** -a * x0**c}


# Beyond it u = sigmoid(t) is 1 but for rounding. With a near 0 the root is far beyond, with a = 0 there may be none.
END = 40.0


def newton(t, z, a):
    """Take one step towards the t at which log u - a log(1 - u) = z, where u = sigmoid(t), and none beyond `END`."""
    return jnp.minimum(t - (a * softplus(t) - softplus(-t) - z) / (sigmoid(-t) + a * sigmoid(t)), END)


def share(z, a):
    """Return the u in (0, 1] with log u - a log(1 - u) = z; for a = 0 the lesser of exp(z) and 1."""
    frozen = jax.lax.stop_gradient((z, a))
    root = jax.lax.fori_loop(0, 50, lambda _, t: newton(t, *frozen), jnp.minimum(frozen[0], END))
    # A step of Newton's method doubles the number of derivatives that are right: two give the Hessian.
    return sigmoid(newton(newton(root, z, a), z, a))


@law(paper="arXiv:2209.06640", derived=coefficients)
def loss(
    x=covariate("whatever the loss falls with: tokens, parameters, compute", "", 1e7, 1e11), *,
    ceiling=prior(LogNormal(0.9, 0.5), "nats/token", "loss of a guess", relative=True),
    floor=prior(Beta(2, 6), "", "irreducible share of the loss of a guess"),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at x0 but for the upper plateau", relative=True),
    c=prior(LogNormal(-1.05, 0.6), "", "exponent of x"),
    a=prior(HalfNormal(1.0), "", "exponent of the approach to the upper plateau"),
    x0=reference("x"),
):  # fmt: skip
    z = jnp.log(A) - jnp.log(ceiling * (1 - floor)) - c * jnp.log(x / x0)
    return ceiling * (floor + (1 - floor) * share(z, a))
