r"""The null law: the response depends on nothing. A law that does not beat it has found nothing.

$$L = L_0$$

Source: the intercept-only model of any statistics textbook; used here as the mixture-independent and
scale-independent baseline.

>>> loss(L0=2.5)
2.5
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior


@law(paper="")
def loss(
    *,
    L0=prior(LogNormal(0.0, 0.5), "nats/token", "loss of every run", relative=True),
):
    return L0
