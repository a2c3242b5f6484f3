r"""Dai and Zheng with one exponent a domain: its noise falls in its tokens as its loss does in capacity.

$$L_i(w, N, D) = E_i + c_i\,x_i^{-b_i}
+ A_i\left(\frac{D}{D_0}\,\frac{w_i+\epsilon_i}{w_{0i}+\epsilon_i}\right)^{-b_i}$$
$$x = \operatorname{argmin}_x \sum_j w_j c_j x_j^{-b_j} \quad\text{with}\quad
\sum_j x_j = K\,\frac{N}{N_0} + (K - 1) H,\; x_j \ge H$$

It is dai_capacity_noise with $a_i = b_i$, which saves a quantity a domain where N and D vary too little to tell the two
apart: see there for the rest, and for what is this project's own.

Source: Dai and Zheng (2026), Explaining Data Mixing Scaling Laws; a variant ("law 3") in the authors' repository that
is there in compiled form only. No constants are known; the number uses round ones for one domain, where it is
Chinchilla with equal exponents: 1 + 0.5 4^-0.5 + 0.5 16^-0.5.

>>> rest = dict(H=0.1, epsilon=[0], N0=1, D0=1, w0=[1], own=[[1]])
>>> loss(w=[1], N=4, D=16, E=[1], c=[0.5], A=[0.5], b=[0.5], **rest).round(6).tolist()
[1.375]
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._capacity import composition, portions
from bayesmix.laws.mixing.dai_capacity_noise import coefficients as untied


def coefficients(c, b, A, H, epsilon, N0, D0, w0):
    """Return the paper's c, A and H, for N in millions of parameters and D in billions of tokens."""
    return untied(c, b, A, b, H, epsilon, N0, D0, w0)


@law(paper="github.com/meiqwq/Explaining-Data-Mixing-Scaling-Laws", derived=coefficients)
def loss(
    w, N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", dims=("target",), relative=True),
    c=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss with an equal share of N0", dims=("domain",),
            relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss from noise at D0 and the reference mixture",
            dims=("domain",), relative=True),
    b=prior(LogNormal(-1.4, 0.6), "", "exponent of capacity and of the domain's tokens", dims=("domain",)),
    H=prior(LogNormal(-2.3, 1.0), "", "least capacity of a domain, in equal shares of N0"),
    epsilon=prior(LogNormal(-3.0, 2.0), "", "worth of all data to a domain, over that of its own", dims=("domain",)),
    N0=reference("N"), D0=reference("D"), w0=reference("w"), own=reference("own"),
):  # fmt: skip
    x = portions(w, c, b, N / N0, H)
    tokens = D / D0 * (w + epsilon) / (w0 + epsilon)
    return E + composition(own) @ (c * x**-b + A * tokens**-b)
