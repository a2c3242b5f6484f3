import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bayesmix.decision import Problem
from bayesmix.decision.optimise import kkt_residual, minimise, project
from bayesmix.errors import BayesmixError, InputError

DOMAINS = ("web", "code", "books")


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
    low, high = problem.limits(DOMAINS)
    assert low.tolist() == [0, 0.1, 0.1]
    assert high.tolist() == [1, 0.6, 0.6]
    assert problem.baseline_mixture(DOMAINS).tolist() == [0.5, 0.5, 0]


def test_an_empty_problem_is_all_targets_against_the_uniform_mixture(tmp_path):
    problem = Problem.read(write(tmp_path / "p.toml", ""))
    assert problem == Problem()
    low, high = problem.limits(DOMAINS)
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
    code = 0.3
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
        "  bounds of web are [0.5, 0.2]. Give [least, greatest] with 0 <= least <= greatest <= 1",
        "  bounds of code are 0.3. Give [least, greatest] with 0 <= least <= greatest <= 1",
        "  bounds of books are [0.1, 1.5]. Give [least, greatest] with 0 <= least <= greatest <= 1",
        "  baseline of web is 'half'. Give a weight of at least 0",
        "  baseline of code is -0.5. Give a weight of at least 0",
    ]


@pytest.mark.parametrize("key", ["objective", "planned", "bounds", "baseline"])
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


def test_bounds_that_no_mixture_meets_are_refused():
    with pytest.raises(InputError, match=r"least weights sum to 1.2, more than 1. Lower some"):
        Problem(bounds={"default": (0.4, 1.0)}).limits(DOMAINS)
    with pytest.raises(InputError, match=r"greatest weights sum to 0.6, less than 1. Raise some"):
        Problem(bounds={"default": (0.0, 0.2)}).limits(DOMAINS)
    with pytest.raises(InputError, match=r"unknown domain 'cod'. Did you mean 'code'"):
        Problem(bounds={"cod": (0.0, 0.2)}).limits(DOMAINS)


def test_bounds_of_exactly_one_mixture_are_allowed():
    low, high = Problem(bounds={"web": (0.2, 0.2), "code": (0.3, 0.3), "books": (0.5, 0.5)}).limits(DOMAINS)
    assert project(np.array([1.0, 0, 0]), low, high).tolist() == [0.2, 0.3, 0.5]


def test_a_baseline_off_the_simplex_is_refused():
    with pytest.raises(InputError, match=r"the baseline's weights sum to 0.8"):
        Problem(baseline={"web": 0.5, "code": 0.3}).baseline_mixture(DOMAINS)
    with pytest.raises(InputError) as error:
        Problem(baseline={"web": 0.5, "cod": 0.3}).baseline_mixture(DOMAINS)
    assert len(error.value.faults) == 2


def test_a_rounded_baseline_is_made_to_sum_to_one():
    assert Problem(baseline={"web": 0.333, "code": 0.333, "books": 0.333}).baseline_mixture(DOMAINS).sum() == 1


@st.composite
def bounded(draw):
    size = draw(st.integers(2, 6))
    numbers = st.floats(0, 1)
    inner = np.array(draw(st.lists(st.floats(0.01, 1), min_size=size, max_size=size)))
    inner /= inner.sum()
    low = inner * np.array(draw(st.lists(numbers, min_size=size, max_size=size)))
    high = inner + (1 - inner) * np.array(draw(st.lists(numbers, min_size=size, max_size=size)))
    point = np.array(draw(st.lists(st.floats(-3, 3), min_size=size, max_size=size)))
    return point, low, high


@given(bounded())
@settings(max_examples=60, deadline=None)
def test_projection_is_the_nearest_mixture_within_the_bounds(case):
    point, low, high = case
    found = project(point, low, high)
    assert abs(found.sum() - 1) < 1e-9
    assert (found >= low).all()
    assert (found <= high).all()
    nearest = minimize(
        lambda w: ((w - point) ** 2).sum(),
        found,
        jac=lambda w: 2 * (w - point),
        method="SLSQP",
        bounds=list(zip(low, high, strict=True)),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert ((found - point) ** 2).sum() <= nearest.fun + 1e-6
    # First-order conditions of the projection itself: a certificate that needs no optimiser.
    assert kkt_residual(found, 2 * (found - point), low, high) < 1e-5


@given(bounded())
@settings(max_examples=60, deadline=None)
def test_projecting_twice_changes_nothing(case):
    once = project(*case)
    assert np.allclose(project(once, *case[1:]), once, atol=1e-9)


def quadratic(target: np.ndarray, scale: float = 1.0):
    return lambda w: (scale * float(((w - target) ** 2).sum()), scale * 2 * (w - target))


@given(bounded(), st.sampled_from([1e-6, 1.0, 1e6]))
@settings(max_examples=40, deadline=None)
def test_a_quadratic_has_its_projection_as_optimum_whatever_its_scale(case, scale):
    point, low, high = case
    starts = np.random.default_rng(0).dirichlet(np.ones(len(point)), 2)
    best = minimise(quadratic(point, scale), low, high, starts)
    assert np.allclose(best.w, project(point, low, high), atol=2e-4)
    assert best.kkt_residual <= 2e-3 * scale


def test_the_kkt_residual_is_zero_at_the_optimum_and_positive_elsewhere():
    low, high = np.zeros(3), np.ones(3)
    inside = np.array([0.2, 0.3, 0.5])
    for target in (inside, np.array([1.4, -0.2, -0.2])):
        function = quadratic(target)
        best = project(target, low, high)
        assert kkt_residual(best, function(best)[1], low, high) < 1e-12
        for elsewhere in np.random.default_rng(0).dirichlet(np.ones(3), 20):
            assert kkt_residual(elsewhere, function(elsewhere)[1], low, high) > 0
    vertex = np.array([0.0, 0.0, 1.0])
    assert kkt_residual(vertex, quadratic(inside)(vertex)[1], low, high) > 0.5


def test_the_best_of_several_minima_is_taken():
    def two_valleys(w):  # at w0 = 0.1 and, deeper, at 0.9
        x = w[0]
        value = ((x - 0.1) * (x - 0.9)) ** 2 - 0.01 * x
        slope = 2 * (x - 0.1) * (x - 0.9) * (2 * x - 1) - 0.01
        return value, np.array([slope, 0.0])

    low, high = np.zeros(2), np.ones(2)
    starts = np.array([[0.05, 0.95], [0.95, 0.05]])
    assert minimise(two_valleys, low, high, starts).w[0] == pytest.approx(0.908, abs=0.01)


def test_a_flat_function_is_left_where_it_started():
    start = np.array([[0.2, 0.8]])
    best = minimise(lambda w: (1.0, np.zeros(2)), np.zeros(2), np.ones(2), start)
    assert np.allclose(best.w, start[0])
    assert best.kkt_residual == 0
