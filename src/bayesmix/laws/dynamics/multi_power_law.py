r"""Multi-power law: loss falls with the learning rate spent, and with what annealing has given back by now.

$$L(S_1, a) = L_0 + A\,(S_1/S_0)^{-\alpha} - K\,a$$

$S_1$, the forward area, is the sum of the learning rates up to a step, warm-up included; $a$ is 0 at a constant rate
and tends to 1 once the rate has fallen to nothing, each decrease taking effect as a power law of the area spent
since: `bayesmix.schedules.areas` and `bayesmix.schedules.annealed` give both at any step of a schedule, `bayesmix
import schedule` in a table. Holds for one model and one batch size. Of the paper's seven constants, three ($C$,
$\beta$, $\gamma$: how fast a decrease takes effect) are fixed before $a$ is computed: they form a ridge with $B$, and
those published for 25M, 100M and 400M parameters agree within 6 %. $K$ is the paper's $B$ times the peak rate, and
$L_0$ its $L_0$ plus $K$: where the peak rate never varies only this sum is known. Runs need two shapes of schedule,
one of them nearly constant. With a constant rate $a$ is nearly 0 and the law is alab_m2 in $S_1$; it is lr_annealing
with another measure of annealing. $L_0$ is not a floor, since annealing goes below it.

Source: Luo et al. (2025), A Multi-Power Law for Loss Curve Prediction Across Learning Rate Schedules, section 3, with A
anchored at the reference $S_0$ of $S_1$. Number: published constants for 25M parameters, at step 23,936 at a
constant rate of 3e-4 after 2,160 of warm-up ($S_1$ = 6.857, $a$ = 0.0076 with the published $C$, $\beta$, $\gamma$).

>>> round(loss(area=6.857, annealed=0.0076, L0=3.1496, A=0.52469, alpha=0.50787, K=0.10914, area0=1), 3)
3.346
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(L0, A, alpha, K, area0):
    """Return the constants of the paper for areas in units of the learning rate; its B is K over the peak rate."""
    return {"L0_raw": L0 - K, "A_raw": A * area0**alpha}


@law(paper="arXiv:2503.12811", derived=coefficients)
def loss(
    area=covariate("sum of the learning rates so far (forward area)", "", 0.3, 30.0),
    annealed=covariate("share of the peak rate that annealing has given back, 0 for a constant rate", "", 0.0, 0.9), *,
    L0=prior(LogNormal(-0.5, 0.5), "nats/token", "loss of an endless run that never anneals", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at area0", relative=True),
    alpha=prior(LogNormal(-0.7, 0.4), "", "exponent of the forward area"),
    K=prior(LogNormal(-3.3, 0.8), "nats/token", "loss that annealing to nothing takes away in the end", relative=True),
    area0=reference("area"),
):  # fmt: skip
    return L0 + A * (area / area0) ** -alpha - K * annealed
