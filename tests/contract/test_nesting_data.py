"""Limits in which laws of finite, filtered and synthetic data become others, and the formulas of the papers."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from nesting import count, excess, loss, mixtures, properties, several, size

alab_m2, kaplan, qqt, mixture, rectified, tails, transferred = (
    laws.get(n)
    for n in ("alab_m2", "kaplan_nd", "qqt_filtering", "qqt_mixture", "rectified_sft", "tale_of_tails",
              "hernandez_transfer")
)  # fmt: skip

exponent = st.floats(0.05, 0.8)
half_life = st.floats(0.5, 20.0)
weights = mixtures()
utilities = several(exponent)
half_lives = several(half_life)


@st.composite
def pool(draw):
    """Quantities of the law for one pool, except its half-life."""
    return {"E": draw(st.floats(0, 0.5)), "A": draw(excess), "b": draw(exponent), "samples0": draw(size)}


@st.composite
def anchored(draw):
    """Quantities of Kaplan's law."""
    return {"A": draw(loss), "B": draw(loss), "alpha": draw(exponent), "beta": draw(st.floats(0.05, 0.5)),
            "N0": draw(size), "D0": draw(size)}  # fmt: skip


def power_law(samples, c):
    return alab_m2(x=samples, E=c["E"], A=c["A"], c=c["b"], x0=c["samples0"])


@properties
@given(c=pool(), samples=size, spare=st.floats(1.0, 100.0), half_life=half_life)
def test_qqt_in_one_epoch_is_a_power_law_in_samples(c, samples, spare, half_life):
    got = qqt(samples=samples, pool=spare * samples, half_life=half_life, **c)
    assert got == pytest.approx(power_law(samples, c), rel=1e-11)


@properties
@given(c=pool(), unique=size, epochs=st.floats(1.5, 500.0))
def test_qqt_with_endless_half_life_is_a_power_law_in_samples(c, unique, epochs):
    fresh = power_law(unique * epochs, c)
    assert qqt(samples=unique * epochs, pool=unique, half_life=1e12, **c) == pytest.approx(fresh, rel=1e-9)
    assert qqt(samples=unique * epochs, pool=unique, half_life=1.0, **c) > fresh


@properties
@given(c=pool(), unique=size, epochs=st.integers(1, 20), part=st.floats(0.0, 0.99), half_life=half_life)
def test_qqt_is_the_formula_of_the_paper(c, unique, epochs, part, half_life):
    ends = [unique * j for j in range(1, epochs + 1)] + [unique * (epochs + part)]
    decayed = [-c["b"] * 0.5 ** (j / half_life) for j in range(epochs + 1)]
    repeated = prod((ends[j] / ends[j - 1]) ** decayed[j] for j in range(1, epochs + 1))
    paper = qqt.derived(A=c["A"], b=c["b"], samples0=c["samples0"])["A_raw"] * unique ** decayed[0] * repeated + c["E"]
    assert qqt(samples=ends[-1], pool=unique, half_life=half_life, **c) == pytest.approx(paper, rel=1e-10)


@properties
@given(c=pool(), samples=size, unique=size, b=utilities, half_lives=half_lives, chosen=st.integers(0, 2))
def test_qqt_mixture_with_all_weight_on_one_pool_is_the_law_of_that_pool(c, samples, unique, b, half_lives, chosen):
    rest = {"samples": samples, "pool": unique, "E": c["E"], "A": c["A"], "samples0": c["samples0"]}
    got = mixture(w=np.eye(3)[chosen], b=b, half_life=half_lives, **rest)
    assert got == pytest.approx(qqt(b=b[chosen], half_life=half_lives[chosen], **rest), rel=1e-11)


@properties
@given(c=pool(), samples=size, unique=size, w=weights, half_life=half_life)
def test_qqt_mixture_of_copies_of_a_pool_in_equal_parts_has_a_longer_half_life(c, samples, unique, w, half_life):
    rest = {"samples": samples, "pool": unique, "E": c["E"], "A": c["A"], "samples0": c["samples0"]}
    copies = {"b": np.full(3, c["b"]), "half_life": np.full(3, half_life)}
    got = mixture(w=np.full(3, 1 / 3), **copies, **rest)
    assert got == pytest.approx(qqt(b=c["b"], half_life=3 * half_life, **rest), rel=1e-11)
    # Mixing copies unequally repeats one of them more.
    assert mixture(w=w, **copies, **rest) >= got * (1 - 1e-12)


@properties
@given(E=loss, A=excess, half=count, beta=exponent)
def test_rectified_without_samples_is_the_loss_before_fine_tuning(E, A, half, beta):
    assert rectified(samples=0, E=E, A=A, half=half, beta=beta) == pytest.approx(E + A, rel=1e-12)


@properties
@given(samples=count, E=loss, B=excess, beta=exponent)
def test_rectified_without_anything_learned_before_is_a_power_law_in_samples(samples, E, B, beta):
    learned = 1e-12
    got = rectified(samples=samples, E=E, A=B / learned, half=learned ** (1 / beta), beta=beta)
    assert got == pytest.approx(alab_m2(x=samples, E=E, A=B, c=beta, x0=1), rel=1e-9)


@properties
@given(samples=count, E=loss, A=excess, half=count, beta=exponent)
def test_rectified_is_the_formula_of_the_paper(samples, E, A, half, beta):
    raw = rectified.derived(A=A, half=half, beta=beta)
    paper = raw["B"] / (raw["Dl"] + samples**beta) + E
    assert rectified(samples=samples, E=E, A=A, half=half, beta=beta) == pytest.approx(paper, rel=1e-11)
    assert rectified(samples=half, E=E, A=A, half=half, beta=beta) == pytest.approx(E + A / 2, rel=1e-12)


@properties
@given(c=anchored(), N=size, D=size, gamma=exponent, delta=exponent)
def test_transfer_of_nothing_is_kaplan(c, N, D, gamma, delta):
    got = transferred(N, D, transfer=1e-300, gamma=gamma, delta=delta, **c)
    assert got == pytest.approx(kaplan(N, D, **c), rel=1e-12)


@properties
@given(c=anchored(), N=size, D=size, transfer=st.floats(0.01, 100.0), gamma=exponent, delta=exponent)
def test_transfer_is_kaplan_with_the_data_of_the_paper_added(c, N, D, transfer, gamma, delta):
    k = transferred.derived(transfer=transfer, gamma=gamma, delta=delta, **c)["k"]
    got = transferred(N, D, transfer=transfer, gamma=gamma, delta=delta, **c)
    assert got == pytest.approx(kaplan(N, D + k * D**gamma * N**delta, **c), rel=1e-10)


@properties
@given(samples=count, A=excess, B=excess, z=st.floats(0.2, 2.0), T0=count, k0=count)
def test_tails_that_are_complete_leave_a_power_law_in_samples(samples, A, B, z, T0, k0):
    got = tails(samples=samples, cutoff=1e300, A=A, B=B, z=z, samples0=T0, cutoff0=k0)
    assert got == pytest.approx(alab_m2(x=samples, E=0, A=A, c=z / (1 + z), x0=T0), rel=1e-9)


@properties
@given(samples=count, cutoff=count, A=excess, B=excess, zipf=st.floats(1.1, 3.0), T0=count, k0=count)
def test_tails_are_the_formula_of_the_paper(samples, cutoff, A, B, zipf, T0, k0):
    raw = tails.derived(A=A, B=B, z=zipf - 1, samples0=T0, cutoff0=k0)
    paper = raw["A_raw"] * samples ** -((zipf - 1) / zipf) + raw["B_raw"] * cutoff ** -(zipf - 1)
    got = tails(samples=samples, cutoff=cutoff, A=A, B=B, z=zipf - 1, samples0=T0, cutoff0=k0)
    assert got == pytest.approx(paper, rel=1e-10)
    assert raw["zipf"] == pytest.approx(zipf)
