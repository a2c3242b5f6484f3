r"""Dai and Zheng with one exponent of capacity for all domains, whose competition is then solved in closed form.

$$L_i(w, N, D) = E_i + c_i\,x_i^{-b}
+ A_i\left(\frac{D}{D_0}\,\frac{w_i+\epsilon_i}{w_{0i}+\epsilon_i}\right)^{-a_i}$$
$$x_i = K\,\frac{N}{N_0}\,\frac{[(w_i + \epsilon_i)\,c_i]^{1/(b+1)}}{\sum_j [(w_j + \epsilon_j)\,c_j]^{1/(b+1)}}$$

for the target i that is domain i of K, with capacity counted in equal shares of $N_0$. It is dai_capacity_noise with
equal $b_i$ and no least capacity. The paper's loss is infinite at a weight of 0. The offset $\epsilon_i$ is this
project's own: all data, of whatever domain, are worth $\epsilon_i$ times as much to domain i as its own. A target that
is no domain is taken for an equal mix of all. Smooth everywhere, unlike the law with a least capacity. Telling capacity
from noise needs mixtures crossed with N and D.

Source: Dai and Zheng (2026), Explaining Data Mixing Scaling Laws; a variant in the authors' repository that is there
in compiled form only. No constants are known; the number uses round ones. With b = 1 and $w_i c_i = (1, 4) / 8$, the
second domain gets twice the capacity of the first: 8/3 and 16/3 of 2 N/N0 = 8.

>>> c = dict(E=[1, 1], c=[1 / 6, 2], b=1, A=[0.5, 0.5], a=[0.5, 0.5], epsilon=[0, 0], N0=1, D0=1)
>>> loss(w=[0.75, 0.25], N=4, D=16, w0=[0.75, 0.25], own=[[1, 0], [0, 1]], **c).round(6).tolist()
[1.1875, 1.5]
"""

import jax
import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._capacity import composition


def coefficients(c, b, A, a, epsilon, N0, D0, w0):
    """Return the paper's c and A, for N in millions of parameters and D in billions of tokens."""
    share = N0 / len(w0) / 1e6
    return {"c_raw": c * share**b, "A_raw": A * (D0 / 1e9 * (w0 + epsilon)) ** a}


@law(paper="github.com/meiqwq/Explaining-Data-Mixing-Scaling-Laws", derived=coefficients)
def loss(
    w, N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", dims=("target",), relative=True),
    c=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss with an equal share of N0", dims=("domain",),
            relative=True),
    b=prior(LogNormal(-1.4, 0.6), "", "exponent of capacity"),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss from noise at D0 and the reference mixture",
            dims=("domain",), relative=True),
    a=prior(LogNormal(-1.4, 0.6), "", "exponent of the domain's tokens", dims=("domain",)),
    epsilon=prior(LogNormal(-3.0, 2.0), "", "worth of all data to a domain, over that of its own", dims=("domain",)),
    N0=reference("N"), D0=reference("D"), w0=reference("w"), own=reference("own"),
):  # fmt: skip
    x = len(w) * N / N0 * jax.nn.softmax(jnp.log((w + epsilon) * c) / (b + 1))
    tokens = D / D0 * (w + epsilon) / (w0 + epsilon)
    return E + composition(own) @ (c * x**-b + A * tokens**-a)
