r"""Annealing: loss falls with the learning rate spent, and further with the decreases of the learning rate.

$$L(S_1, S_2) = L_0 + A\,(S_1/S_0)^{-\alpha} - C\,S_2/S_0$$

$S_1$, the forward area, is the sum of the learning rates up to a step; $S_2$, the annealing area, sums a momentum of
their decreases: `bayesmix.schedules.areas` gives both at every step of a schedule, `bayesmix import schedule` in a
table. Holds after warm-up, at any step of any schedule, for one model and one batch size. Runs need two shapes of
schedule, one of them nearly constant: along a single cosine the areas move together, and C and the decay of the
momentum (0.999, fixed before the areas are computed) cannot be told apart. All runs must count, or not count, their
warm-up alike. With a constant learning rate $S_2 = 0$ and it is alab_m2 in $S_1$. $L_0$ is not a floor, since
annealing goes below it, and a large enough $S_2$ would make the loss negative: the law says nothing about areas much
beyond those of the runs.

Source: Tissue, Wang and Wang (2024), Scaling Law with Learning Rate Annealing, with A and C anchored at the reference
$S_0$ of $S_1$. Number: self-computed, with round constants.

>>> round(loss(area=7.2, annealing=0.25, L0=2.6, A=0.5, alpha=0.5, C=0.4, area0=1), 4)
2.6863
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, C, alpha, area0):
    """Return the coefficients for areas in units of the learning rate."""
    return {"A_raw": A * area0**alpha, "C_raw": C / area0}


@law(paper="arXiv:2408.11029", derived=coefficients)
def loss(
    area=covariate("sum of the learning rates so far (forward area)", "", 0.3, 30.0),
    annealing=covariate("annealing area so far, 0 for a constant learning rate", "", 0.0, 0.3), *,
    L0=prior(LogNormal(-0.5, 0.5), "nats/token", "loss of an endless run that never anneals", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at area0", relative=True),
    alpha=prior(LogNormal(-0.7, 0.4), "", "exponent of the forward area"),
    C=prior(LogNormal(-0.5, 0.8), "nats/token", "loss that an annealing area of area0 takes away", relative=True),
    area0=reference("area"),
):  # fmt: skip
    return L0 + A * (area / area0) ** -alpha - C * annealing / area0
