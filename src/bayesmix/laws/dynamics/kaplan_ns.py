r"""Kaplan: power laws in parameters and in steps, where a batch below the critical size makes steps count for less.

$$L = A\,(N/N_0)^{-\alpha} + B\,(S_{min}/S_0)^{-\beta},\quad S_{min} = \frac{S}{1 + B_{crit}(L)/b},\quad
B_{crit}(L) = \kappa\,b_0\,(L/A)^{-1/\gamma}$$

S is the number of steps and b the batch in tokens; the critical batch grows as the loss falls, so that L is on both
sides: the one root is found by Newton's method. For early, undertrained runs; N counts no embeddings in the paper. In
its symbols $\alpha = \alpha_N$, $\beta = \alpha_S$, $\gamma = \alpha_B$, and $A = (N_c/N_0)^{\alpha_N}$,
$B = (S_c/S_0)^{\alpha_S}$, $B_* = \kappa\,b_0\,A^{1/\gamma}$. $\kappa$ and $\gamma$ need batches on both sides of the
critical one. With endless batches it is Chinchilla in steps without a floor, with endless steps a power law in N.

Source: Kaplan et al. (2020), Scaling Laws for Neural Language Models, eqs. 1.6 and 1.4, anchored at N0, S0 and b0. The
constants are as a review quotes them, those of the batch not confirmed, and those of steps from memory, not checked
against the paper. Number: self-computed with them.

>>> c = dict(A=1, B=1, alpha=0.077, beta=0.76, gamma=0.21, critical=2e8, N0=6.5e13, steps0=2.1e3, batch0=1)
>>> round(loss(N=1e9, steps=1e5, batch=5e5, **c), 4)
2.5459
"""

import jax
import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference

# From below Newton's method cannot overshoot, the equation being concave in log L: under the prior 6 steps reach
# rounding, and one more does for the derivatives.
STEPS = 7


def coefficients(A, B, alpha, beta, gamma, critical, N0, steps0, batch0):
    """Return the scales N_c, S_c and B_* of the paper."""
    scales = {"Nc": N0 * A ** (1 / alpha), "Sc": steps0 * B ** (1 / beta)}
    return scales | {"Bstar": critical * batch0 * A ** (1 / gamma)}


@law(paper="arXiv:2001.08361", derived=coefficients)
def loss(
    N,
    steps=covariate("optimiser steps", "steps", 1e3, 1e6),
    batch=covariate("batch size", "tokens", 1e5, 1e7), *,
    A=prior(LogNormal(-0.3, 0.3), "nats/token", "loss at N0 if steps were unlimited", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at steps0 if the batch were unlimited", relative=True),
    alpha=prior(LogNormal(-2.4, 0.5), "", "exponent of N"),
    beta=prior(LogNormal(-0.4, 0.4), "", "exponent of steps"),
    gamma=prior(LogNormal(-1.5, 0.3), "", "inverse exponent with which the critical batch grows as the loss falls"),
    critical=prior(LogNormal(0.0, 1.5), "", "critical batch at loss A, over batch0"),
    N0=reference("N"), steps0=reference("steps"), batch0=reference("batch"),
):  # fmt: skip
    size = jnp.log(A) - alpha * jnp.log(N / N0)
    time = jnp.log(B) - beta * jnp.log(steps / steps0)

    def reached(level):
        """Return the log loss that follows from the critical batch at log loss `level`."""
        excess = jnp.log(critical * batch0 / batch) - (level - jnp.log(A)) / gamma
        return jnp.logaddexp(size, time + beta * jnp.logaddexp(0.0, excess))

    level = jnp.logaddexp(size, time)
    for _ in range(STEPS):
        value, slope = jax.jvp(reached, (level,), (jnp.ones_like(level),))
        level = level + (value - level) / (1 - slope)
    return jnp.exp(level)
