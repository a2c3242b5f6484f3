r"""Dai and Zheng at a fixed size: domains compete for the capacity of the model, and nothing else couples them.

$$L_i(w) = E_i + c_i\,x_i^{-b_i},\quad x = \operatorname{argmin}_x \sum_j w_j c_j x_j^{-b_j} \quad\text{with}\quad
\sum_j x_j = K,\; x_j \ge H$$

for the target i that is domain i of K, in runs of one N and one D. Capacity is counted in equal shares, so that
$c_i$ is the excess loss of a domain with one share; the scale of capacity and that of c could not be told apart. A
domain of weight 0 has exactly H, a constant, in the authors' code 0.3 of 200 for 17 domains. A target that is no domain
is taken for an equal mix of all, which the paper does not consider. The best training mixture for a mix of targets is
that mix itself, whatever the constants: to choose a mixture, take dai_capacity_noise, which this law is at fixed N and
D and without noise. Needs weights that vary widely; the floor is known by curvature only.

Source: Dai and Zheng (2026), Explaining Data Mixing Scaling Laws, eq. 1. No constants are confirmed; the number uses
round ones. With $b_i = 1$ and $w_i c_i = (1, 4) / 8$, the second domain gets twice the capacity of the first.

>>> loss(w=[0.75, 0.25], E=[1, 1], c=[1 / 6, 2], b=[1, 1], H=0.1, own=[[1, 0], [0, 1]]).round(6).tolist()
[1.25, 2.5]
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._capacity import capacities, composition


@law(paper="github.com/meiqwq/Explaining-Data-Mixing-Scaling-Laws")
def loss(
    w, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss at this size", dims=("target",), relative=True),
    c=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss with an equal share of the capacity", dims=("domain",),
            relative=True),
    b=prior(LogNormal(-1.4, 0.6), "", "exponent of capacity", dims=("domain",)),
    H=0.0255,
    own=reference("own"),
):  # fmt: skip
    x = capacities(w * b * c, b, len(w), H)
    return E + composition(own) @ (c * x**-b)
