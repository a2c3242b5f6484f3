r"""Fernandes: a task that shares a model uses as much of its capacity as a smaller model of its own.

$$L_i(w, N) = E_i + A_i \left(\frac{f(w_i)}{f(w_{0i})} \frac{N}{N_0}\right)^{-\alpha_i},\quad
f(p) = p + c_1\,p^{c_2} (1 - p)^{c_3}$$

The domains are language pairs, and f(p) is the effective share of the parameters that a pair of weight p gets: more
than p where pairs help each other, with f(0) = 0 and f(1) = 1. $\alpha_i$ and $E_i$ do not depend on the weights,
which is the paper's finding. Instead of p stands $(p + \epsilon_i)/(1 + \epsilon_i)$: the paper's loss is infinite at
p = 0, and the offset is this project's own. A target that is no domain has f = 1. The three $c$ are shared by all
targets and weakly known, even from nine weights; needs several N. The paper has two pairs at a time, and found f(p)
close to p for pairs out of English. With $c_1 = 0$, f(p) = p.

Source: Fernandes et al. (2023), Scaling Laws for Multilingual Neural Machine Translation. The paper's constants are not
pinned down; the number uses round ones: 1 + 0.5 (0.5 + 0.5^2)^-0.5.

>>> c = dict(E=[1], A=[0.5], alpha=[0.5], c1=1, c2=1, c3=1, epsilon=[0], N0=1, w0=[1, 0], own=[[1, 0]])
>>> loss(w=[0.5, 0.5], N=1, **c).round(6).tolist()
[1.57735]
"""

import jax.numpy as jnp
from numpyro.distributions import HalfNormal, LogNormal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._own import own_weight


def effective(p, c1, c2, c3, epsilon):
    """Return the share of the parameters that a task of weight p gets."""
    p = (p + epsilon) / (1 + epsilon)
    # Alone, a task shares nothing, and the slope of what it shared may be infinite there.
    shares = p < 1
    return p + jnp.where(shares, c1 * p**c2 * jnp.where(shares, 1 - p, 1.0) ** c3, 0.0)


def coefficients(A, alpha, c1, c2, c3, epsilon, N0, w0, own):
    """Return the paper's beta_1, the excess loss of a model of the task alone, for N in parameters."""
    return {"beta_1": A * (N0 * effective(own_weight(own, w0), c1, c2, c3, epsilon)) ** alpha}


@law(paper="arXiv:2302.09650", derived=coefficients)
def loss(
    w, N, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", dims=("target",), relative=True),
    A=prior(LogNormal(-1.2, 0.8), "nats/token", "excess loss at N0 and the reference mixture", dims=("target",),
            relative=True),
    alpha=prior(LogNormal(-1.2, 0.5), "", "exponent of N", dims=("target",)),
    c1=prior(HalfNormal(1), "", "size of the help between tasks"),
    c2=prior(LogNormal(0, 0.5), "", "how fast the help grows with the task's weight"),
    c3=prior(LogNormal(0, 0.5), "", "how fast the help grows with the others' weight"),
    epsilon=prior(LogNormal(-5.5, 1.5), "", "weight below which less makes no difference", dims=("target",)),
    N0=reference("N"), w0=reference("w"), own=reference("own"),
):  # fmt: skip
    share = effective(own_weight(own, w), c1, c2, c3, epsilon) / effective(own_weight(own, w0), c1, c2, c3, epsilon)
    return E + A * (share * N / N0) ** -alpha
