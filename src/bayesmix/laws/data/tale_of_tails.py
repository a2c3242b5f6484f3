r"""Tale of tails: synthetic data that lack the rare cases add a second power law, tied to the first by Zipf's exponent.

$$y(T, k) = A\,(T/T_0)^{-c} + B\,(k/k_0)^{-c'},\quad c = \frac{z}{1 + z},\quad c' = z$$

T is the number of samples, k the rank beyond which they have no more cases; $z = \beta - 1$, with the Zipf exponent
$\beta > 1$ of the true data, so that $c = (\beta - 1)/\beta$ and $c' = \beta - 1$. That one z gives both exponents is
what the theory says and runs can refute; its amplitudes are of order one for single samples and ranks, hence priors of
a tenth for the thousands of them that are usual. For learners that memorise (Hutter's model), without floor. With
endless k it is alab_m2 in T with E = 0. Runs of one k cannot tell B from a floor.

Source: Dohmatob et al. (2024), A Tale of Tails: Model Collapse as a Change of Scaling Laws. The form is from memory,
not checked against the paper; the amplitudes are added to it. Number: self-computed, for beta = 2.

>>> round(error(samples=100, cutoff=100, A=1, B=1, z=1, samples0=1, cutoff0=1), 4)
0.11
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, B, z, samples0, cutoff0):
    """Return the amplitudes for single samples and ranks, the exponents of both and Zipf's."""
    c = z / (1 + z)
    return {"A_raw": A * samples0**c, "B_raw": B * cutoff0**z, "c": c, "zipf": 1 + z}


@law(paper="arXiv:2402.07043", derived=coefficients)
def error(
    samples=covariate("training samples", "samples", 1e2, 1e7),
    cutoff=covariate("rank of the rarest case that the data generator can make", "", 1e1, 1e5), *,
    A=prior(LogNormal(-2.3, 0.8), "", "error at samples0 from few samples"),
    B=prior(LogNormal(-2.3, 0.8), "", "error at cutoff0 from missing cases"),
    z=prior(LogNormal(-0.7, 0.5), "", "Zipf's exponent less 1: exponent of the cut-off"),
    samples0=reference("samples"), cutoff0=reference("cutoff"),
):  # fmt: skip
    return A * (samples / samples0) ** -(z / (1 + z)) + B * (cutoff / cutoff0) ** -z
