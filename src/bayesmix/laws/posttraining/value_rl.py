r"""Rybkin: what value-based reinforcement learning needs falls as a power of the updates made per sample.

$$D_J(\sigma) = D_{min} + A\,(\sigma/\sigma_0)^{-\alpha}$$

with $\sigma$ the ratio of updates to data and $D_J$ the least data that reaches a return J; in the paper
$A = (\beta_J/\sigma_0)^{\alpha}$. With $D_{min}$ fixed to 0 it is the paper's law of the best batch size and the best
learning rate, and, with a budget in the place of $\sigma$, of the best ratio itself. Each return, and each task, has
constants of its own: they are targets, or groups to pool over. $D_{min}$ is known by curvature only and needs a decade
of $\sigma$. Compute to reach J is proportional to $\sigma D_J(\sigma)$ times the batch size. It is alab_m2 in $\sigma$.

Source: Rybkin et al. (2025), Value-Based Deep RL Scales Predictably, with the amplitude anchored; constants differ by
task. Number: self-computed with constants of no paper.

>>> optimum(updates=8, D_min=2e5, A=3e5, alpha=0.5, updates0=2)
350000.0
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, alpha, updates0):
    """Return the scale of the paper."""
    return {"beta_J": updates0 * A ** (1 / alpha)}


@law(paper="arXiv:2502.04327", derived=coefficients)
def optimum(
    updates=covariate("updates per sample of the environment", "", 0.25, 16.0), *,
    D_min=prior(LogNormal(-0.7, 0.6), "samples", "data needed with endless updates", relative=True),
    A=prior(LogNormal(-0.7, 0.8), "samples", "data beyond that at updates0", relative=True),
    alpha=prior(LogNormal(-0.9, 0.6), "", "exponent of the updates"),
    updates0=reference("updates"),
):  # fmt: skip
    return D_min + A * (updates / updates0) ** -alpha
