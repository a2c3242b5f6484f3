r"""Kumar: training in few bits makes parameters fewer, and quantising afterwards hurts the more data were seen.

$$L = E + A\,(N_{eff}/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}
+ C\,(D/D_0)^{\gamma_D}(N/N_0)^{-\gamma_N} e^{-(P_{post} - P_{post,0})/g_{post}}$$
$$N_{eff} = N \prod_{x \in \{w, a, kv\}} \left(1 - e^{-P_x/g_x}\right)$$

$P_w$, $P_a$ and $P_{kv}$ are the bits of weights, activations and the key-value cache in training, $P_{post}$ the bits
that the weights are quantised to afterwards (those of training if they are not). With all of them many it is
Chinchilla. The three g need bits that vary apart: one precision for all shows their common effect only. Only runs of
fewer than about 6 bits afterwards know C, $\gamma_D$, $\gamma_N$ and $g_{post}$.

Source: Kumar et al. (2024), Scaling Laws for Precision, without the paper's further term for models that training in
few bits has made robust to quantisation. The form is from a review and from memory, not checked against the paper. The
number is self-computed, with the constants of Hoffmann et al. (2022) and made-up ones of precision.

>>> c = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28, N0=1, D0=1, C=0.01, gD=0.0, gN=0.0, gpost=1.0)
>>> bits = dict(weight_bits=4, activation_bits=8, cache_bits=16, deployed_bits=4, deployed_bits0=4)
>>> round(loss(N=70e9, D=1.4e12, gw=2.0, ga=2.0, gkv=1.0, **bits, **c), 4)
1.9514
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, B, C, alpha, beta, gD, gN, gpost, N0, D0, deployed_bits0):
    """Return the amplitudes for N in parameters, D in tokens and no bits at all."""
    return {
        "A_raw": A * N0**alpha,
        "B_raw": B * D0**beta,
        "C_raw": C * N0**gN * D0**-gD * jnp.exp(deployed_bits0 / gpost),
    }


def kept(bits, g):
    """Return the share of parameters that training in so many bits leaves in effect."""
    return -jnp.expm1(-bits / g)


@law(paper="arXiv:2411.04330", derived=coefficients)
def loss(
    N, D,
    weight_bits=covariate("bits of the weights in training", "bits", 3, 16),
    activation_bits=covariate("bits of the activations in training", "bits", 3, 16),
    cache_bits=covariate("bits of the key-value cache in training", "bits", 3, 16),
    deployed_bits=covariate("bits that the weights are quantised to after training", "bits", 3, 16), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N in full precision", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    C=prior(LogNormal(-4.5, 1.0), "nats/token", "excess loss at N0, D0 and deployed_bits0", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    gw=prior(LogNormal(0.7, 0.5), "bits", "bits of the weights that leave 1 - 1/e of the parameters in effect"),
    ga=prior(LogNormal(0.7, 0.5), "bits", "the same for the activations"),
    gkv=prior(LogNormal(0.3, 0.5), "bits", "the same for the key-value cache"),
    gD=prior(LogNormal(-0.9, 0.6), "", "exponent with which quantising hurts more as D grows"),
    gN=prior(LogNormal(-0.9, 0.6), "", "exponent with which quantising hurts less as N grows"),
    gpost=prior(LogNormal(0.0, 0.5), "bits", "bits that make quantising hurt e times less"),
    N0=reference("N"), D0=reference("D"), deployed_bits0=reference("deployed_bits"),
):  # fmt: skip
    effective = N * kept(weight_bits, gw) * kept(activation_bits, ga) * kept(cache_bits, gkv)
    quantised = C * (D / D0) ** gD * (N / N0) ** -gN * jnp.exp((deployed_bits0 - deployed_bits) / gpost)
    return E + A * (effective / N0) ** -alpha + B * (D / D0) ** -beta + quantised
