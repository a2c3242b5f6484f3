r"""Busbridge: a distilled student's loss is its teacher's and an excess, which falls as the teacher gets too good.

$$L_S = \tau L_T + \left(\frac{L_T}{L_{T0}}\right)^{-c_0}
\left[1 + \left(\frac{L_T}{d_1 \tilde L_S}\right)^{1/f_1}\right]^{-c_1 f_1}
\left[A^{1/\gamma} (N/N_0)^{-\alpha/\gamma} + B^{1/\gamma} (D/D_0)^{-\beta/\gamma}\right]^{\gamma}$$

$L_T$ is the teacher's loss, $\tilde L_S$ the loss of a student of the same N and D trained without a teacher, N and D
the student's parameters and the tokens it is distilled on. The student cannot beat its teacher; where the teacher is
much better than $\tilde L_S / d_1$, a still better one widens the gap: the best teacher is not the best model. $\tau$
is 1 where student and teacher are measured on one text in one unit; free, it converts. Only the product $h = c_1 f_1$
and the place of the knee are known well; both need teachers from worse to much better than $\tilde L_S$ for students
of several N and D. With $c_0$ = h = 0 it is skaling with the teacher's loss for a floor; skaling is also the authors'
law of the supervised loss. As there, alpha and beta are the exponents of the excess where N or D alone is scarce,
which are $\gamma$ times the paper's. There students have 143M to 12.6B parameters and up to 512B tokens, teachers up to
7.75B parameters.

Source: Busbridge et al. (2025), Distillation Scaling Laws, with the excess anchored at N0, D0 and the teachers'
geometric mean $L_{T0}$. The form is the paper's; the constants are from memory, not checked against it. The number
uses those and is self-computed.

>>> c = dict(tau=1, c0=2.549, h=522.61 * 0.090, f1=0.090, d1=1.315, A=2243**0.764, B=24181**0.764)
>>> exponents = dict(alpha=0.764 * 0.321, beta=0.764 * 0.637, gamma=0.764)
>>> student = dict(N=1e9, D=2e10, supervised=2.3746922)
>>> round(loss(teacher=2.2, **exponents, N0=1, D0=1, teacher0=1, **student, **c), 5)
2.31695
"""

import jax.numpy as jnp
from jax.nn import softplus
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(c0, h, f1, A, B, alpha, beta, gamma, N0, D0, teacher0):
    """Return c_1 of the paper, and what is in its last bracket for N in parameters and D in tokens."""
    anchor = teacher0**c0
    return {
        "c1": h / f1,
        "A_raw": (anchor * A * N0**alpha) ** (1 / gamma),
        "B_raw": (anchor * B * D0**beta) ** (1 / gamma),
        "alpha_raw": alpha / gamma,
        "beta_raw": beta / gamma,
    }


@law(paper="arXiv:2502.08606", derived=coefficients)
def loss(
    N, D,
    teacher=covariate("loss of the teacher", "nats/token", 1.5, 3.5),
    supervised=covariate("loss of the same student without a teacher", "nats/token", 1.5, 3.5), *,
    tau=prior(LogNormal(-0.9, 0.3), "times", "the teacher's loss in the student's unit: 1 on one text", relative=True),
    c0=prior(LogNormal(0.9, 0.5), "", "exponent with which the excess falls with the teacher's loss"),
    h=prior(LogNormal(3.8, 0.5), "", "strength of the fall beyond the knee, c1 f1"),
    f1=prior(LogNormal(-2.4, 0.4), "", "width of the knee in the log of the teacher's loss"),
    d1=prior(LogNormal(0.3, 0.15), "", "place of the knee: teacher's over supervised loss"),
    A=prior(LogNormal(-2.3, 0.8), "nats/token", "excess at N0, teacher0 if data were unlimited", relative=True),
    B=prior(LogNormal(-2.3, 0.8), "nats/token", "excess at D0, teacher0 if parameters were unlimited", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    gamma=prior(LogNormal(-0.3, 0.4), "", "outer exponent of the excess"),
    N0=reference("N"), D0=reference("D"), teacher0=reference("teacher"),
):  # fmt: skip
    n = (jnp.log(A) - alpha * jnp.log(N / N0)) / gamma
    d = (jnp.log(B) - beta * jnp.log(D / D0)) / gamma
    knee = h * softplus(jnp.log(teacher / (d1 * supervised)) / f1)
    return tau * teacher + jnp.exp(gamma * jnp.logaddexp(n, d) - c0 * jnp.log(teacher / teacher0) - knee)
