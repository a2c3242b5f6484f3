"""A target's own domain."""


def own_weight(own, w):
    """Return the weight of each target's own domain, shape (target,); 1 for a target that is no domain."""
    return own @ w + 1 - own.sum(axis=-1)
