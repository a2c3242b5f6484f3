r"""Fort: an attacker who controls activations steers output tokens in proportion to how many he controls.

$$t_{max}(a) = \kappa\,a = t_0\,a/a_0$$

a is the tokens whose activations the attacker sets, $t_{max}$ the most output tokens that he can dictate by it. One
quantity, so any two a can contradict it: compare it with a power law.

Source: Fort (2023), Scaling Laws for Adversarial Attacks on Language Model Activations. The form is from the abstract
and from memory, not checked against the paper; no constant is confirmed. The number is self-computed from a made-up
$\kappa$.

>>> optimum(controlled_tokens=4, t0=32, a0=1)
128.0
"""

from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(t0, a0):
    """Return the paper's kappa."""
    return {"kappa": t0 / a0}


@law(paper="arXiv:2312.02780", derived=coefficients)
def optimum(
    controlled_tokens=covariate("tokens whose activations are set by an attacker", "tokens", 1, 32), *,
    t0=prior(LogNormal(0.0, 0.5), "tokens", "output tokens that a0 controlled tokens dictate", relative=True),
    a0=reference("controlled_tokens"),
):  # fmt: skip
    return t0 * controlled_tokens / a0
