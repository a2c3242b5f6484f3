r"""Ladder: accuracy on a task is a sigmoid of the loss on it, the second step of a forecast in two.

$$\mathrm{Acc}(L) = b + \frac{a}{1 + \exp(k\,(L/L_0 - m))},\quad a = (1 - b)\,r$$

The first step, the loss on the task's right answers against N and D, is chinchilla. Its covariate is that loss, in bits
per byte in the paper, where the sigmoid reads $a / (1 + e^{-k (L - L_0)}) + b$ with $a < 0$ or $k < 0$: the two are
one function, and the signs are fixed here. The slope is k in units of the reference loss, the middle m a multiple of
it. Runs on one side of the middle leave k, and the far one of b and r, to their priors; far above the middle it is
gadre_error with $\gamma = k / L_0$. The paper forecasts models of 7B and 13B parameters, of 4T and 5T tokens, from
ones of 190M to 1.3B and 1 to 10 times Chinchilla's tokens.

Source: Bhagia et al. (2024), Establishing Task Scaling Laws via Compute-Efficient Model Ladders, step 2, as the
authors' code has it; the paper's constants differ by task. Number: self-computed with constants of no paper.

>>> round(accuracy(L=0.8, b=0.25, r=0.9, k=8, m=0.9, L0=1), 5)
0.71573
"""

from jax.nn import sigmoid
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(b, r, k, m, L0):
    """Return the height of the sigmoid, and the slope and the middle of the paper."""
    return {"a": (1 - b) * r, "k_raw": -k / L0, "middle": m * L0}


@law(paper="arXiv:2412.04403", derived=coefficients)
def accuracy(
    L=covariate("loss on the task", "nats/token", 0.5, 4.0), *,
    b=prior(Beta(2, 6), "", "accuracy of a model that knows nothing"),
    r=prior(Beta(6, 2), "", "share of the way from b to 1 that a loss of 0 would reach"),
    k=prior(LogNormal(1.6, 0.8), "", "slope of the sigmoid over L / L0"),
    m=prior(LogNormal(0.0, 0.3), "", "middle of the sigmoid, as a multiple of L0"),
    L0=reference("L"),
):  # fmt: skip
    return b + (1 - b) * r * sigmoid(-k * (L / L0 - m))
