"""Limits in which one law becomes another, and the numbers that papers publish."""

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from nesting import anchored, loss, mixtures, properties, published, several, size

chinchilla, alab_m2, constant, gadre, kaplan, muennighoff, ye = (
    laws.get(n)
    for n in ("chinchilla", "alab_m2", "constant", "gadre_overtraining", "kaplan_nd", "muennighoff", "ye_m4")
)

half_life = st.floats(1.0, 40.0)


def optimal(unique, c):
    """N at which the marginal gains of N and D balance, for `unique` tokens."""
    balance = c["alpha"] * c["A"] / (c["beta"] * c["B"])
    return c["N0"] * (balance * (unique / c["D0"]) ** c["beta"]) ** (1 / c["alpha"])


@properties
@given(N=size, D=size, E=loss, a=st.floats(10, 500), b=st.floats(10, 500), eta=st.floats(0.05, 0.3))
def test_gadre_is_chinchilla_with_equal_exponents(N, D, E, a, b, eta):
    got = gadre(C=6 * N * D, M=D / N, E=E, a=a, b=b, eta=eta, C0=1, M0=1)
    same = chinchilla(N, D, E=E, A=a * 6**-eta, B=b * 6**-eta, alpha=2 * eta, beta=2 * eta, N0=1, D0=1)
    assert got == pytest.approx(same, rel=1e-11)


@properties
@given(c=anchored(), D=size, spare=st.floats(1.0, 100.0), share=st.floats(1e-3, 0.999), RD=half_life, RN=half_life)
def test_muennighoff_without_repetition_is_chinchilla(c, D, spare, share, RD, RN):
    N = share * optimal(D, c)
    got = muennighoff(N=N, D=D, U=spare * D, RD=RD, RN=RN, **c)
    assert got == pytest.approx(chinchilla(N, D, **c), rel=1e-10)


@properties
@given(c=anchored(), D=size, epochs=st.floats(1.5, 100.0), share=st.floats(1e-3, 0.999), RN=half_life)
def test_muennighoff_with_endless_half_life_is_chinchilla(c, D, epochs, share, RN):
    U = D / epochs
    N = share * optimal(U, c)
    expected = chinchilla(N, D, **c)
    assert muennighoff(N=N, D=D, U=U, RD=1e9, RN=RN, **c) == pytest.approx(expected, rel=1e-5)
    assert muennighoff(N=N, D=D, U=U, RD=1.0, RN=RN, **c) > expected


@properties
@given(c=anchored(), U=size, share=st.floats(1e-3, 0.999), RD=half_life, RN=half_life)
def test_muennighoff_repetition_is_worth_a_half_life_at_most(c, U, share, RD, RN):
    N = share * optimal(U, c)
    got = muennighoff(N=N, D=1e6 * U, U=U, RD=RD, RN=RN, **c)
    assert got == pytest.approx(chinchilla(N, U * (1 + RD), **c), rel=1e-10)


@properties
@given(N=size, A=loss, B=loss, alpha=st.floats(0.03, 0.3), beta=st.floats(0.03, 0.3), N0=size, D0=size)
def test_kaplan_with_endless_data_is_a_power_law_in_parameters(N, A, B, alpha, beta, N0, D0):
    got = kaplan(N, 1e300, A=A, B=B, alpha=alpha, beta=beta, N0=N0, D0=D0)
    assert got == pytest.approx(A * (N / N0) ** -alpha, rel=1e-9)


@properties
@given(D=size, A=loss, B=loss, alpha=st.floats(0.15, 0.3), beta=st.floats(0.03, 0.3), N0=size, D0=size)
def test_kaplan_with_endless_parameters_is_a_power_law_in_tokens(D, A, B, alpha, beta, N0, D0):
    got = kaplan(1e300, D, A=A, B=B, alpha=alpha, beta=beta, N0=N0, D0=D0)
    assert got == pytest.approx(B * (D / D0) ** -beta, rel=1e-9)


@properties
@given(N=size, D=size, alpha=st.floats(0.05, 0.3), beta=st.floats(0.05, 0.3), Nc=size, Dc=size)
def test_kaplan_is_the_formula_of_the_paper(N, D, alpha, beta, Nc, Dc):
    paper = ((Nc / N) ** (alpha / beta) + Dc / D) ** beta
    assert kaplan(N, D, A=1, B=1, alpha=alpha, beta=beta, N0=Nc, D0=Dc) == pytest.approx(paper, rel=1e-10)
    moved = kaplan(N, D, A=(Nc / 1e9) ** alpha, B=(Dc / 1e10) ** beta, alpha=alpha, beta=beta, N0=1e9, D0=1e10)
    assert moved == pytest.approx(paper, rel=1e-10)


@properties
@given(c=anchored(), x=size)
def test_chinchilla_with_endless_parameters_is_a_power_law_in_tokens(c, x):
    expected = alab_m2(x=x, E=c["E"], A=c["B"], c=c["beta"], x0=c["D0"])
    assert chinchilla(1e300, x, **c) == pytest.approx(expected, rel=1e-9)


@properties
@given(c=anchored(), x=size)
def test_chinchilla_with_endless_tokens_is_a_power_law_in_parameters(c, x):
    expected = alab_m2(x=x, E=c["E"], A=c["A"], c=c["alpha"], x0=c["N0"])
    assert chinchilla(x, 1e300, **c) == pytest.approx(expected, rel=1e-9)


@properties
@given(c=anchored())
def test_chinchilla_with_endless_everything_is_constant(c):
    assert chinchilla(1e300, 1e300, **c) == pytest.approx(constant(L0=c["E"]), rel=1e-9)


weights = mixtures(4)
effects = several(st.floats(-5.0, 5.0), 8).map(lambda x: x.reshape(2, 4))


@properties
@given(w=weights, w0=weights, t=effects, shift=st.floats(-10, 10))
def test_ye_does_not_see_a_constant_added_to_the_effects_on_a_target(w, w0, t, shift):
    rest = {"w": w, "w0": w0, "L0": np.array([2.0, 3.0]), "floor": np.array([0.5, 0.9])}
    moved = t + np.array([[shift], [0.0]])
    np.testing.assert_allclose(ye(t=moved, **rest), ye(t=t, **rest), rtol=1e-10)


@properties
@given(w=weights, w0=weights, L0=loss, floor=st.floats(0.1, 0.9))
def test_ye_without_effects_is_constant(w, w0, L0, floor):
    got = ye(w=w, w0=w0, L0=np.array([L0]), floor=np.array([floor]), t=np.zeros((1, 4)))
    np.testing.assert_allclose(got, [constant(L0=L0)], rtol=1e-12)


@properties
@given(w=weights, w0=weights, t=effects)
def test_ye_is_the_formula_of_the_paper(w, w0, t):
    L0, floor = np.array([2.0, 3.0]), np.array([0.5, 0.9])
    c, k = L0 * floor, L0 * (1 - floor) * np.exp(-t @ w0)
    np.testing.assert_allclose(ye(w=w, w0=w0, L0=L0, floor=floor, t=t), c + k * np.exp(t @ w), rtol=1e-11)


def test_chinchilla_gives_the_published_loss():
    predict = published("chinchilla", "hoffmann2022")
    assert predict(N=70e9, D=1.4e12) == pytest.approx(1.9366454705587173, abs=1e-12)


def test_chinchilla_with_unrounded_constants_gives_the_published_loss():
    got = chinchilla(70e9, 1.4e12, E=exp(0.5267228), A=exp(6.0073404), B=exp(6.0179186), alpha=0.33917084,
                     beta=0.2849083, N0=1, D0=1)  # fmt: skip
    assert got == pytest.approx(1.9208460265656064, abs=1e-12)


def test_kaplan_gives_the_published_loss():
    predict = published("kaplan_nd", "kaplan2020")
    assert predict(N=1.5e9, D=22e9) == pytest.approx(2.3125485, abs=5e-8)
    assert predict(N=1.5e9, D=1e300) == pytest.approx(2.2484682, abs=5e-8)


@pytest.mark.parametrize(
    ("N", "D", "number"), [(6.34e9, 242e9, 2.2256440889984477), (8.67e9, 178e9, 2.2269634075087867)]
)
def test_muennighoff_gives_the_published_losses(N, D, number):
    logs = {"E": exp(0.6254804), "A": exp(6.255414), "B": exp(7.3049974)}
    rest = {"alpha": 0.3526596, "beta": 0.3526596, "RD": 15.387756, "RN": 5.309743, "N0": 1, "D0": 1}
    assert muennighoff(N=N, D=D, U=25e9, **logs, **rest) == pytest.approx(number, abs=1e-12)
    # The model file has A and B to six digits.
    assert published("muennighoff", "muennighoff2023")(N=N, D=D, U=25e9) == pytest.approx(number, abs=2e-6)


def test_gadre_gives_the_published_loss():
    predict = published("gadre_overtraining", "gadre2024_redpajama")
    N = 1.4e9
    assert predict(C=6 * N * 640 * N, M=640) == pytest.approx(2.5258409, abs=1.5e-7)


def test_ye_gives_the_published_losses():
    got = published("ye_m4", "ye2024_5domains")(w=[0.2] * 5)
    np.testing.assert_allclose(got, [2.75843, 3.64727, 3.11921, 1.62179, 3.60324], rtol=0, atol=6e-6)
