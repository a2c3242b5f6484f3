r"""DiLoCo: replicas that synchronise rarely raise the loss by a power of their number.

$$L(N, R) = L_0\,(N/N_0)^{-\alpha}\,R^{\beta}$$

for R replicas, each run with tokens in proportion to N (20 a parameter in the paper, for 35M to 10B parameters), so
that $\alpha$ is the exponent of both together. One replica leaves a power law in N without a floor. The paper also fits
forms with a floor, and finds that $(N/N_0)^{-\alpha + \beta R}$ with a floor predicts a held-out larger model best;
their constants are not published in the form used here. The best inner learning rate and batch size follow
`diloco_optimum`.

Source: Charles et al. (2025), Communication-Efficient Language Model Training Scales Reliably and Robustly: Scaling
Laws for DiLoCo ($\alpha$ with the other sign; M replicas). The number uses its constants and is self-computed.

>>> round(loss(N=1e9, replicas=8, L0=19.226, alpha=0.0985, beta=0.0116, N0=1), 6)
2.557789
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(L0, alpha, N0):
    """Return the paper's A, for N in parameters."""
    return {"A": L0 * N0**alpha}


@law(paper="arXiv:2503.09799", derived=coefficients)
def loss(
    N, replicas=covariate("replicas of the model that train apart", "", 1, 8), *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at N0 with one replica", relative=True),
    alpha=prior(LogNormal(-2.3, 0.5), "", "exponent of N and of D with it"),
    beta=prior(LogNormal(-4.4, 0.7), "", "exponent of replicas"),
    N0=reference("N"),
):  # fmt: skip
    return L0 * (N / N0) ** -alpha * replicas**beta
