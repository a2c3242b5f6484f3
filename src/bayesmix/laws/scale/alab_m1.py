r"""A power law without a floor in one covariate x: tokens, parameters, compute, or any positive column.

$$L(x) = A\,(x/x_0)^{-c}$$

The covariate is named by the model, e.g. ``covariates = {x = "N"}``. It holds far above the floor, if there is one;
data that have a floor bias c down, the more so the larger x is. Two values of x identify it.

The same law by other names: L(N), L(D) and $L(C_{min})$ of Kaplan et al. (2020), $(N_c/N)^{\alpha_N}$ and so on, where
A = 1 at $x_0 = N_c$, with exponents of .076, .095 and .050 (the models kaplan_univariate and alab_m1); Hestness et al.
(2017) without their floor; Tay et al. (2022), Scaling Laws vs Model Architectures, a line of log loss against log
compute for every architecture (the model tay_arch_loglog); Frey et al. (2023) for models of chemistry; and laws of
time-series foundation models. The last three are from memory, not checked against the papers.

Source: Alabdulmohsin, Neyshabur and Zhai (2022), Revisiting Neural Scaling Laws in Language and Vision, M1 (there with
c negated). The number uses L(N) of Kaplan et al. (2020), as a review quotes it, and is self-computed.

>>> round(loss(x=1.5e9, A=1, c=0.076, x0=8.8e13), 5)
2.30355
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, c, x0):
    """Return the amplitude for x in its own unit, and the x at which the loss would be 1."""
    return {"A_raw": A * x0**c, "xc": x0 * A ** (1 / c)}


@law(paper="arXiv:2209.06640", derived=coefficients)
def loss(
    x=covariate("whatever the loss falls with: tokens, parameters, compute", "", 1e7, 1e11), *,
    A=prior(LogNormal(0.0, 0.3), "nats/token", "loss at x0", relative=True),
    c=prior(LogNormal(-1.6, 0.7), "", "exponent of x"),
    x0=reference("x"),
):  # fmt: skip
    return A * (x / x0) ** -c
