"""Limits in which one downstream law becomes another, and the formulas of the papers."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from nesting import derived, excess, exponent, loss, properties, share, size

alab, bleu, chinchilla, cod, gadre, kaplan, ladder, pair, passuntil, ruan, sloth = (
    laws.get(n)
    for n in ("alab_m2", "bleu_log", "chinchilla", "cod_law", "gadre_error", "kaplan_nd", "ladder_two_step",
              "loss_to_loss", "passuntil", "ruan_observational", "sloth")
)  # fmt: skip

logit = st.floats(-3.0, 3.0)


@properties
@given(L=loss, L0=loss, b=share, r=share, k=st.floats(1.0, 10.0), m=st.floats(0.5, 2.0))
def test_the_ladder_is_the_formula_of_the_paper_with_either_sign(L, L0, b, r, k, m):
    got, a, slope, middle = ladder(L=L, b=b, r=r, k=k, m=m, L0=L0), (1 - b) * r, k / L0, m * L0
    assert got == pytest.approx(a / (1 + exp(slope * (L - middle))) + b, rel=1e-12)
    assert got == pytest.approx(-a / (1 + exp(-slope * (L - middle))) + b + a, rel=1e-12)
    assert derived(ladder, b=b, r=r, k=k, m=m, L0=L0) == pytest.approx({"a": a, "k_raw": -slope, "middle": middle})


@properties
@given(L0=loss, b=share, r=share, k=st.floats(1.0, 10.0), m=st.floats(0.5, 2.0), far=st.floats(10.0, 13.0))
def test_the_ladder_far_above_its_middle_is_gadre(L0, b, r, k, m, far):
    L = L0 * (m + far / k)
    got = 1 - ladder(L=L, b=b, r=r, k=k, m=m, L0=L0)
    expected = gadre(L=L, epsilon=1 - b, k=(1 - b) * r * exp(k * (m - 1)), gamma=k / L0, L0=L0)
    assert (1 - b) - got == pytest.approx((1 - b) - expected, rel=2 * exp(-far))
    assert (1 - b) - got > 0


@properties
@given(N=size, D=size, b=share, r=share, k=st.floats(1.0, 10.0), m=st.floats(0.5, 2.0))
def test_the_ladder_on_chinchilla_is_one_sigmoid_of_parameters_and_tokens(N, D, b, r, k, m):
    c = {"E": 0.5, "A": 0.4, "B": 0.6, "alpha": 0.34, "beta": 0.28, "N0": 1e9, "D0": 1e10}
    task = c["E"] + c["A"] * (N / 1e9) ** -0.34 + c["B"] * (D / 1e10) ** -0.28
    got = ladder(L=chinchilla(N, D, **c), b=b, r=r, k=k, m=m, L0=1.5)
    assert got == pytest.approx(b + (1 - b) * r / (1 + exp(k * (task / 1.5 - m))), rel=1e-11)


@properties
@given(L=loss, L0=loss, b=share, r=share, k=st.floats(1.0, 10.0), m=st.floats(0.5, 2.0))
def test_the_ladder_in_its_loss_is_ruan_in_a_falling_capability(L, L0, b, r, k, m):
    got = ladder(L=L, b=b, r=r, k=k, m=m, L0=L0)
    assert got == pytest.approx(ruan(capability=-L, c=b, h=r, beta=k / L0, alpha=k * m), rel=1e-12)


@properties
@given(S=logit, c=share, h=share, beta=st.floats(0.1, 3.0), alpha=logit)
def test_ruan_is_linear_in_log_odds_as_in_the_paper(S, c, h, beta, alpha):
    got = ruan(capability=S, c=c, h=h, beta=beta, alpha=alpha)
    reached = (got - c) / derived(ruan, c=c, h=h)["h_raw"]
    assert log(reached / (1 - reached)) == pytest.approx(beta * S + alpha, rel=1e-9, abs=1e-9)


BENCHMARKS = {"g": np.array([0.25, 0.0, 0.5]), "b": np.array([1.0, 0.5, -1.5]), "slope": np.array([0.2, 0.4, 0.3])}


@properties
@given(N=size, D=size, alpha=logit, r=st.floats(0.1, 2.0), N0=size, D0=size)
def test_sloth_without_interaction_is_ruan_of_its_skill(N, D, alpha, r, N0, D0):
    got = sloth(N, D, alpha=alpha, r=r, q=0, N0=N0, D0=D0, **BENCHMARKS)
    skill = alpha + log(N / N0) + r * log(D / D0)
    expected = [
        ruan(capability=skill, c=g, h=1, beta=slope, alpha=b) for g, b, slope in zip(*BENCHMARKS.values(), strict=True)
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-11)


@properties
@given(N=size, D=size, alpha=logit, N0=size, D0=size)
def test_sloth_with_tokens_worth_as_much_as_parameters_is_logistic_in_log_compute(N, D, alpha, N0, D0):
    got = sloth(N, D, alpha=alpha, r=1, q=0, N0=N0, D0=D0, **BENCHMARKS)
    g, b, slope = BENCHMARKS.values()
    skill = alpha + log(6 * N * D / (6 * N0 * D0))
    np.testing.assert_allclose(got, g + (1 - g) / (1 + np.exp(-slope * skill - b)), rtol=1e-11)


@properties
@given(N=size, D=size, alpha=logit, factor=st.floats(1.1, 10.0), r=st.floats(0.1, 2.0))
def test_a_family_of_sloth_does_as_well_as_others_of_more_parameters(N, D, alpha, factor, r):
    c = {"r": r, "q": 0, "N0": 1e9, "D0": 1e10, **BENCHMARKS}
    better = sloth(N, D, alpha=alpha + log(factor), **c)
    np.testing.assert_allclose(better, sloth(factor * N, D, alpha=alpha, **c), rtol=1e-11)
    assert (better > sloth(N, D, alpha=alpha, **c)).any()


@properties
@given(L=st.floats(1.0, 5.0), L0=st.floats(1.0, 5.0), E_1=loss, K=excess, s=st.floats(0.01, 0.19))
def test_losses_with_exponent_one_are_on_a_line(L, L0, E_1, K, s):
    got = pair(L=L, E_1=E_1, K=K, kappa=1, s=s, L0=L0)
    slope = derived(pair, K=K, kappa=1, s=s, L0=L0)["K_raw"]
    assert got == pytest.approx(E_1 + K + slope * (L - L0), rel=1e-12)


@properties
@given(L=loss, L0=loss, K=excess, kappa=st.floats(0.5, 2.0))
def test_losses_without_floors_are_a_power_law(L, L0, K, kappa):
    got = pair(L=L, E_1=0, K=K, kappa=kappa, s=0, L0=L0)
    assert got == pytest.approx(alab(x=L, E=0, A=K, c=-kappa, x0=L0), rel=1e-12)


@properties
@given(x=st.floats(8.0, 11.0).map(lambda x: 10**x), E=loss, F=loss, A=excess, B=excess, c=exponent, k=st.floats(0.5, 2))
def test_losses_that_are_powers_of_one_covariate_are_powers_of_each_other(x, E, F, A, B, c, k):
    first, second = (lambda x: alab(x=x, E=E, A=A, c=c, x0=1e9)), alab(x=x, E=F, A=B, c=k * c, x0=1e9)
    assert pair(L=first(x), E_1=F, K=B, kappa=k, s=E / first(1e9), L0=first(1e9)) == pytest.approx(second, rel=1e-9)


@properties
@given(N=size, D=size, alpha=st.floats(0.05, 0.2), beta=st.floats(0.05, 0.2), k=st.floats(0.5, 2.0), K=excess)
def test_losses_of_kaplan_with_the_same_bracket_are_powers_of_each_other(N, D, alpha, beta, k, K):
    c = {"N0": 1e9, "D0": 1e10}
    given_ = kaplan(N, D, A=2.0, B=1.5, alpha=alpha, beta=beta, **c)
    wanted = kaplan(N, D, A=K * 2.0**k, B=K * 1.5**k, alpha=k * alpha, beta=k * beta, **c)
    assert pair(L=given_, E_1=0, K=K, kappa=k, s=0, L0=1) == pytest.approx(wanted, rel=1e-10)


@properties
@given(L=loss, E_1=loss, K=excess, kappa=st.floats(0.5, 2.0), s=st.floats(0.1, 0.9))
def test_a_loss_at_its_floor_gives_the_other_floor(L, E_1, K, kappa, s):
    got = pair(L=s * L, E_1=E_1, K=K, kappa=kappa, s=s, L0=L)
    assert got == pytest.approx(E_1, abs=1.01e-6**kappa * K + 1e-12)
    assert got <= pair(L=L, E_1=E_1, K=K, kappa=kappa, s=s, L0=L) == pytest.approx(E_1 + K, rel=1e-12)


@properties
@given(x=size, c=st.floats(0.1, 5.0), alpha=st.floats(0.02, 0.4), x0=size)
def test_passuntil_is_the_exponential_of_a_cross_entropy_that_is_a_power_law(x, c, alpha, x0):
    got = passuntil(x=x, c=c, alpha=alpha, x0=x0)
    assert got == pytest.approx(exp(-alab(x=x, E=0, A=c, c=alpha, x0=x0)), rel=1e-12)
    assert got == pytest.approx(exp(-derived(passuntil, c=c, alpha=alpha, x0=x0)["c_raw"] * x**-alpha), rel=1e-10)


@properties
@given(samples=st.floats(1.0, 1e4), a=st.floats(0.1, 5.0), b=exponent, samples0=st.floats(1.0, 1e4))
def test_repeated_sampling_is_passuntil_in_samples(samples, a, b, samples0):
    coverage = passuntil(x=samples, c=a * samples0**-b, alpha=b, x0=samples0)
    assert coverage == pytest.approx(exp(-a * samples**-b), rel=1e-11)
    assert passuntil(x=1, c=a * samples0**-b, alpha=b, x0=samples0) == pytest.approx(exp(-a), rel=1e-11)
    assert passuntil(x=1e300, c=a, alpha=b, x0=samples0) == pytest.approx(1, abs=1e-9)


@properties
@given(C=st.floats(18.0, 25.0).map(lambda x: 10**x), a=st.floats(0.1, 5.0), b=exponent, g=share, c=st.floats(0.0, 2.0))
def test_cod_without_guessing_and_ceiling_is_passuntil_in_compute(C, a, b, g, c):
    expected = passuntil(x=C, c=a, alpha=b, x0=1e21)
    assert cod(C, g=0, a=a, b=b, c=0, C0=1e21) == pytest.approx(expected, rel=1e-12)
    assert cod(C, g=g, a=a, b=b, c=c, C0=1e21) == pytest.approx(g + (1 - g) * exp(-c) * expected, rel=1e-12)


@properties
@given(a=st.floats(0.1, 5.0), b=exponent, g=share, c=st.floats(0.0, 2.0), C0=size)
def test_cod_goes_from_guessing_to_its_ceiling(a, b, g, c, C0):
    rest = {"g": g, "a": a, "b": b, "c": c, "C0": C0}
    assert cod(1e-300, **rest) == pytest.approx(g, rel=1e-12)
    assert cod(1e300, **rest) == pytest.approx(derived(cod, **rest)["ceiling"], rel=1e-6)


@properties
@given(D=st.floats(6.0, 12.0).map(lambda x: 10**x), log_A=st.floats(-5.0, 5.0), alpha=st.floats(0.5, 2.0),
       beta=st.floats(0.3, 2.0), D0=size)  # fmt: skip
def test_bleu_is_the_formula_of_the_paper(D, log_A, alpha, beta, D0):
    anchor = log_A + alpha * log(D0)
    c = {"S": anchor**beta, "g": beta * alpha / anchor, "beta": beta, "D0": D0}
    assert bleu(D, **c) == pytest.approx((log_A + alpha * log(D)) ** beta, rel=1e-10)
    assert derived(bleu, **c)["alpha"] == pytest.approx(alpha, rel=1e-10)
    assert derived(bleu, **c)["log_A"] == pytest.approx(log_A, rel=1e-9, abs=1e-9)


@properties
@given(D=size, S=st.floats(1.0, 50.0), g=st.floats(0.001, 0.05), D0=size)
def test_bleu_is_a_line_in_log_tokens_or_a_power_of_them(D, S, g, D0):
    z = g * log(D / D0)
    assert bleu(D, S=S, g=g, beta=1, D0=D0) == pytest.approx(S * (1 + z), rel=1e-12)
    # What is left is the second term of the logarithm's series.
    assert bleu(D, S=S, g=g, beta=1e6, D0=D0) == pytest.approx(S * exp(z), rel=z**2 / 1e6 + 1e-9)


def test_bleu_below_the_threshold_of_its_log_is_nothing():
    assert bleu(1e3, S=30, g=0.2, beta=1, D0=1e9) == pytest.approx(0, abs=1e-4)
