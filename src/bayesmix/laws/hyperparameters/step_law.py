r"""Step law: the best learning rate and batch size are power laws of parameters and tokens.

$$y(N, D) = A\,(N/N_0)^{a}\,(D/D_0)^{b},\quad b > 0$$

y is the peak learning rate, or the batch size in tokens, that gave the lowest loss; each has an A, a and b of its own.
The paper has $a = -0.713$ for the learning rate, $a = 0$ for the batch, and both growing with D: the sign of b is what
lr_horizon contradicts. N counts no embeddings. Runs of one D/N cannot tell a from b.

Source: Li et al. (2025), Predictable Scale: Part I, Step Law, with A anchored at N0 and D0; about 3,700 models, dense
and mixtures of experts, of 60M to 1B parameters and 2B to 100B tokens. Number: self-computed with its
constants.

>>> round(optimum(N=1e9, D=1e11, A=1.79, a=-0.713, b=0.307, N0=1, D0=1), 9)
0.001632499
"""

from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(A, a, b, N0, D0):
    """Return the amplitude for N in parameters and D in tokens."""
    return {"A_raw": A * N0**-a * D0**-b}


@law(paper="arXiv:2503.04715", derived=coefficients)
def optimum(
    N, D, *,
    A=prior(LogNormal(0.0, 0.3), "unit of the optimum", "best setting at N0 and D0", relative=True),
    a=prior(Normal(0.0, 0.5), "", "exponent of N"),
    b=prior(LogNormal(-0.9, 0.6), "", "exponent of D"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    return A * (N / N0) ** a * (D / D0) ** b
