r"""Power lines: the best weight decay keeps AdamW's memory, as a share of the run, a power law of tokens per parameter.

$$\lambda = \frac{b}{\eta\,D\,\tau(M)},\quad \tau(M) = \tau_1 M^{-c}
\quad\Longrightarrow\quad \lambda = A\,\frac{(b/b_0)\,(M/M_0)^{c}}{(\eta/\eta_0)\,(D/D_0)}$$

b is the batch in tokens, $\eta$ the peak learning rate, M = D/N. The weights that AdamW ends with are a moving average
of its updates over a share $\tau = b/(\eta\lambda D)$ of the run, whose best value depends on M alone: $\lambda$ is
then linear in b. Measured with maximal-update parametrisation and a learning rate that decays linearly. Runs of one M
do not know c. The paper's laws for the optimal and the critical batch have the form of step_law, in whose model file
their constants are; the .0471 of the critical batch is from memory, not confirmed.

Source: Bergsma et al. (2025), Power Lines: Scaling Laws for Weight Decay and Batch Size in LLM Pre-training, with the
amplitude anchored; 111M to 3.3B parameters. Number: self-computed with the published $\tau_1 = 1.084$, $c = 0.527$.

>>> decay = optimum(M=20, D=40e9, batch=5e5, rate=0.01, A=1 / 1.084, c=0.527, M0=1, D0=1, batch0=1, rate0=1)
>>> round(5e5 / (0.01 * decay * 40e9), 7)
0.2235561
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, c, M0, D0, batch0, rate0):
    """Return the coefficient of the best share of the run, for M in tokens per parameter."""
    return {"tau_raw": batch0 / (rate0 * D0 * A) * M0**c}


@law(paper="arXiv:2505.13738", derived=coefficients)
def optimum(
    M, D,
    batch=covariate("batch size", "tokens", 1e5, 1e7),
    rate=covariate("peak learning rate", "", 1e-4, 1e-1), *,
    A=prior(LogNormal(0.0, 0.3), "unit of the optimum", "best weight decay at M0, D0, batch0 and rate0", relative=True),
    c=prior(LogNormal(-0.7, 0.5), "", "exponent of tokens per parameter"),
    M0=reference("M"), D0=reference("D"), batch0=reference("batch"), rate0=reference("rate"),
):  # fmt: skip
    return A * (batch / batch0) * (M / M0) ** c / ((rate / rate0) * (D / D0))
