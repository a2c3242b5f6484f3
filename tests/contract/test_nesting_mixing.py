"""Limits in which one mixing law becomes another, and the numbers that papers publish."""

from functools import partial

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from bayesmix.laws.mixing._capacity import capacities
from bayesmix.laws.mixing.mnmt_multilingual import effective
from bayesmix.model import Model
from bayesmix.precision import double
from nesting import K, anchored, excess, exponent, loss, mixtures, properties, published, several, size

alab_m2, autoscale, bimix, chinchilla, d_cpt, eq1, noise, tied, closed, he = (
    laws.get(n)
    for n in ("alab_m2", "autoscale_ddo", "bimix", "chinchilla", "d_cpt", "dai_capacity_eq1", "dai_capacity_noise",
              "dai_capacity_tied", "dai_capacity_closed", "he_multilingual")
)  # fmt: skip
modal, mnmt, olmix, linear, additive, joint, implicit, m1, m2, m4, nested = (
    laws.get(n)
    for n in ("mixed_modal", "mnmt_multilingual", "olmix_loglinear", "regmix_linear", "shukor_additive",
              "shukor_joint", "ye_implicit", "ye_m1", "ye_m2", "ye_m4", "ye_nested")
)  # fmt: skip

share = st.floats(0.05, 0.95)
near = st.floats(-1.0, 1.0).map(lambda x: 10**x)
weights = mixtures()
centred = several(st.floats(-3.0, 3.0)).map(lambda x: x - x.mean())
effects = several(st.floats(-5.0, 5.0))


def of_targets(constants, count=1):
    """Give every target the same constants; references stay as they are."""
    return {n: v if n in ("N0", "D0") else np.full(count, v) for n, v in constants.items()}


# Ye, Olmix and RegMix


@properties
@given(w=weights, w0=weights, t=effects, log_c=st.floats(-1.0, 1.5))
def test_olmix_is_ye_with_its_amplitude_in_the_effects(w, w0, t, log_c):
    c, rest = np.exp(log_c), np.exp(t @ w0)
    ye = m4(w=w, w0=w0, L0=np.array([c + rest]), floor=np.array([c / (c + rest)]), t=(t - t.mean())[None])
    assert olmix(w=w, c=c, k=np.exp(t)) == pytest.approx(ye[0], rel=1e-11)
    assert ye[0] == pytest.approx(np.exp(log_c) + np.exp(t @ w), rel=1e-11)


@properties
@given(c=anchored(), w=weights, w0=weights, t=centred, L0=loss, floor=share, mixed=share, split=share, N=size, D=size)
def test_nested_ye_at_one_scale_is_ye(c, w, w0, t, L0, floor, mixed, split, N, D):
    """Over the loss there at the reference mixture, whose floor is the same."""
    shape = {"floor": np.array([floor]), "mixed": np.array([mixed]), "split": np.array([split]), "t": t[None]}
    scale = {n: c[n] for n in ("alpha", "beta", "N0", "D0")}
    there = nested(w=w0, w0=w0, N=N, D=D, L0=np.array([L0]), **shape, **scale)
    ye = m4(w=w, w0=w0, L0=there, floor=L0 * floor / there, t=t[None])
    assert nested(w=w, w0=w0, N=N, D=D, L0=np.array([L0]), **shape, **scale) == pytest.approx(ye, rel=1e-11)


@properties
@given(c=anchored(), w=weights, w0=weights, t=centred, L0=loss, floor=share, mixed=share, split=share, N=size, D=size)
def test_nested_ye_for_one_mixture_is_chinchilla(c, w, w0, t, L0, floor, mixed, split, N, D):
    """Floor and amplitudes are those of the mixture; the exponents are of all."""
    rest, times = L0 * (1 - floor), np.exp(t @ (w - w0))
    amplitudes = {"A": times * rest * (1 - mixed) * split, "B": times * rest * (1 - mixed) * (1 - split)}
    scale = {n: c[n] for n in ("alpha", "beta", "N0", "D0")}
    shape = {"floor": np.array([floor]), "mixed": np.array([mixed]), "split": np.array([split]), "t": t[None]}
    found = nested(w=w, w0=w0, N=N, D=D, L0=np.array([L0]), **shape, **scale)
    expected = chinchilla(N=N, D=D, E=L0 * floor + times * rest * mixed, **amplitudes, **scale)
    assert found[0] == pytest.approx(float(expected), rel=1e-11)


@properties
@given(w=weights, w0=weights, t=centred, L0=loss, floor=share)
def test_regmix_is_ye_to_first_order(w, w0, t, L0, floor):
    small = 1e-5 * t
    ye = m4(w=w, w0=w0, L0=np.array([L0]), floor=np.array([floor]), t=small[None])
    line = linear(w=w, w0=w0, L0=L0, t=(1 - floor) * small)
    assert abs(ye[0] - line) <= L0 * (small @ (w - w0)) ** 2 + 1e-14
    twice = linear(w=w, w0=w0, L0=L0, t=2 * t) - L0
    assert twice == pytest.approx(2 * (linear(w=w, w0=w0, L0=L0, t=t) - L0), rel=1e-9, abs=1e-12)


@properties
@given(w=weights, w0=weights, L0=loss, t=centred, shift=st.floats(-5, 5))
def test_regmix_does_not_see_a_constant_added_to_all_effects(w, w0, L0, t, shift):
    moved = linear(w=w, w0=w0, L0=L0, t=t + shift)
    assert moved == pytest.approx(linear(w=w, w0=w0, L0=L0, t=t), rel=1e-9, abs=1e-12)


@properties
@given(w=weights, w0=weights, c=loss, k=several(excess), t=effects)
def test_the_first_candidate_is_the_formula_of_the_paper(w, w0, c, k, t):
    parts = k * np.exp(t * w0)
    L0 = c + parts.sum()
    g = np.log(parts) - np.log(parts).mean()
    got = m1(w=w, w0=w0, L0=L0, floor=c / L0, g=g, t=t)
    assert got == pytest.approx(c + k @ np.exp(t * w), rel=1e-11)


@properties
@given(w=weights, w0=weights, c=loss, k=excess, t=effects)
def test_the_second_candidate_is_the_first_with_equal_amplitudes(w, w0, c, k, t):
    L0 = c + k * np.exp(t * w0).sum()
    second = m2(w=w, w0=w0, L0=L0, floor=c / L0, t=t)
    assert second == pytest.approx(m1(w=w, w0=w0, L0=L0, floor=c / L0, g=t * w0, t=t), rel=1e-11)
    assert second == pytest.approx(c + k * np.exp(t * w).sum(), rel=1e-11)


@properties
@given(r=share, c=loss, k=excess, t=st.floats(-5.0, 5.0))
def test_the_first_candidate_with_one_effect_is_the_law_of_two_domains(r, c, k, t):
    # The part of the domain without effect joins the floor.
    got = m1(w=[r, 1 - r], w0=[0, 0], L0=c + k, floor=(c - 0.1) / (c + k), g=np.log([k, 0.1]), t=[t, 0])
    assert got == pytest.approx(c + k * np.exp(t * r), rel=1e-11)


@properties
@given(w=weights, w0=weights, L0=loss, floor=share, t=centred, others=several(centred, 2), v3=share)
def test_one_implicit_domain_is_ye(w, w0, L0, floor, t, others, v3):
    rest = {"w": w, "w0": w0, "L0": L0, "floor": floor, "t1": t, "t2": others[0], "t3": others[1], "v3": v3}
    expected = m4(w=w, w0=w0, L0=np.array([L0]), floor=np.array([floor]), t=t[None])
    assert implicit(v2=0, **rest) == pytest.approx(expected[0], rel=1e-12)
    same = rest | {"t2": t, "t3": t}
    assert implicit(v2=0.5, **same) == pytest.approx(expected[0], rel=1e-12)


@properties
@given(w=weights, w0=weights, t=several(centred), L0=several(loss), floor=several(share), s=weights)
def test_implicit_domains_of_known_proportions_are_a_mean_of_ye(w, w0, t, L0, floor, s):
    parts = s * L0 * (1 - floor)
    order = np.argsort(-parts)
    parts, total = parts[order], s @ L0
    got = implicit(w=w, w0=w0, L0=total, floor=s @ (L0 * floor) / total, v2=parts[1] / parts[0],
                   v3=parts[2] / parts[1], **dict(zip(("t1", "t2", "t3"), t[order], strict=True)))  # fmt: skip
    assert got == pytest.approx(s @ m4(w=w, w0=w0, L0=L0, floor=floor, t=t), rel=1e-11)


# Shukor


@st.composite
def mixture_term(draw):
    return {"m": draw(excess), "g": draw(centred), "gamma": draw(several(st.floats(0.1, 2.0))), "w0": draw(weights)}


def help_of(term, w, offset=1e-4):
    parts = np.exp(term["g"]) / np.exp(term["g"]).sum()
    return parts @ ((w + offset) / (term["w0"] + offset)) ** term["gamma"]


@properties
@given(w=weights, N=size, D=size, c=anchored(), term=mixture_term())
def test_shukor_at_a_fixed_mixture_is_chinchilla(w, N, D, c, term):
    expected = chinchilla(N, D, **c | {"E": c["E"] + term["m"] / help_of(term, w)})
    assert additive(w, N, D, **c, **term) == pytest.approx(expected, rel=1e-11)


@properties
@given(w=weights, N=size, D=size, c=anchored(), term=mixture_term(), C=several(excess), gA=near)
def test_shukor_is_the_formula_of_the_paper(w, N, D, c, term, C, gA):
    w0, gamma = term["w0"], term["gamma"]
    parts = C * w0**gamma
    given = {"m": 1 / parts.sum(), "g": np.log(parts) - np.log(parts).mean(), "gamma": gamma, "w0": w0, "delta": 0}
    mixture = 1 / (C @ w**gamma)
    expected = chinchilla(N, D, **c) + mixture
    assert additive(w, N, D, **c, **given) == pytest.approx(expected, rel=1e-11)
    CA, CB = C[::-1], 1 + C
    a, b = (np.log(x) - np.log(x).mean() for x in (CA, CB))
    ours = c | {"A": (CA @ w0) ** gA * c["N0"] ** -c["alpha"], "B": (CB @ w0) ** 0.5 * c["D0"] ** -c["beta"]}
    paper = c["E"] + mixture + (CA @ w) ** gA * N ** -c["alpha"] + (CB @ w) ** 0.5 * D ** -c["beta"]
    got = joint(w, N, D, **ours, **given, a=a, b=b, kappaA=gA, kappaB=0.5)
    assert got == pytest.approx(paper, rel=1e-10)


@properties
@given(w=weights, N=size, D=size, c=anchored(), term=mixture_term(), kappaA=near, kappaB=near)
def test_shukors_joint_law_with_equal_parts_is_the_additive_one(w, N, D, c, term, kappaA, kappaB):
    equal = {"a": np.zeros(K), "b": np.zeros(K), "kappaA": kappaA, "kappaB": kappaB}
    expected = additive(w, N, D, **c, **term)
    assert joint(w, N, D, **c, **term, **equal) == pytest.approx(expected, rel=1e-11)
    unequal, first = equal | {"a": np.array([1.0, 0.0, -1.0])}, np.eye(K)[0]
    assert joint(first, N, D, **c, **term, **unequal) > additive(first, N, D, **c, **term)


# Own weights


@properties
@given(p=share, D=size, E=loss, B=excess, alpha=exponent, beta=exponent, D0=size, offset=st.floats(1e-4, 0.1))
def test_bimix_at_a_fixed_weight_is_a_power_law_with_a_floor(p, D, E, B, alpha, beta, D0, offset):
    rest = {"E": np.array([E]), "B": np.array([B]), "alpha": np.array([alpha]), "beta": np.array([beta]), "D0": D0,
            "epsilon": np.array([offset]), "own": np.array([[1, 0, 0]]), "w0": np.array([0.2, 0.3, 0.5])}  # fmt: skip
    factor = ((p + offset) / (0.2 + offset)) ** -alpha
    got = bimix(w=np.array([p, 0, 1 - p]), D=D, **rest)
    assert got[0] == pytest.approx(alab_m2(x=D, E=factor * E, A=factor * B, c=beta, x0=D0), rel=1e-11)
    assert bimix(w=np.array([p, 1 - p, 0]), D=D, **rest)[0] == got[0]
    paper = 0.2**alpha * p**-alpha * (B * D0**beta / D**beta + E)
    assert bimix(w=np.array([p, 0, 1 - p]), D=D, **rest | {"epsilon": np.zeros(1)})[0] == pytest.approx(
        paper, rel=1e-11
    )


@properties
@given(w=weights, w0=weights, N=size, D=size, c=anchored(), gamma=exponent, offset=st.floats(1e-4, 0.1))
def test_he_without_exponent_or_at_the_reference_mixture_is_chinchilla(w, w0, N, D, c, gamma, offset):
    rest = {**of_targets(c, 2), "epsilon": np.full(2, offset), "own": np.eye(K)[:2]}
    expected = chinchilla(N, D, **c)
    got = he(w, N, D, w0=w0, gamma=np.zeros(2), **rest)
    np.testing.assert_allclose(got, [expected] * 2, rtol=1e-12)
    np.testing.assert_allclose(he(w, N, D, w0=w, gamma=np.full(2, gamma), **rest), [expected] * 2, rtol=1e-12)
    paper = expected * w[:2] ** -gamma
    alone = rest | {"epsilon": np.zeros(2)}
    np.testing.assert_allclose(he(w, N, D, w0=np.ones(K), gamma=np.full(2, gamma), **alone), paper, rtol=1e-12)


@properties
@given(N=size, E=loss, A=excess, alpha=exponent, N0=size, c1=excess, c2=near, c3=near, p=share)
def test_mnmt_is_a_smaller_model_of_its_own(N, E, A, alpha, N0, c1, c2, c3, p):
    help_ = {"c1": c1, "c2": c2, "c3": c3, "epsilon": np.zeros(1)}
    rest = {"E": np.array([E]), "A": np.array([A]), "alpha": np.array([alpha]), "N0": N0, "own": np.array([[1, 0]]),
            "w0": np.array([1.0, 0.0])}  # fmt: skip
    alone = alab_m2(x=N, E=E, A=A, c=alpha, x0=N0)
    assert mnmt(w=[1, 0], N=N, **rest, **help_)[0] == pytest.approx(alone, rel=1e-12)
    smaller = alab_m2(x=p * N, E=E, A=A, c=alpha, x0=N0)
    assert mnmt(w=[p, 1 - p], N=N, **rest, **help_ | {"c1": 0})[0] == pytest.approx(smaller, rel=1e-12)
    assert mnmt(w=[p, 1 - p], N=N, **rest, **help_)[0] < smaller
    offset = help_ | {"epsilon": np.array([0.01])}
    assert mnmt(w=[1, 0], N=N, **rest, **offset)[0] == pytest.approx(alone, rel=1e-12)


@properties
@given(c1=excess, c2=near, c3=near)
def test_a_task_without_weight_gets_nothing_and_one_alone_all_of_a_model(c1, c2, c3):
    assert effective(np.array([0.0, 1.0]), c1, c2, c3, 0.0).tolist() == [0, 1]
    assert effective(0.5, c1, c2, c3, 0.0) == pytest.approx(0.5 + c1 * 0.5 ** (c2 + c3), rel=1e-6)


# Dai and Zheng


@st.composite
def competing(draw):
    """Quantities of domains that compete, and as many targets."""
    return {"E": draw(several(loss)), "c": draw(several(excess)), "b": draw(several(exponent)),
            "A": draw(several(excess)), "a": draw(several(exponent)), "H": draw(st.floats(0.01, 0.5)),
            "epsilon": np.full(K, draw(st.floats(0, 0.01))), "N0": draw(size), "D0": draw(size), "w0": draw(weights),
            "own": np.eye(K)}  # fmt: skip


@properties
@given(N=size, D=size, c=anchored(), H=near, offset=st.floats(0, 0.1))
def test_one_domain_has_the_whole_model_and_is_chinchilla(N, D, c, H, offset):
    rest = {"w0": np.ones(1), "own": np.ones((1, 1)), "epsilon": np.full(1, offset), "N0": c["N0"], "D0": c["D0"]}
    values = {"E": np.array([c["E"]]), "c": np.array([c["A"]]), "A": np.array([c["B"]])}
    exponents = {"b": np.array([c["alpha"]]), "a": np.array([c["beta"]])}
    expected = chinchilla(N, D, **c)
    assert noise([1], N, D, **values, **exponents, **rest, H=H)[0] == pytest.approx(expected, rel=1e-10)
    assert closed([1], N, D, **values, b=c["alpha"], a=exponents["a"], **rest)[0] == pytest.approx(expected, rel=1e-10)
    equal = chinchilla(N, D, **c | {"beta": c["alpha"]})
    assert tied([1], N, D, **values, b=exponents["b"], **rest, H=H)[0] == pytest.approx(equal, rel=1e-10)


@properties
@given(w=weights, n=near, d=near, q=competing())
def test_tied_exponents_are_a_case_of_two(w, n, d, q):
    at = (w, n * q["N0"], d * q["D0"])
    one = {k: v for k, v in q.items() if k != "a"}
    np.testing.assert_allclose(tied(*at, **one), noise(*at, **q | {"a": q["b"]}), rtol=1e-12)


@properties
@given(w=weights, n=near, d=near, q=competing(), b=exponent)
def test_dai_is_the_formula_of_the_paper(w, n, d, q, b):
    """In millions of parameters and billions of tokens; of all three laws, the closed form without a least capacity."""
    N, D, known = n * q["N0"], d * q["D0"], {k: q[k] for k in ("c", "A", "a", "epsilon", "N0", "D0", "w0")}

    def paper(used, b, a, c_raw, A_raw, H_raw=0.0):
        H = min(H_raw, N / 1e6)
        with double():
            x = np.asarray(capacities(used * b * c_raw, b, N / 1e6 + (K - 1) * H, H))
        return q["E"] + c_raw * x**-b + A_raw * (D / 1e9 * (w + q["epsilon"])) ** -a

    raw = noise.derived(**known, b=q["b"], H=q["H"])
    np.testing.assert_allclose(noise(w, N, D, **q), paper(w, q["b"], q["a"], **raw), rtol=1e-9)
    equal = {k: v for k, v in q.items() if k != "a"}
    raw = tied.derived(**{k: v for k, v in known.items() if k != "a"}, b=q["b"], H=q["H"])
    np.testing.assert_allclose(tied(w, N, D, **equal), paper(w, q["b"], q["b"], **raw), rtol=1e-9)
    free = {k: v for k, v in q.items() if k != "H"} | {"b": b}
    raw = closed.derived(**known, b=b)
    expected = paper(w + q["epsilon"], np.full(K, b), q["a"], **raw)
    np.testing.assert_allclose(closed(w, N, D, **free), expected, rtol=1e-9)


@properties
@given(w=weights, n=near, d=near, q=competing(), b=exponent)
def test_one_exponent_has_a_closed_form(w, n, d, q, b):
    at = (w, n * q["N0"], d * q["D0"])
    q |= {"epsilon": np.zeros(K)}
    without = {k: v for k, v in q.items() if k != "H"} | {"b": b}
    np.testing.assert_allclose(closed(*at, **without), noise(*at, **q | {"H": 0.0, "b": np.full(K, b)}), rtol=1e-10)


@properties
@given(w=weights, n=near, d=near, q=competing())
def test_the_fixed_size_law_is_the_full_one_without_noise(w, n, d, q):
    H = min(q["H"], K * n)
    scale = (K * n + (K - 1) * H) / K  # capacity at this size, in the fixed law's equal shares
    fixed = eq1(w, E=q["E"], c=q["c"] * scale ** -q["b"], b=q["b"], H=H / scale, own=q["own"])
    full = noise(w, n * q["N0"], d * q["D0"], **q | {"A": np.zeros(K)})
    np.testing.assert_allclose(fixed, full, rtol=1e-10)


@properties
@given(w=weights, n=near, d=near, q=competing())
def test_without_noise_tokens_do_nothing_and_endless_tokens_leave_no_noise(w, n, d, q):
    N = n * q["N0"]
    quiet = noise(w, N, d * q["D0"], **q | {"A": np.zeros(K)})
    np.testing.assert_allclose(noise(w, N, 1e9 * d * q["D0"], **q | {"A": np.zeros(K)}), quiet, rtol=1e-15)
    np.testing.assert_allclose(noise(w, N, 1e300, **q), quiet, rtol=1e-9)


def slope_on_the_simplex(law, v, at, w):
    """Return the gradient in w of the mean loss over targets of weights v, without its part that leaves the simplex."""
    with double():
        gradient = np.asarray(_slope(law.function, w, v, at))
    return gradient - gradient.mean()


@partial(jax.jit, static_argnums=0)
def _slope(function, w, v, at):
    return jax.grad(lambda w: v @ function(w, **at))(w)


@properties
@given(v=weights, n=near, q=competing(), other=weights)
def test_without_noise_the_best_mixture_is_that_of_the_targets(v, n, q, other):
    q |= {"A": np.zeros(K), "N": n * q["N0"], "D": q["D0"]}
    np.testing.assert_allclose(slope_on_the_simplex(noise, v, q, v), 0, atol=1e-9)
    best = v @ noise(v, **q)
    assert v @ noise(other, **q) >= best * (1 - 1e-12)
    fixed = {k: q[k] for k in ("E", "c", "b", "H", "own")}
    np.testing.assert_allclose(slope_on_the_simplex(eq1, v, fixed, v), 0, atol=1e-9)


def test_with_noise_the_best_mixture_is_another():
    q = {"E": np.ones(2), "c": np.ones(2), "b": np.full(2, 0.3), "A": np.array([1.0, 0.1]), "a": np.full(2, 0.3),
         "H": 0.1, "epsilon": np.zeros(2), "N0": 1.0, "D0": 1.0, "w0": np.full(2, 0.5), "own": np.eye(2)}  # fmt: skip
    v = np.array([0.5, 0.5])
    slope = slope_on_the_simplex(noise, v, q | {"N": 1.0, "D": 1.0}, v)
    assert slope[0] < -0.1  # more of the harder domain


def test_a_small_model_gives_every_domain_all_that_it_has():
    q = {"E": np.ones(2), "c": np.ones(2), "b": np.full(2, 0.5), "A": np.zeros(2), "a": np.full(2, 0.3),
         "H": 1.0, "epsilon": np.zeros(2), "N0": 1.0, "D0": 1.0, "w0": np.full(2, 0.5), "own": np.eye(2)}  # fmt: skip
    np.testing.assert_allclose(noise([0.9, 0.1], 0.125, 1.0, **q), [3, 3], rtol=1e-12)
    assert noise([0.9, 0.1], 4.0, 1.0, **q)[0] < noise([0.9, 0.1], 4.0, 1.0, **q)[1]


def test_dai_gives_the_published_capacities_and_losses():
    constants = Model.read("dai_capacity_noise").published["dai2026_slimpajama7"]
    predict = published("dai_capacity_noise", "dai2026_slimpajama7")
    w, (b, c) = np.full(7, 1 / 7), (np.array(constants[n]) for n in "bc")
    with double():
        x = np.asarray(capacities(w * b * c, b, 1300 + 6 * 4.877181, 4.877181))
    assert x.sum() == pytest.approx(1329.263086, rel=1e-12)
    np.testing.assert_allclose(x, [91.696, 660.489, 295.191, 9.3256, 134.969, 27.402, 110.191], rtol=2e-5)
    got = predict(w=w, N=1300e6, D=30e9)
    np.testing.assert_allclose(
        got, [1.058582, 1.571874, 1.123429, 1.141436, 2.601115, 1.810010, 1.787533], rtol=0, atol=6e-7
    )
    assert got.mean() == pytest.approx(1.584854, abs=6e-7)


def test_dai_gives_the_published_optimum():
    predict = published("dai_capacity_noise", "dai2026_slimpajama7")
    w = np.array([0.121, 0.114, 0.150, 0.107, 0.158, 0.154, 0.196])
    assert predict(w=w, N=1300e6, D=30e9).mean() == pytest.approx(1.580307, abs=2e-6)
    rng = np.random.default_rng(0)
    for _ in range(20):
        elsewhere = 0.9 * w + 0.1 * rng.dirichlet(np.ones(7))
        assert predict(w=elsewhere, N=1300e6, D=30e9).mean() > 1.580306


# Modalities, continued pretraining and AutoScale


@st.composite
def modalities(draw, count=2):
    return {n: draw(several(of, count)) for n, of in (("E", loss), ("A", excess), ("B", excess), ("alpha", exponent),
                                                      ("beta", exponent))}  # fmt: skip


PAIR = {"alpha_pair": 0.3, "beta_pair": 0.2}


@properties
@given(r=share, N=size, D=size, N0=size, D0=size, each=modalities(), synergy=share, A=excess, B=excess)
def test_mixed_modal_is_the_formula_of_the_paper(r, N, D, N0, D0, each, synergy, A, B):
    def alone(j, tokens):
        return chinchilla(N, tokens, **{n: v[j] for n, v in each.items()}, N0=N0, D0=D0)

    def together(**pair):
        return lambda w: modal(w=w, N=N, D=D, N0=N0, D0=D0, **each, **PAIR, **pair)

    mean = (alone(0, r * D) + alone(1, (1 - r) * D)) / 2
    none = together(synergy=0, A_pair=0, B_pair=0)
    some = together(synergy=synergy, A_pair=A, B_pair=B)
    assert none([r, 1 - r]) == pytest.approx(mean, rel=1e-12)
    interaction = A * (N / N0) ** -0.3 + B * (D / D0) ** -0.2 - synergy * each["E"].mean()
    assert some([r, 1 - r]) == pytest.approx(mean + interaction, rel=1e-11)
    # Alone, a modality is unimodal, whatever the interaction.
    assert some([0, 1]) == pytest.approx(alone(1, D), rel=1e-12)


@properties
@given(r=st.floats(0.0, 1.0), N=size, D=size, c=anchored(), C=excess, eta=st.floats(-0.5, 2.0), gamma=exponent,
       epsilon=st.floats(0.01, 0.2))  # fmt: skip
def test_d_cpt_at_a_fixed_share_is_chinchilla(r, N, D, c, C, eta, gamma, epsilon):
    rest = {"gamma": gamma, "epsilon": epsilon}
    constant = c["E"] + C * ((r + epsilon) / (0.5 + epsilon)) ** -gamma
    slope = c["B"] * ((r + 0.01) / (0.5 + 0.01)) ** eta
    got = d_cpt(N, D, r, C=C, eta=eta, **rest, **c)
    assert got == pytest.approx(chinchilla(N, D, **c | {"E": constant, "B": slope}), rel=1e-11)
    assert d_cpt(N, D, r, C=0, eta=0, **rest, **c) == pytest.approx(chinchilla(N, D, **c), rel=1e-12)


@properties
@given(r=share, N=size, D=size, c=anchored(), C=excess, eta=st.floats(-0.5, 2.0), gamma=exponent,
       epsilon=st.floats(0.01, 0.2))  # fmt: skip
def test_d_cpt_is_the_formula_of_the_paper(r, N, D, c, C, eta, gamma, epsilon):
    rest = {"eta": eta, "gamma": gamma, "epsilon": epsilon, "C": C, "delta": 0.0}
    raw = d_cpt.derived(**rest, **{n: v for n, v in c.items() if n != "E"})
    paper = c["E"] + raw["A_raw"] / N ** c["alpha"] + raw["B_raw"] * r**eta / D ** c["beta"]
    assert d_cpt(N, D, r, **rest, **c) == pytest.approx(paper + raw["C_raw"] / (r + epsilon) ** gamma, rel=1e-10)


@properties
@given(D=size, E=loss, A=excess, g=exponent, D0=size)
def test_autoscale_of_one_domain_without_head_start_is_a_power_law(D, E, A, g, D0):
    got = autoscale(w=[1], D=D, E=E, A=A, h=[0], n=[0], g=[g], D0=D0, w0=[1])
    assert got == pytest.approx(alab_m2(x=D, E=E, A=A, c=g, x0=D0), rel=1e-12)


@properties
@given(w=weights, w0=weights, D=size, D0=size, E=loss, n=several(size), g=several(exponent))
def test_autoscale_is_the_formula_of_olmix(w, w0, D, D0, E, n, g):
    parts = (n + w0 * D0) ** -g
    got = autoscale(w=w, D=D, E=E, A=parts.sum(), h=np.log(parts) - np.log(parts).mean(), n=n / D0, g=g, D0=D0, w0=w0)
    assert got == pytest.approx(E + ((n + w * D) ** -g).sum(), rel=1e-11)
