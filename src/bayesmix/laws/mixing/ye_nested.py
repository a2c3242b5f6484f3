r"""Ye, nested: the mixing law ye_m4 at every N and D, with power laws in both for its amplitude.

$$L_i(w, N, D) = E_i + \left[K_i + A_i\,(N/N_0)^{-\alpha} + B_i\,(D/D_0)^{-\beta}\right]
\exp\left(\sum_j t_{ij}\,(w_j - w_{0j})\right)$$

The paper fits three laws one after the other: over tokens, $c + (D_0/D)^{\beta}$ in every run; over parameters, the
same of what the first one forecasts; and over mixtures, ye_m4 of what the second one does. Each takes the one before it
for exact. Here they are one law, so that the error of each is in the forecast: at any N and D it is ye_m4, for any
mixture a floor and two power laws, whose exponents all targets and mixtures share, as in the paper. That the effects t
are the same at every N and D is ours: the paper fits them at the planned ones alone.

Stated, as ye_m4 is, by the loss at the references, $L_{0i}$, the share $f_i$ of it that nothing removes, the share
$g_i$ of the rest that no N or D removes, $K_i = L_{0i} (1 - f_i)\,g_i$, and the share $s_i$ of what then remains that
is from finite N. $\sum_j t_{ij} = 0$ by construction. Mixtures at several N and D tell f from g; where mixtures do not
vary they are one floor, and where N and D do not, ye_m4 is all that can be known.

Source: Ye et al. (2024), Data Mixing Laws, section 4 and eq. 6 (M4), joined by this project. The number uses the
constants published with the code for the target "prose" of five domains (log c = 1.2624, log k = -2.1656), where
$w_0 = 0$, and round ones for scale: at four times N0 and D0 k falls to a quarter and halves of what remains.

>>> from math import exp
>>> c, k = exp(1.2624), exp(-2.1656)
>>> t = [[1.3930, -4.6811, 0.7855, 1.8719, 0.5734]]
>>> rest = dict(L0=[c + k], floor=[c / (c + k)], mixed=[0.25], split=[0.5], alpha=0.5, beta=0.5, t=t, w0=[0] * 5)
>>> loss(w=[0.2] * 5, N=1e9, D=2e10, N0=1e9, D0=2e10, **rest).round(5).tolist()
[3.64727]
>>> loss(w=[0.2] * 5, N=4e9, D=8e10, N0=1e9, D0=2e10, **rest).round(5).tolist()
[3.60475]
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(L0, floor, mixed, split):
    """Return the floor, and the amplitudes at the references."""
    rest = L0 * (1 - floor)
    scaled = rest * (1 - mixed)
    return {"E": L0 * floor, "K": rest * mixed, "A": scaled * split, "B": scaled * (1 - split)}


@law(paper="arXiv:2403.16952", derived=coefficients)
def loss(
    w, N, D, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at N0, D0 and w0", dims=("target",), relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that nothing removes", dims=("target",)),
    mixed=prior(Beta(2, 2), "", "share of the rest that the mixture alone removes", dims=("target",)),
    split=prior(Beta(2, 2), "", "share of what remains that is from finite N", dims=("target",)),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    t=prior(Normal(0, 5), "", "effect of a domain on a target", dims=("target", "domain"), zero_sum=True),
    N0=reference("N"), D0=reference("D"), w0=reference("w"),
):  # fmt: skip
    c = coefficients(L0, floor, mixed, split)
    amplitude = c["K"] + c["A"] * (N / N0) ** -alpha + c["B"] * (D / D0) ** -beta
    return c["E"] + amplitude * jnp.exp(t @ (w - w0))
