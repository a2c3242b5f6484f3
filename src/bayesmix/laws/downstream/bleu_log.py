r"""Isik: a translation score is a power of the log of pre-training tokens.

$$f(D) = S \left(1 + \frac{g}{\beta} \log\frac{D}{D_0}\right)^\beta$$

which is the paper's $f = (\log(A D^\alpha))^\beta$ written by what the runs see: the score S at $D_0$ and its
elasticity there, $g = d \log f / d \log D$. D counts the tokens of pre-training, of models that are fine-tuned alike.
Over less than two decades of D only S and g can be known: $\beta = 1$ is a line in log D, a large $\beta$ a power of D.
Where the bracket is negative, $A D^\alpha < 1$, the score is 0. It holds where pre-training and task are aligned;
otherwise scores may fall again while the cross entropy, which is alab_m2 in D, still improves.

Source: Isik et al. (2024), Scaling Laws for Downstream Task Performance of Large Language Models; the form is from a
review and from memory, not checked against the paper, and no constants are confirmed. Number: self-computed with
constants of no paper.

>>> round(score(D=1e10, S=20, g=0.05, beta=0.5, D0=1e9), 4)
22.1834
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(S, g, beta, D0):
    """Return the coefficients of the paper, for D in tokens."""
    alpha = S ** (1 / beta) * g / beta
    return {"alpha": alpha, "log_A": S ** (1 / beta) - alpha * jnp.log(D0)}


@law(paper="arXiv:2402.04177", derived=coefficients)
def score(
    D, *,
    S=prior(LogNormal(0.0, 0.4), "points", "score at D0", relative=True),
    g=prior(LogNormal(-2.5, 0.8), "", "elasticity of the score at D0"),
    beta=prior(LogNormal(0.0, 0.5), "", "power of the log"),
    D0=reference("D"),
):  # fmt: skip
    # Below the threshold of the log the score is 0 but for rounding, so that its gradient is finite.
    return S * jnp.maximum(1 + g / beta * jnp.log(D / D0), 1e-6) ** beta
