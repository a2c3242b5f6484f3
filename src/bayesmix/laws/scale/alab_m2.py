r"""A power law with a floor in one covariate x: tokens, parameters, compute, or any positive column.

$$L(x) = E + A\,(x/x_0)^{-c}$$

The covariate is named by the model, e.g. ``covariates = {x = "D"}``; in the paper it is the examples seen, of learning
curves in vision, translation, language modelling and BIG-Bench. Over less than 1.5 decades of x, E and c trade off
against each other.

Source: Alabdulmohsin, Neyshabur and Zhai (2022), Revisiting Neural Scaling Laws in Language and Vision, M2 (there
with c negated); the same form as Henighan et al. (2020), Scaling Laws for Autoregressive Generative Modeling,
eq. 1.1. Number: self-computed, with round constants.

>>> round(loss(x=1e10, E=1.8, A=2.0, c=0.25, x0=1e8), 4)
2.4325
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, c, x0):
    """Return the amplitude for x in its own unit."""
    return {"A_raw": A * x0**c}


@law(paper="arXiv:2209.06640", derived=coefficients)
def loss(
    x=covariate("whatever the loss falls with: tokens, parameters, compute", "", 1e7, 1e11), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at x0", relative=True),
    c=prior(LogNormal(-1.05, 0.6), "", "exponent of x"),
    x0=reference("x"),
):  # fmt: skip
    return E + A * (x / x0) ** -c
