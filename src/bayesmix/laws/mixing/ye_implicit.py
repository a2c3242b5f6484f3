r"""Ye with implicit domains: the loss on a validation set of unknown make-up is a mean of several exponential laws.

$$L(w) = L_0\left[f + (1 - f) \sum_{k=1}^3 s_k \exp\left(\sum_j t_{kj}\,(w_j - w_{0j})\right)\right]$$

for each target, at fixed N and D: the law ye_m4 of three implicit domains, in unknown proportions that
the amplitudes absorb. Anchored at the reference mixture $w_0$: the loss there $L_0$, the share f of it that no mixture
removes, and the parts $s_k$ of the rest, in falling order so that relabelling the implicit domains is no other
solution: $s_2 = v_2 s_1$, $s_3 = v_3 s_2$. $\sum_j t_{kj} = 0$, since the weights sum to one. The paper has as many
implicit domains as help, up to 30, in an ensemble of neural networks; in the authors' notebook on five domains three
halve the error of one and more. Parts of similar size may still swap, which shows as several modes; needs many more
mixtures than ye_m4: 120 of three domains show three clear parts, 40 as a rule do not. With $v_2 = 0$ it is ye_m4.

Source: Ye et al. (2024), Data Mixing Laws, section on implicit domain aggregation. No constants are published; the
number uses round ones: 2 (0.5 + 0.5 (4 exp(0.5) + 2 + exp(-0.5)) / 7).

>>> t = dict(t1=[-1, 1], t2=[0, 0], t3=[1, -1])
>>> round(loss(w=[0.25, 0.75], L0=2, floor=0.5, v2=0.5, v3=0.5, w0=[0.5, 0.5], **t), 6)
2.314488
"""

import jax.numpy as jnp
from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import law, prior, reference


@law(paper="arXiv:2403.16952")
def loss(
    w, *,
    L0=prior(LogNormal(0.0, 0.3), "nats/token", "loss at the reference mixture", relative=True),
    floor=prior(Beta(4, 2), "", "share of L0 that no mixture removes"),
    v2=prior(Beta(2, 2), "", "part of the second implicit domain over that of the first"),
    v3=prior(Beta(2, 2), "", "part of the third implicit domain over that of the second"),
    t1=prior(Normal(0, 5), "", "effect of a domain on the first implicit domain", dims=("domain",), zero_sum=True),
    t2=prior(Normal(0, 5), "", "effect of a domain on the second implicit domain", dims=("domain",), zero_sum=True),
    t3=prior(Normal(0, 5), "", "effect of a domain on the third implicit domain", dims=("domain",), zero_sum=True),
    w0=reference("w"),
):  # fmt: skip
    one, two, three = (jnp.exp(t @ (w - w0)) for t in (t1, t2, t3))
    return L0 * (floor + (1 - floor) * (one + v2 * (two + v3 * three)) / (1 + v2 * (1 + v3)))
