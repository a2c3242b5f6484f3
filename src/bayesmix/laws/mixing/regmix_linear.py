r"""RegMix's linear regression: the loss is linear in the mixture.

$$L(w) = L_0\left[1 + \sum_j t_j\,(w_j - w_{0j})\right]$$

for each target, at fixed N and D, anchored at the reference mixture $w_0$. Since the weights sum to one, an intercept
beside all slopes is one too many: $\sum_j t_j = 0$ by construction. It is the first-order expansion of ye_m4, good
near $w_0$ only: it knows no diminishing returns, its best mixture is always a single domain, and losses far away may
even be negative. RegMix itself ranks mixtures by boosted trees, with the linear regression as the simpler choice. A
domain whose weight never varies has a slope known by its prior only. Aioli's law of a step,
$L_i^{t+1}(p) = L_i^t - \sum_j A_{ij} p_j$, is of this form too.

Source: Liu et al. (2024), RegMix: Data Mixture as Regression for Language Model Pre-training. No coefficients are
published; the number uses round ones: 3 (1 + 0.5 (0.2 - 0.5) - 0.5 (0.8 - 0.5)).

>>> round(loss(w=[0.2, 0.8], L0=3, t=[0.5, -0.5], w0=[0.5, 0.5]), 6)
2.1
"""

from numpyro.distributions import LogNormal, Normal

from bayesmix.law import law, prior, reference


def coefficients(L0, t, w0):
    """Return RegMix's slopes for zero-sum effects, and the intercept that goes with them."""
    return {"intercept": L0 * (1 - t @ w0), "slopes": (L0 * t.T).T}


@law(paper="arXiv:2407.01492", derived=coefficients)
def loss(
    w, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at the reference mixture", relative=True),
    t=prior(Normal(0, 0.3), "", "relative effect of a domain", dims=("domain",), zero_sum=True),
    w0=reference("w"),
):  # fmt: skip
    return L0 * (1 + t @ (w - w0))
