import numpy as np

from bayesmix.filling import filling


def test_mixtures_fill_the_simplex_and_keep_away_from_those_before():
    found = filling(30, 4, seed=0)
    assert np.allclose(found.sum(axis=1), 1)
    assert (found >= 0).all()
    gaps = np.linalg.norm(np.sqrt(found)[:, None] - np.sqrt(found)[None], axis=-1) + np.eye(30)
    random = np.random.default_rng(0).dirichlet(np.ones(4), 30)
    chance = np.linalg.norm(np.sqrt(random)[:, None] - np.sqrt(random)[None], axis=-1) + np.eye(30)
    assert gaps.min() > 2 * chance.min()
    assert np.array_equal(found[:10], filling(10, 4, seed=0))
    more = filling(5, 4, seed=0, before=found)
    assert np.linalg.norm(np.sqrt(more)[:, None] - np.sqrt(found)[None], axis=-1).min() > 0.05


def test_mixtures_are_moved_to_where_they_are_allowed():
    found = filling(12, 3, seed=1, allowed=lambda w: 0.5 * w + 0.5 / 3)
    assert found.min() >= 1 / 6 - 1e-12
