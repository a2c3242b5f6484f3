r"""Gemstones: loss is a floor and a sum of power laws in width, depth and tokens.

$$L(w, l, D) = E + A\,(w/w_0)^{-\alpha} + B\,(l/l_0)^{-\beta} + C\,(D/D_0)^{-\gamma}$$

For Transformers of different shapes: widths must vary at fixed depth and the reverse, which a family of models that
grow along one line does not offer. The floor is known by curvature only, and small exponents of width and depth can
take its place: in the authors' own fit nothing is left of it. Their models have 50M to 2B parameters and up to 350B
tokens. For models of one shape it is alab_m2 in D.

Source: McLeish et al. (2025), Gemstones: A Model Suite for Multi-Faceted Scaling Laws. The number uses the constants
of the authors' repository for hot checkpoints, those beyond 100 billion tokens included, with Huber losses of delta
1e-4, and is self-computed.

>>> from math import exp
>>> c = dict(E=exp(-155.5415), A=exp(2.1161207), alpha=0.2607744, B=exp(0.7321113), beta=0.1418011)
>>> round(loss(D=1e11, width=1024, depth=28, C=exp(11.5418232), gamma=0.542059, width0=1, depth0=1, D0=1, **c), 4)
2.7701
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, alpha, B, beta, C, gamma, width0, depth0, D0):
    """Return the amplitudes for width in units, depth in layers and D in tokens."""
    return {"A_raw": A * width0**alpha, "B_raw": B * depth0**beta, "C_raw": C * D0**gamma}


@law(paper="arXiv:2502.06857", derived=coefficients)
def loss(
    D,
    width=covariate("width of the residual stream", "units", 128, 16384),
    depth=covariate("number of layers", "layers", 3, 128), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at width0 from finite width", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of the width"),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at depth0 from finite depth", relative=True),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of the depth"),
    C=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    gamma=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    width0=reference("width"), depth0=reference("depth"), D0=reference("D"),
):  # fmt: skip
    shape = A * (width / width0) ** -alpha + B * (depth / depth0) ** -beta
    return E + shape + C * (D / D0) ** -gamma
