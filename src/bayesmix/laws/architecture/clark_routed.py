r"""Clark: routing to E experts multiplies the parameters, up to a limit and the less the larger the model.

$$L(N, E) = L_0\,(N/N_0)^{-\alpha}\,\hat E^{-\beta + c \log_{10}(N/N_0)},\qquad
\frac{1}{\hat E} = \frac{1}{E - 1 + (1/E_s - 1/E_{max})^{-1}} + \frac{1}{E_{max}}$$

N is the parameters of the dense model that the experts are added to, for runs of one number of tokens: in the paper
130B, with N of 15M to 1.3B and E of 1 to 512. The effective number of experts $\hat E$ runs from $E_s$ at a single
expert to $E_{max}$. A single expert leaves a power law in N; with c = 0 the gain from routing is the same at every
size. c needs several E at several N, $E_s$ and $E_{max}$ need E near 1 and in the hundreds. There is no floor and no D:
it is no guide to much larger N.

Source: Clark et al. (2022), Unified Scaling Laws for Routed Language Models, with $\alpha = -a$, $\beta = -b$ and
$L_0 = 10^d$ where N0 = 1. The number uses the constants of the authors' code for S-BASE and is self-computed.

>>> c = dict(L0=10**1.104, alpha=0.082, beta=0.108, c=0.009, Es=1.847, Emax=314.478, N0=1)
>>> round(loss(N=1.3e9, experts=64, **c), 6)
2.049779
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(L0, alpha, beta, c, N0):
    """Return a, b and d of the paper, for N in parameters."""
    shift = jnp.log10(N0)
    return {"a": -alpha, "b": -beta - c * shift, "d": jnp.log10(L0) + alpha * shift}


def effective(experts, Es, Emax):
    """Return the number of experts that counts: `Es` for a single one, `Emax` for endlessly many."""
    return 1 / (1 / (experts - 1 + 1 / (1 / Es - 1 / Emax)) + 1 / Emax)


@law(paper="arXiv:2202.01169", derived=coefficients)
def loss(
    N, experts=covariate("experts to route to; 1 is a dense model", "", 1, 512), *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at N0 and one effective expert", relative=True),
    alpha=prior(LogNormal(-2.5, 0.5), "", "exponent of N at one effective expert"),
    beta=prior(LogNormal(-3.2, 0.7), "", "exponent of the effective experts at N0"),
    c=prior(Normal(0, 0.02), "", "what that exponent loses with every decade of N"),
    Es=prior(LogNormal(0.7, 0.5), "", "effective experts of a dense model"),
    Emax=prior(LogNormal(6.0, 0.7), "", "effective experts of endlessly many"),
    N0=reference("N"),
):  # fmt: skip
    size = jnp.log10(N / N0)
    return L0 * 10 ** (-alpha * size) * effective(experts, Es, Emax) ** (c * size - beta)
