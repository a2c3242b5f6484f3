r"""Vocabulary: what a model gains over a unigram model, against body, vocabulary parameters and tokens.

$$G(N, N_v, D) = E - A_1\,(N/N_0)^{-\alpha} - A_2\,(N_v/N_{v0})^{-\alpha_v} - B\,(D/D_0)^{-\alpha}$$

The response is $-L_u$: how many nats per token the loss is below that of a unigram model with the same vocabulary, so
that vocabularies can be compared. N counts no vocabulary parameters, $N_v$ is the size of the vocabulary times the
width. That N and D share an exponent is the paper's assumption. E enters $L_u$ with a minus and is no entropy. N and
$N_v$ go together through the width: widths and sizes of the vocabulary must vary separately. The paper's runs have N of
33M to 1.13B, vocabularies of 4,000 to 96,000 and up to 2.4e11 characters. At fixed $N_v$, -G is Chinchilla but for a
constant.

Source: Tao et al. (2024), Scaling Laws with Vocabulary. The number uses the constants of the authors' code, with N and
$N_v$ in millions and D in billions, and is self-computed. D there is not quite tokens: the code converts characters by
a polynomial in the logarithm of the vocabulary's size counted in thousands, which gives 2.9 times the tokens for a
vocabulary of 32,000. With true tokens the constants are wrong: fit them anew.

>>> c = dict(E=5.53278468, A1=1.83138516, A2=0.1958424, B=2.12411231, alpha=0.44660634, alpha_v=0.67073747)
>>> round(score(N=1e9, D=20e9, vocabulary_parameters=64e6, N0=1e6, D0=1e9, Nv0=1e6, **c), 4)
4.8797
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A1, A2, B, alpha, alpha_v, N0, Nv0, D0):
    """Return the amplitudes for N and N_v in parameters and D in tokens."""
    return {"A1_raw": A1 * N0**alpha, "A2_raw": A2 * Nv0**alpha_v, "B_raw": B * D0**alpha}


@law(paper="arXiv:2407.13623", derived=coefficients)
def score(
    N, D,
    vocabulary_parameters=covariate("size of the vocabulary times the width", "parameters", 1e6, 1e9), *,
    E=prior(LogNormal(0.3, 0.3), "nats/token", "gain without limits", relative=True),
    A1=prior(LogNormal(-1.6, 0.8), "nats/token", "gain lost at N0 to finite N", relative=True),
    A2=prior(LogNormal(-2.5, 1.0), "nats/token", "gain lost at Nv0 to finite N_v", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "gain lost at D0 to finite D", relative=True),
    alpha=prior(LogNormal(-0.8, 0.4), "", "exponent of N and D"),
    alpha_v=prior(LogNormal(-0.8, 0.4), "", "exponent of N_v"),
    N0=reference("N"), Nv0=reference("vocabulary_parameters"), D0=reference("D"),
):  # fmt: skip
    body = A1 * (N / N0) ** -alpha
    vocabulary = A2 * (vocabulary_parameters / Nv0) ** -alpha_v
    return E - body - vocabulary - B * (D / D0) ** -alpha
