r"""The best number of parameters, or of tokens, is a power of the training compute.

$$N^{*}(C) = A\,(C/C_0)^{a}$$

Every observation is the minimum of losses at one budget. Chinchilla implies it with $a = \beta/(\alpha + \beta)$, and
with 1 - a for tokens, $D^* = C/(6N^*)$. Two budgets identify it. Minima are read off curves with errors that
neighbouring budgets share: where the losses themselves are at hand, a law of them says more.

Source: the compute-optimal exponents of Kaplan et al. (2020) and Hoffmann et al. (2022), Approach 2; constants of
Porian et al. (2024), Resolving Discrepancies in Compute-Optimal Scaling of Language Models, from the authors'
repository, weighted fits on RefinedWeb. The number uses those with tuned hyperparameters (.1189265 and .496895) and is
self-computed.

>>> round(optimum(C=1e21, A=0.1189265, a=0.496895, C0=1) / 1e9, 3)
3.236
"""

from numpyro.distributions import Beta, LogNormal

from bayesmix.law import law, prior, reference


def coefficients(A, a, C0):
    """Return the amplitude for C in FLOP."""
    return {"A_raw": A * C0**-a}


@law(paper="arXiv:2406.19146", derived=coefficients)
def optimum(
    C, *,
    A=prior(LogNormal(0.0, 0.5), "parameters or tokens", "best number at C0", relative=True),
    a=prior(Beta(10, 10), "", "exponent of C"),
    C0=reference("C"),
):  # fmt: skip
    return A * (C / C0) ** a
