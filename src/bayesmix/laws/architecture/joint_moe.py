r"""Joint mixture-of-experts law: Chinchilla whose amplitudes and exponents depend on the number of experts.

$$L(N, D, E) = E_\infty + A\,\hat E^{\delta}\,(N/N_0)^{-\alpha - \alpha' \ln \hat E}
+ B\,\hat E^{\omega}\,(D/D_0)^{-\beta - \beta' \ln \hat E}$$
$$\frac{1}{\hat E} = \frac{1}{E - 1 + (1/E_s - 1/E_{max})^{-1}} + \frac{1}{E_{max}}$$

N is the parameters that are active for a token. The effective number of experts $\hat E$ runs from $E_s$ at a single
expert, a dense model, to $E_{max}$. At any one number of experts it is Chinchilla exactly. The interactions $\alpha'$
and $\beta'$ (`dalpha`, `dbeta`), $E_s$ and $E_{max}$ are known weakly, and only from runs that cross experts with N
and with D. The paper's runs have up to 2.7B active and 5B total parameters and 1 to 32 experts.

Source: Ludziejewski et al. (2025), Joint MoE Scaling Laws: Mixture of Experts Can Be Memory Efficient; the exponents
and interactions of N and D have the other sign there, and $E_\infty$ is c. The number uses the published constants
and is self-computed.

>>> c = dict(E=1.3637, A=35.91, B=35.98, alpha=0.1889, beta=0.1775, delta=-0.2285, omega=0.5529, dalpha=-0.0098)
>>> round(loss(N=1e9, D=2e10, experts=32, dbeta=0.0259, Es=2.0732, Emax=290.4521, N0=1, D0=1, **c), 6)
2.454561
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, B, alpha, beta, delta, omega, dalpha, dbeta, N0, D0):
    """Return the amplitudes for N in parameters and D in tokens, and the exponents of the effective experts there."""
    return {
        "a": A * N0**alpha,
        "b": B * D0**beta,
        "delta_raw": delta + dalpha * jnp.log(N0),
        "omega_raw": omega + dbeta * jnp.log(D0),
    }


def effective(experts, Es, Emax):
    """Return the number of experts that counts: `Es` for a single one, `Emax` for endlessly many."""
    return 1 / (1 / (experts - 1 + 1 / (1 / Es - 1 / Emax)) + 1 / Emax)


@law(paper="arXiv:2502.05172", derived=coefficients)
def loss(
    N, D, experts=covariate("experts to route to; 1 is a dense model", "", 1, 64), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss from finite N at N0, one effective expert", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss from finite D at D0, one effective expert", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N at one effective expert"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D at one effective expert"),
    delta=prior(Normal(0, 0.2), "", "exponent of the effective experts in the excess from N, at N0"),
    omega=prior(Normal(0, 0.2), "", "exponent of the effective experts in the excess from D, at D0"),
    dalpha=prior(Normal(0, 0.03), "", "change of the exponent of N with the log of the effective experts"),
    dbeta=prior(Normal(0, 0.03), "", "change of the exponent of D with the log of the effective experts"),
    Es=prior(LogNormal(0.7, 0.5), "", "effective experts of a dense model"),
    Emax=prior(LogNormal(6.0, 0.7), "", "effective experts of endlessly many"),
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    spread = jnp.log(effective(experts, Es, Emax))
    from_parameters = A * jnp.exp(delta * spread) * (N / N0) ** -(alpha + dalpha * spread)
    from_tokens = B * jnp.exp(omega * spread) * (D / D0) ** -(beta + dbeta * spread)
    return E + from_parameters + from_tokens
