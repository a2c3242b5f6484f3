r"""AutoScale: the loss is a floor and a power law in the tokens of every domain, each with a head start.

$$L(w, D) = E + A \sum_j s_j \left(\frac{w_j D/D_0 + n_j}{w_{0j} + n_j}\right)^{-g_j}$$

for each target, e.g. the mean loss, at fixed N. Domains act apart from each other; $n_j D_0$ tokens is what all other
data are worth to the part of the loss that domain j reduces, so that weights of 0 are harmless. In the form of the
paper as Olmix has it, $E + \sum_j (N_j + w_j D)^{-g_j}$, the amplitudes are 1 in nats and tokens, a tie that another
unit would break. Here the term of domain j has an amplitude of its own: A is the sum at D0 and the reference mixture
$w_0$, and $s_j$ the domain's part, s = softmax(h) with $\sum_j h_j = 0$. The paper fits three numbers to three runs a
domain, which leaves nothing to check them; amplitude, head start and exponent are told apart only if a domain's tokens
vary over more than a decade. The optimal mixture moves with D. For one domain without head start it is alab_m2 in D.

Source: Kang et al. (2024), AutoScale; as implemented in Olmix (Chen et al. 2026). No constants are confirmed; the
number uses round ones: 1 + (1 + 0.25 16)^-0.5 + (2 + 0.75 16)^-0.25, in which A = 1 + 2^-0.25 at w0 = 0.

>>> from math import log
>>> second = 2**-0.25
>>> c = dict(E=1, A=1 + second, h=[0, log(second)], n=[1, 2], g=[0.5, 0.25])
>>> round(loss(w=[0.25, 0.75], D=16, D0=1, w0=[0, 0], **c), 6)
1.964187
"""

import jax
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(n, D0):
    """Return the head starts in tokens."""
    return {"n_tokens": n * D0}


@law(paper="arXiv:2407.20177", derived=coefficients)
def loss(
    w, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at D0 and the reference mixture", relative=True),
    h=prior(Normal(0, 1), "", "log of a domain's part in A", dims=("domain",), zero_sum=True),
    n=prior(LogNormal(-3.0, 1.5), "", "head start of a domain, as a share of D0", dims=("domain",)),
    g=prior(LogNormal(-1.4, 0.6), "", "exponent of a domain's tokens", dims=("domain",)),
    D0=reference("D"), w0=reference("w"),
):  # fmt: skip
    return E + A * (jax.nn.softmax(h) @ ((w * D / D0 + n) / (w0 + n)) ** -g)
