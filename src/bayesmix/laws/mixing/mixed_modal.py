r"""Aghajanyan: the loss over modalities is the mean of their own laws, less a synergy, plus a competition.

$$L(w, N, D) = \frac12\sum_{j=1}^2 L_j - C + A_\times (N/N_0)^{-\alpha_\times} + B_\times (D/D_0)^{-\beta_\times},\quad
L_j = E_j + A_j (N/N_0)^{-\alpha_j} + B_j \left(\frac{w_j D}{D_0}\right)^{-\beta_j}$$

The domains are modalities, the response is the mean loss over those that a run is trained on, and
$C = s\,(E_1 + E_2)/2$ with $0 < s < 1$, so that no loss is negative. A weight of exactly 0 means that a modality is
not part of the run: a run of one modality has its $L_j$ alone. Without such runs the synergy cannot be told
from the floors, nor the competition from the modalities' own terms. The paper's constants are those of a pair; with
more than two modalities in a run, the mean over all of them and one interaction are this project's extension. Each
modality must be scaled in N and in D, alone and together. With no interaction it is the mean of Chinchillas.

Source: Aghajanyan et al. (2023), Scaling Laws for Generative Mixed-Modal Language Models. No constants are confirmed;
the number uses round ones: (1 + 2) / 2 + 0.5 4^-0.5 + (0.5 4^-0.5 + 0.5 12^-0.5) / 2 - 0.2 1.5 + 0.2 4^-0.5 +
0.2 16^-0.5, and 1 + 0.5 4^-0.5 + 0.5 16^-0.5 for a run of the first modality alone.

>>> pair = dict(synergy=0.2, A_pair=0.2, B_pair=0.2, alpha_pair=0.5, beta_pair=0.5, N0=1, D0=1)
>>> each = dict(E=[1, 2], A=[0.5, 0.5], B=[0.5, 0.5], alpha=[0.5, 0.5], beta=[0.5, 0.5])
>>> round(loss(w=[0.25, 0.75], N=4, D=16, **each, **pair), 6), loss(w=[1, 0], N=4, D=16, **each, **pair)
(1.797169, 1.375)
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal

from bayesmix.law import law, prior, reference


def coefficients(E, A, B, alpha, beta, synergy, A_pair, B_pair, alpha_pair, beta_pair, N0, D0):
    """Return the paper's largest synergy C, and its amplitudes for N in parameters and D in tokens."""
    return {
        "C": synergy * E.mean(axis=-1),
        "A_raw": A * N0**alpha,
        "B_raw": B * D0**beta,
        "A_pair_raw": A_pair * N0**alpha_pair,
        "B_pair_raw": B_pair * D0**beta_pair,
    }


@law(paper="arXiv:2301.03728", derived=coefficients)
def loss(
    w, N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss of a modality", dims=("domain",), relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss of a modality at N0", dims=("domain",), relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss of a modality with D0 tokens of its own",
            dims=("domain",), relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N of a modality", dims=("domain",)),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of a modality's own tokens", dims=("domain",)),
    synergy=prior(Beta(1, 9), "", "largest gain from training together, as a share of the mean floor"),
    A_pair=prior(LogNormal(-3.0, 1.0), "nats/token", "competition at N0 from finite N", relative=True),
    B_pair=prior(LogNormal(-3.0, 1.0), "nats/token", "competition at D0 from finite D", relative=True),
    alpha_pair=prior(LogNormal(-1.4, 0.6), "", "exponent of N of the competition"),
    beta_pair=prior(LogNormal(-1.4, 0.6), "", "exponent of D of the competition"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    there = w > 0
    tokens = D / D0 * jnp.where(there, w, 1.0)
    alone = E + A * (N / N0) ** -alpha + B * tokens**-beta
    together = A_pair * (N / N0) ** -alpha_pair + B_pair * (D / D0) ** -beta_pair - synergy * E
    several = there.sum() > 1
    return jnp.where(there, alone + jnp.where(several, together, 0.0), 0.0).sum() / there.sum()
