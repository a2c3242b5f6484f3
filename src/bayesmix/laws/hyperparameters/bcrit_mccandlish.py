r"""McCandlish: the best learning rate grows with the batch up to the critical one, the fewest steps shrink until there.

$$y(b) = A\left[\frac{1 + \kappa\,b_0/b}{1 + \kappa}\right]^{p},\quad b_{crit} = \kappa\,b_0$$

With $p = -1$, the default, y is the best learning rate of gradient descent, $\eta_{max}/(1 + b_{crit}/b)$. With
$p = 1$ (power = 1) y is the fewest steps to a given loss, $S_{min}(1 + b_{crit}/b)$: since they use $E = b\,S$ samples,
this is $(S/S_{min} - 1)(E/E_{min} - 1) = 1$ with $b_{crit} = E_{min}/S_{min}$. At the critical batch the learning rate
is half of its maximum, and steps and samples are twice their minima. $\kappa$ needs batches on both sides of it.
Compare surge, which for Adam has a best learning rate that falls again.

Source: McCandlish et al. (2018), An Empirical Model of Large-Batch Training, with the amplitude anchored at b0. The
equations are from memory, not checked against the paper. Number: self-computed, the best learning rate at the critical
batch for a maximum of 1.

>>> optimum(batch=256, A=0.5, critical=1, batch0=256)
0.5
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, critical, power, batch0):
    """Return the critical batch and the limit for endless batches."""
    return {"batch_critical": critical * batch0, "limit": A * (1 + critical) ** -power}


@law(paper="arXiv:1812.06162", derived=coefficients)
def optimum(
    batch=covariate("batch size", "", 8, 8192), *,
    A=prior(LogNormal(0.0, 0.4), "unit of the optimum", "optimum at batch0", relative=True),
    critical=prior(LogNormal(0.0, 1.5), "", "critical batch over batch0"),
    power=-1.0,
    batch0=reference("batch"),
):  # fmt: skip
    return A * jnp.exp(power * (jnp.log1p(critical * batch0 / batch) - jnp.log1p(critical)))
