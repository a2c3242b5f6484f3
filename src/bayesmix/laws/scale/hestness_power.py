r"""Hestness: the error of the best model for a training set is a power law of its size, with a floor.

$$\mathrm{Err}(m) = E + A\,(m/m_0)^{-b}$$

The middle of three regions: very small sets leave the error at that of a guess, very large ones at the floor. Every run
is the best model of its set, so that the number of parameters does not appear. Over less than 1.5 decades of m, E and b
trade off against each other. For losses it is alab_m2, and alab_m1 with E = 0, where the paper's word language model
is.

Source: Hestness et al. (2017), Deep Learning Scaling is Predictable, Empirically, with the amplitude anchored at m0.
Exponents there, as a review quotes them: ImageNet top-1 .309 and top-5 .488, speech .299. The three regions are from
memory, not checked against the paper. The number is what twice the images leave of the top-1 error, self-computed.

>>> round(error(samples=2, E=0, A=1, b=0.309, m0=1), 4)
0.8072
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, b, m0):
    """Return the amplitude for m in samples."""
    return {"A_raw": A * m0**b}


@law(paper="arXiv:1712.00409", derived=coefficients)
def error(
    samples=covariate("samples in the training set", "samples", 1e4, 1e8), *,
    E=prior(LogNormal(-0.5, 0.5), "fraction", "irreducible error", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "fraction", "excess error at m0", relative=True),
    b=prior(LogNormal(-1.6, 0.7), "", "exponent of m"),
    m0=reference("samples"),
):  # fmt: skip
    return E + A * (samples / m0) ** -b
