from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import logsumexp
from scipy.optimize import minimize

from bayesmix.decision.allowed import Demand, allow, divergence
from bayesmix.decision.optimise import minimise
from bayesmix.errors import BayesmixError
from bayesmix.precision import double

DOMAINS = 5


@pytest.fixture(autouse=True)
def _double():
    with double():
        yield


def square(w, mu, lane, shared):
    return shared * ((w - lane) ** 2).sum()


def largest(w, mu, lane, shared):
    return mu * logsumexp(lane @ w / mu)


def waves(w, mu, lane, shared):
    return jnp.sin(9 * w[0] + lane) + 0.3 * w[0] + 0.1 * ((w - 0.2) ** 2).sum()


def boxed(low=0.02, high=0.5):
    unit = np.eye(DOMAINS)
    return [Demand(f"{j} low", -unit[j], -low) for j in range(DOMAINS)] + [
        Demand(f"{j} high", unit[j], high) for j in range(DOMAINS)
    ]


def sets():
    """Return sets of mixtures of every kind of constraint, by name."""
    rng = np.random.default_rng(1)
    both = np.array([1.0, 1.0, 0, 0, 0])
    ratio = np.array([0, 0, 1.0, -2.0, 0])
    fixed = [Demand("0 fixed", np.eye(DOMAINS)[0], 0.3), Demand("0 fixed too", -np.eye(DOMAINS)[0], -0.3)]
    observed = rng.dirichlet(np.ones(DOMAINS), 12)
    return {
        "simplex": allow([], DOMAINS),
        "box": allow(boxed(), DOMAINS),
        "groups": allow([*boxed(0, 0.6), Demand("g", both, 0.5), Demand("r", ratio, 0.0)], DOMAINS),
        "equation": allow([*fixed, Demand("g", both, 0.6), Demand("g", -both, -0.6)], DOMAINS),
        "hull": allow([], DOMAINS, observed),
        "hull and group": allow([Demand("g", both, 0.45)], DOMAINS, observed),
    }


def by_slsqp(function, allowed):
    """Return the least value that an optimiser of SciPy finds over shares, from several starts."""
    size = len(allowed.corners)
    said = (allowed.equal != 0).any(axis=1)
    constraints = [
        {"type": "ineq", "fun": lambda s: allowed.limits - allowed.rows @ (s @ allowed.corners)},
        {"type": "eq", "fun": lambda s: (allowed.equal @ s - allowed.equals)[said]},
    ]
    bounds = [(0, 1) if free else (0, 0) for free in allowed.free]
    starts = [allowed.centre, *allowed.pull(np.random.default_rng(0).dirichlet(np.ones(size), 3))]
    found = [
        minimize(lambda s: function(s @ allowed.corners), s, method="SLSQP", bounds=bounds, constraints=constraints,
                 options={"ftol": 1e-14, "maxiter": 500})
        for s in starts
    ]  # fmt: skip
    return min(f.fun for f in found if f.success)


@pytest.mark.parametrize("name", list(sets()))
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_the_nearest_mixture_is_found_and_certified(name, scale):
    allowed = sets()[name]
    points = np.random.default_rng(0).normal(0.2, 0.5, (6, DOMAINS))
    found = minimise(square, points, scale, allowed, np.tile(allowed.centre, (6, 1)), precision=1e-8)
    for w, point, residual in zip(found.w, points, found.residual, strict=True):
        assert allowed.holds(w, 1e-7)
        best = by_slsqp(lambda v, point=point: ((v - point) ** 2).sum(), allowed)
        excess = ((w - point) ** 2).sum() - best
        assert abs(excess) < 2e-6
        # The certificate bounds what is missing, and linear programming confirms it.
        assert residual >= scale * excess - 1e-6 * scale
        assert residual < (1e-2 if "hull" in name else 1e-4) * scale
        assert allowed.promise(w, 2 * scale * (w - point)) < 1e-4 * scale


def test_a_maximum_is_minimised_at_its_kink():
    allowed = allow([], 2)
    # The larger of 3 w0 and w1 is least where they are equal, at 3/4.
    lanes = np.array([[[3.0, 0.0], [0.0, 1.0]]])
    found = minimise(largest, lanes, 0.0, allowed, allowed.centre[None], hidden=np.log(2), precision=1e-7)
    assert found.w[0] == pytest.approx([0.25, 0.75], abs=1e-5)
    assert found.residual[0] < 1e-3


def test_what_is_not_convex_ends_in_a_minimum_that_is_certified():
    allowed = allow([], DOMAINS)
    starts = allowed.inside(np.eye(DOMAINS))
    found = minimise(waves, np.zeros(DOMAINS), 0.0, allowed, starts)
    assert (found.residual < 1e-4).all()
    values = [float(waves(w, 0.0, 0.0, 0.0)) for w in found.w]
    grid = np.linspace(0, 1, 2001)
    even = [float(np.sin(9 * x) + 0.3 * x + 0.1 * ((x - 0.2) ** 2 + 4 * ((1 - x) / 4 - 0.2) ** 2)) for x in grid]
    assert min(values) == pytest.approx(min(even), abs=1e-6)


def test_lanes_do_not_know_of_each_other():
    allowed = allow(boxed(), DOMAINS)
    points = np.random.default_rng(0).normal(0.2, 1.0, (300, DOMAINS))
    starts = np.tile(allowed.centre, (300, 1))
    together = minimise(square, points, 1.0, allowed, starts)
    alone = minimise(square, points[7:9], 1.0, allowed, starts[:2])
    assert np.allclose(together.w[7:9], alone.w, atol=1e-9)


def test_a_trusted_mixture_keeps_others_near():
    trusted = np.array([0.4, 0.3, 0.1, 0.1, 0.1])
    allowed = allow([], DOMAINS)
    near = replace(allowed, centre=trusted, trusted=(trusted, 0.05))
    points = np.random.default_rng(0).normal(0.2, 0.5, (5, DOMAINS))
    found = minimise(square, points, 1.0, near, np.tile(trusted, (5, 1)))
    for w, point in zip(found.w, points, strict=True):
        assert divergence(w, trusted, np) == pytest.approx(0.05, abs=1e-6)
        assert near.promise(w, 2 * (w - point)) < 1e-5
    others = near.pull(np.random.default_rng(0).dirichlet(np.ones(DOMAINS), 50))
    assert (divergence(others, trusted, np) <= 0.05 + 1e-12).all()


@pytest.mark.parametrize("name", list(sets()))
def test_pulled_candidates_are_allowed_and_those_that_are_stay(name):
    allowed = sets()[name]
    shares = np.random.default_rng(0).dirichlet(np.ones(len(allowed.corners)), 40)
    pulled = allowed.pull(shares)
    assert all(allowed.holds(w, 1e-7) for w in allowed.mixtures(pulled))
    assert np.allclose(allowed.pull(pulled), pulled, atol=1e-9)
    assert allowed.holds(allowed.mixtures(allowed.centre), 1e-9)


@pytest.mark.parametrize("name", ["simplex", "box", "groups", "hull"])
def test_the_centre_is_off_every_limit(name):
    allowed = sets()[name]
    assert (allowed.centre > 1e-5).all()
    assert (allowed.limits - allowed.rows @ allowed.mixtures(allowed.centre) > 1e-4).all()


def test_demands_that_contradict_each_other_are_named_and_no_others():
    unit = np.eye(3)
    stated = [
        Demand("web at least 0.4", -unit[0], -0.4),
        Demand("code at most 0.9", unit[1], 0.9),
        Demand("group both at most 0.3", unit[0] + unit[2], 0.3),
    ]
    with pytest.raises(BayesmixError) as error:
        allow(stated, 3)
    assert str(error.value) == (
        "no mixture is all of this at once: web at least 0.4; group both at most 0.3. Loosen one of them"
    )


def test_a_hull_that_contradicts_a_demand_is_named_with_it():
    observed = np.array([[0.5, 0.5, 0.0], [0.3, 0.3, 0.4], [0.2, 0.6, 0.2]])
    stated = [Demand("web at least 0.7", -np.eye(3)[0], -0.7), Demand("code at most 0.8", np.eye(3)[1], 0.8)]
    with pytest.raises(BayesmixError) as error:
        allow(stated, 3, observed)
    assert str(error.value) == (
        "no mixture is all of this at once: within the convex hull of the fitted mixtures; web at least 0.7. "
        "Loosen one of them"
    )
    assert allow(stated, 3).free.all()


def test_a_single_mixture_may_be_all_that_is_left():
    unit, fixed = np.eye(3), np.array([0.2, 0.3, 0.5])
    stated = [Demand(str(j), s * unit[j], s * fixed[j]) for j in range(3) for s in (1, -1)]
    allowed = allow(stated, 3)
    assert allowed.mixtures(allowed.centre) == pytest.approx(fixed)
    found = minimise(square, np.ones((1, 3)), 1.0, allowed, allowed.centre[None])
    assert found.w[0] == pytest.approx(fixed, abs=1e-9)
