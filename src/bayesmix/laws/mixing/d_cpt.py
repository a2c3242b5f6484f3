r"""D-CPT: Chinchilla for continued training, with the share of the new domain in the worth of tokens and alone.

$$L(N, D, r) = E + A\,(N/N_0)^{-\alpha} + B\left(\frac{r + \delta}{1/2 + \delta}\right)^{\eta} (D/D_0)^{-\beta}
+ C\left(\frac{r + \epsilon}{1/2 + \epsilon}\right)^{-\gamma}$$

for continued pretraining on a domain with share r, the rest being general text. B and C are stated at r = 1/2, since r
may be 0. For the loss on general text r is the share of general text. $\eta$ may have either sign; the fixed
$\delta = 0.01$, this project's own, keeps the paper's $r^\eta$ finite at r = 0, where each standard deviation of the
prior of $\eta$ is a factor of 51 in the term. At r = 0.1 and $\eta = 1/2$ it changes the term by 4 %; with $\delta = 0$
it is the paper's law, for r above 0. r, N and D must be crossed; $\epsilon$ and $\gamma$ are told apart near r = 0
only, E and C only if r varies much. At a fixed r it is Chinchilla.

Source: Que et al. (2024), D-CPT Law: Domain-specific Continual Pre-Training Scaling Law for Large Language Models. No
constants are confirmed; the number uses round ones: 1 + 0.5 4^-0.5 + 0.5 (1/2) 16^-0.5 + 0.2 ((1/4 + 0.1)/0.6)^-1.

>>> c = dict(E=1, A=0.5, B=0.5, C=0.2, alpha=0.5, beta=0.5, eta=1, gamma=1, epsilon=0.1)
>>> round(loss(ratio=0.25, N=4, D=16, delta=0, N0=1, D0=1, **c), 6)
1.655357
"""

from numpyro.distributions import LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, B, C, alpha, beta, eta, gamma, epsilon, delta, N0, D0):
    """Return the paper's amplitudes, for N in parameters and D in tokens."""
    return {
        "A_raw": A * N0**alpha,
        "B_raw": B * D0**beta / (0.5 + delta) ** eta,
        "C_raw": C * (0.5 + epsilon) ** gamma,
    }


@law(paper="arXiv:2406.01375", derived=coefficients)
def loss(
    N, D, ratio=covariate("share of the domain in the training data", "", 0.0, 1.0), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "loss that no share, N or D removes", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 and a share of 1/2", relative=True),
    C=prior(LogNormal(-2.0, 1.0), "nats/token", "excess loss from a share of 1/2", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    eta=prior(Normal(0, 1), "", "exponent of the share in the worth of tokens"),
    gamma=prior(LogNormal(-1.0, 0.7), "", "exponent of the share alone"),
    epsilon=prior(LogNormal(-3.0, 1.0), "", "share below which less makes no difference"),
    delta=0.01,
    N0=reference("N"), D0=reference("D"),
):  # fmt: skip
    fromD = B * ((ratio + delta) / (0.5 + delta)) ** eta * (D / D0) ** -beta
    return E + A * (N / N0) ** -alpha + fromD + C * ((ratio + epsilon) / (0.5 + epsilon)) ** -gamma
