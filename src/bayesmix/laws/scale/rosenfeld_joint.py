r"""Rosenfeld: Chinchilla's sum for the error, levelling off at that of a guess where models and data are small.

$$\mathrm{Err}(N, D) = \epsilon_0\,\frac{\tilde e}{\sqrt{\tilde e^2 + \epsilon_0^2}},\quad
\tilde e = c + A\,(N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}$$

$\tilde e$ is the error without that ceiling; where it is small the two agree, and the law is Chinchilla for errors.
The paper has $\eta$ in place of the $\epsilon_0$ below the line, but runs show $\tilde e/\eta$ only, so that one of
them has to be chosen. Fix $\epsilon_0$ where it is known, such as 1 - 1/K for K balanced classes: it takes runs near
chance to learn it. As for Chinchilla, N and D must vary separately.

Source: Rosenfeld et al. (2020), A Constructive Prediction of the Generalization Error Across Scales, with m = N, n =
D, as a review quotes it. Number: self-computed, with round constants.

>>> round(error(N=1e7, D=1e6, epsilon0=0.9, c=0.05, A=0.1, B=0.2, alpha=0.5, beta=0.4, N0=1e7, D0=1e6), 4)
0.3262
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import law, prior, reference


def coefficients(epsilon0, c, A, B, alpha, beta, N0, D0):
    """Return the amplitudes for N in parameters and D in its unit, and the error that no size goes below."""
    floor = epsilon0 * c / jnp.sqrt(c**2 + epsilon0**2)
    return {"A_raw": A * N0**alpha, "B_raw": B * D0**beta, "floor": floor}


@law(paper="arXiv:1909.12673", derived=coefficients)
def error(
    N, D, *,
    epsilon0=prior(Beta(6, 2), "", "error of a guess"),
    c=prior(LogNormal(-0.5, 0.5), "fraction", "irreducible error but for the ceiling", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "fraction", "excess error at N0 from finite N but for the ceiling", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "fraction", "excess error at D0 from finite D but for the ceiling", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    e = c + A * (N / N0) ** -alpha + B * (D / D0) ** -beta
    return epsilon0 * e / jnp.sqrt(e**2 + epsilon0**2)
