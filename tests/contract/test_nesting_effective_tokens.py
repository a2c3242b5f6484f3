"""Limits of the laws of effective tokens and effective data."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from bayesmix.laws.data.muennighoff import worth as worth_of
from bayesmix.laws.mixing._ceiling import bounded
from bayesmix.precision import double
from nesting import properties, size

chinchilla, muennighoff, fixed, scaled, repeated, data = (
    laws.get(n)
    for n in (
        "chinchilla",
        "muennighoff",
        "effective_tokens",
        "effective_tokens_nd",
        "effective_tokens_repeated",
        "effective_data",
    )
)
worth = st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3)
elasticity = st.floats(0.1, 2.0)
FREE = {"rise": [np.inf]}  # no ceiling


@st.composite
def mixture(draw, zeros=True):
    parts = np.array(draw(st.lists(st.floats(0.0 if zeros else 0.05, 1.0), min_size=3, max_size=3)))
    return (parts + 1e-9) / (parts + 1e-9).sum()


@st.composite
def quantities(draw):
    """Quantities of one target."""
    return {"E": draw(st.floats(0.5, 3)), "A": draw(st.floats(0.05, 2)), "B": draw(st.floats(0.05, 2)),
            "alpha": draw(st.floats(0.1, 0.6)), "beta": draw(st.floats(0.1, 0.6)),
            "N0": draw(size), "D0": draw(size)}  # fmt: skip


def of_one_target(c):
    """Return Chinchilla's quantities as those of the laws with scale: the loss at the references, and shares of it."""
    L0, rest = c["E"] + c["A"] + c["B"], c["A"] + c["B"]
    found = {"L0": L0, "floor": c["E"] / L0, "split": c["A"] / rest}
    found |= {"kN": c["alpha"] * c["A"] / L0, "kD": c["beta"] * c["B"] / L0}
    return {n: [v] for n, v in found.items()} | {"N0": c["N0"], "D0": c["D0"]}


@properties
@given(c=quantities(), N=size, D=size, w=mixture(), t=worth, rho=elasticity)
def test_at_the_reference_mixture_it_is_chinchilla(c, N, D, w, t, rho):
    got = scaled(w=w, N=N, D=D, w0=w, t=[t], rho=[rho], epsilon=[1e-3], tau=[1], **FREE, **of_one_target(c))
    np.testing.assert_allclose(got, [chinchilla(N, D, **c)], rtol=1e-12)


@properties
@given(x0=st.floats(0.05, 3), rise=st.floats(0.05, 3), x=st.floats(1e-3, 1e3))
def test_an_excess_grows_from_what_it_is_to_the_ceiling(x0, rise, x):
    def excess(value, rise=rise):
        with double():
            return float(bounded(np.log(value), x0, rise))

    assert 0 < excess(x) <= excess(1.01 * x) <= (x0 + rise) * (1 + 1e-12)
    assert excess(x0) == pytest.approx(x0, rel=1e-12)
    assert excess(1e9 * (x0 + rise)) == pytest.approx(x0 + rise, rel=1e-9)
    assert excess(1e-6 * x0) / (1e-6 * x0) == pytest.approx((1 - (x0 / (x0 + rise)) ** 4) ** -0.25, rel=1e-9)
    assert excess(x, np.inf) == pytest.approx(x, rel=1e-12)


@properties
@given(c=quantities(), N=size, D=size, w0=mixture(zeros=False), t=worth, rho=elasticity, rise=st.floats(0.1, 2.0))
def test_what_was_never_seen_stays_near_the_ceiling_at_any_scale(c, N, D, w0, t, rho, rise):
    """Effective data at a mixture whose domains are worth nothing."""
    at = {"w": [1.0, 0.0, 0.0], "w0": w0, "t": [[-600.0, 300.0, 300.0]], "rho": [rho], "epsilon": [0.0], "tau": [1]}
    got = data(**at, N=N, D=D, m=[1.0], rise=[rise], **of_one_target(c))
    np.testing.assert_allclose(got, (c["E"] + c["A"] + c["B"]) * (1 + rise), rtol=1e-6)


@properties
@given(w=mixture(), w0=mixture(zeros=False), L0=st.floats(1, 4), floor=st.floats(0.1, 0.9), k=st.floats(0.01, 0.5),
       rise=st.floats(0.01, 5))  # fmt: skip
def test_tokens_of_equal_worth_that_replace_each_other_make_mixtures_matter_not(w, w0, L0, floor, k, rise):
    got = fixed(
        w=w, w0=w0, L0=[L0], floor=[floor], k=[k], rho=[1.0], epsilon=[1e-3], tau=[1], rise=[rise], t=[[0.0, 0.0, 0.0]]
    )
    np.testing.assert_allclose(got, [L0], rtol=1e-12)


@properties
@given(c=quantities(), w=mixture(), w0=mixture(zeros=False), t=worth, rho=elasticity, unit=st.floats(0.1, 10))
def test_at_one_scale_the_two_are_one_law(c, w, w0, t, rho, unit):
    """A floor of E and the part of N, and an elasticity of beta times the share of B."""
    D = unit * c["D0"]
    rest, part = c["E"] + c["A"], c["B"] * unit ** -c["beta"]
    at = {"w": w, "w0": w0, "t": [t], "rho": [rho], "epsilon": [1e-3], "tau": [1], **FREE}
    got = fixed(**at, L0=[rest + part], floor=[rest / (rest + part)], k=[c["beta"] * part / (rest + part)])
    np.testing.assert_allclose(got, scaled(**at, N=c["N0"], D=D, **of_one_target(c)), rtol=1e-11)


@properties
@given(w=mixture(zeros=False), t=worth, rho=elasticity, k=st.floats(0.01, 0.5))
def test_the_loss_falls_by_k_per_cent_when_effective_tokens_grow_by_one(w, t, rho, k):
    """Moving weight from domain 1 to domain 0 changes the log loss at the rate of their worths, by hand."""
    step = 1e-6
    shares = w * np.exp(t) / (w * np.exp(t)).sum()
    slope = -k * (shares[0] / w[0] - shares[1] / w[1])
    at = {"L0": [2.0], "floor": [0.5], "k": [k], "rho": [rho], "tau": [1], **FREE, "t": [t], "w0": w, "epsilon": [0.0]}
    up, down = (fixed(w=w + s * step * np.array([1, -1, 0]), **at)[0] for s in (1, -1))
    assert np.log(up / down) / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-6)


@properties
@given(c=quantities(), N=size, D=size, w=mixture(), t=worth, rho=elasticity, m=st.floats(0.0, 2.0))
def test_effective_data_at_the_reference_mixture_is_chinchilla(c, N, D, w, t, rho, m):
    got = data(w=w, N=N, D=D, w0=w, t=[t], rho=[rho], epsilon=[1e-3], tau=[1], **FREE, m=[m], **of_one_target(c))
    np.testing.assert_allclose(got, [chinchilla(N, D, **c)], rtol=1e-12)


@properties
@given(c=quantities(), w=mixture(), w0=mixture(zeros=False), t=worth, rho=elasticity, m=st.floats(0.01, 0.5),
       N=size, D=size)  # fmt: skip
def test_effective_data_at_one_scale_is_effective_tokens(c, w, w0, t, rho, m, N, D):
    """With the floor of Chinchilla there."""
    at = {"w": w, "w0": w0, "t": [t], "rho": [rho], "epsilon": [1e-3], "tau": [1], **FREE}
    there = float(chinchilla(N, D, **c))
    floor = c["E"] / there
    got = fixed(**at, L0=[there], floor=[floor], k=[m * (1 - floor)])
    np.testing.assert_allclose(got, data(**at, m=[m], N=N, D=D, **of_one_target(c)), rtol=1e-11)


@properties
@given(c=quantities(), N=size, D=size, w=mixture(), w0=mixture(zeros=False), t=worth, rho=elasticity)
def test_effective_data_with_endless_parameters_and_the_exponent_of_tokens_is_effective_tokens(c, N, D, w, w0, t, rho):
    at = {"w": w, "N": 1e300 * c["N0"], "D": D, "w0": w0, "t": [t], "rho": [rho], "epsilon": [1e-3], "tau": [1], **FREE}
    at |= of_one_target(c)
    np.testing.assert_allclose(data(**at, m=[c["beta"]]), scaled(**at), rtol=1e-11)


@properties
@given(c=quantities(), N=size, D=size, w=mixture(), w0=mixture(zeros=False), t=worth, rho=elasticity,
       R=st.floats(1, 40), spare=st.floats(1.0, 100.0))  # fmt: skip
def test_as_long_as_nothing_is_repeated_unique_tokens_do_not_matter(c, N, D, w, w0, t, rho, R, spare):
    at = {
        "w": w,
        "N": N,
        "D": D,
        "w0": w0,
        "t": [t],
        "rho": [rho],
        "epsilon": [1e-3],
        "tau": [1],
        **FREE,
        **of_one_target(c),
    }
    for unique in (np.maximum(w, 1e-6) * D * spare, [np.inf] * 3):
        np.testing.assert_allclose(repeated(**at, unique=unique, R=[R]), scaled(**at), rtol=1e-11)


@properties
@given(c=quantities(), D=size, epochs=st.floats(1.0, 100.0), share=st.floats(1e-3, 0.999), R=st.floats(1, 40))
def test_a_single_domain_is_muennighoff_without_excess_parameters(c, D, epochs, share, R):
    U = D / epochs
    balance = c["alpha"] * c["A"] / (c["beta"] * c["B"])
    N = share * c["N0"] * (balance * (U / c["D0"]) ** c["beta"]) ** (1 / c["alpha"])
    expected = muennighoff(N=N, D=D, U=U, RD=R, RN=5.0, **c)
    at = {"w": [1.0], "w0": [1.0], "t": [[0.0]], "rho": [1.0], "tau": [1], **FREE, "epsilon": [0.0], **of_one_target(c)}
    np.testing.assert_allclose(repeated(**at, N=N, D=D, unique=[U], R=[R]), [expected], rtol=1e-10)


@pytest.mark.parametrize(
    ("unique", "total", "expected", "slopes"),
    [
        (np.inf, 3.0, 3.0, (0, 1, 0)),  # nothing is ever repeated
        (np.inf, 0.0, 0.0, (0, 1, 0)),
        (2.0, 0.0, 0.0, (0, 1, 0)),
        (2.0, 1e9, 10.0, (5, 0, 2)),  # as much as repetition can add
    ],
)
def test_what_tokens_are_worth_has_finite_slopes_where_there_are_none_or_endless_ones(unique, total, expected, slopes):
    value, gradient = jax.value_and_grad(worth_of, argnums=(0, 1, 2))(unique, total, 4.0)
    assert value == pytest.approx(expected)
    assert np.array(gradient) == pytest.approx(slopes, abs=1e-6)
