r"""Encoder and decoder: the excess loss of translation is a product of powers of their sizes.

$$L(N_e, N_d) = E + A\,(N_e/N_{e0})^{-p_e}\,(N_d/N_{d0})^{-p_d}$$

For much data, and one test set: every test set is a target with quantities of its own. Models scaled along one line
show $p_e + p_d$ only; E is known by curvature. At fixed decoder it is alab_m2 in the encoder. The product means that a
large encoder makes up for any decoder, which the sum of Chinchilla does not allow.

Source: Ghorbani et al. (2021), Scaling Laws for Neural Machine Translation. The equation is from memory, not checked
against the paper, and without its constants. Number: self-computed, with round constants.

>>> c = dict(E=1.5, A=0.8, pe=0.2, pd=0.3, Ne0=1e8, Nd0=1e8)
>>> round(loss(encoder_parameters=4e8, decoder_parameters=2e8, **c), 4)
1.9925
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, pe, pd, Ne0, Nd0):
    """Return the amplitude for sizes in parameters."""
    return {"A_raw": A * Ne0**pe * Nd0**pd}


@law(paper="arXiv:2109.07740", derived=coefficients)
def loss(
    encoder_parameters=covariate("parameters of the encoder", "parameters", 1e7, 1e10),
    decoder_parameters=covariate("parameters of the decoder", "parameters", 1e7, 1e10), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at Ne0, Nd0", relative=True),
    pe=prior(LogNormal(-1.6, 0.6), "", "exponent of the encoder"),
    pd=prior(LogNormal(-1.6, 0.6), "", "exponent of the decoder"),
    Ne0=reference("encoder_parameters"), Nd0=reference("decoder_parameters"),
):  # fmt: skip
    return E + A * (encoder_parameters / Ne0) ** -pe * (decoder_parameters / Nd0) ** -pd
