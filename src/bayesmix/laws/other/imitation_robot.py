r"""Imitation learning: a robot's shortfall from the best score is a power law in what it was shown.

$$\mathrm{Err}(x) = Y_0\,(x/x_0)^{-\alpha}$$

x is the number of training environments, of objects, or of pairs of them; the error is one minus the normalised
score. The same form as a power law of loss without a floor. Studies have x of 32 at most: what they say of a floor is
little, and errors near 0 or 1 ask for the noise "beta".

Source: Lin et al. (2024), Data Scaling Laws in Imitation Learning for Robotic Manipulation. The form is from the
abstract and from memory, not checked against the paper; no constants are confirmed. The number is self-computed from
made-up ones.

>>> round(error(environments=32, Y0=0.6, alpha=0.5, x0=2), 4)
0.15
"""

from numpyro.distributions import Beta, LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(Y0, alpha, x0):
    """Return the error after a single environment."""
    return {"beta": Y0 * x0**alpha}


@law(paper="arXiv:2410.18647", derived=coefficients)
def error(
    environments=covariate("training environments, objects, or pairs of them", "", 1, 32), *,
    Y0=prior(Beta(2, 2), "", "error at x0"),
    alpha=prior(LogNormal(-0.9, 0.6), "", "exponent of environments"),
    x0=reference("environments"),
):  # fmt: skip
    return Y0 * (environments / x0) ** -alpha
