import pandas as pd
import pytest

from bayesmix.runs import Runs

NAMED = (
    "rows of one are its checkpoints and are left out together. Name runs apart; or map that column to a label, and "
    'say by the card what a run is: run = ["N", "w"]'
)


def hints(**columns) -> tuple[str, ...]:
    return Runs.of(pd.DataFrame({"loss": [3.0, 2.9], **columns})).hints


def test_hints_for_units_and_names():
    runs = Runs.of(pd.DataFrame({"N": [122], "tokens": [1e9], "run_name": ["a"], "loss": [3]}))
    assert runs.hints == (
        'column \'tokens\' is read as a label; if it is D, map it: "tokens" = "D"',
        'column \'run_name\' is read as a label; if it is run, map it: "run_name" = "run"',
        "N = 122, expected 10000 to 1e+14 parameters: in millions? "
        'Say so: --unit N=millions, or N = "millions" under [units] of a card',
    )


def test_hint_for_checkpoints_without_run():
    frame = pd.DataFrame({"N": [1e8, 1e8, 2e8], "D": [1e9, 2e9, 1e9], "loss": [3, 2.9, 2.8]})
    runs = Runs.of(frame)
    assert runs.names == ("1", "2", "3")
    assert runs.hints == (
        "every row counts as a run of its own, yet 2 of 3 share N with another and differ in D, as "
        "checkpoints of one run do: if they are, a column 'run' is needed to leave out whole runs",
    )
    assert Runs.loads(runs.text(), runs.card, runs.source).hints == runs.hints
    assert Runs.of(frame.assign(run=["a", "a", "b"])).hints == ()


def test_hint_for_runs_of_several_sizes_that_share_a_name():
    frame = pd.DataFrame({"run": ["a", "a", "b"], "N": [1e8, 2e8, 1e8], "D": [1e9, 1e9, 2e9], "loss": [3, 2.9, 2.8]})
    (hint,) = Runs.of(frame).hints
    assert hint.startswith("1 of 2 runs have rows of different N, such as 'a'")
    assert Runs.of(frame.assign(run=["a", "b", "c"])).hints == ()


def test_hint_for_mixtures_that_share_a_name():
    w = {"w.web": [0.2, 0.6], "w.code": [0.8, 0.4]}
    apart = {"run": ["a", "a"], "N": 1e8, "D": 1e9, "seed": ["1", "2"]}
    assert hints(**apart, **w) == (f"1 of 1 runs have rows of different w at the same N and D, such as 'a': {NAMED}",)
    # Stages of a curriculum differ in D or step, seeds of one mixture in rounding at most.
    assert hints(**{**apart, "D": [1e9, 2e9]}, **w) == ()
    assert hints(**apart, **w, step=["10", "20"]) == ()
    assert hints(**apart, **{"w.web": [0.2, 0.2004], "w.code": [0.8, 0.7996]}) == ()
    sizes, mixtures = hints(**{**apart, "N": [1e8, 2e8]}, **w), hints(run=["a", "a"], **w)
    assert sizes == (f"1 of 1 runs have rows of different N, such as 'a': {NAMED}",)
    assert mixtures == (f"1 of 1 runs have rows of different w, such as 'a': {NAMED}",)


@pytest.mark.parametrize(
    ("N", "D", "units"),
    [
        (160, 3.2, {"N": "millions", "D": "billions"}),
        (0.16, 3.2, {"N": "billions", "D": "billions"}),
        (7, 140, {"N": "billions", "D": "billions"}),
        (0.05, 1, {"N": "billions", "D": "billions"}),
        (0.05, 1e9, {"N": "billions"}),
        (160, 3.2e9, {"N": "millions"}),
        (1.6e8, 3.2, {"D": "billions"}),
        (1.6e8, 3200, {"D": "millions"}),
        (7e9, 0.15, {"D": "trillions"}),
        (4e4, 1e5, {}),  # small in truth
        (1.6e8, 3.2e9, {}),
    ],
)
def test_the_unit_that_is_asked_about_makes_sizes_and_tokens_believable(N, D, units):
    said = hints(run=["a", "b"], N=N, D=D)
    assert [hint.partition(" = ")[0] for hint in said] == list(units)
    for (symbol, unit), hint in zip(units.items(), said, strict=True):
        assert hint.endswith(
            f': in {unit}? Say so: --unit {symbol}={unit}, or {symbol} = "{unit}" under [units] of a card'
        )


def test_a_size_that_no_unit_makes_believable_is_asked_about_all_the_same():
    assert hints(run=["a", "b"], N=1e17, D=2e9) == ("N = 1e+17, expected 10000 to 1e+14 parameters: check its unit",)
    assert hints(run=["a", "b"], D=1e9, U=0.5)[0].startswith("U = 0.5, expected 10000 to 1e+16 tokens: in billions? ")
    assert hints(run=["a", "b"], D=2e6, U=5e3) == ()


def test_hint_for_losses_that_are_none_of_a_token():
    (hint,) = hints(**{"run": ["a", "b"], "loss.web": [363.2, 3.1]})
    assert hint == (
        "loss.web: up to 363.2, above 20 nats/token in 1 of 2 rows. Perplexity? Say so: --unit loss.web=perplexity. A "
        "sum over tokens? Give their mean. If the run diverged, leave the cell empty"
    )
    (hint,) = hints(**{"run": ["a", "b"], "loss.web": [363.2, 3.1], "loss.code": [3.0, 25.0]})
    assert hint.startswith("loss.web, loss.code: up to 363.2, above 20 nats/token in 2 of 2 rows. Perplexity? Say so: ")
    assert "--unit loss=perplexity" in hint
    assert hints(**{"run": ["a", "b"], "loss.web": [11.0, None]}) == ()


def test_hint_for_compute_that_is_nowhere_near_six_times_parameters_and_tokens():
    known = {"run": ["a", "b"], "N": 1e8, "D": 1e9}
    assert hints(**known, C=[18e17, 17e17]) == (
        "C is nowhere within a factor of 2 of 6ND, but 2.92 times that in the median row: check the units of C, N and "
        "D, and that C is of training alone; without a column C it is taken as 6ND",
    )
    assert hints(**known, C=[18e17, 7e17]) == ()
    assert len(hints(**known, C=[1e17, 2e17])) == 1
