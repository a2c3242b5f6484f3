r"""Sloth: benchmarks are sigmoids of a common skill, which is linear in log parameters and log tokens.

$$\mathrm{Acc}_j = g_j + (1 - g_j)\,\sigma(\lambda_j \theta + b_j)$$
$$\theta = \alpha + n + r\,d + q\,n\,d,\quad n = \log(N/N_0),\quad d = \log(D/D_0),\quad \sum_j b_j = 0$$

with $\sigma$ the logistic function. The skill $\theta$ is counted in e-folds of parameters, which fixes its scale, and
the $b_j$ sum to zero, which fixes its origin: what the paper leaves to a choice of rotation and scale is no unknown
here. Sloth's families differ in $\alpha$, so pool it over a label column: a family whose $\alpha$ is larger by
$\log 2$ does as well as others of twice its parameters. This is the law of one skill; the paper has up to a few.
With $r = 1$ and $q = 0$ the skill is log C. Needs models near chance to know $g_j$, D that varies at given N to know
r, and several benchmarks to tell how good a family is from how easy a benchmark is.

Source: Maia Polo et al. (2024), Sloth: scaling laws for LLM skills to predict multi-benchmark performance across
families, with one skill. Number: self-computed with constants of no paper.

>>> c = dict(g=[0.25, 0], b=[0.5, -0.5], slope=[0.4, 0.8], alpha=0.3, r=0.9, q=0.02)
>>> accuracy(N=7e9, D=2e12, N0=1e9, D0=1e12, **c).round(5).tolist()
[0.88005, 0.86025]
"""

import jax.numpy as jnp
from jax.nn import sigmoid
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference


@law(paper="arXiv:2412.06540")
def accuracy(
    N, D, *,
    g=prior(Beta(2, 6), "", "accuracy of a model that knows nothing", dims=("target",)),
    b=prior(Normal(0, 1.5), "", "ease of a benchmark beside the others, in log odds", dims=("target",), zero_sum=True),
    slope=prior(LogNormal(-0.7, 0.7), "", "lambda: what a benchmark owes to the skill", dims=("target",)),
    alpha=prior(Normal(0, 2), "", "skill at N0 and D0; of each family, where it is pooled"),
    r=prior(LogNormal(-0.3, 0.6), "", "worth of an e-fold of tokens in e-folds of parameters"),
    q=prior(Normal(0, 0.1), "", "interaction of parameters and tokens"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    n, d = jnp.log(N / N0), jnp.log(D / D0)
    skill = alpha + n + r * d + q * n * d
    return g + (1 - g) * sigmoid(slope * skill + b)
