import numpy as np
import pytest

from bayesmix.decision import Problem
from bayesmix.decision.constraints import limits
from bayesmix.errors import BayesmixError, InputError

DOMAINS = ("web", "code", "books")
BOUNDS = "Give [least, greatest] with 0 <= least <= greatest <= 1, or one number to fix it"


def write(path, text):
    path.write_text(text)
    return path


def test_a_problem_file_is_read_in_full(tmp_path):
    text = """
    [objective]
    "loss.web" = 1
    [planned]
    N = 7e9
    family = "dense"
    [bounds]
    default = [0.1, 0.6]
    web = [0, 1]
    [baseline]
    web = 0.5
    code = 0.5
    """
    problem = Problem.read(write(tmp_path / "p.toml", text))
    assert problem.objective == {"loss.web": 1}
    assert problem.planned == {"N": 7e9, "family": "dense"}
    low, high = limits(problem, DOMAINS)
    assert low.tolist() == [0, 0.1, 0.1]
    assert high.tolist() == [1, 0.6, 0.6]
    assert problem.baseline_mixture(DOMAINS).tolist() == [0.5, 0.5, 0]


@pytest.mark.parametrize(
    ("stated", "N", "D"),
    [
        ({"N": 7e9, "C": 4.2e22}, 7e9, 1e12),
        ({"D": np.float64(1e12), "C": 4.2e22}, 7e9, 1e12),
        ({"N": 7e9, "D": 2e12, "C": 4.2e22}, 7e9, 2e12),
        ({"N": "7e9", "C": 4.2e22}, "7e9", None),
        ({"C": 4.2e22}, None, None),
    ],
)
def test_compute_stands_for_the_size_or_the_tokens_that_are_not_stated(stated, N, D):
    problem = Problem(planned=stated, available={"web": 1e11})
    assert [problem.planned.get(s) for s in ("N", "D")] == [
        n if isinstance(n, str) else pytest.approx(n) for n in (N, D)
    ]
    if D == 1e12:
        assert limits(problem, DOMAINS)[1] == pytest.approx([0.1, 1, 1])


def test_an_empty_problem_is_all_targets_against_the_uniform_mixture(tmp_path):
    problem = Problem.read(write(tmp_path / "p.toml", ""))
    assert problem == Problem()
    low, high = limits(problem, DOMAINS)
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [1, 1, 1]
    assert np.allclose(problem.baseline_mixture(DOMAINS), 1 / 3)


def test_all_faults_of_a_problem_file_are_listed_at_once(tmp_path):
    text = """
    objectives = 3
    planned = 7e9
    [objective]
    "loss.web" = -1
    "loss.code" = "much"
    [bounds]
    web = [0.5, 0.2]
    code = "little"
    books = [0.1, 1.5]
    [baseline]
    web = "half"
    code = -0.5
    """
    path = write(tmp_path / "p.toml", text)
    with pytest.raises(InputError) as error:
        Problem.read(path)
    assert str(error.value).splitlines() == [
        f"{path}: 9 faults",
        "  unknown key 'objectives'. Did you mean 'objective'?",
        "  planned is 7000000000.0. Write a table [planned]",
        "  objective of loss.web is -1. Give a weight of at least 0",
        "  objective of loss.code is 'much'. Give a weight of at least 0",
        f"  bounds of web are [0.5, 0.2]. {BOUNDS}",
        f"  bounds of code are 'little'. {BOUNDS}",
        f"  bounds of books are [0.1, 1.5]. {BOUNDS}",
        "  baseline of web is 'half'. Give a weight of at least 0",
        "  baseline of code is -0.5. Give a weight of at least 0",
    ]


@pytest.mark.parametrize("key", ["objective", "planned", "bounds", "groups", "available", "candidates"])
def test_a_table_written_as_something_else_is_a_fault(tmp_path, key):
    with pytest.raises(InputError, match=f"{key} is 'loss'"):
        Problem.read(write(tmp_path / "p.toml", f'{key} = "loss"'))


def test_an_objective_of_zeros_is_a_fault():
    with pytest.raises(InputError, match="all weights of the objective are 0"):
        Problem.of({"objective": {"loss.web": 0, "loss.code": 0.0}})


def test_a_file_that_is_not_there_or_is_not_toml_is_refused(tmp_path):
    with pytest.raises(BayesmixError, match=r"none.toml cannot be read: No such file"):
        Problem.read(tmp_path / "none.toml")
    with pytest.raises(InputError, match="not a TOML file"):
        Problem.read(write(tmp_path / "p.toml", "[objective"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('risk = "median"', "risk is 'median'"),
        ("risk = { cvar = 1.5 }", "risk is {'cvar': 1.5}"),
        ('combine = "best"', "combine is 'best'. Give one of 'mean', 'worst', 'worst excess'"),
        ('within = "hull"', "within is 'hull'. Give one of 'simplex', 'fitted mixtures'"),
        ("near = 1.0", "near is 1.0. Give the share of the gain that may be lost"),
        ("[groups]\ncode = 3", "group code is 3"),
        ('[groups]\ncode = { domains = ["c"] }', "group code has {}. Give least or greatest"),
        ("[available]\nweb = 0", "available of web is 0. Give a number above 0"),
        ("epochs = -1", "epochs of default is -1. Give a number above 0"),
        ("[trusted]\nmixture = { web = 1.0 }", "trusted has mixture. Give mixture"),
        ("[candidates.uniform]\nweb = 1.0", "a candidate is named 'uniform'"),
        ("[candidates.mine]\nweb = -1.0", "candidate mine of web is -1.0"),
    ],
)
def test_a_faulty_demand_is_named(tmp_path, text, fault):
    with pytest.raises(InputError) as error:
        Problem.read(write(tmp_path / "p.toml", text))
    assert fault in str(error.value)
    assert len(error.value.faults) == 1


def test_a_baseline_off_the_simplex_is_refused():
    with pytest.raises(InputError, match=r"the weights of the baseline sum to 0.8"):
        Problem(baseline={"web": 0.5, "code": 0.3}).baseline_mixture(DOMAINS)
    with pytest.raises(InputError) as error:
        Problem(baseline={"web": 0.5, "cod": 0.3}).baseline_mixture(DOMAINS)
    assert len(error.value.faults) == 2


def test_a_rounded_baseline_is_made_to_sum_to_one():
    assert Problem(baseline={"web": 0.333, "code": 0.333, "books": 0.333}).baseline_mixture(DOMAINS).sum() == 1


def test_what_is_stated_in_python_is_checked_as_in_a_file():
    with pytest.raises(InputError) as raised:
        Problem(combine="avg", within="hull", near=7, objective={"loss.web": -1.0})
    said = str(raised.value)
    assert said.startswith("problem: 4 faults")
    for part in ("combine is 'avg'", "within is 'hull'", "near is 7", "objective of loss.web is -1.0"):
        assert part in said


def test_python_may_state_what_a_file_may():
    problem = Problem(bounds={"web": 0.3}, epochs=4, objective={"loss.web": np.float32(2)})  # pyright: ignore
    assert problem.bounds == {"web": (0.3, 0.3)}
    assert problem.epochs == {"default": 4}
