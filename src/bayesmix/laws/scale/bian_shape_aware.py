r"""Shape-aware Chinchilla: wide, shallow models lose a share of the loss to their shape.

$$L(N, D, R) = \left[E + A\,(N/N_0)^{-\alpha} + B\,(D/D_0)^{-\beta}\right]
\frac{1 + \epsilon\,(R/R_0)^{\gamma}}{1 + \epsilon},\quad R = \frac{\mathrm{width}}{\mathrm{depth}}$$

Anchored at the shape R0 of the runs: E, A and B are what models of that shape see, and $\epsilon$ is the paper's times
$R_0^\gamma$. With $\epsilon = 0$ it is Chinchilla. $\epsilon$ and $\gamma$ need several shapes at the same N; over a
narrow range of R only their product is known. The paper's are 63 models of 80M to 1B parameters, of up to 30B tokens.

Source: Bian et al. (2025), Scaling Inference-Efficient Language Models. The authors' code ties alpha and beta; separate
ones are from memory, not checked against the paper. Number: self-computed, with round constants.

>>> c = dict(E=1.7, A=0.4, B=0.6, alpha=0.3, beta=0.3, epsilon=0.05, gamma=0.5, N0=1e9, D0=1e10)
>>> round(loss(N=1e9, D=2e10, width=4096, depth=16, width0=2048, depth0=32, **c), 4)
2.7106
"""

from numpyro.distributions import HalfNormal, LogNormal, Normal

from bayesmix.law import covariate, law, prior, reference


def coefficients(E, A, B, alpha, beta, epsilon, gamma, N0, D0, width0, depth0):
    """Return the constants of the paper, for N in parameters, D in tokens and R in units per layer."""
    return {
        "E_raw": E / (1 + epsilon),
        "A_raw": A * N0**alpha / (1 + epsilon),
        "B_raw": B * D0**beta / (1 + epsilon),
        "epsilon_raw": epsilon * (width0 / depth0) ** -gamma,
    }


@law(paper="Bian et al. (2025)", derived=coefficients)
def loss(
    N, D,
    width=covariate("width of the residual stream", "units", 128, 16384),
    depth=covariate("number of layers", "layers", 3, 128), *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss of the reference shape", relative=True),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at N0 from finite N", relative=True),
    B=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss at D0 from finite D", relative=True),
    alpha=prior(LogNormal(-1.4, 0.6), "", "exponent of N"),
    beta=prior(LogNormal(-1.4, 0.6), "", "exponent of D"),
    epsilon=prior(HalfNormal(0.1), "", "share of the loss due to the reference shape"),
    gamma=prior(Normal(0.5, 0.5), "", "exponent of width over depth"),
    N0=reference("N"), D0=reference("D"), width0=reference("width"), depth0=reference("depth"),
):  # fmt: skip
    shape = (width / width0) / (depth / depth0)
    excess = A * (N / N0) ** -alpha + B * (D / D0) ** -beta
    return (E + excess) * (1 + epsilon * shape**gamma) / (1 + epsilon)
