r"""Power scheduler: the best learning rate is proportional to the batch and a power law of tokens, up to a maximum.

$$\eta(b, D) = b\,\min\left(\eta_{max},\ a\,D^{-c}\right)
= A\,(b/b_0)\,\min\left(m,\ (D/D_0)^{-c}\right)$$

D counts the tokens trained on: of a whole run with constant learning rate, or, as a schedule, those so far. m is the
maximum over what the power law says at D0: runs of few tokens are needed to know it, and if all runs are at the maximum
only the product of A and m is known.

Source: Shen et al. (2024), Power Scheduler: A Batch Size and Token Number Agnostic Learning Rate Scheduler, anchored at
the references. The form, $a = 4.6$ and $c = 0.51$ are from memory, not checked against the paper. Number: self-computed
with them, for one unit of batch far from the maximum.

>>> float(f"{optimum(batch=1, D=1e11, A=4.6, cap=1, c=0.51, batch0=1, D0=1):.4g}")
1.129e-05
"""

import jax.numpy as jnp
from numpyro.distributions import LogNormal

from bayesmix.law import covariate, law, prior, reference


def coefficients(A, cap, c, batch0, D0):
    """Return the paper's a and maximum, for D in tokens and batches of one."""
    return {"a_raw": A / batch0 * D0**c, "maximum": A * cap / batch0}


@law(paper="arXiv:2408.13359", derived=coefficients)
def optimum(
    D,
    batch=covariate("batch size", "", 8, 8192), *,
    A=prior(LogNormal(0.0, 0.4), "unit of the optimum", "best learning rate at batch0 and D0", relative=True),
    cap=prior(LogNormal(0.7, 0.7), "", "largest learning rate over that of the power law at D0"),
    c=prior(LogNormal(-0.7, 0.5), "", "exponent of D"),
    batch0=reference("batch"), D0=reference("D"),
):  # fmt: skip
    return A * (batch / batch0) * jnp.minimum(cap, (D / D0) ** -c)
