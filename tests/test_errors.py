import pytest

from bayesmix.errors import (
    BayesmixError,
    Fault,
    InputError,
    NotConvergedError,
    WouldOverwriteError,
    suggest,
    traced,
)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("N is -1", "Correct it"), "N is -1. Correct it"),
        (Fault("N is -1", "Correct it", row=3), "row 3: N is -1. Correct it"),
        (Fault("N is -1", "Correct it", run="a"), "run a: N is -1. Correct it"),
        (Fault("N is -1", "Correct it", row=0, run="a"), "row 0, run a: N is -1. Correct it"),
    ],
)
def test_a_fault_says_where_what_and_what_to_do(fault, text):
    assert str(fault) == text


def test_a_fault_of_a_frame_is_traced_to_where_its_rows_came_from():
    places = ("a.csv row 3", "b.csv row 9")
    assert traced(Fault("N is -1", "Correct it"), places) == Fault("N is -1", "Correct it")
    fault = Fault("the row is identical to row 0", "Remove it", row=1, run="a")
    assert str(traced(fault, places)) == "run a: b.csv row 9: the row is identical to a.csv row 3. Remove it"


def test_an_input_error_lists_every_fault():
    error = InputError("runs.csv", [Fault("a", "b"), Fault("c", "d", 2)])
    assert str(error) == "runs.csv: 2 faults\n  a. b\n  row 2: c. d"
    assert error.source == "runs.csv"
    assert len(error.faults) == 2
    assert str(InputError("x", [Fault("a", "b")])) == "x: 1 fault\n  a. b"


def test_every_error_has_an_exit_code_of_its_own_kind():
    assert [e.exit_code for e in (BayesmixError, InputError, NotConvergedError, WouldOverwriteError)] == [3, 3, 4, 5]
    assert all(issubclass(e, BayesmixError) for e in (InputError, NotConvergedError, WouldOverwriteError))


@pytest.mark.parametrize(
    ("name", "known", "sentence"),
    [
        ("alhpa", ["alpha", "beta"], "Did you mean 'alpha'?"),
        ("lognormal", ["LogNormal", "Normal"], "Did you mean 'LogNormal'?"),
        ("zzz", ["beta", "alpha"], "Known: alpha, beta"),
        ("zzz", [], "Known: (none)"),
        ("zzz", [f"alpha{i}" for i in range(30)], "Known: alpha0, alpha1, alpha10, alpha11, alpha12 and 25 more"),
        ("ph", ["alpha", *(f"b{i}" for i in range(30))], "The nearest of 31 known names: alpha"),
    ],
)
def test_a_suggestion_is_the_closest_name_or_all_of_them_or_near_ones_of_many(name, known, sentence):
    assert suggest(name, known) == sentence
