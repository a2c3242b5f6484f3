r"""Capacity that domains compete for: how much of a model goes to each, solved exactly.

$$\min_x \sum_i w_i c_i x_i^{-b_i} \quad\text{with}\quad \sum_i x_i = S,\; x_i \ge H$$

is solved by $x_i = \max(H, (k_i/\lambda)^{1/(b_i+1)})$ with $k_i = w_i b_i c_i$, where the price of capacity $\lambda$
makes the sum right.
"""

import jax
import jax.numpy as jnp

# The logarithm of the sum is convex and falling in the log price. Newton's method from its left therefore never
# overshoots, and each step divides residual times slope by four at least, most of them by far more.
_STEPS = 20


@jax.jit
def capacities(k, b, budget, floor):
    """Return the capacity of each domain, shape (domain,); exactly `floor` for a domain of weight 0.

    First and second derivatives are those of the exact solution.

    Parameters
    ----------
    k : array, shape (domain,)
        Weight times exponent times amplitude of each domain; not all 0.
    b : array, shape (domain,)
        Exponents.
    budget, floor : number
        Sum of the capacities, and the least that each of them is; `floor` times the number of domains is the least
        possible budget.
    """
    k, b, budget, floor = (jnp.asarray(given, dtype=float) for given in (k, b, budget, floor))
    wanted = _wanted(k, b, _log_price(k, b, budget, floor))
    # Not the maximum of both: where they are equal, that would take half of its slope from each.
    return jnp.where(wanted > floor, wanted, floor)


def portions(w, c, b, size, H):
    """Return the capacity x of each domain, shape (domain,), in equal shares of a reference model.

    Of K domains, with sum K `size` + (K - 1) H and x >= H, in a model `size` times as large as the reference; in one
    that has less than H in all, each has all that there is.

    Parameters
    ----------
    w, c, b : array, shape (domain,)
        Weights, amplitudes and exponents.
    size, H : number
        Parameters over those of the reference, and the least capacity of a domain.
    """
    whole = len(w) * size
    floor = jnp.minimum(H, whole)
    return capacities(w * b * c, b, whole + (len(w) - 1) * floor, floor)


def composition(own):
    """Return the share of each domain in each target: all of its own, or equal ones where it has none."""
    return own + (1 - own.sum(axis=-1, keepdims=True)) / own.shape[-1]


def _wanted(k, b, log_price):
    # Nothing at all where the weight is 0, without the NaN that the gradient of log(0) would bring.
    used = k > 0
    return jnp.where(used, jnp.exp((jnp.log(jnp.where(used, k, 1.0)) - log_price) / (b + 1)), 0.0)


@jax.custom_jvp
def _log_price(k, b, budget, floor):
    used = k > 0
    # The price at which some domain alone would take the whole budget: not above the true one.
    alone = jnp.log(jnp.where(used, k, 1.0)) - (b + 1) * jnp.log(budget)

    def newton(_, log_price):
        wanted = _wanted(k, b, log_price)
        slope = jnp.where(wanted > floor, wanted / (b + 1), 0.0).sum()
        total = jnp.maximum(wanted, floor).sum()
        step = jnp.log(total / budget) * total / jnp.where(slope > 0, slope, 1.0)
        return log_price + jnp.where(slope > 0, step, 0.0)

    return jax.lax.fori_loop(0, _STEPS, newton, jnp.where(used, alone, -jnp.inf).max())


@_log_price.defjvp
def _log_price_jvp(primals, tangents):
    """Differentiate the condition that the capacities add up to the budget."""
    k, b, budget, floor = primals
    dk, db, dbudget, dfloor = tangents
    log_price = _log_price(k, b, budget, floor)
    wanted = _wanted(k, b, log_price)
    free = wanted > floor
    share = jnp.where(free, wanted / (b + 1), 0.0)
    safe = jnp.where(free, k, 1.0)
    excess = (share * (dk / safe - (jnp.log(safe) - log_price) / (b + 1) * db)).sum()
    excess += (~free).sum() * dfloor - dbudget
    slope = share.sum()
    return log_price, excess / jnp.where(slope > 0, slope, 1.0)
