r"""Tan: test error falls as a power of post-training compute or data, with an exponent that saturates in model size.

$$\mathrm{Err}(N, x) = A\,(N/N_0)^{-a}\,(x/x_0)^{-k(N)},\quad k(N) = \frac{K_{max}}{1 + h N_0/N},
\quad K_{max} = k_0\,(1 + h)$$

Err is 1 - Pass@1 and x the compute, or the data, of reinforcement learning, as named by the model, e.g.
``covariates = {x = "C"}``. $h N_0$, which the paper calls $N_0$, is the size at which the exponent is half its largest.
The law is written by the exponent $k_0$ of a model of $N_0$ parameters, since models much smaller than $h N_0$ tell
only $K_{max}/h$. The paper's intercept E(N) is not pinned down where the law is quoted: that it is linear in log N is
a choice of this project, and pooling A over a label column of sizes, with a = 0, replaces it. Needs x that varies at
given N; valid before the error saturates, as there is no floor.

Source: Tan et al. (2025), Scaling Behaviors of LLM Reinforcement Learning Post-Training, as the authors' repository
has $\log \mathrm{Err} = -k(N) \log x + E(N)$; no constants are confirmed.
Number: self-computed with constants of no paper.

>>> round(error(N=14e9, x=1e21, A=0.5, a=0.1, k0=0.06, h=1.0, N0=7e9, x0=1e20), 5)
0.38803
"""

from numpyro.distributions import Beta, LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(k0, h, N0):
    """Return the largest exponent, and the size at which it is half as large: the paper's N0."""
    return {"K_max": k0 * (1 + h), "N_half": h * N0}


@law(paper="arXiv:2509.25300", derived=coefficients)
def error(
    N, x=covariate("compute or data of reinforcement learning", "", 1e18, 1e22), *,
    A=prior(Beta(2, 2), "", "error at N0 and x0"),
    a=prior(Normal(0, 0.2), "", "exponent of N at x0"),
    k0=prior(LogNormal(-2.5, 0.7), "", "exponent of x at N0"),
    h=prior(LogNormal(0.0, 1.0), "", "size of half the largest exponent, over N0"),
    N0=reference("N"), x0=reference("x"),
):  # fmt: skip
    k = k0 * (1 + h) / (1 + h * N0 / N)
    return A * (N / N0) ** -a * (x / x0) ** -k
