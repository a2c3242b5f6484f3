r"""BiMix: a power law in the target's own weight times a power law with a floor in training length.

$$L_i(w, D) = \left(\frac{w_i + \epsilon_i}{w_{0i} + \epsilon_i}\right)^{-\alpha_i}
\left[E_i + B_i\,(D/D_0)^{-\beta_i}\right]$$

The paper counts steps of one batch size, to which tokens are proportional, and has $A_i\,w_i^{-\alpha_i}$, infinite
at a weight of 0. The offset $\epsilon_i$, below which weights no longer matter, is this project's own: without it, it
is the paper's law. Scaling A up and the bracket down changes nothing, so anchoring at the reference mixture $w_0$ has
removed A. Other domains' weights do nothing, and a target that is no domain has the bracket alone. Needs weights that
vary for each target, down to small ones for the offset, and runs of several lengths. At a fixed mixture it is alab_m2.

Source: Ge et al. (2024), BiMix: Bivariate Data Mixing Law for Language Model Pretraining. No constants are confirmed;
the number uses round ones: 2 (0.25 / 0.5)^-0.1 (1 + 0.5 4^-0.5), and 1.25 for a target that is no domain.

>>> c = dict(E=[2, 1], B=[1, 0.5], alpha=[0.1, 0.1], beta=[0.5, 0.5], epsilon=[0, 0], D0=1, w0=[0.5, 0.5])
>>> loss(w=[0.25, 0.75], D=4, own=[[1, 0], [0, 0]], **c).round(6).tolist()
[2.679434, 1.25]
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._own import own_weight


def coefficients(E, B, alpha, beta, epsilon, D0, w0, own):
    """Return the paper's B and C for A = 1 and D in tokens."""
    amplitude = (own_weight(own, w0) + epsilon) ** alpha
    return {"B_raw": amplitude * B * D0**beta, "C_raw": amplitude * E}


@law(paper="arXiv:2405.14908", derived=coefficients)
def loss(
    w, D, *,
    E=prior(LogNormal(-0.3, 0.4), "nats/token", "loss at the reference mixture and endless D", dims=("target",),
            relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at the reference mixture and D0", dims=("target",),
            relative=True),
    alpha=prior(LogNormal(-2.3, 0.7), "", "exponent of the target's weight", dims=("target",)),
    beta=prior(LogNormal(-1.2, 0.5), "", "exponent of D", dims=("target",)),
    epsilon=prior(LogNormal(-5.5, 1.5), "", "weight below which less makes no difference", dims=("target",)),
    D0=reference("D"), w0=reference("w"), own=reference("own"),
):  # fmt: skip
    weight = (own_weight(own, w) + epsilon) / (own_weight(own, w0) + epsilon)
    return weight**-alpha * (E + B * (D / D0) ** -beta)
