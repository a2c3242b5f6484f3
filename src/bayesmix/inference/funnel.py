r"""Coordinates in which a noise that few runs leave open makes no funnel.

The less noise, the better runs know what they know at all: with few runs, whose noise may be a tenth of what it seems
or ten times that, the posterior is wide where the noise is large and a needle where it is small, and no one step
suits both. At the mode, H is the curvature of the log density without the noise's own coordinate, and P the prior's
share of it. With axes S that turn H into 1 and P into diag(p), what is sampled instead of u is v,

$$u = c + S\,(g \circ v),\qquad g_i = \left(p_i + (1 - p_i)\,e^{-2 (u_\sigma - c_\sigma)}\right)^{-1/2},$$

the standard deviation of a normal posterior given $\log \sigma = u_\sigma$, which is 1 at the mode. The density of v
is that of u times $\prod_i g_i$.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

_LEAST = 1e-9  # of the prior's share: how far the noise stretches what runs alone know


class Funnel(NamedTuple):
    """Coordinates v of one posterior; arrays, which are arguments of compiled functions.

    Attributes
    ----------
    centre : array, shape (coordinate,)
        The mode c.
    axes : array, shape (coordinate, coordinate)
        S; the noise's own coordinate is an axis of its own.
    prior : array, shape (coordinate,)
        p; 1 for the noise's own.
    noise : array, shape (coordinate,)
        1 at the noise's own coordinate, 0 elsewhere.
    """

    centre: Any
    axes: Any
    prior: Any
    noise: Any

    @classmethod
    def of(cls, centre: np.ndarray, scale: np.ndarray, prior: np.ndarray, noise: int) -> Funnel:
        """Return those of a posterior, of about Normal(centre, scale scale') at its mode.

        Of its prior draws are given, shape (draw, coordinate), and of the noise the number of its coordinate.
        """
        size = len(centre)
        rest = np.delete(np.arange(size), noise)
        block = np.ix_(rest, rest)
        # Rows of an inverse covariance: what is known of the rest if the noise is. It is never formed, since that of a
        # needle is positive definite but for rounding.
        root = np.linalg.qr(np.linalg.inv(scale)[:, rest]).R.T
        before = np.linalg.inv(np.atleast_2d(np.cov(prior.T)))[block]
        share, turn = np.linalg.eigh(np.linalg.solve(root, np.linalg.solve(root, before).T))
        axes, shares = np.eye(size), np.ones(size)
        axes[block] = np.linalg.solve(root.T, turn)
        shares[rest] = np.clip(share, _LEAST, 1)
        return cls(centre, axes, shares, np.eye(size)[noise])


def none(size: int) -> Funnel:
    """Return coordinates v that are u, as arguments of the same compiled function."""
    return Funnel(np.zeros(size), np.eye(size), np.ones(size), np.zeros(size))


def outside(funnel: Funnel | None, v: Any) -> tuple[Any, Any]:
    """Return u, and the logarithm of its volume over that of v, from v of shape (..., coordinate)."""
    if funnel is None:
        return v, 0.0
    lengths = _lengths(funnel, v @ funnel.noise)
    log = jnp.log if isinstance(v, jax.Array) else np.log
    return funnel.centre + (lengths * v) @ funnel.axes.T, log(lengths).sum(-1)


def inside(funnel: Funnel | None, u: np.ndarray) -> np.ndarray:
    """Return v from u: the inverse of `outside`."""
    if funnel is None:
        return u
    scaled = np.linalg.solve(funnel.axes, (u - funnel.centre)[..., None])[..., 0]
    return scaled / _lengths(funnel, scaled @ funnel.noise)


def squeezed(funnel: Funnel | None, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the scale in coordinates v of a Normal(centre, scale scale') in u, as if the noise were known."""
    if funnel is None:
        return scale
    return np.linalg.solve(funnel.axes, scale) / _lengths(funnel, inside(funnel, centre) @ funnel.noise)[:, None]


def _lengths(funnel: Funnel, noise: Any) -> Any:
    """Return g of a logarithm of the noise's scale over that at the mode."""
    exp = jnp.exp if isinstance(noise, jax.Array) else np.exp
    return (funnel.prior + (1 - funnel.prior) * exp(-2 * noise)[..., None]) ** -0.5
