r"""Pairing: which draw of one target belongs to which draw of another.

Targets that share no quantity are sampled apart. Where all runs measure all targets, what is believed of each is right
by itself, as in seemingly unrelated regressions with common regressors (Zellner 1962, section 2). But a run's errors
go together, and so does what is learned from them. To first order, in coordinates $z_i$ of target i whitened by their
draws, a posterior is that of

$$z_i = A_i e_i + (1 - A_i A_i^\top)^{1/2} x_i,\qquad A_i = \partial (y_i / s_i) / \partial z_i$$

with y the law's responses to the runs, s the scale of their noise, e the runs' errors in units of it, correlated
between targets as the residuals are, and x what the prior adds. Such z are drawn for all targets at once, and each
gets the nearest draw of the posterior in place of it, one to one. So no target's draws change, but for their order.

In many dimensions the nearest draw is not near, which weakens the correlation: that of e is raised in return, as far
as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from bayesmix.evaluation import evenly, measured_draws, signal, thinned
from bayesmix.posterior import Posterior
from bayesmix.residuals import correlation, nearest_correlation

_BLOCK = 250  # draws that are assigned at once: four times as many take four times as long and gain little
_TRIED = 4  # blocks that show how much is lost
_LOOKED_AT = 1000  # draws that slopes are taken from
_KNOWN = 0.05  # share of a direction's variance that is from the runs, below which there is nothing to pair
_MOST = 0.95  # correlation of errors


@dataclass(frozen=True)
class _Known:
    """Directions of one target's coordinates of which the runs say something.

    Attributes
    ----------
    share : array, shape (direction,)
        Share of its variance that is from the runs' errors.
    slopes : array, shape (observation, direction)
        Orthonormal; what an error of a run adds to the direction.
    draws : array, shape (draw, direction)
        With variances as large as the shares.
    """

    share: np.ndarray
    slopes: np.ndarray
    draws: np.ndarray


def paired(posterior: Posterior) -> Posterior:
    """Return the posterior with its targets' draws in pairs, and their errors' correlation as ``together``.

    The posterior as it is where there is one target, no two targets were measured by enough runs, or draws that did
    not converge are not even finite.
    """
    finite = all(np.isfinite(v).all() for v in posterior.values().values())
    if posterior.together is not None or not finite or (found := correlation(posterior)) is None:
        return posterior
    tree = posterior.tree
    if posterior.apart:
        order = _order(posterior, found)
        tree = xr.DataTree.from_dict(
            {n: _ordered(node.to_dataset(), order) if n in ("posterior", "unconstrained") else node.to_dataset()
             for n, node in tree.children.items()}
        )  # fmt: skip
    result = replace(posterior, tree=tree, together=found)
    # Diagnostics are of draws in the order in which they were sampled.
    vars(result)["_problems"] = posterior.problems()
    return result


def _ordered(group: xr.Dataset, order: np.ndarray) -> xr.Dataset:
    def take(values: xr.DataArray) -> xr.DataArray:
        if "target" not in values.dims:
            return values
        first = values.transpose("chain", "draw", "target", ...)
        moved = np.take_along_axis(first.values.reshape(*order.shape, -1), order[:, :, None], axis=0)
        return first.copy(data=moved.reshape(first.shape)).transpose(*values.dims)

    return group.map(take)


def _order(posterior: Posterior, together: np.ndarray) -> np.ndarray:
    """Return which draw of each target comes where, shape (draw, target)."""
    u = posterior.tree["unconstrained"].to_dataset()["u"].values  # (chain, draw, target, coordinate)
    u = u.reshape(-1, *u.shape[2:])
    known = _known(posterior, u)
    every = [slice(begin, begin + _BLOCK) for begin in range(0, len(u), _BLOCK)]
    kept = np.mean([_assigned(posterior, known, block, together)[1] for block in every[:_TRIED]], axis=0)
    raised = np.clip(together / np.maximum(np.outer(kept, kept), 1e-3), -_MOST, _MOST)
    np.fill_diagonal(raised, 1.0)
    raised = nearest_correlation(raised)
    return np.concatenate([_assigned(posterior, known, block, raised)[0] for block in every])


def _known(posterior: Posterior, u: np.ndarray) -> list[_Known]:
    inputs, few = posterior.inputs, evenly(len(u), _LOOKED_AT)
    responses = signal(*measured_draws(posterior.model, thinned(posterior, _LOOKED_AT), inputs, posterior.seed))
    observed, found = np.asarray(inputs.observed), []
    for target in range(u.shape[1]):
        centred = u[:, target] - u[:, target].mean(axis=0)
        directions, sizes, _ = np.linalg.svd(centred, full_matrices=False)
        z = directions[:, sizes > 1e-9 * sizes[0]] * np.sqrt(len(u))
        slopes = np.linalg.lstsq(z[few], responses[:, observed[:, target], target])[0]
        share, axes = np.linalg.eigh(slopes @ slopes.T)
        share, axes = share[share > _KNOWN], axes[:, share > _KNOWN]
        rows = np.zeros((len(observed), len(share)))
        rows[observed[:, target]] = slopes.T @ axes / np.sqrt(share)
        # What is not linear can make it seem as if the runs knew more than all.
        share = np.minimum(share, 1.0)
        found.append(_Known(share, rows, z @ axes * np.sqrt(share)))
    return found


def _assigned(
    posterior: Posterior, known: list[_Known], block: slice, together: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the order within a block of draws, shape (draw, target), and the share of the runs' part that is kept."""
    rng = np.random.default_rng((posterior.seed, block.start))
    root = np.linalg.cholesky(together)
    count = len(known[0].draws[block])
    errors = rng.standard_normal((count, len(posterior.inputs.response), len(known))) @ root.T
    order, kept = np.empty((count, len(known)), int), np.ones(len(known))
    for target, each in enumerate(known):
        from_runs = each.share * (errors[:, :, target] @ each.slopes)
        from_prior = np.sqrt(each.share * (1 - each.share)) * rng.standard_normal(from_runs.shape)
        draws = each.draws[block]
        _, order[:, target] = linear_sum_assignment(cdist(from_runs + from_prior, draws, "sqeuclidean"))
        if each.share.any():
            kept[target] = (draws[order[:, target]] * from_runs).sum() / (from_runs**2).sum()
    return block.start + order, kept
