"""Derived coefficients of every law that has any, with quantities that differ between groups."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmix import laws
from bayesmix.law import Prior
from bayesmix.model import Model
from bayesmix.pooling import Pooling
from bayesmix.runs import Runs
from fakes import fake

DRAWS = 5
FAMILIES, SHAPES = ("a", "b", "c", "d"), ("deep", "wide")


def pooled(name, by, synthetic):
    """Return a posterior of made-up draws whose quantities are pooled as told, and the draws."""
    model = replace(Model.read(name), pooling={q: Pooling(label, "none") for q, label in by.items()}, shrinkage={})
    runs = synthetic(model=model)
    labels = {"family": np.resize(FAMILIES, len(runs)), "shape": np.resize(SHAPES, len(runs))}
    runs = Runs.of(runs.table.assign(**labels))
    rng, (inputs, _) = np.random.default_rng(0), model.inputs(runs)
    shapes = {n: inputs.shape(model.dims(n)) for n in model.unknowns}
    values = {n: rng.uniform(0.2, 0.8, (4 * DRAWS, *shape)) for n, shape in shapes.items()}
    return fake(model, runs, values, draws=DRAWS), values


def of_one(posterior, values, groups):
    """Return the coefficients of one group, of a model that pools nothing."""
    pooling = posterior.model.pooling
    model = replace(posterior.model, pooling={})
    alone = {n: v[:, groups[pooling[n].by]] if n in pooling else v for n, v in values.items()}
    return fake(model, posterior.runs, alone, draws=DRAWS).derived()


def poolable(name):
    """Return what can differ between groups: not what scales another, nor what is scaled by one."""
    unknowns = {q: p for q, p in Model.read(name).law.quantities.items() if isinstance(p, Prior)}
    scales = {p.scaled_by for p in unknowns.values()}
    return [q for q, p in unknowns.items() if not p.scaled_by and q not in scales]


CASES = [(name, q) for name in laws.names() if laws.get(name).derived for q in poolable(name)]


@pytest.mark.parametrize(("name", "quantity"), CASES)
def test_each_group_has_the_coefficients_of_its_own_numbers(name, quantity, synthetic):
    posterior, values = pooled(name, {quantity: "family"}, synthetic)
    found = posterior.derived()
    for g in (1, 3):
        family, alone = FAMILIES[g], of_one(posterior, values, {"family": g})
        assert set(alone) == set(found)
        for coefficient, expected in alone.items():
            here = found[coefficient]
            here = here.sel(family=family) if "family" in here.dims else here
            assert here.dims == expected.dims
            np.testing.assert_allclose(here.values, expected.values, rtol=1e-12)


def test_two_labels_give_every_pair(synthetic):
    posterior, values = pooled("chinchilla", {"A": "family", "alpha": "shape"}, synthetic)
    found = posterior.derived()["A_raw"]
    assert found.dims[2:] == ("family", "shape", "target")
    for g, family in enumerate(FAMILIES):
        for s, shape in enumerate(SHAPES):
            alone = of_one(posterior, values, {"family": g, "shape": s})["A_raw"]
            np.testing.assert_allclose(found.sel(family=family, shape=shape), alone, rtol=1e-12)
