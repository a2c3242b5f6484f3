"""Means of draws against what they should be, within standard errors that enough draws make reliable."""

import arviz_stats
import numpy as np


def assert_mean(values, expected, gate=400):
    """Four standard errors, which draws, shape (chain, draw), are enough to know."""
    ess = float(arviz_stats.ess(values, method="mean"))
    assert ess > gate
    assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(ess)


def assert_same_mean(first, second, gate=400, name=""):
    """Four combined standard errors of two sets of draws, each of shape (chain, draw)."""
    both = first, second
    ess = [float(arviz_stats.ess(v, method="mean")) for v in both]
    assert min(ess) > gate
    error = np.sqrt(sum(v.var() / e for v, e in zip(both, ess, strict=True)))
    assert abs(first.mean() - second.mean()) < 4 * error, name


def assert_same_moments(first, second, name):
    """Means, and squares about the second's mean, of every element of two arrays, shape (chain, draw, ...)."""
    flat = [np.moveaxis(np.asarray(v).reshape(*v.shape[:2], -1), -1, 0) for v in (first, second)]
    for one, other in zip(*flat, strict=True):
        for power in (1, 2):
            assert_same_mean(*((v - other.mean()) ** power for v in (one, other)), name=name)
