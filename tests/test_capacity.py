"""Capacity that domains compete for: exact, and with exact first and second derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmix.laws.mixing._capacity import capacities, composition, portions
from bayesmix.precision import double

properties = settings(max_examples=60)
DOMAINS = 6


@st.composite
def competition(draw):
    """Weights with zeros among them, amplitudes and exponents far apart, and a floor of any size."""

    def each(low, high):
        return np.array(draw(st.lists(st.floats(low, high), min_size=DOMAINS, max_size=DOMAINS)))

    w = np.exp(each(-8.0, 0.0)) * np.array(draw(st.lists(st.booleans(), min_size=DOMAINS, max_size=DOMAINS)))
    w[draw(st.integers(0, DOMAINS - 1))] = 1.0
    c, b, floor = np.exp(each(-4.0, 3.0)), np.exp(each(-3.5, 2.0)), np.exp(draw(st.floats(-12.0, 2.0)))
    return w / w.sum(), c, b, DOMAINS * floor + np.exp(draw(st.floats(-6.0, 6.0))), floor


def solve(w, c, b, budget, floor):
    with double():
        return np.asarray(_solve(w, c, b, budget, floor))


@jax.jit
def _solve(w, c, b, budget, floor):
    return capacities(w * b * c, b, budget, floor)


@properties
@given(competition())
def test_the_capacities_add_up_to_the_budget_and_none_is_below_the_floor(case):
    w, _, _, budget, floor = case
    x = solve(*case)
    assert x.sum() == pytest.approx(budget, rel=1e-10)
    assert (x >= floor).all()
    assert (x[w == 0] == floor).all()


@properties
@given(competition())
def test_the_last_unit_of_capacity_is_worth_the_same_everywhere_above_the_floor(case):
    w, c, b, _, floor = case
    x = solve(*case)
    worth = w * c * b * x ** (-b - 1)
    free = x > floor * (1 + 1e-9)
    assert free.any()
    price = worth[free].max()
    np.testing.assert_allclose(worth[free], price, rtol=1e-8)
    assert (worth[~free] <= price * (1 + 1e-6)).all()


@properties
@given(competition(), st.integers(0, 2**32 - 1))
def test_no_other_capacities_do_better(case, seed):
    w, c, b, budget, floor = case
    x = solve(*case)
    other = floor + (budget - DOMAINS * floor) * np.random.default_rng(seed).dirichlet(np.full(DOMAINS, 0.5))
    for step in (1.0, 0.01):
        moved = x + step * (other - x)
        assert w @ (c * moved**-b) >= w @ (c * x**-b) * (1 - 1e-12)


def test_without_a_floor_the_capacities_follow_the_weights_alone():
    w = np.array([0.5, 0.3, 0.2, 0.0])
    x = solve(w, np.ones(4), np.full(4, 0.5), 10.0, 0.0)
    share = w ** (1 / 1.5)
    np.testing.assert_allclose(x, 10 * share / share.sum(), rtol=1e-13)


def test_a_budget_of_floors_only_leaves_every_domain_at_the_floor():
    case = (np.array([0.5, 0.3, 0.2]), np.ones(3), np.full(3, 0.5))
    np.testing.assert_allclose(solve(*case, 0.3, 0.1), 0.1, rtol=1e-12)
    with double():
        slopes = jax.jacobian(lambda floor: _solve(*case, 3 * floor, floor))(0.1)
    np.testing.assert_allclose(slopes, 1.0, rtol=1e-6)


CASES = {
    "free": (np.array([0.5, 0.3, 0.2]), np.array([1.0, 2.0, 0.5]), np.array([0.3, 0.8, 0.2]), 3.5, 0.05),
    "at the floor": (np.array([0.7, 0.3, 1e-5]), np.array([1.0, 2.0, 0.5]), np.array([0.3, 0.8, 0.2]), 3.5, 0.3),
    "without weight": (np.array([0.7, 0.3, 0.0]), np.array([1.0, 2.0, 0.5]), np.array([0.3, 0.8, 0.2]), 3.5, 0.3),
}


def losses(flat):
    """Return a smooth function of all capacities, of everything that they depend on in one vector."""
    w, c, b, (budget, floor) = flat[:3], flat[3:6], flat[6:9], flat[9:]
    x = capacities(w * b * c, b, budget, floor)
    return (jnp.arange(1.0, 4.0) * c * x**-b).sum()


@pytest.mark.parametrize("name", CASES)
def test_first_derivatives_are_right(name):
    flat = np.concatenate([np.ravel(part) for part in CASES[name]])
    with double():
        backward, forward = (np.asarray(jax.jit(d(losses))(flat)) for d in (jax.grad, jax.jacfwd))
        step = 1e-6 * np.eye(len(flat))
        moving = flat > 0  # below a weight of 0 there is nothing
        differences = [(losses(flat + s) - losses(flat - s)) / 2e-6 for s in step[moving]]
    np.testing.assert_allclose(backward, forward, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(backward[moving], np.array(differences), rtol=1e-6, atol=1e-7)
    assert np.isfinite(backward).all()
    assert (backward[2] == 0) == (name != "free"), "a little more weight is nothing at the floor"


@pytest.mark.parametrize("name", CASES)
def test_second_derivatives_are_right(name):
    flat = np.concatenate([np.ravel(part) for part in CASES[name]])
    with double():
        hessian = np.asarray(jax.jit(jax.hessian(losses))(flat))
        slope = jax.jit(jax.grad(losses))
        step = 1e-5 * np.eye(len(flat))
        moving = flat > 0
        differences = [(slope(flat + s) - slope(flat - s)) / 2e-5 for s in step[moving]]
    assert np.isfinite(hessian).all()
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(hessian[moving], np.array(differences), rtol=1e-5, atol=1e-6)
    assert np.abs(hessian).max() > 0.1


@properties
@given(competition())
def test_derivatives_are_finite_wherever_the_prior_is(case):
    w, c, b, budget, floor = case

    def total(parts):
        w, c, b, budget, floor = parts
        return jnp.log(capacities(w * b * c, b, budget, floor)).sum()

    with double():
        slopes = jax.tree.leaves(jax.jit(jax.grad(total))((w, c, b, budget, floor)))
    assert all(np.isfinite(s).all() for s in slopes)


def test_in_a_model_smaller_than_the_floor_no_exponent_matters():
    """All domains are at the floor, where the price is on the edge of what they want: a tie that rounding decides."""
    w, c = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.5, 0.6])
    with double():
        slopes = [
            jax.jacfwd(lambda b: portions(w, c, b, size, 0.4))(np.array([0.3, 0.4, 0.5]))  # noqa: B023
            for size in np.linspace(0.005, 0.13, 26)
        ]
    np.testing.assert_allclose(slopes, 0.0, atol=1e-12)


def test_many_are_solved_at_once():
    rng = np.random.default_rng(0)
    w, c, b = rng.dirichlet(np.ones(5), 50), np.exp(rng.normal(size=(50, 5))), np.exp(rng.normal(size=(50, 5)))
    with double():
        together = np.asarray(jax.vmap(_solve, in_axes=(0, 0, 0, None, None))(w, c, b, 7.0, 0.1))
    for i in range(50):
        np.testing.assert_allclose(together[i], solve(w[i], c[i], b[i], 7.0, 0.1), rtol=1e-13)


def test_a_target_that_is_no_domain_is_an_equal_mix():
    own = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(composition(own), [[0, 1, 0, 0], [0.25, 0.25, 0.25, 0.25]])
