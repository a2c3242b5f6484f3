import numpy as np
import pytest

from bayesmix.decision import Problem
from bayesmix.decision.allowed import divergence
from bayesmix.decision.constraints import choices, limits
from bayesmix.errors import InputError
from bayesmix.precision import double

DOMAINS = ("web", "code", "books")
OBSERVED = np.random.default_rng(0).dirichlet(np.ones(3), 10)


def choose(**parts):
    with double():
        return choices(Problem.of(parts), DOMAINS, OBSERVED)


def test_availability_is_a_limit_of_tokens_seen():
    parts = {"planned": {"D": 1e12}, "available": {"code": 5e10, "books": 1e11}, "epochs": {"default": 4, "books": 2}}
    low, high = limits(Problem.of(parts), DOMAINS)
    assert low.tolist() == [0, 0, 0]
    assert high == pytest.approx([1, 0.2, 0.2])
    allowed = choose(**parts)
    assert allowed.holds(np.array([0.6, 0.2, 0.2]))
    assert not allowed.holds(np.array([0.55, 0.25, 0.2]))
    once = limits(Problem.of({**parts, "epochs": 1}), DOMAINS)[1]
    assert once == pytest.approx([1, 0.05, 0.1])


def test_groups_sum_domains_or_weigh_them():
    allowed = choose(
        groups={
            "text": {"domains": ["web", "books"], "least": 0.3, "greatest": 0.8},
            "ratio": {"domains": {"web": 1, "books": -2}, "least": 0},
        }
    )
    assert allowed.holds(np.array([0.4, 0.5, 0.1]))
    assert not allowed.holds(np.array([0.1, 0.8, 0.1]))
    assert not allowed.holds(np.array([0.7, 0.1, 0.2]))
    assert not allowed.holds(np.array([0.3, 0.4, 0.3]))


def test_a_fixed_weight_stays():
    allowed = choose(bounds={"web": 0.3})
    random = allowed.pull(np.random.default_rng(0).dirichlet(np.ones(3), 20))
    assert allowed.mixtures(random)[:, 0] == pytest.approx(np.full(20, 0.3))


def test_the_choice_may_have_to_lie_within_the_fitted_mixtures():
    allowed = choose(within="fitted mixtures")
    assert allowed.holds(OBSERVED.mean(axis=0))
    assert not allowed.holds(np.array([1.0, 0.0, 0.0]))


def test_a_trusted_mixture_has_a_set_around_it():
    trusted = {"web": 0.8, "code": 0.1, "books": 0.1}
    allowed = choose(trusted={"mixture": trusted, "divergence": 0.2}, bounds={"web": [0, 0.6]})
    centre = allowed.mixtures(allowed.centre)
    assert divergence(centre, np.array([0.8, 0.1, 0.1]), np) < 0.2
    assert centre[0] < 0.6
    with pytest.raises(InputError) as error:
        choose(trusted={"mixture": trusted, "divergence": 0.05}, bounds={"web": [0, 0.6]})
    # 0.6 log(0.6 / 0.8) + 2 * 0.2 log(0.2 / 0.1)
    assert "no mixture that the other constraints allow is nearer than 0.105 nats to the trusted one" in str(
        error.value
    )
    with pytest.raises(InputError, match=r"the trusted mixture has a weight of 0. Give every domain some weight"):
        choose(trusted={"mixture": {"web": 1.0}, "divergence": 0.1})


def test_constraints_that_contradict_each_other_are_an_error_that_names_them():
    with pytest.raises(InputError) as error:
        choose(
            bounds={"web": [0.5, 1.0], "books": [0.0, 0.9]},
            groups={"code": {"domains": ["code"], "least": 0.4}, "rest": {"domains": ["web", "code"], "greatest": 0.8}},
        )
    assert str(error.value) == (
        "problem: 1 fault\n  no mixture is all of this at once: web at least 0.5; group code at least 0.4; group rest "
        "at most 0.8. Loosen one of them"
    )
    with pytest.raises(InputError, match=r"web at most 0.2; code at most 0.2; books at most 0.2. Loosen one of them"):
        choose(bounds={"default": [0.0, 0.2]})
    with pytest.raises(InputError, match=r"web at least 0.5; web at most 0.1, which is available"):
        choose(bounds={"web": [0.5, 1]}, planned={"D": 1e12}, available={"web": 1e11})


def test_everything_that_names_an_unknown_domain_is_said_at_once():
    with pytest.raises(InputError) as error:
        choose(
            bounds={"wbe": 0.1},
            groups={"g": {"domains": ["cod"], "least": 0.1}},
            available={"bokos": 1e9},
            epochs={"webb": 2},
        )
    faults = str(error.value)
    assert "bounds for an unknown domain 'wbe'. Did you mean 'web'?" in faults
    assert "group g has an unknown domain 'cod'. Did you mean 'code'?" in faults
    assert "available for an unknown domain 'bokos'. Did you mean 'books'?" in faults
    assert "epochs for an unknown domain 'webb'. Did you mean 'web'?" in faults
    assert "available tokens are stated, but not how many are trained on. Add planned.D" in faults
    with pytest.raises(InputError, match=r"epochs are stated, but not of how many tokens. Add a table \[available\]"):
        choose(epochs=2)
