"""Priors that say little more than an order of magnitude, as a careful textbook has them.

What the package believed of these laws before it learned from past studies. Rivals take them; so does whatever these
studies are fitted by, since what they show must not be what was believed because of them.
"""

from collections.abc import Mapping

from numpyro.distributions import LogNormal

WIDE: Mapping[str, Mapping[str, LogNormal]] = {
    "chinchilla": {
        "E": LogNormal(-0.5, 0.5),
        "A": LogNormal(-1.6, 0.8),
        "B": LogNormal(-1.6, 0.8),
        "alpha": LogNormal(-1.4, 0.6),
        "beta": LogNormal(-1.4, 0.6),
    },
    "alab_m2": {"E": LogNormal(-0.5, 0.5), "A": LogNormal(-1.2, 0.8), "c": LogNormal(-1.05, 0.6)},
}
