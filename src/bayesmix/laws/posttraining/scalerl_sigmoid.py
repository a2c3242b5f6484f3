r"""ScaleRL: the pass rate is a sigmoid of the log of compute spent on reinforcement learning.

$$R(C) = R_0 + \frac{A - R_0}{1 + (C_{mid}/C)^B},\quad C_{mid} = m\,C_0,\quad A = R_0 + (1 - R_0)\,r$$

from the pass rate $R_0$ before training to an asymptote A, half of the way at $C_{mid}$. C may be in any unit, GPU
hours in the paper: ``covariates = {C = "gpu_hours"}``. A is known by its prior unless runs are well beyond $C_{mid}$;
before it, A and $C_{mid}$ lie on a ridge. Checkpoints of one run serve as runs of different C; with C = 0 for the model
before training, which has $R_0$, fix $C_0$ to a number.

Source: Khatri et al. (2025), The Art of Scaling Reinforcement Learning Compute for LLMs; the equation is from memory,
not checked against the paper, and no constants are confirmed. Number: self-computed with constants of no paper.

>>> round(accuracy(C=16e3, R0=0.4, r=0.35, m=2.0, B=1.5, C0=4e3), 5)
0.55515
"""

import jax.numpy as jnp
from jax.nn import sigmoid
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import law, prior, reference

# Stands for no training at all: its logarithm is finite, and so small that the pass rate is that before training.
NONE = 1e-300


def coefficients(R0, r, m, C0):
    """Return the asymptote, and the compute of half of the way to it."""
    return {"A": R0 + (1 - R0) * r, "C_mid": m * C0}


@law(paper="arXiv:2510.13786", derived=coefficients)
def accuracy(
    C, *,
    R0=prior(Beta(2, 5), "", "pass rate before training"),
    r=prior(Beta(2, 2), "", "share of the way from R0 to 1 that endless compute reaches"),
    m=prior(LogNormal(0.0, 1.2), "", "compute of half of that way, over C0"),
    B=prior(LogNormal(0.0, 0.5), "", "steepness in log C"),
    C0=reference("C"),
):  # fmt: skip
    over = jnp.log(jnp.maximum(C / C0, NONE)) - jnp.log(m)
    return R0 + (1 - R0) * r * sigmoid(B * over)
