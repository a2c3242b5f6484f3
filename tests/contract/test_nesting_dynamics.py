"""Limits in which laws of training dynamics become others, and the numbers that papers publish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from bayesmix.model import Model
from bayesmix.schedules import annealed, areas
from nesting import count, excess, loss, properties, size

annealing_law, multi_power, kaplan, alab_m2, chinchilla = (
    laws.get(n) for n in ("lr_annealing", "multi_power_law", "kaplan_ns", "alab_m2", "chinchilla")
)

exponent = st.floats(0.05, 0.8)
area = st.floats(0.1, 50.0)


@st.composite
def anchored(draw):
    """Quantities of Kaplan's law of steps."""
    return {"A": draw(loss), "B": draw(excess), "alpha": draw(exponent), "beta": draw(exponent),
            "gamma": draw(st.floats(0.1, 0.5)), "critical": draw(st.floats(0.01, 100.0)), "N0": draw(size),
            "steps0": draw(count), "batch0": draw(size)}  # fmt: skip


@properties
@given(rate=st.floats(1e-5, 1e-2), steps=st.integers(1, 2000), L0=loss, A=excess, alpha=exponent, C=excess, S0=area)
def test_annealing_with_a_constant_rate_is_a_power_law_in_the_forward_area(rate, steps, L0, A, alpha, C, S0):
    forward, annealing = areas([rate] * steps)
    got = annealing_law(forward[-1], annealing[-1], L0=L0, A=A, alpha=alpha, C=C, area0=S0)
    assert got == pytest.approx(alab_m2(x=steps * rate, E=L0, A=A, c=alpha, x0=S0), rel=1e-10)


@properties
@given(x=area, annealing=st.floats(0.001, 0.5), L0=loss, A=excess, alpha=exponent, C=excess, S0=area)
def test_annealing_is_the_formula_of_the_paper(x, annealing, L0, A, alpha, C, S0):
    raw = annealing_law.derived(A=A, C=C, alpha=alpha, area0=S0)
    paper = L0 + raw["A_raw"] * x**-alpha - raw["C_raw"] * annealing
    got = annealing_law(x, annealing, L0=L0, A=A, alpha=alpha, C=C, area0=S0)
    assert got == pytest.approx(paper, rel=1e-10, abs=1e-12)


@properties
@given(rates=st.lists(st.floats(0.1, 3.0), min_size=1, max_size=12), L0=loss, A=excess, alpha=exponent)
def test_without_gains_from_annealing_both_laws_of_schedules_agree(rates, L0, A, alpha):
    forward, annealing = areas(rates)
    got = annealing_law(forward[-1], annealing[-1], L0=L0, A=A, alpha=alpha, C=0, area0=1)
    same = multi_power(forward[-1], annealed(rates)[0], L0=L0, A=A, alpha=alpha, K=0, area0=1)
    assert got == pytest.approx(same, rel=1e-12)


@properties
@given(rate=st.floats(1e-5, 1e-2), L0=loss, A=excess, alpha=exponent, K=excess, S0=area)
def test_multi_power_with_a_constant_rate_tends_to_a_power_law_in_the_forward_area(rate, L0, A, alpha, K, S0):
    """The increase from 0 to the rate takes effect ever more fully: C S goes to infinity with the steps."""
    rates = [rate] * 2000
    given_back = annealed(rates, C=1e12, beta=1.0, gamma=0.5)[0]
    got = multi_power(2000 * rate, given_back, L0=L0, A=A, alpha=alpha, K=K, area0=S0)
    assert got == pytest.approx(alab_m2(x=2000 * rate, E=L0, A=A, c=alpha, x0=S0), rel=1e-8)


@properties
@given(x=area, back=st.floats(0.0, 1.0), L0=loss, A=excess, alpha=exponent, K=excess, S0=area)
def test_multi_power_is_the_formula_of_the_paper(x, back, L0, A, alpha, K, S0):
    raw = multi_power.derived(L0=L0, A=A, alpha=alpha, K=K, area0=S0)
    paper = raw["L0_raw"] + raw["A_raw"] * x**-alpha - K * (back - 1)
    assert multi_power(x, back, L0=L0, A=A, alpha=alpha, K=K, area0=S0) == pytest.approx(paper, rel=1e-10, abs=1e-12)


@properties
@given(c=anchored(), N=size, steps=count)
def test_kaplan_with_endless_batches_is_chinchilla_in_steps_without_a_floor(c, N, steps):
    rest = {n: c[n] for n in ("A", "B", "alpha", "beta", "N0")}
    expected = chinchilla(N, steps, E=0, D0=c["steps0"], **rest)
    assert kaplan(N, steps, 1e300, **c) == pytest.approx(expected, rel=1e-11)


@properties
@given(c=anchored(), N=size, batch=size)
def test_kaplan_with_endless_steps_is_a_power_law_in_parameters(c, N, batch):
    expected = alab_m2(x=N, E=0, A=c["A"], c=c["alpha"], x0=c["N0"])
    # A power law that is nearly flat has not vanished even there.
    assert kaplan(N, 1e290, batch, **{**c, "beta": c["beta"] + 0.2}) == pytest.approx(expected, rel=1e-9)


@properties
@given(c=anchored(), N=size, steps=count, batch=size)
def test_kaplan_solves_the_equations_of_the_paper(c, N, steps, batch):
    got = kaplan(N, steps, batch, **c)
    raw = kaplan.derived(**c)
    critical = raw["Bstar"] / got ** (1 / c["gamma"])
    fewest = steps / (1 + critical / batch)
    paper = (raw["Nc"] / N) ** c["alpha"] + (raw["Sc"] / fewest) ** c["beta"]
    assert got == pytest.approx(paper, rel=1e-9)


@properties
@given(c=anchored(), N=size, steps=count, batch=size, factor=st.floats(1.1, 100.0))
def test_kaplan_trades_batch_for_steps(c, N, steps, batch, factor):
    """More samples for the same steps never hurt, and fewer steps for the same samples do."""
    here = kaplan(N, steps, batch, **c)
    assert kaplan(N, steps, factor * batch, **c) <= here * (1 + 1e-12)
    assert kaplan(N, steps / factor, factor * batch, **c) >= here * (1 - 1e-12)


def test_kaplan_has_the_published_limits():
    for fit, scale, exponent in (("kaplan2020", 6.5e13, 0.077), ("su2024_c4", 1.5e14, 0.076)):
        model = Model.read("kaplan_ns")
        constants = {n: v for n, v in model.published[fit].items() if n != "source"}
        assert model.law(N=1e9, steps=1e250, batch=1e6, **constants) == pytest.approx((scale / 1e9) ** exponent)


def test_kaplan_needs_twice_the_steps_at_the_published_critical_batch():
    """There twice the steps are needed, S_min = S / 2; B_* = 2e8 tokens and alpha_B = 0.21."""
    constants = {n: v for n, v in Model.read("kaplan_ns").published["kaplan2020"].items() if n != "source"}
    loss = (6.5e13 / 1e9) ** 0.077 + (2.1e3 / 5e4) ** 0.76
    got = kaplan(N=1e9, steps=1e5, batch=2e8 / loss ** (1 / 0.21), **constants)
    assert got == pytest.approx(loss, rel=1e-12)
