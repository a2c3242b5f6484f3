r"""Gadre: loss against compute and tokens per parameter, one exponent for both, for over-trained models.

$$L(C, M) = E + \left[a\,(M/M_0)^{\eta} + b\,(M/M_0)^{-\eta}\right](C/C_0)^{-\eta}$$

with $C = 6ND$ and $M = D/N$. It is Chinchilla with $\alpha = \beta = 2\eta$, $A = a\,6^{-\eta}$,
$B = b\,6^{-\eta}$. Runs of a single M cannot tell a from b. The paper's runs have 11M to 6.9B parameters and M of 5 to
640.

Source: Gadre et al. (2024), Language models scale reliably with over-training and on downstream tasks, eq. 4. The
number uses the constants of the authors' code for RedPajama.

>>> round(loss(C=6 * 1.4e9 * 640 * 1.4e9, M=640, E=1.8366, a=212.236, b=366.687, eta=0.1364, C0=1, M0=1), 3)
2.526
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(a, b, eta, C0, M0):
    """Return the amplitudes for C in FLOP and M in tokens per parameter, and Chinchilla's exponent."""
    return {
        "a_raw": a * (C0 / M0) ** eta,
        "b_raw": b * (C0 * M0) ** eta,
        "alpha": 2 * eta,
    }


@law(paper="arXiv:2403.08540", derived=coefficients)
def loss(
    C, M, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    a=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at C0, M0 from finite N", relative=True),
    b=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at C0, M0 from finite D", relative=True),
    eta=prior(LogNormal(-2.1, 0.6), "", "exponent of C"),
    C0=reference("C"), M0=reference("M"),
):  # fmt: skip
    m = (M / M0) ** eta
    return E + (a * m + b / m) * (C / C0) ** -eta
