r"""Surge: with Adam the best learning rate rises with the batch, peaks, and falls again.

$$\eta(b) = \frac{\eta_{max}}{\frac{1}{2}\left(\sqrt{b_n/b} + \sqrt{b/b_n}\right)}
= A\,\frac{\cosh\left(\frac{1}{2}\log\kappa\right)}{\cosh\left(\frac{1}{2}\log(b/b_n)\right)},\quad b_n = \kappa\,b_0$$

Symmetric in log b around the noise batch $b_n$; far below it, the square-root rule. Without batches above $b_n$ the
fall cannot be told from the saturation of bcrit_mccandlish.

Source: Li et al. (2024), Surge Phenomenon in Optimal Learning Rate and Batch Size Scaling, with the amplitude anchored
at b0. Number: self-computed, at a quarter of the noise batch.

>>> round(optimum(batch=64, A=1, noise=1, batch0=256), 4)
0.8
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, noise, batch0):
    """Return the batch of the peak, and the largest of the best learning rates."""
    return {"batch_noise": noise * batch0, "maximum": A * (noise**0.5 + noise**-0.5) / 2}


@law(paper="arXiv:2405.14578", derived=coefficients)
def optimum(
    batch=covariate("batch size", "", 8, 8192), *,
    A=prior(LogNormal(0.0, 0.4), "unit of the optimum", "best learning rate at batch0", relative=True),
    noise=prior(LogNormal(0.0, 1.5), "", "batch of the largest best learning rate, over batch0"),
    batch0=reference("batch"),
):  # fmt: skip
    distance = jnp.log(noise)
    return A * jnp.cosh(distance / 2) / jnp.cosh((jnp.log(batch / batch0) - distance) / 2)
