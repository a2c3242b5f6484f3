r"""Frantar: of models with the same number of non-zero weights, the sparser are better.

$$L(N, D, S) = E + \left[a_S\,(1 - S)^{b_S} + c_S\right](N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}$$

N counts the weights that are not zero and S is the share that is. A dense model follows Chinchilla with
$A = a_S + c_S$; so does any one sparsity. $a_S$ and $c_S$ are told apart by models with S near 1; the paper's T5 on C4
and ViT on JFT have S of 0 to 0.875.

Source: Frantar et al. (2023), Scaling Laws for Sparsely-Connected Foundation Models ($\alpha = b_N$, $\beta = b_D$,
$E = c$; B is 1 where $D_0 = a_D$). The form is as a review quotes it; the constants are from memory, not checked
against the paper. The number uses those for T5 on C4 and is self-computed.

>>> c = dict(E=0.651, aS=16.8, bS=0.722, cS=45.0, B=1, alpha=0.245, beta=0.203, N0=1, D0=6.90e8)
>>> round(loss(N=1e8, D=1e10, sparsity=0.75, **c), 6)
1.793268
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(aS, cS, B, alpha, beta, N0, D0):
    """Return the paper's a_S and c_S for N in parameters, and its a_D in tokens."""
    return {"aS_raw": aS * N0**alpha, "cS_raw": cS * N0**alpha, "aD": D0 * B ** (1 / beta)}


@law(paper="arXiv:2309.08520", derived=coefficients)
def loss(
    N, D, sparsity=covariate("share of weights that are zero", "", 0.0, 0.98), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    aS=prior(LogNormal(-2.6, 0.8), "nats/token", "dense excess loss at N0 that sparsity removes", relative=True),
    bS=prior(LogNormal(-0.4, 0.5), "", "exponent of the share of weights that are not zero"),
    cS=prior(LogNormal(-2.0, 0.8), "nats/token", "excess loss at N0 that no sparsity removes", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    return E + (aS * (1 - sparsity) ** bS + cS) * (N / N0) ** -alpha + B * (D / D0) ** -beta
