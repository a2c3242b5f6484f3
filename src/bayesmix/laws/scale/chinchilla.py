r"""Chinchilla: loss is a floor and a sum of power laws in parameters and in tokens.

$$L(N, D) = E + A\,(N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}$$

Valid for models trained for less than one epoch, each to the end of its learning-rate schedule; the paper's have 44M to
16B parameters and up to about 500B tokens. If all runs have the same D/N, or the same N, or the same D, the two power
laws cannot be told apart; E is known by curvature only.

Refits of it to other runs, and to these, are in the model file: Besiroglu et al. (2024), who replicated the paper's;
Sardana et al. (2023), whose E falls from 1.45 to .17 as runs of many tokens per parameter are left out; Krajewski et
al. (2024), dense models; McLeish et al. (2025), Gemstones. Hu et al. (2024), MiniCPM, have the same form with alpha .29
and beta .23, quoted without amplitudes.

Its priors are what eight studies showed of it once their large runs were measured: see `bayesmix.population`.

Source: Hoffmann et al. (2022), Training Compute-Optimal Large Language Models, eq. 10, with the amplitudes
anchored at N0 and D0. The number below uses the rounded constants of the paper, which give .016 more than those of
its TeX source.

>>> round(loss(N=70e9, D=1.4e12, E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28, N0=1, D0=1), 4)
1.9366
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(A, B, alpha, beta, N0, D0):
    """Return the amplitudes for N in parameters and D in tokens, and the exponent of N in its optimum over compute."""
    return {"A_raw": A * N0**alpha, "B_raw": B * D0**beta, "a": beta / (alpha + beta)}


@law(paper="arXiv:2203.15556", derived=coefficients)
def loss(
    N, D, *,
    E=prior(LogNormal(-0.58, 0.31), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.61, 0.58), "nats/token", "excess loss at N0 from finite N", relative=True),
    B=prior(LogNormal(-1.81, 0.52), "nats/token", "excess loss at D0 from finite D", relative=True),
    alpha=prior(LogNormal(-1.10, 0.52), "", "exponent of N"),
    beta=prior(LogNormal(-0.81, 0.57), "", "exponent of D"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    return E + A * (N / N0) ** -alpha + B * (D / D0) ** -beta
