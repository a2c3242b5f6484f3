import tomllib
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmix.errors import BayesmixError, InputError
from bayesmix.interchange import launch
from bayesmix.interchange._launch import apportion

WEIGHTS = st.lists(st.one_of(st.just(0.0), st.floats(1e-12, 1.0)), min_size=1, max_size=40).filter(any)


@settings(max_examples=300)
@given(WEIGHTS, st.integers(2, 9))
def test_rounded_weights_sum_to_one_exactly_and_move_by_less_than_a_unit(weights, digits):
    rounded = apportion(weights, digits)
    assert sum(Decimal(repr(weight)) for weight in rounded) == 1
    total = sum(weights)
    for exact, weight in zip(weights, rounded, strict=True):
        assert abs(exact / total - weight) < 10**-digits * (1 + 1e-9)
        assert weight == 0 if exact == 0 else weight >= 0
    for (small, first), (large, second) in pairwise(sorted(zip(weights, rounded, strict=True))):
        assert first <= second or small == large


def test_a_mixture_with_six_digits_is_left_as_it_is():
    assert apportion([0.7, 0.2, 0.1, 0.0]) == [0.7, 0.2, 0.1, 0.0]
    assert apportion([0.123456, 0.876544]) == [0.123456, 0.876544]


def test_tokens_and_epochs_follow_from_the_planned_run(mixing, put):
    data = put("d.toml", '[web]\ntokens = 3.5e12\n[code]\ntokens = 1e11\npaths = "x"\n')
    shares = launch(mixing({"web": 0.7, "code": 0.3}), data).shares
    assert [share.tokens for share in shares] == [0.7e12, 0.3e12]
    assert [share.epochs for share in shares] == [pytest.approx(0.2), pytest.approx(3.0)]
    assert [share.repetition for share in shares] == [1.0, pytest.approx(3.0)]
    assert shares[1].data.paths == ("x",)
    third = launch(mixing({"web": 1 / 3, "code": 2 / 3})).shares[0]
    assert third.tokens == 333333 * 10**6  # of the weight that is written
    without = launch(mixing({"web": 0.7, "code": 0.3}, planned={}), data).shares
    assert [(share.tokens, share.epochs, share.repetition) for share in without] == [(None, None, None)] * 2


def test_unique_tokens_are_those_of_the_problem_unless_the_data_say_otherwise(mixing, put):
    decision = mixing({"web": 0.7, "code": 0.3}, available={"web": 7e11, "code": 1e11})
    assert [share.epochs for share in launch(decision).shares] == [pytest.approx(1.0), pytest.approx(3.0)]
    data = put("d.toml", "[code]\ntokens = 2e11\n")
    assert [share.epochs for share in launch(decision, data).shares] == [pytest.approx(1.0), pytest.approx(1.5)]


def test_what_is_lost_to_rounding_is_said_unless_it_is_an_optimum_at_its_bound(mixing):
    said = launch(mixing({"web": 1 - 1e-7, "code": 1e-7, "books": 1e-15}, warnings=("Careful.",)), notice="Made up.")
    assert said.caveats == ("Made up.", "Careful.", "Weights below 0.0000005 are written as 0: code.")


def test_everything_that_is_wrong_with_the_data_is_one_error(mixing, put):
    path = put(
        "d.toml",
        """wbe = 1
code = 2
[web]
paths = []
tokens = -1
token = 1
split = ""
tokens_per_example = true
""",
    )
    with pytest.raises(InputError) as error:
        launch(mixing({"web": 0.7, "code": 0.3}), path)
    assert [str(fault) for fault in error.value.faults] == [
        "'wbe' is no domain of the decision. Did you mean 'web'?",
        "'code' is not a table. Write [code] and its lines below",
        "paths of 'web' is []. Write one path, or a list of them: [\"...\"]",
        "tokens of 'web' is -1. Write a number above 0",
        "unknown key 'token' of 'web'. Did you mean 'tokens'?",
        "split of 'web' is ''. Write a text",
        "tokens_per_example of 'web' is True. Write a number above 0",
    ]


@pytest.mark.parametrize("domain", ["web", "dclm:science", 'a "b" \\', "two\nlines", "del\x7f", "ü"])
def test_the_paths_that_lack_are_asked_for_as_toml_takes_them(mixing, domain):
    with pytest.raises(InputError) as error:
        launch(mixing({domain: 1.0})).paths("olmo_core")
    (asked,) = (fault.remedy.removeprefix("Write them in the TOML of --paths: ") for fault in error.value.faults)
    assert tomllib.loads(asked) == {domain: {"paths": ["..."]}}


def test_data_that_cannot_be_read_are_an_error(mixing, put, tmp_path):
    with pytest.raises(InputError, match=r"not a TOML file"):
        launch(mixing({"web": 1.0}), put("d.toml", "[web"))
    with pytest.raises(BayesmixError, match=r"none.toml cannot be read: No such file"):
        launch(mixing({"web": 1.0}), tmp_path / "none.toml")
