r"""He: Chinchilla times a power of the share that the target's own language family has in training.

$$L_i(w, N, D) = \left(\frac{w_i + \epsilon_i}{w_{0i} + \epsilon_i}\right)^{-\gamma_i}
\left[E_i + A_i\,(N/N_0)^{-\alpha_i} + B_i\,(D/D_0)^{-\beta_i}\right]$$

The domains are language families. The paper has $w_i^{-\gamma_i}$, infinite at a weight of 0; the offset
$\epsilon_i$, below which weights no longer matter, is this project's own. The bracket is the loss at the reference
mixture $w_0$. Other families' weights do nothing, which is the paper's hypothesis and can be tested against laws with
transfer; a target that is no domain has the bracket alone. Weights, N and D must vary apart from each other. With
$\gamma_i = 0$, or at the reference mixture, it is Chinchilla.

Source: He et al. (2024), Scaling Laws for Multilingual Language Models. No constants are confirmed; the number uses
round ones: (1 + 0.5 4^-0.5 + 0.5 16^-0.25) 0.25^-0.5, and 1.5 for a target that is no domain.

>>> c = dict(E=[1, 1], A=[0.5, 0.5], B=[0.5, 0.5], alpha=[0.5, 0.5], beta=[0.25, 0.25], N0=1, D0=1)
>>> loss(w=[0.25, 0.75], N=4, D=16, gamma=[0.5, 0.5], epsilon=[0, 0], w0=[1, 1], own=[[1, 0], [0, 0]], **c).tolist()
[3.0, 1.5]
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._own import own_weight


def coefficients(E, A, B, alpha, beta, gamma, epsilon, N0, D0, w0, own):
    """Return the paper's coefficients, of a target that is the only domain, for N in parameters and D in tokens."""
    alone = (own_weight(own, w0) + epsilon) ** gamma
    return {"E_raw": alone * E, "A_raw": alone * A * N0**alpha, "B_raw": alone * B * D0**beta}


@law(paper="arXiv:2410.12883", derived=coefficients)
def loss(
    w, N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "loss at the reference mixture, endless N and D", dims=("target",),
            relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 and the reference mixture", dims=("target",),
            relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 and the reference mixture", dims=("target",),
            relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N", dims=("target",)),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D", dims=("target",)),
    gamma=prior(LogNormal(-2.3, 0.7), "", "exponent of the target's weight", dims=("target",)),
    epsilon=prior(LogNormal(-5.5, 1.5), "", "weight below which less makes no difference", dims=("target",)),
    N0=reference("N"), D0=reference("D"), w0=reference("w"), own=reference("own"),
):  # fmt: skip
    weight = (own_weight(own, w) + epsilon) / (own_weight(own, w0) + epsilon)
    return weight**-gamma * (E + A * (N / N0) ** -alpha + B * (D / D0) ** -beta)
