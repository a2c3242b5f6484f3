r"""DeepSeek: the best learning rate, batch size, model size and number of tokens are power laws of compute.

$$y(C) = A\,(C/C_0)^{a}$$

y is any setting that was found best at its compute; each has an A and an a of its own. The paper counts $C = M D$ with
M the FLOP per token without embeddings, so that its laws for M and D multiply to C: $A_M A_D = 1$, $a_M + a_D = 1$. A
and a are known as well as compute varies by more than the optima scatter: take a decade or two. As only compute enters,
it holds along one path of model sizes and tokens and says nothing of runs off it.

Source: DeepSeek-AI (2024), DeepSeek LLM: Scaling Open-Source Language Models with Longtermism, with A anchored at C0.
The equations and constants are from a review and from memory, not checked against the paper. Number: self-computed with
the constants for the learning rate.

>>> round(optimum(C=1e20, A=0.3118, a=-0.1250, C0=1), 8)
0.000986
"""

from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(A, a, C0):
    """Return the amplitude for C in FLOP."""
    return {"A_raw": A * C0**-a}


@law(paper="arXiv:2401.02954", derived=coefficients)
def optimum(
    C, *,
    A=prior(LogNormal(0.0, 0.3), "unit of the optimum", "best setting at C0", relative=True),
    a=prior(Normal(0.0, 0.5), "", "exponent of C"),
    C0=reference("C"),
):  # fmt: skip
    return A * (C / C0) ** a
