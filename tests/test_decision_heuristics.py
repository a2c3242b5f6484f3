import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmix.decision import Problem
from bayesmix.decision.heuristics import heuristic
from bayesmix.errors import InputError

DOMAINS = ("web", "code", "books")
TOKENS = {"web": 8e11, "code": 1e11, "books": 1e11}
properties = settings(max_examples=60)
counts = st.lists(st.floats(3, 13).map(lambda x: 10**x), min_size=2, max_size=12)


def of(stated: str, tokens=TOKENS, D: float | None = 4e11) -> np.ndarray:
    return heuristic(stated, tuple(tokens), tokens, D, "the baseline")


def test_mixtures_are_those_of_the_papers_equations():
    assert of("uniform").tolist() == [1 / 3] * 3
    assert of("natural") == pytest.approx([0.8, 0.1, 0.1])
    assert of("temperature 3") == pytest.approx([0.5, 0.25, 0.25])
    assert of("capped 2e11") == pytest.approx([0.5, 0.25, 0.25])
    # One epoch of the scarce two is less than a third of 4e11 tokens each; the rest goes to the third.
    assert of("unimax 1") == pytest.approx([0.5, 0.25, 0.25])
    assert of("unimax 4") == pytest.approx([1 / 3] * 3)


@properties
@given(counts, st.floats(1, 20), st.floats(3, 15).map(lambda x: 10**x))
def test_no_domain_is_seen_more_often_than_unimax_allows_unless_all_are(counts, epochs, D):
    tokens = {f"d{k}": n for k, n in enumerate(counts)}
    w, U = of(f"unimax {epochs!r}", tokens, D), np.array(counts)
    assert w.sum() == pytest.approx(1)
    seen = w * D / U
    if epochs * U.sum() >= D:
        assert (seen <= epochs * (1 + 1e-9)).all()
        free = w[seen < epochs * (1 - 1e-9)]
        assert np.allclose(free, free.max(initial=0))  # those that last share alike
    else:
        assert np.allclose(seen, seen[0])


@properties
@given(counts)
def test_limits_of_temperature_and_cap(counts):
    tokens = {f"d{k}": n for k, n in enumerate(counts)}
    assert np.allclose(of("temperature 1", tokens), of("natural", tokens))
    assert np.allclose(of("temperature 1e9", tokens), of("uniform", tokens))
    assert np.allclose(of(f"capped {max(counts)!r}", tokens), of("natural", tokens))
    assert np.allclose(of(f"capped {min(counts)!r}", tokens), of("uniform", tokens))


def test_a_problem_names_them(tmp_path):
    (tmp_path / "p.toml").write_text(
        'baseline = "natural"\n[planned]\nD = 4e11\n[available]\nweb = 8e11\ncode = 1e11\nbooks = 1e11\n'
        '[candidates]\nunimax = "unimax 1"\nhouse = { web = 0.5, code = 0.5 }\n'
    )
    problem = Problem.read(tmp_path / "p.toml")
    assert problem.baseline_mixture(DOMAINS) == pytest.approx([0.8, 0.1, 0.1])
    named = problem.named(DOMAINS)
    assert list(named) == ["unimax", "house", "baseline", "uniform"]
    assert named["unimax"] == pytest.approx([0.5, 0.25, 0.25])


def test_what_a_heuristic_lacks_is_said():
    with pytest.raises(InputError, match="nothing says how many tokens there are of code, books") as caught:
        Problem(baseline="unimax 2", available={"web": 1e9}).baseline_mixture(DOMAINS)
    assert "Add planned.D" in str(caught.value)
    with pytest.raises(InputError, match="baseline is 'proportional'"):
        Problem.of({"baseline": "proportional"})
    with pytest.raises(InputError, match="candidate house is 'unimax'"):
        Problem.of({"candidates": {"house": "unimax"}})
    for stated in ("natural 3", "temperature 0", "temperature nan", "capped -1", ""):
        with pytest.raises(InputError, match='"unimax 4", or a table'):
            of(stated)
