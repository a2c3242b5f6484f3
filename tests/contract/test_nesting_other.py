"""Limits in which laws of other things become known ones."""

from math import erf, exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from nesting import derived, properties

attack, alab, growth, robot = (laws.get(n) for n in ("adversarial_tokens", "alab_m2", "hf_growth", "imitation_robot"))

amount = st.floats(0.1, 100.0)
age = st.floats(1.0, 3000.0)


@properties
@given(a=amount, t0=amount, a0=amount)
def test_an_attack_is_proportional_to_what_is_controlled(a, t0, a0):
    kappa = derived(attack, t0=t0, a0=a0)["kappa"]
    assert attack(controlled_tokens=a, t0=t0, a0=a0) == pytest.approx(kappa * a, rel=1e-12)
    same = alab(x=a, E=0, A=t0, c=-1, x0=a0)
    assert attack(controlled_tokens=a, t0=t0, a0=a0) == pytest.approx(same, rel=1e-12)


@properties
@given(x=amount, Y0=st.floats(0.05, 0.95), alpha=st.floats(0.05, 2), x0=amount)
def test_a_robot_learns_by_a_power_law_without_a_floor(x, Y0, alpha, x0):
    got = robot(environments=x, Y0=Y0, alpha=alpha, x0=x0)
    assert got == pytest.approx(alab(x=x, E=0, A=Y0, c=alpha, x0=x0), rel=1e-12)
    beta = derived(robot, Y0=Y0, alpha=alpha, x0=x0)["beta"]
    assert got == pytest.approx(beta * x**-alpha, rel=1e-10)


@properties
@given(t=age, c_inf=amount, fitness=st.floats(0.01, 5), mu=st.floats(-2, 2), s=st.floats(0.2, 3), t0=age)
def test_growth_is_the_citation_model(t, c_inf, fitness, mu, s, t0):
    p = derived(growth, c_inf=c_inf, fitness=fitness, immediacy=mu, t0=t0)
    share = (1 + erf((log(t) - p["mu"]) / (s * sqrt(2)))) / 2
    got = growth(days=t, c_inf=c_inf, fitness=fitness, immediacy=mu, longevity=s, t0=t0)
    assert got == pytest.approx(p["m"] * (exp(fitness * share) - 1), rel=1e-6, abs=1e-9 * c_inf)


@properties
@given(c_inf=amount, fitness=st.floats(0.01, 5), mu=st.floats(-2, 2), s=st.floats(0.2, 3), t0=age)
def test_growth_begins_at_nothing_and_ends_where_it_says(c_inf, fitness, mu, s, t0):
    c = {"c_inf": c_inf, "fitness": fitness, "immediacy": mu, "longevity": s, "t0": t0}
    assert growth(days=1e300, **c) == pytest.approx(c_inf, rel=1e-12)
    assert growth(days=1e-300, **c) < 1e-12 * c_inf
    assert growth(days=t0 * exp(mu), **c) < c_inf * 0.5


@properties
@given(t=age, mu=st.floats(-2, 2), s=st.floats(0.2, 3))
def test_growth_without_fitness_is_a_normal_distribution_of_the_log_of_the_age(t, mu, s):
    share = (1 + erf((log(t / 100) - mu) / (s * sqrt(2)))) / 2
    got = growth(days=t, c_inf=1, fitness=1e-9, immediacy=mu, longevity=s, t0=100)
    assert got == pytest.approx(share, rel=1e-6, abs=1e-9)
