r"""PassUntil: the log of a pass rate is a power law in one covariate x: parameters, compute, or samples drawn.

$$\mathrm{PU}(x) = \exp(-c\,(x/x_0)^{-\alpha})$$

The covariate is named by the model, e.g. ``covariates = {x = "N"}``. It is the law of a task passed when a cross
entropy that is a power law is overcome: $\log(-\log \mathrm{PU})$ is linear in $\log x$, and tasks that bend from the
line are those said to emerge. Rates far below 1 % need many samples a task, and are best counted: noise ``binomial``.
For x the number of samples k, and the rate that of tasks solved at least once, it is the coverage
$\exp(a k^b)$ of repeated sampling, with $a = -c\,x_0^{\alpha}$ and $b = -\alpha$. It tends to 1: tasks that no x
solves bias $\alpha$ down. Needs a decade of x or more.

Source: Hu et al. (2023), Predicting Emergent Abilities with Infinite Resolution Evaluation, in N; Brown et al. (2024),
Large Language Monkeys: Scaling Inference Compute with Repeated Sampling, in k. That log(-log PU) is linear in log N is
the first paper's; both formulas are from memory, not checked against the papers, and no constants are confirmed.
Number: self-computed with constants of no paper.

>>> round(accuracy(x=2.4e9, c=3.0, alpha=0.2, x0=3e8), 5)
0.13817
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(c, alpha, x0):
    """Return the amplitude for x in its own unit."""
    return {"c_raw": c * x0**alpha}


@law(paper="arXiv:2310.03262", derived=coefficients)
def accuracy(
    x=covariate("whatever the pass rate rises with: parameters, compute, samples", "", 1e7, 1e11), *,
    c=prior(LogNormal(0.3, 0.8), "", "minus the log pass rate at x0"),
    alpha=prior(LogNormal(-1.9, 0.8), "", "exponent of x"),
    x0=reference("x"),
):  # fmt: skip
    return jnp.exp(-c * (x / x0) ** -alpha)
