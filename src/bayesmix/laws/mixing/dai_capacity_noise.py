r"""Dai and Zheng: domains compete for the capacity of the model, and each has noise that its own tokens reduce.

$$L_i(w, N, D) = E_i + c_i\,x_i^{-b_i}
+ A_i\left(\frac{D}{D_0}\,\frac{w_i+\epsilon_i}{w_{0i}+\epsilon_i}\right)^{-a_i}$$
$$x = \operatorname{argmin}_x \sum_j w_j c_j x_j^{-b_j} \quad\text{with}\quad
\sum_j x_j = K\,\frac{N}{N_0} + (K - 1) H,\; x_j \ge H$$

for the target i that is domain i of K. Capacity is counted in equal shares of $N_0$, so that $c_i$ is the excess loss
of a domain with one share; a domain of weight 0 has exactly H, or all that there is if that is less. The paper's noise
is infinite there, and knows of no tokens but the domain's own. The offset $\epsilon_i$ is this project's own: all data,
of whatever domain, are worth $\epsilon_i$ times as much to domain i as its own. A target that is no domain is taken for
an equal mix of all, which the paper does not consider: leave it out unless it is one.

Without noise (A = 0), the best training mixture for a mix of targets is that mix itself. One domain alone gives
Chinchilla. c and b of a domain are strongly correlated; telling capacity from noise needs mixtures crossed with several
N and D, since only N buys capacity and only D reduces noise. The law is not smooth where a domain reaches H. Weights
below 0.1 are masked in the authors' fits.

Source: Dai and Zheng (2026), Explaining Data Mixing Scaling Laws, eq. 3. The number is self-computed with the
constants published with the code for seven domains of SlimPajama (N in millions, D in billions), at equal weights.
They show the equation rather than a fit of it: the code's own bisection never returns a price of capacity below 0.39,
and the solution for these constants lies hundreds of times lower. The priors of exponents are those of exponents
elsewhere; the published b (.25 to 4.25), which solve nothing, lie mostly above them.

>>> b = [1.2931, 0.2504, 0.7759, 4.2533, 0.8209, 2.1420, 0.9245]
>>> c = [6.1217, 3.3571, 7.8612, 7.3098, 2.3083, 3.8489, 2.3059]
>>> A = [0.3931, 0.4080, 0.7319, 1.2868, 0.7130, 2.0230, 0.8802]
>>> a = [0.9685, 1.6999, 0.3088, 0.0827, 1.0596, 0.0777, 0.5132]
>>> E = [0.9448, 0.8770, 0.5612, 0, 2.4074, 0.0001, 1.3406]
>>> own = [[float(i == j) for j in range(7)] for i in range(7)]
>>> rest = dict(H=4.877181, epsilon=0, N0=7e6, D0=1e9, w0=[1] * 7, own=own)
>>> loss(w=[1 / 7] * 7, N=1300e6, D=30e9, E=E, c=c, b=b, A=A, a=a, **rest).round(5).tolist()
[1.05858, 1.57187, 1.12343, 1.14144, 2.60112, 1.81001, 1.78753]
"""

from numpyro.distributions import LogNormal

from bayesmix.law import law, prior, reference
from bayesmix.laws.mixing._capacity import composition, portions


def coefficients(c, b, A, a, H, epsilon, N0, D0, w0):
    """Return the paper's c, A and H, for N in millions of parameters and D in billions of tokens."""
    share = N0 / len(w0) / 1e6
    return {"c_raw": c * share**b, "A_raw": A * (D0 / 1e9 * (w0 + epsilon)) ** a, "H_raw": H * share}


@law(paper="github.com/meiqwq/Explaining-Data-Mixing-Scaling-Laws", derived=coefficients)
def loss(
    w, N, D, *,
    E=prior(LogNormal(-0.5, 0.5), "nats/token", "irreducible loss", dims=("target",), relative=True),
    c=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss with an equal share of N0", dims=("domain",),
            relative=True),
    b=prior(LogNormal(-1.4, 0.6), "", "exponent of capacity", dims=("domain",)),
    A=prior(LogNormal(-1.6, 0.8), "nats/token", "excess loss from noise at D0 and the reference mixture",
            dims=("domain",), relative=True),
    a=prior(LogNormal(-1.4, 0.6), "", "exponent of the domain's tokens", dims=("domain",)),
    H=prior(LogNormal(-2.3, 1.0), "", "least capacity of a domain, in equal shares of N0"),
    epsilon=prior(LogNormal(-3.0, 2.0), "", "worth of all data to a domain, over that of its own", dims=("domain",)),
    N0=reference("N"), D0=reference("D"), w0=reference("w"), own=reference("own"),
):  # fmt: skip
    x = portions(w, c, b, N / N0, H)
    tokens = D / D0 * (w + epsilon) / (w0 + epsilon)
    return E + composition(own) @ (c * x**-b + A * tokens**-a)
