"""Limits in which laws of scale become others, and the numbers that papers publish."""

from math import exp, log

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from bayesmix.laws.scale.alab_m4 import share
from bayesmix.model import Model
from bayesmix.precision import double
from nesting import anchored, derived, excess, exponent, loss, properties, published, size, slope

m1, m2, m3, m4, bian, bnsl, bnsl2, chinchilla, best, farseer = (
    laws.get(n)
    for n in ("alab_m1", "alab_m2", "alab_m3", "alab_m4", "bian_shape_aware", "bnsl", "bnsl2", "chinchilla",
              "compute_opt_power", "farseer")
)  # fmt: skip
gemstones, gemstones_size, hestness, kaplan, translation, rosenfeld, shifted, skaling, vocabulary = (
    laws.get(n)
    for n in ("gemstones_width_depth", "gemstones_width_depth_size", "hestness_power", "kaplan_nd", "nmt_encdec",
              "rosenfeld_joint", "shifted_compute_power", "skaling", "vocab_loss")
)  # fmt: skip

width, depth = st.floats(64, 16384), st.floats(2, 128)


@st.composite
def broken(draw):
    """Quantities of a law with one break, within 6 units of log x of the reference."""
    return {"a": draw(loss), "A": draw(excess), "c0": draw(slope), "d": exp(draw(st.floats(-6, 6))),
            "f": draw(st.floats(0.1, 2.0)), "c1": draw(slope), "x0": draw(size)}  # fmt: skip


# Power laws in one covariate


@properties
@given(x=size, A=excess, c=exponent, x0=size)
def test_m2_without_a_floor_is_m1(x, A, c, x0):
    assert m2(x, E=0.0, A=A, c=c, x0=x0) == pytest.approx(m1(x, A=A, c=c, x0=x0), rel=1e-12)
    assert m1(x, **{"A": 1, "c": c, "x0": derived(m1, A=A, c=c, x0=x0)["xc"]}) == pytest.approx(
        m1(x, A=A, c=c, x0=x0), rel=1e-10
    )


@properties
@given(x=size, A=loss, B=loss, c=st.floats(0.15, 0.3), x0=size)
def test_kaplan_with_endless_data_or_parameters_is_m1(x, A, B, c, x0):
    expected = m1(x, A=A, c=c, x0=x0)
    assert kaplan(x, 1e300, A=A, B=B, alpha=c, beta=0.1, N0=x0, D0=1e10) == pytest.approx(expected, rel=1e-9)
    assert kaplan(1e300, x, A=B, B=A, alpha=0.15, beta=c, N0=1e10, D0=x0) == pytest.approx(expected, rel=1e-9)


@properties
@given(x=size, E=loss, A=excess, c=exponent, x0=size)
def test_hestness_is_m2_for_errors(x, E, A, c, x0):
    assert hestness(x, E=E, A=A, b=c, m0=x0) == pytest.approx(m2(x, E=E, A=A, c=c, x0=x0), rel=1e-12)


@properties
@given(x=size, A=loss, g=st.floats(0.01, 10.0), c=exponent, x0=size)
def test_m3_is_m1_without_the_irreducible_and_constant_with_endless_x(x, A, g, c, x0):
    assert m3(x, A=A, g=0.0, c=c, x0=x0) == pytest.approx(m1(x, A=A, c=c, x0=x0), rel=1e-12)
    raw = derived(m3, A=A, g=g, c=c, x0=x0)
    assert m3(1e300, A=A, g=g, c=c, x0=x0) == pytest.approx(raw["floor"], rel=1e-12)
    assert m3(x, A=A, g=g, c=c, x0=x0) == pytest.approx(raw["beta"] * (1 / x + raw["gamma"]) ** c, rel=1e-11)


@properties
@given(x=size, ceiling=loss, floor=st.floats(0.05, 0.9), part=st.floats(-6.0, 6.0).map(lambda x: 10**x), c=exponent,
       x0=size)  # fmt: skip
def test_m4_without_an_upper_plateau_is_the_lesser_of_m2_and_the_ceiling(x, ceiling, floor, part, c, x0):
    E = floor * ceiling
    A = part * (ceiling - E) * (x / x0) ** c
    rest = {"ceiling": ceiling, "floor": floor, "A": A, "c": c, "x0": x0}
    expected = min(m2(x, E=E, A=A, c=c, x0=x0), ceiling)
    assert m4(x, a=0.0, **rest) == pytest.approx(expected, rel=1e-11)
    assert m4(x, a=1e-13, **rest) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("z", [-30.0, -1.0, -1e-3, 1e-3, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("a", [0.0, 1e-300, 1e-13])
def test_m4_with_hardly_an_upper_plateau_has_the_derivatives_of_the_limit(z, a):
    with double():
        value, slopes = jax.value_and_grad(share, argnums=(0, 1))(z, a)
    assert float(value) == pytest.approx(min(exp(min(z, 0)), 1), rel=1e-9)
    assert float(slopes[0]) == pytest.approx(exp(z) if z < 0 else 0, rel=1e-8, abs=1e-12)
    assert np.isfinite(slopes[1])


@properties
@given(x=size, ceiling=loss, floor=st.floats(0.05, 0.9), A=excess, c=exponent, a=st.floats(1e-4, 5.0), x0=size)
def test_m4_solves_the_equation_of_the_paper(x, ceiling, floor, A, c, a, x0):
    got = m4(x, ceiling=ceiling, floor=floor, A=A, c=c, a=a, x0=x0)
    raw = derived(m4, ceiling=ceiling, floor=floor, A=A, c=c, a=a, x0=x0)
    assert raw["E"] < got <= ceiling
    if got < ceiling * (1 - 1e-6):  # closer to it the paper's form is rounded off
        left = (got - raw["E"]) / (ceiling - got) ** a
        assert log(left) == pytest.approx(log(raw["beta"]) - c * log(x), abs=1e-7)


@properties
@given(z=st.floats(-30.0, 12.0))
def test_m4_has_the_derivatives_of_its_closed_form(z):
    def closed(z):  # y (1 - u)^2 = u, in the form that does not cancel for small y
        y = jnp.exp(z)
        return 2 * y / (2 * y + 1 + jnp.sqrt(4 * y + 1))

    def implicit(z):
        return share(z, 2.0)

    with double():
        for _ in range(3):
            assert float(implicit(z)) == pytest.approx(float(closed(z)), rel=1e-9, abs=1e-14)
            closed, implicit = jax.grad(closed), jax.grad(implicit)


@properties
@given(c=broken(), x=size)
def test_bnsl_without_a_change_is_m2(c, x):
    got = bnsl(x, **{**c, "c1": 0.0})
    assert got == pytest.approx(m2(x, E=c["a"], A=c["A"], c=c["c0"], x0=c["x0"]), rel=1e-11)


@properties
@given(c=broken(), x=size)
def test_bnsl_is_the_formula_of_the_paper(c, x):
    raw = derived(bnsl, **{n: v for n, v in c.items() if n != "a"})
    turned = (1 + (x / raw["d_raw"]) ** (1 / c["f"])) ** (-c["c1"] * c["f"])
    assert bnsl(x, **c) == pytest.approx(c["a"] + raw["b"] * x ** -c["c0"] * turned, rel=1e-9)


@properties
@given(c=broken())
def test_bnsl_has_one_exponent_before_the_break_and_another_after(c):
    middle = c["d"] * c["x0"]
    for far, expected in ((1e-30, c["c0"]), (1e30, c["c0"] + c["c1"])):
        near, there = (bnsl(far * middle * k, **{**c, "a": 0.0}) for k in (1.0, 10.0))
        assert log(near / there) / log(10) == pytest.approx(expected, abs=1e-9)


@properties
@given(c=broken(), x=size, g=st.floats(0.1, 6.0), f=st.floats(0.1, 2.0), change=slope)
def test_bnsl_with_two_breaks_of_which_one_changes_nothing_has_one(c, x, g, f, change):
    rest = {n: c[n] for n in ("a", "A", "c0", "x0")}
    two = {"d1": c["d"], "f1": c["f"], "c1": c["c1"], "g": g, "f2": f, "c2": change}
    assert bnsl2(x, **rest, **{**two, "c2": 0.0}) == pytest.approx(bnsl(x, **c), rel=1e-11)
    second = {"d": c["d"] * exp(g), "f": f, "c1": change}
    assert bnsl2(x, **rest, **{**two, "c1": 0.0}) == pytest.approx(bnsl(x, **rest, **second), rel=1e-11)
    raw = derived(bnsl2, **{n: v for n, v in rest.items() if n != "a"}, **two)
    turned = (1 + (x / raw["d1_raw"]) ** (1 / c["f"])) ** (-c["c1"] * c["f"])
    turned *= (1 + (x / raw["d2_raw"]) ** (1 / f)) ** (-change * f)
    assert bnsl2(x, **rest, **two) == pytest.approx(c["a"] + raw["b"] * x ** -c["c0"] * turned, rel=1e-9)


@properties
@given(C=size, E=loss, A=excess, alpha=exponent, b=st.floats(0.01, 10.0), C0=size)
def test_shifted_compute_without_a_shift_is_m2(C, E, A, alpha, b, C0):
    assert shifted(C, E=E, A=A, alpha=alpha, b=0.0, C0=C0) == pytest.approx(m2(C, E=E, A=A, c=alpha, x0=C0), rel=1e-12)
    raw = derived(shifted, A=A, alpha=alpha, b=b, C0=C0)
    paper = raw["A_raw"] * (C + raw["B_raw"]) ** -alpha + E
    assert shifted(C, E=E, A=A, alpha=alpha, b=b, C0=C0) == pytest.approx(paper, rel=1e-11)


@properties
@given(Ne=size, Nd=size, E=loss, A=excess, pe=exponent, pd=exponent, Ne0=size, Nd0=size)
def test_translation_at_one_decoder_is_m2_in_the_encoder(Ne, Nd, E, A, pe, pd, Ne0, Nd0):
    got = translation(Ne, Nd, E=E, A=A, pe=pe, pd=pd, Ne0=Ne0, Nd0=Nd0)
    assert got == pytest.approx(m2(Ne, E=E, A=A * (Nd / Nd0) ** -pd, c=pe, x0=Ne0), rel=1e-11)


# Parameters and tokens


@properties
@given(c=anchored(), N=size, D=size)
def test_skaling_with_an_outer_exponent_of_one_is_chinchilla(c, N, D):
    assert skaling(N, D, k=1.0, **c) == pytest.approx(chinchilla(N, D, **c), rel=1e-11)


@properties
@given(c=anchored(), N=size, D=size)
def test_skaling_without_a_floor_can_be_kaplan(c, N, D):
    del c["E"]
    assert skaling(N, D, E=0.0, k=c["beta"], **c) == pytest.approx(kaplan(N, D, **c), rel=1e-10)


@properties
@given(c=anchored(), x=size, k=st.floats(0.2, 2.0))
def test_skaling_with_endless_data_or_parameters_is_m2(c, x, k):
    c |= {"alpha": c["alpha"] + 0.1 * k, "beta": c["beta"] + 0.1 * k}  # so that 1e300 is endless
    expected = m2(x, E=c["E"], A=c["A"], c=c["alpha"], x0=c["N0"])
    assert skaling(x, 1e300, k=k, **c) == pytest.approx(expected, rel=1e-9)
    expected = m2(x, E=c["E"], A=c["B"], c=c["beta"], x0=c["D0"])
    assert skaling(1e300, x, k=k, **c) == pytest.approx(expected, rel=1e-9)


@properties
@given(c=anchored(), N=size, D=size, k=st.floats(0.2, 2.0))
def test_skaling_is_the_formula_of_the_paper(c, N, D, k):
    raw = derived(skaling, k=k, **{n: v for n, v in c.items() if n != "E"})
    inner = raw["A_raw"] * N ** -raw["alpha_raw"] + raw["B_raw"] * D ** -raw["beta_raw"]
    assert skaling(N, D, k=k, **c) == pytest.approx(c["E"] + inner**k, rel=1e-9)


inner = st.floats(0.02, 0.4)


@properties
@given(N=size, D=size, floor=loss, u=slope, v=slope, s=slope, B=excess, b=exponent, N0=size, D0=size)
def test_farseer_without_slopes_is_m2_and_without_inner_exponents_has_powers(N, D, floor, u, v, s, B, b, N0, D0):
    flat = {"floor": floor, "B": B, "b": b, "alpha": 0.3, "beta": -0.2, "gamma": 0.1, "N0": N0, "D0": D0}
    assert farseer(N, D, u=0, v=0, s=0, **flat) == pytest.approx(m2(D, E=floor, A=B, c=b, x0=D0), rel=1e-11)
    n = N / N0
    expected = floor * n**u + B * n**v * (D / D0) ** -(b * n**s)
    for zero in (0.0, 1e-12):
        got = farseer(N, D, u=u, v=v, s=s, **{**flat, "alpha": zero, "beta": zero, "gamma": zero})
        assert got == pytest.approx(expected, rel=1e-8)


@properties
@given(N=size, D=size, floor=loss, u=slope, v=slope, s=slope, B=excess, b=exponent, alpha=inner, beta=inner,
       gamma=inner)  # fmt: skip
def test_farseer_is_the_formula_of_the_paper(N, D, floor, u, v, s, B, b, alpha, beta, gamma):
    q = {"floor": floor, "u": u, "gamma": -gamma, "B": B, "v": v, "beta": beta, "b": b, "s": s, "alpha": alpha,
         "N0": 1e9}  # fmt: skip
    r = derived(farseer, **q)
    D0 = 1e10
    paper = exp(r["a3"] * N**-gamma + r["b3"]) + exp(
        r["a2"] * N**beta + r["b2"] - exp(r["a1"] * N**alpha + r["b1"]) * log(D / D0)
    )
    assert farseer(N, D, D0=D0, **q) == pytest.approx(paper, rel=1e-8)


@properties
@given(c=anchored(), N=size, D=size, width=width, depth=depth, gamma=st.floats(-1, 1), epsilon=st.floats(0.01, 0.5))
def test_bian_without_an_effect_of_shape_is_chinchilla(c, N, D, width, depth, gamma, epsilon):
    shape = {"width0": 1024, "depth0": 16}
    expected = chinchilla(N, D, **c)
    assert bian(N, D, width, depth, epsilon=0.0, gamma=gamma, **shape, **c) == pytest.approx(expected, rel=1e-12)
    along = bian(N, D, 64 * depth, depth, epsilon=epsilon, gamma=gamma, **shape, **c)
    assert along == pytest.approx(expected, rel=1e-11), "the shape of the reference"
    r = derived(bian, epsilon=epsilon, gamma=gamma, **shape, **c)
    paper = r["E_raw"] + r["A_raw"] * N ** -c["alpha"] + r["B_raw"] * D ** -c["beta"]
    paper *= 1 + r["epsilon_raw"] * (width / depth) ** gamma
    assert bian(N, D, width, depth, epsilon=epsilon, gamma=gamma, **shape, **c) == pytest.approx(paper, rel=1e-10)


@properties
@given(c=anchored(), N=size, D=size, w=width, l=depth, P=excess, delta=exponent)
def test_gemstones_loses_terms_to_its_neighbours(c, N, D, w, l, P, delta):  # noqa: E741
    references = {"width0": 1024, "depth0": 16, "D0": c["D0"]}
    shape = {n: c[n] for n in ("E", "A", "alpha", "B", "beta")}
    tokens = {"C": P, "gamma": delta}
    small = gemstones(D, w, l, **shape, **tokens, **references)
    flat = c["E"] + c["A"] * (w / 1024) ** -c["alpha"] + c["B"] * (l / 16) ** -c["beta"]
    assert small == pytest.approx(m2(D, E=flat, A=P, c=delta, x0=c["D0"]), rel=1e-11)
    got = gemstones_size(N, D, w, l, P=0.0, delta=0.3, N0=c["N0"], **shape, **tokens, **references)
    assert got == pytest.approx(small, rel=1e-12)
    no_shape = {**shape, "A": 0.0, "B": 0.0}
    got = gemstones_size(N, D, w, l, P=c["A"], delta=c["alpha"], N0=c["N0"], **no_shape, **tokens, **references)
    expected = chinchilla(N, D, **{**c, "B": P, "beta": delta})
    assert got == pytest.approx(expected, rel=1e-12)


@properties
@given(c=anchored(), N=size, D=size, Nv=size, Nv0=size, A2=excess, alpha_v=exponent)
def test_the_gain_of_one_vocabulary_is_chinchilla_but_for_the_sign_and_a_constant(c, N, D, Nv, Nv0, A2, alpha_v):
    rest = {"B": c["B"], "alpha": c["alpha"], "N0": c["N0"], "D0": c["D0"]}
    got = vocabulary(N, D, Nv, E=c["E"], A1=c["A"], A2=A2, alpha_v=alpha_v, Nv0=Nv0, **rest)
    constant = A2 * (Nv / Nv0) ** -alpha_v - c["E"]
    expected = chinchilla(N, D, E=constant, A=c["A"], beta=c["alpha"], **rest)
    assert got == pytest.approx(-expected, rel=1e-10, abs=1e-10)


@properties
@given(c=anchored(), N=size, D=size, epsilon0=st.floats(0.5, 0.99), eta=st.floats(0.01, 100.0))
def test_rosenfeld_is_chinchilla_far_below_a_guess_and_a_guess_far_above(c, N, D, epsilon0, eta):
    rest = {n: c[n] for n in ("A", "B", "alpha", "beta", "N0", "D0")}
    linear = chinchilla(N, D, **c)
    assert rosenfeld(N, D, epsilon0=1e9 * linear, c=c["E"], **rest) == pytest.approx(linear, rel=1e-11)
    assert rosenfeld(N, D, epsilon0=1e-9 * linear, c=c["E"], **rest) == pytest.approx(1e-9 * linear, rel=1e-11)
    scaled = linear * eta / epsilon0  # the paper's, whose eta runs cannot show
    paper = epsilon0 * abs(scaled / complex(scaled, -eta))
    assert rosenfeld(N, D, epsilon0=epsilon0, c=c["E"], **rest) == pytest.approx(paper, rel=1e-11)


def allocation(c):
    """Return quantities of the best N for C = 6 N D that Chinchilla implies."""
    raw = derived(chinchilla, **{n: v for n, v in c.items() if n != "E"})
    G = (c["alpha"] * raw["A_raw"] / (c["beta"] * raw["B_raw"])) ** (1 / (c["alpha"] + c["beta"]))
    return {"A": G, "a": raw["a"], "C0": 6.0}


@properties
@given(c=anchored(), C=st.floats(18, 26).map(lambda x: 10**x))
def test_chinchilla_implies_a_power_law_for_the_best_number_of_parameters(c, C):
    N = best(C, **allocation(c))
    least, *others = (chinchilla(k * N, C / (6 * k * N), **c) for k in (1.0, 0.98, 1.02))
    assert all(least < other for other in others)


# Numbers of papers


@pytest.mark.parametrize(
    ("fit", "number", "tolerance"),
    [
        ("hoffmann2022", 1.9366454705587173, 1e-12),
        ("hoffmann2022_unrounded", 1.9208460265656064, 1e-8),
        ("besiroglu2024", 1.9734159169207028, 1e-12),
    ],
)
def test_chinchilla_gives_the_published_losses(fit, number, tolerance):
    assert published("chinchilla", fit)(N=70e9, D=1.4e12) == pytest.approx(number, abs=tolerance)


@pytest.mark.parametrize(
    ("fit", "E", "A", "B", "a"),
    [
        ("hoffmann2022_unrounded", 1.693, 0.360, 1.120, 0.457),
        ("besiroglu2024", 1.817, 0.357, 1.063, 0.513),
        ("sardana2023", 1.45, 0.81, 0.96, 0.57),
        ("sardana2023_to_100", 0.17, 1.37, 1.76, 0.62),
        ("sardana2023_to_250", 0.98, 0.96, 1.44, 0.55),
        ("sardana2023_to_500", 0.95, 1.15, 1.30, 0.55),
    ],
)
def test_fits_of_chinchilla_agree_about_a_billion_parameters_and_tokens(fit, E, A, B, a):
    predict, digits = published("chinchilla", fit), 1e-3 if A < 0.4 else 1e-2
    floor = predict(N=1e300, D=1e300)
    assert predict(N=1e9, D=1e300) - floor == pytest.approx(A, abs=0.51 * digits)
    assert predict(N=1e300, D=1e9) - floor == pytest.approx(B, abs=0.51 * digits)
    c = {n: v for n, v in Model.read("chinchilla").published[fit].items() if n != "source"}
    assert c.pop("E") == pytest.approx(E, abs=0.51 * digits)
    assert derived(chinchilla, **c)["a"] == pytest.approx(a, abs=0.51 * digits)


@pytest.mark.parametrize(("C", "N", "M"), [(1e21, 2.782e9, 21.5), (5.76e23, 7.235e10, 18.3), (3.8e25, 6.196e11, 16.5)])
def test_besiroglu_gives_the_published_optima(C, N, M):
    c = {n: v for n, v in Model.read("chinchilla").published["besiroglu2024"].items() if n != "source"}
    got = best(C, **allocation(c))
    assert got == pytest.approx(N, rel=2e-4)
    assert C / 6 / got**2 == pytest.approx(M, abs=0.05)


@pytest.mark.parametrize(
    ("step", "exponent"), [("kaplan", 0.835), ("head", 0.706), ("warmup", 0.602), ("decay", 0.571), ("tuned", 0.497)]
)
def test_porian_gives_the_published_exponents(step, exponent):
    predict = published("compute_opt_power", f"porian2024_{step}")
    assert np.log10(predict(C=1e21) / predict(C=1e20)) == pytest.approx(exponent, abs=5.1e-4)
    assert 1e7 < predict(C=1e19) < 5e8, "between the smallest and the largest of the models"


def test_kaplan_in_one_covariate_gives_the_published_loss():
    assert published("kaplan_univariate", "kaplan2020_parameters")(x=1.5e9) == pytest.approx(2.30355, abs=5e-6)


@pytest.mark.parametrize(("N", "D", "number"), [(1e9, 2e10, 2.3746922), (70e9, 1.4e12, 1.7366724)])
def test_skaling_gives_the_losses_of_busbridge(N, D, number):
    assert published("skaling", "busbridge2025")(N=N, D=D) == pytest.approx(number, abs=1e-6)
