"""Limits in which laws of best settings become others, and the numbers that papers publish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix import laws
from nesting import properties, published, size

step_law, horizon, deepseek, power_lines, mccandlish, surge, scheduler = (
    laws.get(n)
    for n in ("step_law", "lr_horizon", "deepseek_hp", "power_lines", "bcrit_mccandlish", "surge", "power_scheduler")
)

setting = st.floats(1e-5, 1e5)
exponent = st.floats(0.05, 0.8)
signed = st.floats(-0.8, 0.8)
batch = st.floats(8.0, 8192.0)
ratio = st.floats(0.01, 100.0)
rate = st.floats(1e-5, 1e-1)


@properties
@given(N=size, D=size, A=setting, alpha=exponent, beta=exponent, N0=size, D0=size)
def test_horizon_is_the_step_law_with_both_signs_reversed(N, D, A, alpha, beta, N0, D0):
    got = horizon(N, D, A=A, alpha=alpha, beta=beta, N0=N0, D0=D0)
    assert got == pytest.approx(step_law(N, D, A=A, a=-alpha, b=-beta, N0=N0, D0=D0), rel=1e-12)
    raw = horizon.derived(A=A, alpha=alpha, beta=beta, N0=N0, D0=D0)["A_raw"]
    assert got == pytest.approx(raw * N**-alpha * D**-beta, rel=1e-10)


@properties
@given(N=size, D=size, A=setting, a=exponent, N0=size, D0=size)
def test_the_step_law_with_one_exponent_is_a_power_law_in_compute(N, D, A, a, N0, D0):
    got = step_law(N, D, A=A, a=a, b=a, N0=N0, D0=D0)
    assert got == pytest.approx(deepseek(C=6 * N * D, A=A, a=a, C0=6 * N0 * D0), rel=1e-11)


@properties
@given(N=size, D=size, A=setting, a=signed, b=exponent, N0=size, D0=size)
def test_the_step_law_does_not_depend_on_its_references(N, D, A, a, b, N0, D0):
    raw = step_law.derived(A=A, a=a, b=b, N0=N0, D0=D0)["A_raw"]
    assert step_law(N, D, A=A, a=a, b=b, N0=N0, D0=D0) == pytest.approx(raw * N**a * D**b, rel=1e-10)


@properties
@given(M=st.floats(1, 1e3), D=size, batch=batch, rate=rate, A=setting, c=exponent, M0=st.floats(1, 1e3), D0=size,
       batch0=batch, rate0=rate)  # fmt: skip
def test_power_lines_keep_the_share_of_the_run_that_the_paper_says(M, D, batch, rate, A, c, M0, D0, batch0, rate0):
    references = {"M0": M0, "D0": D0, "batch0": batch0, "rate0": rate0}
    decay = power_lines(M, D, batch, rate, A=A, c=c, **references)
    raw = power_lines.derived(A=A, c=c, **references)
    assert batch / (rate * decay * D) == pytest.approx(raw["tau_raw"] * M**-c, rel=1e-10)
    assert power_lines(M, D, 3 * batch, rate, A=A, c=c, **references) == pytest.approx(3 * decay, rel=1e-12)


@properties
@given(b=batch, A=setting, critical=ratio, b0=batch)
def test_mccandlish_trades_steps_for_samples(b, A, critical, b0):
    c = {"A": A, "critical": critical, "power": 1.0, "batch0": b0}
    raw = mccandlish.derived(**c)
    steps, least = mccandlish(batch=b, **c), raw["limit"]
    samples, fewest = b * steps, least * raw["batch_critical"]
    assert (steps / least - 1) * (samples / fewest - 1) == pytest.approx(1, rel=1e-7)
    assert mccandlish(batch=raw["batch_critical"], **c) == pytest.approx(2 * least, rel=1e-12)


@properties
@given(b=batch, A=setting, critical=ratio, b0=batch)
def test_mccandlish_is_the_formula_of_the_paper(b, A, critical, b0):
    raw = mccandlish.derived(A=A, critical=critical, power=-1.0, batch0=b0)
    paper = raw["limit"] / (1 + raw["batch_critical"] / b)
    assert mccandlish(batch=b, A=A, critical=critical, batch0=b0) == pytest.approx(paper, rel=1e-11)
    tiny, huge = 1e-12 * raw["batch_critical"], 1e12 * raw["batch_critical"]
    rest = {"A": A, "critical": critical, "batch0": b0}
    assert mccandlish(batch=3 * tiny, **rest) == pytest.approx(3 * mccandlish(batch=tiny, **rest), rel=1e-9)
    assert mccandlish(batch=huge, **rest) == pytest.approx(raw["limit"], rel=1e-9)


@properties
@given(b=batch, A=setting, noise=ratio, b0=batch)
def test_surge_is_the_formula_of_the_paper(b, A, noise, b0):
    raw = surge.derived(A=A, noise=noise, batch0=b0)
    n = raw["batch_noise"]
    paper = raw["maximum"] / (0.5 * ((n / b) ** 0.5 + (b / n) ** 0.5))
    assert surge(batch=b, A=A, noise=noise, batch0=b0) == pytest.approx(paper, rel=1e-11)


@properties
@given(apart=st.floats(1.01, 1e3), A=setting, noise=ratio, b0=batch)
def test_surge_is_symmetric_about_its_peak(apart, A, noise, b0):
    c = {"A": A, "noise": noise, "batch0": b0}
    peak = surge(batch=noise * b0, **c)
    below, above = surge(batch=noise * b0 / apart, **c), surge(batch=noise * b0 * apart, **c)
    assert below == pytest.approx(above, rel=1e-10)
    assert below < peak == pytest.approx(surge.derived(**c)["maximum"], rel=1e-12)


@properties
@given(A=setting, noise=ratio, b0=batch, factor=st.floats(1.1, 10.0))
def test_surge_far_below_its_peak_is_the_square_root_rule(A, noise, b0, factor):
    c = {"A": A, "noise": noise, "batch0": b0}
    tiny = 1e-12 * noise * b0
    assert surge(batch=factor * tiny, **c) == pytest.approx(factor**0.5 * surge(batch=tiny, **c), rel=1e-9)


@properties
@given(b=batch, D=size, A=setting, cap=ratio, c=exponent, b0=batch, D0=size)
def test_power_scheduler_is_the_formula_of_the_paper(b, D, A, cap, c, b0, D0):
    raw = scheduler.derived(A=A, cap=cap, c=c, batch0=b0, D0=D0)
    paper = b * min(raw["maximum"], raw["a_raw"] * D**-c)
    assert scheduler(D, b, A=A, cap=cap, c=c, batch0=b0, D0=D0) == pytest.approx(paper, rel=1e-10)


@properties
@given(D=size, A=setting, c=exponent, b0=batch, D0=size)
def test_power_scheduler_without_a_maximum_is_a_power_law_in_tokens(D, A, c, b0, D0):
    got = scheduler(D, b0, A=A, cap=1e300, c=c, batch0=b0, D0=D0)
    assert got == pytest.approx(deepseek(C=D, A=A, a=-c, C0=D0), rel=1e-12)


@pytest.mark.parametrize(
    ("fit", "N", "D", "number", "precision"),
    [
        ("li2025_lr", 1e9, 1e11, 0.001632499, 5e-10),
        ("li2025_lr", 2.7e8, 1e10, 0.002047815, 5e-10),
        ("li2025_batch", 1e9, 1e11, 1107715, 0.5),
        ("li2025_batch", 2.7e8, 1e10, 297460, 0.5),
        ("bergsma2025_batch", 1e9, 40e9, 351.81, 0.005),
    ],
)
def test_the_published_constants_of_the_step_law_give_these_settings(fit, N, D, number, precision):
    assert published("step_law", fit)(N=N, D=D) == pytest.approx(number, rel=0, abs=precision)


@pytest.mark.parametrize(
    ("setting", "number"), [("lr", 9.85998e-4), ("batch", 1.017145e6), ("model", 5.25127e9), ("tokens", 1.904530e10)]
)
def test_the_published_constants_of_deepseek_give_these_settings(setting, number):
    assert published("deepseek_hp", f"deepseek2024_{setting}")(C=1e20) == pytest.approx(number, rel=1e-6)


@properties
@given(C=st.floats(17.0, 25.0).map(lambda x: 10**x))
def test_deepseek_spends_all_compute_on_the_best_model_and_tokens(C):
    best = published("deepseek_hp", "deepseek2024_model")(C=C) * published("deepseek_hp", "deepseek2024_tokens")(C=C)
    # Their constants are rounded: .1715 * 5.8316 = 1.0001.
    assert best == pytest.approx(C, rel=2e-4)


@pytest.mark.parametrize(("M", "share"), [(20, 0.2235561), (200, 0.0664334)])
def test_power_lines_give_the_published_shares_of_the_run(M, share):
    decay = published("power_lines", "bergsma2025")(M=M, D=4e10, batch=5e5, rate=0.01)
    assert 5e5 / (0.01 * decay * 4e10) == pytest.approx(share, abs=6e-8)
