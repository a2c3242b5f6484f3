"""Limits in which laws of architecture become others, and the numbers that papers publish."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from bayesmix.model import Model
from nesting import anchored, derived, excess, exponent, loss, properties, published, size, slope

abnar, alab, chinchilla, clark, compressed, diloco, diloco_optimum, distill = (
    laws.get(n)
    for n in ("abnar_sparsity", "alab_m2", "chinchilla", "clark_routed", "compressed_capacity", "diloco",
              "diloco_optimum", "busbridge_distill")
)  # fmt: skip
frantar, joint, krajewski, kumar, leverage, parscale, skaling, upcycling = (
    laws.get(n)
    for n in ("frantar_sparsity", "joint_moe", "krajewski_moe", "kumar_precision", "efficiency_leverage", "parscale",
              "skaling", "upcycling")
)  # fmt: skip

interaction = st.floats(-0.03, 0.03)
sparsity = st.floats(0.0, 0.98)
bits = st.floats(3.0, 16.0)
width = st.floats(0.5, 4.0)


# Mixtures of experts


def effective(experts, Es, Emax):
    """Effective number of experts, as the papers write it."""
    return 1 / (1 / (experts - 1 + 1 / (1 / Es - 1 / Emax)) + 1 / Emax)


routed = {"L0": 3.0, "alpha": 0.08, "beta": 0.05, "c": 0.01, "Es": 2.0, "Emax": 300.0, "N0": 1e8}


@properties
@given(N=size, L0=loss, alpha=exponent, beta=slope, c=interaction, Es=st.floats(1.1, 5), Emax=st.floats(100, 1000),
       N0=size)  # fmt: skip
def test_clark_with_one_expert_is_a_power_law_in_parameters(N, L0, alpha, beta, c, Es, Emax, N0):
    got = clark(N=N, experts=1, L0=L0, alpha=alpha, beta=beta, c=c, Es=Es, Emax=Emax, N0=N0)
    same = alab(x=N, E=0, A=L0 * Es**-beta, c=alpha - c * np.log10(Es), x0=N0)
    assert got == pytest.approx(same, rel=1e-10)


@properties
@given(N=size, Es=st.floats(1.1, 5), Emax=st.floats(100, 1000))
def test_clark_with_endless_experts_has_its_limit_of_them(N, Es, Emax):
    c = {**routed, "Es": Es, "Emax": Emax}
    got = clark(N=N, experts=1e300, **c)
    same = alab(x=N, E=0, A=c["L0"] * Emax ** -c["beta"], c=c["alpha"] - c["c"] * np.log10(Emax), x0=c["N0"])
    assert got == pytest.approx(same, rel=1e-10)


@properties
@given(N=size, larger=size, experts=st.floats(2, 512))
def test_clark_without_interaction_gains_the_same_at_every_size(N, larger, experts):
    def gain(size, c):
        return clark(N=size, experts=experts, **{**routed, "c": c}) / clark(N=size, experts=1, **{**routed, "c": c})

    assert gain(N, 0.0) == pytest.approx(gain(larger, 0.0), rel=1e-10)
    if abs(log(N / larger)) > 0.1:
        assert abs(log(gain(N, 0.01) / gain(larger, 0.01))) > 1e-6


@properties
@given(N=size, experts=st.floats(1, 512), L0=loss, alpha=exponent, beta=slope, c=interaction, N0=size)
def test_clark_is_the_formula_of_the_paper(N, experts, L0, alpha, beta, c, N0):
    p = derived(clark, L0=L0, alpha=alpha, beta=beta, c=c, N0=N0)
    n, e = np.log10(N), np.log10(effective(experts, 2.0, 300.0))
    paper = 10 ** (p["a"] * n + p["b"] * e + c * n * e + p["d"])
    got = clark(N=N, experts=experts, L0=L0, alpha=alpha, beta=beta, c=c, Es=2.0, Emax=300.0, N0=N0)
    assert got == pytest.approx(paper, rel=1e-9)


@pytest.mark.parametrize(
    ("N", "experts", "number"), [(1.3e9, 1, 2.2373571), (1.3e9, 64, 2.0497788), (15e6, 512, 2.6070170)]
)
def test_clark_gives_the_losses_of_the_published_constants(N, experts, number):
    assert published("clark_routed", "clark2022_sbase")(N=N, experts=experts) == pytest.approx(number, abs=1e-7)


@pytest.mark.parametrize("routing", ["sbase", "rlr", "hash"])
@pytest.mark.parametrize("N", [15e6, 1.3e8, 1.3e9])
def test_clark_with_one_expert_is_near_the_published_dense_law(routing, N):
    got = published("clark_routed", f"clark2022_{routing}")(N=N, experts=1)
    assert got == pytest.approx((3.568e13 / N) ** 0.078, rel=0.02)


@properties
@given(c=anchored(), N=size, D=size, G=st.floats(1, 64), g=excess, gamma=st.floats(0.1, 1.5), G0=st.floats(1, 16))
def test_krajewski_at_one_granularity_is_chinchilla(c, N, D, G, g, gamma, G0):
    got = krajewski(N=N, D=D, granularity=G, g=g, gamma=gamma, G0=G0, **c)
    assert got == pytest.approx(chinchilla(N, D, **{**c, "A": c["A"] + g * (G / G0) ** -gamma}), rel=1e-11)


@properties
@given(c=anchored(), N=size, D=size, g=excess, gamma=st.floats(0.1, 1.5))
def test_krajewski_with_endless_granularity_is_chinchilla(c, N, D, g, gamma):
    got = krajewski(N=N, D=D, granularity=1e300, g=g, gamma=gamma, G0=1, **c)
    assert got == pytest.approx(chinchilla(N, D, **c), rel=1e-10)
    assert krajewski(N=N, D=D, granularity=1, g=g, gamma=gamma, G0=1, **c) > got


@properties
@given(c=anchored(), N=size, D=size, G=st.floats(1, 64), g=excess, G0=st.floats(1, 16))
def test_krajewski_is_the_formula_of_the_paper(c, N, D, G, g, G0):
    rest = {n: v for n, v in c.items() if n != "E"}
    p = derived(krajewski, g=g, gamma=0.6, G0=G0, **rest)
    paper = c["E"] + (p["g_raw"] / G**0.6 + p["a"]) / N ** c["alpha"] + p["b"] / D ** c["beta"]
    assert krajewski(N=N, D=D, granularity=G, g=g, gamma=0.6, G0=G0, **c) == pytest.approx(paper, rel=1e-10)


@pytest.mark.parametrize(("granularity", "number"), [(1, 3.2761332), (8, 3.1403931), (16, 3.1211930)])
def test_krajewski_gives_the_published_losses(granularity, number):
    predict = published("krajewski_moe", "krajewski2024")
    assert predict(N=1e9, D=2e10, granularity=granularity) == pytest.approx(number, abs=1e-7)


crossed = {"delta": slope, "omega": slope, "dalpha": interaction, "dbeta": interaction,
           "Es": st.floats(1.1, 5), "Emax": st.floats(100, 1000)}  # fmt: skip


@properties
@given(c=anchored(), N=size, D=size, experts=st.floats(1, 64), q=st.fixed_dictionaries(crossed))
def test_joint_at_one_number_of_experts_is_chinchilla(c, N, D, experts, q):
    e = log(effective(experts, q["Es"], q["Emax"]))
    same = {**c, "A": c["A"] * exp(q["delta"] * e), "B": c["B"] * exp(q["omega"] * e),
            "alpha": c["alpha"] + q["dalpha"] * e, "beta": c["beta"] + q["dbeta"] * e}  # fmt: skip
    assert joint(N=N, D=D, experts=experts, **c, **q) == pytest.approx(chinchilla(N, D, **same), rel=1e-10)


@properties
@given(c=anchored(), N=size, D=size, experts=st.floats(1, 64), q=st.fixed_dictionaries(crossed))
def test_joint_is_the_formula_of_the_paper(c, N, D, experts, q):
    amplitudes = {n: v for n, v in {**c, **q}.items() if n not in ("E", "Es", "Emax")}
    p, spread = derived(joint, **amplitudes), effective(experts, q["Es"], q["Emax"])
    of_N = p["a"] * spread ** p["delta_raw"] * N ** (-c["alpha"] - q["dalpha"] * log(spread))
    of_D = p["b"] * spread ** p["omega_raw"] * D ** (-c["beta"] - q["dbeta"] * log(spread))
    assert joint(N=N, D=D, experts=experts, **c, **q) == pytest.approx(c["E"] + of_N + of_D, rel=1e-9)


@pytest.mark.parametrize(
    ("experts", "m", "mu", "n", "nu"),
    [(1, 30.3640, -0.1817, 53.9838, -0.1965), (32, 16.5424, -0.1557, 234.6726, -0.2652)],
)
def test_joint_gives_the_published_coefficients_of_one_number_of_experts(experts, m, mu, n, nu):
    """Table 4, which the rounded joint coefficients reproduce to four per mille."""
    predict = published("joint_moe", "ludziejewski2025")
    near, far = 1.0, 1e300  # where only one of the three terms matters, or none

    def term(**covariates):
        return predict(experts=experts, **covariates) - 1.3637

    assert term(N=near, D=far) == pytest.approx(m, rel=4e-3)
    assert term(N=far, D=near) == pytest.approx(n, rel=4e-3)
    assert np.log10(term(N=10.0, D=far) / term(N=near, D=far)) == pytest.approx(mu, abs=2e-4)
    assert np.log10(term(N=far, D=10.0) / term(N=far, D=near)) == pytest.approx(nu, abs=2e-4)


@pytest.mark.parametrize(
    ("compute", "experts", "parameters", "tokens"),
    [(1e20, 1, 1.7e9, 9.7e9), (1e20, 8, 990e6, 17e9), (1e21, 1, 5.7e9, 29.3e9), (1e22, 1, 18.8e9, 88.6e9)],
)
def test_joint_gives_the_published_optima(compute, experts, parameters, tokens):
    """Table 1, to its two digits; compute is 6 N D."""
    N = np.geomspace(1e8, 1e11, 30001)
    loss = published("joint_moe", "ludziejewski2025")(N=N, D=compute / (6 * N), experts=experts)
    best = N[loss.argmin()]
    assert best == pytest.approx(parameters, rel=0.02)
    assert compute / (6 * best) == pytest.approx(tokens, rel=0.02)


@properties
@given(C=size, granularity=st.floats(1, 64), a=slope, b=slope, c=st.floats(0.001, 0.05), d=interaction)
def test_leverage_of_a_dense_model_is_one(C, granularity, a, b, c, d):
    rest = {"EL1": 1.0, "a": a, "b": b, "c": c, "d": d, "C0": 1e9}
    got = leverage(C=C, activation=1.0, granularity=granularity, As=0.0, **rest)
    assert got == pytest.approx(1, rel=1e-12)
    assert leverage(C=C, activation=1.0, granularity=granularity, As=0.0, **{**rest, "EL1": 2.0}) == pytest.approx(2)


@properties
@given(C=size, A=st.floats(0.01, 1), a=slope, b=st.floats(-0.3, -0.01), c=st.floats(0.01, 0.05), d=interaction, C0=size)
def test_leverage_is_the_formula_of_the_paper_and_largest_at_its_best_granularity(C, A, a, b, c, d, C0):
    p = derived(leverage, a=a, b=b, c=c, d=d, C0=C0)
    rest = {"EL1": 1.0, "a": a, "b": b, "c": c, "d": d, "As": 0.016, "C0": C0}
    best = p["best_granularity"]
    got = [leverage(C=C, activation=0.9 * A, granularity=best * step, **rest) for step in (0.5, 1.0, 2.0)]
    assert got[1] > max(got[0], got[2])
    g = np.log2(best)
    paper = (0.9 * A + 0.016) ** (p["a_raw"] + d * np.log10(C) + c * g**2 + b * g)
    assert got[1] == pytest.approx(paper, rel=1e-10)


def test_leverage_gives_the_published_numbers():
    """More than 7 at 3.1% activation, about 1 for a dense model, and best at a granularity near 11."""
    predict = published("efficiency_leverage", "tian2025")
    assert predict(C=1e22, activation=0.031, granularity=12) == pytest.approx(7.245, abs=5e-4)
    assert predict(C=1e22, activation=1.0, granularity=12) == pytest.approx(0.990, abs=5e-4)
    G = np.geomspace(1, 64, 4001)
    assert G[predict(C=1e22, activation=0.031, granularity=G).argmax()] == pytest.approx(11.3, abs=0.05)


@properties
@given(c=anchored(), N=size, D=size, S=sparsity, e=loss, d=excess, delta=exponent, gamma=exponent, kappa=exponent)
def test_abnar_at_one_sparsity_is_chinchilla_and_a_power_law_in_parameters(c, N, D, S, e, d, delta, gamma, kappa):
    rest = {n: v for n, v in c.items() if n != "E"}
    got = abnar(N=N, D=D, sparsity=S, e=e, c=c["E"], d=d, gamma=gamma, delta=delta, kappa=kappa, **rest)
    floor = e + c["E"] * (1 - S) ** kappa
    more = alab(x=N, E=0, A=d * (1 - S) ** -delta, c=gamma, x0=c["N0"])
    assert got == pytest.approx(chinchilla(N, D, **{**c, "E": floor}) + more, rel=1e-11)


@pytest.mark.parametrize(("sparsity", "number"), [(0.0, 2.5656813), (0.5, 2.5899488), (0.9, 2.7018723)])
def test_abnar_gives_the_published_losses(sparsity, number):
    assert published("abnar_sparsity", "abnar2025")(N=1e9, D=2e10, sparsity=sparsity) == pytest.approx(number, abs=1e-7)


@properties
@given(D=size, D1=size, e=loss, A=excess, a1=exponent, a2=st.floats(0.5, 1.0), a3=interaction, D10=size, D0=size)
def test_upcycling_of_one_dense_model_is_a_power_law_in_tokens(D, D1, e, A, a1, a2, a3, D10, D0):
    got = upcycling(D=D, dense_tokens=D1, e=e, A=A, a1=a1, a2=a2, a3=a3, D0=D0, dense_tokens0=D10)
    dense = log(D1 / D10)
    same = alab(x=D, E=e, A=A * exp(-a1 * dense), c=a2 - a3 * dense, x0=D0)
    assert got == pytest.approx(same, rel=1e-9)


@properties
@given(D=size, D1=size, A=excess, a1=exponent, a2=exponent)
def test_upcycling_without_interaction_is_a_product(D, D1, A, a1, a2):
    def excess_at(D, D1, a3=0.0):
        return upcycling(D=D, dense_tokens=D1, e=0, A=A, a1=a1, a2=a2, a3=a3, D0=1e9, dense_tokens0=1e9)

    assert excess_at(D, D1) * excess_at(1e9, 1e9) == pytest.approx(excess_at(D, 1e9) * excess_at(1e9, D1), rel=1e-9)
    if min(abs(log(D / 1e9)), abs(log(D1 / 1e9))) > 0.1:
        assert excess_at(D, D1, 0.01) != pytest.approx(excess_at(D, D1), rel=1e-6)


@properties
@given(D=size, D1=size, A=excess, a1=exponent, a2=exponent, a3=interaction, D10=size, D0=size)
def test_upcycling_is_the_formula_of_the_paper(D, D1, A, a1, a2, a3, D10, D0):
    p = derived(upcycling, A=A, a1=a1, a2=a2, a3=a3, dense_tokens0=D10, D0=D0)
    paper = p["A_raw"] * D1 ** -p["a1_raw"] * D ** (-p["a2_raw"] + a3 * log(D1))
    got = upcycling(D=D, dense_tokens=D1, e=0, A=A, a1=a1, a2=a2, a3=a3, dense_tokens0=D10, D0=D0)
    assert got == pytest.approx(paper, rel=1e-9)


# Sparse, pruned, compressed and quantised weights


@properties
@given(c=anchored(), N=size, D=size, cS=excess, bS=st.floats(0.1, 1.5))
def test_frantar_without_sparsity_is_chinchilla(c, N, D, cS, bS):
    rest = {n: v for n, v in c.items() if n != "A"}
    got = frantar(N=N, D=D, sparsity=0.0, aS=c["A"], bS=bS, cS=cS, **rest)
    assert got == pytest.approx(chinchilla(N, D, **{**c, "A": c["A"] + cS}), rel=1e-11)
    assert frantar(N=N, D=D, sparsity=0.9, aS=c["A"], bS=bS, cS=cS, **rest) < got


@properties
@given(c=anchored(), N=size, D=size, S=sparsity, cS=excess, bS=st.floats(0.1, 1.5))
def test_frantar_is_the_formula_of_the_paper(c, N, D, S, cS, bS):
    rest = {n: v for n, v in c.items() if n not in ("A", "E")}
    p = derived(frantar, aS=c["A"], cS=cS, **rest)
    of_N = (p["aS_raw"] * (1 - S) ** bS + p["cS_raw"]) * (1 / N) ** c["alpha"]
    got = frantar(N=N, D=D, sparsity=S, E=c["E"], aS=c["A"], bS=bS, cS=cS, **rest)
    assert got == pytest.approx(of_N + (p["aD"] / D) ** c["beta"] + c["E"], rel=1e-9)


@pytest.mark.parametrize(
    ("sparsity", "number"), [(0.0, 1.9097710), (0.5, 1.8372402), (0.75, 1.7932679), (0.875, 1.7666094)]
)
def test_frantar_gives_the_quoted_losses(sparsity, number):
    predict = published("frantar_sparsity", "frantar2023_t5")
    assert predict(N=1e8, D=1e10, sparsity=sparsity) == pytest.approx(number, abs=1e-7)


@properties
@given(c=anchored(), N=size, D=size, rho=st.floats(0.05, 0.95), q=st.integers(1, 3))
def test_compression_makes_chinchilla_smaller_and_composes(c, N, D, rho, q):
    assert compressed(N=N, D=D, compressions=0, rho=rho, **c) == pytest.approx(chinchilla(N, D, **c), rel=1e-12)
    got = compressed(N=N, D=D, compressions=q, rho=rho, **c)
    assert got == pytest.approx(chinchilla(rho**q * N, D, **c), rel=1e-11)
    assert got > chinchilla(N, D, **c)


damage = {"C": excess, "gw": width, "ga": width, "gkv": width, "gD": exponent, "gN": exponent, "gpost": width,
          "deployed_bits0": bits}  # fmt: skip


@properties
@given(c=anchored(), N=size, D=size, q=st.fixed_dictionaries(damage))
def test_kumar_with_many_bits_is_chinchilla(c, N, D, q):
    many = {"weight_bits": 1e4, "activation_bits": 1e4, "cache_bits": 1e4}
    expected = chinchilla(N, D, **c)
    assert kumar(N=N, D=D, deployed_bits=1e4, **many, **c, **q) == pytest.approx(expected, rel=1e-11)
    for few in many:
        assert kumar(N=N, D=D, deployed_bits=1e4, **{**many, few: 3.0}, **c, **q) > expected
    assert kumar(N=N, D=D, deployed_bits=3.0, **many, **c, **q) > expected


@properties
@given(c=anchored(), N=size, D=size, b=st.lists(bits, min_size=4, max_size=4), q=st.fixed_dictionaries(damage))
def test_kumar_is_the_formula_of_the_paper(c, N, D, b, q):
    rest = {n: v for n, v in {**c, **q}.items() if n not in ("E", "gw", "ga", "gkv")}
    p = derived(kumar, **rest)
    kept = [1 - exp(-bits / g) for bits, g in zip(b, (q["gw"], q["ga"], q["gkv"]), strict=False)]
    harm = p["C_raw"] * D ** q["gD"] / N ** q["gN"] * exp(-b[3] / q["gpost"])
    paper = p["A_raw"] * (N * np.prod(kept)) ** -c["alpha"] + p["B_raw"] * D ** -c["beta"] + c["E"] + harm
    columns = ("weight_bits", "activation_bits", "cache_bits", "deployed_bits")
    got = kumar(N=N, D=D, **dict(zip(columns, b, strict=True)), **c, **q)
    assert got == pytest.approx(paper, rel=1e-9)


# Teachers, streams and replicas


@properties
@given(c=anchored(), N=size, D=size, teacher=loss, supervised=loss, gamma=st.floats(0.3, 1.5))
def test_distillation_that_does_not_see_the_teacher_is_skaling(c, N, D, teacher, supervised, gamma):
    rest = {n: v for n, v in c.items() if n != "E"}
    blind = {"tau": 1.0, "c0": 0.0, "h": 0.0, "f1": 0.1, "d1": 1.3, "gamma": gamma, "teacher0": 2.0, **rest}
    got = distill(N=N, D=D, teacher=teacher, supervised=supervised, **blind)
    assert got == pytest.approx(skaling(N, D, E=teacher, k=gamma, **rest), rel=1e-10)


@properties
@given(c=anchored(), N=size, D=size, teacher=loss, supervised=loss, c0=st.floats(0.5, 4), c1=st.floats(10, 600),
       f1=st.floats(0.05, 0.5), d1=st.floats(0.8, 2), gamma=st.floats(0.3, 1.5), teacher0=loss)  # fmt: skip
def test_distillation_is_the_formula_of_the_paper(c, N, D, teacher, supervised, c0, c1, f1, d1, gamma, teacher0):
    rest = {n: v for n, v in c.items() if n != "E"}
    p = derived(distill, c0=c0, h=c1 * f1, f1=f1, gamma=gamma, teacher0=teacher0, **rest)
    assert p["c1"] == pytest.approx(c1, rel=1e-12)
    bracket = p["A_raw"] * N ** -p["alpha_raw"] + p["B_raw"] * D ** -p["beta_raw"]
    fall = -c1 * f1 * np.log1p((teacher / (supervised * d1)) ** (1 / f1))
    paper = teacher + teacher**-c0 * np.exp(fall) * bracket**gamma
    got = distill(N=N, D=D, teacher=teacher, supervised=supervised, tau=1.0, c0=c0, h=c1 * f1, f1=f1, d1=d1,
                  gamma=gamma, teacher0=teacher0, **rest)  # fmt: skip
    assert got == pytest.approx(paper, rel=1e-9)
    assert got >= teacher


@pytest.mark.parametrize(("teacher", "number"), [(2.0, 2.2768088), (2.2, 2.3169511), (2.4, 2.4207237)])
def test_distillation_gives_the_quoted_losses(teacher, number):
    supervised = published("skaling", "busbridge2025")(N=1e9, D=2e10)
    assert supervised == pytest.approx(2.3746922, abs=5e-7)
    got = published("busbridge_distill", "busbridge2025")(N=1e9, D=2e10, teacher=teacher, supervised=supervised)
    assert got == pytest.approx(number, abs=1e-6)


@properties
@given(N=size, E=loss, A=excess, alpha=exponent, k=st.floats(0.1, 1), N0=size, streams=st.floats(1.5, 64))
def test_streams_are_worth_parameters_and_a_single_one_is_a_power_law_in_them(N, E, A, alpha, k, N0, streams):
    c = {"E": E, "A": A, "alpha": alpha, "N0": N0}
    same = {"E": E, "A": A, "c": alpha, "x0": N0}
    assert parscale(N=N, streams=1, k=k, **c) == pytest.approx(alab(x=N, **same), rel=1e-12)
    assert parscale(N=N, streams=streams, k=0, **c) == pytest.approx(alab(x=N, **same), rel=1e-12)
    got = parscale(N=N, streams=streams, k=k, **c)
    assert got == pytest.approx(alab(x=N * (k * log(streams) + 1), **same), rel=1e-11)
    assert got < parscale(N=N, streams=1, k=k, **c)


@properties
@given(N=size, streams=st.floats(1, 64), E=loss, A=excess, alpha=exponent, N0=size)
def test_parscale_is_the_formula_of_the_paper(N, streams, E, A, alpha, N0):
    p = derived(parscale, A=A, alpha=alpha, N0=N0)
    paper = E + (p["A_raw"] * 1e9 / (N * (0.4 * log(streams) + 1))) ** alpha
    assert parscale(N=N, streams=streams, E=E, A=A, alpha=alpha, k=0.4, N0=N0) == pytest.approx(paper, rel=1e-9)


@pytest.mark.parametrize(
    ("fit", "E", "A", "alpha", "k"),
    [("stack", 0.6912071, 0.0113071, 0.1893583, 0.3934568), ("pile", 1.2885876, 0.1975166, 0.1962815, 0.3344424)],
)
def test_parscale_in_the_file_is_the_published_fit(fit, E, A, alpha, k):
    got = published("parscale", f"chen2025_{fit}")(N=1.6e9, streams=4)
    assert got == pytest.approx(E + (A * 1e9 / (1.6e9 * (k * log(4) + 1))) ** alpha, rel=1e-12)


@properties
@given(N=size, L0=loss, alpha=exponent, beta=st.floats(0.001, 0.1), N0=size, replicas=st.integers(2, 16))
def test_diloco_with_one_replica_is_a_power_law_in_parameters(N, L0, alpha, beta, N0, replicas):
    c = {"L0": L0, "alpha": alpha, "beta": beta, "N0": N0}
    expected = alab(x=N, E=0, A=L0, c=alpha, x0=N0)
    assert diloco(N=N, replicas=1, **c) == pytest.approx(expected, rel=1e-12)
    assert diloco(N=N, replicas=replicas, **c) == pytest.approx(expected * replicas**beta, rel=1e-11)
    best = diloco_optimum(N=N, replicas=replicas, x0=L0, a=-alpha, b=beta, N0=N0)
    assert best == pytest.approx(expected * replicas**beta, rel=1e-11)


@properties
@given(N=size, L0=loss, alpha=exponent, N0=size)
def test_diloco_is_the_formula_of_the_paper(N, L0, alpha, N0):
    A = derived(diloco, L0=L0, alpha=alpha, N0=N0)["A"]
    assert diloco(N=N, replicas=2, L0=L0, alpha=alpha, beta=0.1, N0=N0) == pytest.approx(A * N**-alpha * 2**0.1)
    A = derived(diloco_optimum, x0=L0, a=alpha, N0=N0)["A"]
    assert diloco_optimum(N=N, replicas=2, x0=L0, a=alpha, b=0.1, N0=N0) == pytest.approx(A * N**alpha * 2**0.1)


@pytest.mark.parametrize(
    ("replicas", "number"), [(1, 2.4968298), (2, 2.5169865), (4, 2.5373059), (8, 2.5577894)]
)  # fmt: skip
def test_diloco_gives_the_published_losses(replicas, number):
    assert published("diloco", "charles2025")(N=1e9, replicas=replicas) == pytest.approx(number, abs=1e-7)


def test_journey_is_chinchilla_of_the_mean_number_of_parameters():
    journey = Model.read("journey_avg_params")
    assert journey.law == chinchilla
    assert journey.columns == {"N": "average_parameters", "D": "D"}
