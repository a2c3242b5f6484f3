r"""Horizon: the best learning rate falls with parameters and with tokens.

$$\eta(N, D) = A\,(N/N_0)^{-\alpha}\,(D/D_0)^{-\beta}$$

The form of step_law with the sign of the exponent of D reversed: here longer training wants a smaller learning rate.
Compare the two on the same runs. Runs of one D/N cannot tell $\alpha$ from $\beta$. The rate grows without limit as D
shrinks: it does not hold for very short runs.

Source: Bjorck et al. (2024), Scaling Optimal LR Across Token Horizons, with A anchored at N0 and D0. The form and the
exponents 0.23 and 0.32 are from the abstract and from memory, not checked against the paper, the first exponent the
less certain. Number: self-computed with them and A = 1.

>>> round(optimum(N=1e9, D=4e11, A=1, alpha=0.23, beta=0.32, N0=1e9, D0=1e11), 4)
0.6417
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(A, alpha, beta, N0, D0):
    """Return the amplitude for N in parameters and D in tokens."""
    return {"A_raw": A * N0**alpha * D0**beta}


@law(paper="arXiv:2409.19913", derived=coefficients)
def optimum(
    N, D, *,
    A=prior(LogNormal(0.0, 0.3), "unit of the optimum", "best learning rate at N0 and D0", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.1, 0.6), "", "exponent of D"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    return A * (N / N0) ** -alpha * (D / D0) ** -beta
