r"""A power law of the error in compute with a floor, and a shift that levels it off where compute is small.

$$\mathrm{Err}(C) = E + A \left[\frac{C/C_0 + b}{1 + b}\right]^{-\alpha}$$

A is the excess error at C0 and b the shift over C0: in the paper's form $A_c\,(C + B_c)^{-\alpha} + E$, $B_c =
b\,C_0$. With b = 0 it is alab_m2 for errors, with E = 0 as well a plain power law. The shift needs runs of less
compute than it, the floor runs whose error bends towards it: with neither tail b, E and $\alpha$ trade off. The
authors fit it to zero-shot errors of CLIP models.

Source: Nezhurina et al. (2025), scaling laws for robust comparison of open vision-language models, from the authors'
code; also Anagnostidis et al., Navigating Scaling Laws. Number: self-computed, with round constants.

>>> round(error(C=1e20, E=0.2, A=0.3, alpha=0.25, b=0.5, C0=1e18), 4)
0.3049
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference


def coefficients(A, alpha, b, C0):
    """Return amplitude and shift of the paper, for C in FLOP."""
    return {"A_raw": A * ((1 + b) * C0) ** alpha, "B_raw": b * C0}


@law(paper="Nezhurina et al. (2025)", derived=coefficients)
def error(
    C, *,
    E=prior(LogNormal(-0.5, 0.5), "fraction", "irreducible error", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "fraction", "excess error at C0", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of C"),
    b=prior(LogNormal(-2.3, 1.5), "", "shift over C0"),
    C0=reference("C"),
):  # fmt: skip
    return E + A * ((C / C0 + b) / (1 + b)) ** -alpha
