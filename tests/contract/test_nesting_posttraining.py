"""Limits in which one law of post-training becomes another, and the formulas of the papers."""

from math import exp, log, sqrt

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from bayesmix.model import Model
from bayesmix.precision import double
from nesting import derived, properties, share, size

alab, bon, constant, rl, ruan, scalerl, tan, value = (
    laws.get(n)
    for n in ("alab_m2", "gao_bon", "constant", "gao_rl", "ruan_observational", "scalerl_sigmoid", "rl_post_training",
              "value_rl")
)  # fmt: skip

gain = st.floats(0.1, 1.0)
lost = st.floats(0.05, 0.3)
divergence = st.floats(0.01, 100.0)
exponent = st.floats(0.05, 0.6)
compute = st.floats(17.0, 23.0).map(lambda x: 10**x)


@properties
@given(kl=divergence, alpha=gain)
def test_best_of_n_and_reinforcement_learning_coincide_without_overoptimisation(kl, alpha):
    assert bon(kl, alpha=alpha, beta=0) == pytest.approx(alpha * sqrt(kl), rel=1e-12)
    assert rl(kl, alpha=alpha, beta=0) == pytest.approx(bon(kl, alpha=alpha, beta=0), rel=1e-12)


@properties
@given(kl=divergence, alpha=gain, beta=lost)
def test_gao_is_the_formula_of_the_paper(kl, alpha, beta):
    d = sqrt(kl)
    assert bon(kl, alpha=alpha, beta=beta) == pytest.approx(d * (alpha - beta * d), rel=1e-12, abs=1e-12)
    assert rl(kl, alpha=alpha, beta=beta) == pytest.approx(d * (alpha - beta * log(d)), rel=1e-12, abs=1e-12)


@properties
@given(alpha=gain, beta=lost, other=st.floats(0.01, 0.9) | st.floats(1.1, 4.0))
def test_best_of_n_peaks_where_it_is_said(alpha, beta, other):
    peak = derived(bon, alpha=alpha, beta=beta)
    assert peak["kl_peak"] == pytest.approx((alpha / 2 / beta) ** 2)
    assert bon(peak["kl_peak"], alpha=alpha, beta=beta) == pytest.approx(peak["score_peak"], rel=1e-12)
    assert bon(other * peak["kl_peak"], alpha=alpha, beta=beta) < peak["score_peak"]


@properties
@given(alpha=gain, beta=lost, other=st.floats(0.01, 0.9) | st.floats(1.1, 4.0))
def test_reinforcement_learning_peaks_where_it_is_said(alpha, beta, other):
    peak = exp(derived(rl, alpha=alpha, beta=beta)["log_kl_peak"])
    assert sqrt(peak) == pytest.approx(exp(alpha / beta - 1), rel=1e-12)
    assert rl(peak, alpha=alpha, beta=beta) == pytest.approx(beta * exp(alpha / beta - 1), rel=1e-10)
    assert rl(other * peak, alpha=alpha, beta=beta) < rl(peak, alpha=alpha, beta=beta)


@pytest.mark.parametrize("law", [bon, rl])
def test_a_policy_that_did_not_move_gained_nothing(law):
    assert law(0, alpha=0.5, beta=0.1) == 0


@properties
@given(alpha=gain, beta=lost)
def test_reinforcement_learning_at_one_nat_gained_its_alpha(alpha, beta):
    assert rl(1, alpha=alpha, beta=beta) == alpha


@pytest.mark.parametrize(("n", "kl"), [(4, 0.6362944), (16, 1.8350887), (1000, 5.9087553)])
def test_best_of_n_of_larger_reward_models_is_better(n, kl):
    assert log(n) - (n - 1) / n == pytest.approx(kl, abs=5e-8)
    fits = Model.read("gao_bon").published
    small, large = ({q: fits[f][q] for q in ("alpha", "beta")} for f in ("gao2022_rm3m", "gao2022_rm3b"))
    assert bon(kl, **large) > 1.3 * bon(kl, **small)


@properties
@given(updates=st.floats(0.1, 32.0), least=st.floats(1e3, 1e6), A=st.floats(1e3, 1e6), alpha=exponent)
def test_rybkin_is_a_power_law_with_a_floor(updates, least, A, alpha):
    rest = {"D_min": least, "A": A, "alpha": alpha, "updates0": 2.0}
    assert value(updates, **rest) == pytest.approx(alab(x=updates, E=least, A=A, c=alpha, x0=2), rel=1e-12)
    scale = derived(value, A=A, alpha=alpha, updates0=2.0)["beta_J"]
    assert value(updates, **rest) == pytest.approx(least + (scale / updates) ** alpha, rel=1e-9)
    assert value(1e300, **rest) == pytest.approx(constant(L0=least), rel=1e-9)


@properties
@given(N=size, x=compute, A=share, a=st.floats(-0.2, 0.2), k0=st.floats(0.02, 0.2), h=st.floats(0.1, 10.0), N0=size)
def test_tan_is_the_formula_of_the_paper(N, x, A, a, k0, h, N0):
    got = tan(N, x, A=A, a=a, k0=k0, h=h, N0=N0, x0=1e20)
    c = derived(tan, k0=k0, h=h, N0=N0)
    k = c["K_max"] / (1 + c["N_half"] / N)
    intercept = log(A) - a * log(N / N0) + k * log(1e20)
    assert log(got) == pytest.approx(-k * log(x) + intercept, rel=1e-10, abs=1e-10)


@properties
@given(x=compute, A=share, k0=st.floats(0.02, 0.2), h=st.floats(0.1, 10.0), N0=size)
def test_tan_with_endless_parameters_has_the_largest_exponent(x, A, k0, h, N0):
    rest = {"A": A, "a": 0, "k0": k0, "h": h, "N0": N0, "x0": 1e20}
    largest = derived(tan, k0=k0, h=h, N0=N0)["K_max"]
    assert tan(1e300, x, **rest) == pytest.approx(alab(x=x, E=0, A=A, c=largest, x0=1e20), rel=1e-12)
    assert tan(N0, x, **rest) == pytest.approx(alab(x=x, E=0, A=A, c=k0, x0=1e20), rel=1e-12)


@properties
@given(C=compute, R0=share, r=share, m=st.floats(0.1, 10.0), B=st.floats(0.3, 3.0), C0=compute)
def test_scalerl_is_the_formula_of_the_paper(C, R0, r, m, B, C0):
    c = derived(scalerl, R0=R0, r=r, m=m, C0=C0)
    rest = {"R0": R0, "r": r, "m": m, "B": B, "C0": C0}
    assert scalerl(C, **rest) == pytest.approx(R0 + (c["A"] - R0) / (1 + (c["C_mid"] / C) ** B), rel=1e-11)
    assert scalerl(c["C_mid"], **rest) == pytest.approx((R0 + c["A"]) / 2, rel=1e-12)
    assert scalerl(1e300, **rest) == pytest.approx(c["A"], rel=1e-12)
    assert scalerl(1e-300, **rest) == pytest.approx(R0, rel=1e-12)


@properties
@given(C=compute, R0=share, r=share, m=st.floats(0.1, 10.0), B=st.floats(0.3, 3.0), C0=compute)
def test_scalerl_is_ruan_in_log_compute(C, R0, r, m, B, C0):
    expected = ruan(capability=log(C / C0), c=R0, h=r, beta=B, alpha=-B * log(m))
    assert scalerl(C, R0=R0, r=r, m=m, B=B, C0=C0) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("B", [0.3, 3.0])
def test_scalerl_before_training_is_flat_in_all_but_its_start(B):
    quantities = {"C": 0.0, "R0": 0.4, "r": 0.35, "m": 2.0, "B": B}
    with double():
        value, slopes = jax.value_and_grad(lambda q: scalerl(**q, C0=4e3))(quantities)
    assert float(value) == pytest.approx(0.4, rel=1e-12)
    np.testing.assert_allclose([slopes[n] for n in quantities], [0, 1, 0, 0, 0], atol=1e-12)
