r"""Ruan: accuracy on a task is a sigmoid of a model's principal capability, whatever family it is of.

$$\mathrm{Acc}(S) = c + (1 - c)\,h\,\sigma(\beta S + \alpha)$$

with $\sigma$ the logistic function. S is the first principal component of the scores on other benchmarks, its sign such
that more is better, and standardised over the runs, for which the priors are. Computing S, and filling in benchmarks
that were not run, comes before; so does its forecast, which in the paper is linear in log C with a slope and an
intercept for each family. The paper also uses three components; this is the law of one. Models near chance are
needed to know c, models near the ceiling to know h.

Source: Ruan, Maddison and Hashimoto (2024), Observational Scaling Laws and the Predictability of Language Model
Performance; constants differ by task. Number: self-computed with constants of no paper.

>>> round(accuracy(capability=0.5, c=0.25, h=0.9, beta=1.2, alpha=-0.4), 5)
0.62114
"""

from jax.nn import sigmoid
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import covariate, law, prior


def coefficients(c, h):
    """Return the height of the sigmoid."""
    return {"h_raw": (1 - c) * h}


@law(paper="arXiv:2405.10938", derived=coefficients)
def accuracy(
    capability=covariate("first principal component of other benchmarks' scores, standardised", "", -2.0, 2.0), *,
    c=prior(Beta(2, 6), "", "accuracy of a model that knows nothing"),
    h=prior(Beta(6, 2), "", "share of the way from c to 1 that the most capable model would reach"),
    beta=prior(LogNormal(0.0, 0.7), "", "slope over the capability"),
    alpha=prior(Normal(0, 1.5), "", "log odds, between c and the ceiling, at capability 0"),
):  # fmt: skip
    return c + (1 - c) * h * sigmoid(beta * capability + alpha)
