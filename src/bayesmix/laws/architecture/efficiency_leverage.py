r"""Efficiency leverage: how much compute a mixture of experts saves, by activation, granularity and compute.

$$\mathrm{EL}(C, A, G) = \mathrm{EL}_1\,(A + A_s)^{\,a + d \log_{10}(C/C_0) + b \log_2 G + c\,(\log_2 G)^2}$$

EL is the compute of a dense model of the same loss over that of the mixture, A the share of experts that is active
for a token and G how many times smaller an expert is than the dense layer. A dense model has leverage 1 by
definition, so $\mathrm{EL}_1$ = 1; free, it allows for leverage in other units. $-b/2c$ is the log2 of the best
granularity, which needs G on both sides of it; d needs decades of C, $A_s$ nearly dense and very sparse models. The
paper's, over 300, have up to 28B parameters in all and 1e22 FLOP. Its upper limit on activation is left out: the
published value, 5e16, is none.

Source: Tian et al. (2025), Towards Greater Leverage: Scaling Laws for Efficient Mixture-of-Experts Language Models
($\gamma$ and $\beta$ there are c and b). The bases of the logs are inferred: with 10 for C and 2 for G the published
constants give the paper's leverage of more than 7 at 3.1% activation, as below, and 1 for a dense model.

>>> c = dict(EL1=1, a=1.23, b=-0.117, c=0.0167, d=-0.0761, As=0.0163, C0=1)
>>> round(score(C=1e22, activation=0.031, granularity=12, **c), 3)
7.245
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(a, b, c, d, C0):
    """Return the paper's exponent a for C in FLOP, and the granularity at which leverage is largest."""
    return {"a_raw": a - d * jnp.log10(C0), "best_granularity": 2 ** (-b / (2 * c))}


@law(paper="arXiv:2507.17702", derived=coefficients)
def score(
    C,
    activation=covariate("share of experts that is active for a token; 1 is a dense model", "", 0.008, 1),
    granularity=covariate("size of the dense layer over that of an expert", "", 1, 16), *,
    EL1=prior(LogNormal(-0.5, 0.5), "times", "leverage of a dense model: 1 by definition", relative=True),
    a=prior(Normal(-0.2, 0.2), "", "exponent of activation at C0 and granularity 1"),
    b=prior(Normal(-0.1, 0.1), "", "change of the exponent with the log2 of granularity, at granularity 1"),
    c=prior(LogNormal(-4.1, 0.7), "", "curvature of the exponent over the log2 of granularity"),
    d=prior(Normal(-0.05, 0.05), "", "change of the exponent with every decade of compute"),
    As=prior(LogNormal(-4.1, 0.7), "", "activation that the sparsest model seems to have"),
    C0=reference("C"),
):  # fmt: skip
    fineness = jnp.log2(granularity)
    exponent = a + d * jnp.log10(C / C0) + b * fineness + c * fineness**2
    return EL1 * (activation + As) ** exponent
