r"""DiLoCo's best settings: learning rate and batch size follow powers of model size and of replicas.

$$x^*(N, R) = x_0\,(N/N_0)^{a}\,R^{b}$$

for R replicas that synchronise rarely, each run with tokens in proportion to N. The best inner learning rate falls
with N, the best global batch grows; both grow with the replicas. Grids of settings that are coarser than their change
over the runs say little about a and b.

Source: Charles et al. (2025), Communication-Efficient Language Model Training Scales Reliably and Robustly: Scaling
Laws for DiLoCo (M replicas). The number uses its constants for the inner learning rate and is self-computed.

>>> round(optimum(N=1e9, replicas=4, x0=22256, a=-0.8827, b=0.2929, N0=1), 9)
0.000379744
"""

from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(x0, a, N0):
    """Return the paper's A, for N in parameters."""
    return {"A": x0 * N0**-a}


@law(paper="arXiv:2503.09799", derived=coefficients)
def optimum(
    N, replicas=covariate("replicas of the model that train apart", "", 1, 8), *,
    x0=prior(LogNormal(-0.3, 0.5), "setting", "best setting at N0 with one replica", relative=True),
    a=prior(Normal(0, 0.5), "", "exponent of N"),
    b=prior(LogNormal(-1.2, 0.5), "", "exponent of replicas"),
    N0=reference("N"),
):  # fmt: skip
    return x0 * (N / N0) ** a * replicas**b
