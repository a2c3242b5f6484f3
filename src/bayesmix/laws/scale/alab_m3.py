r"""A power law that levels off in one covariate x, without a floor of its own.

$$L(x) = A \left[\frac{x_0/x + g}{1 + g}\right]^{c}$$

A is the loss at x0 and g the share of the irreducible in what is left there, so that the loss tends to $A\,[g/(1 +
g)]^c$. In the paper's form $\beta\,(1/x + \gamma)^c$, $\gamma = g/x_0$. Unlike in M2, the approach to the floor is
linear in 1/x whatever c. The covariate is named by the model; in the paper it is the examples seen, of learning curves
in vision, translation, language modelling and BIG-Bench. Over less than 1.5 decades of x, g and c trade off against
each other. With g = 0 it is alab_m1.

Source: Alabdulmohsin, Neyshabur and Zhai (2022), Revisiting Neural Scaling Laws in Language and Vision, M3. Number:
self-computed, with round constants.

>>> round(loss(x=1e10, A=3.0, g=0.1, c=0.3, x0=1e8), 4)
1.5036
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, g, c, x0):
    """Return the constants of the paper for x in its own unit, and the loss at endless x."""
    return {"beta": A * (x0 / (1 + g)) ** c, "gamma": g / x0, "floor": A * (g / (1 + g)) ** c}


@law(paper="arXiv:2209.06640", derived=coefficients)
def loss(
    x=covariate("whatever the loss falls with: tokens, parameters, compute", "", 1e7, 1e11), *,
    A=prior(LogNormal(0.0, 0.3), "nats/token", "loss at x0", relative=True),
    g=prior(LogNormal(-2.3, 2.0), "", "irreducible share over the reducible at x0, before the power c"),
    c=prior(LogNormal(-1.05, 0.6), "", "exponent of 1/x"),
    x0=reference("x"),
):  # fmt: skip
    return A * ((x0 / x + g) / (1 + g)) ** c
