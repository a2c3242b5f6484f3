"""What past studies showed of a law's quantities, and the priors that it makes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal

from bayesmix import laws
from bayesmix.errors import BayesmixError
from bayesmix.model import Model
from bayesmix.population import Seen, began_with, learn, past_quantities, seen
from bayesmix.priors import arguments
from bayesmix.runs import Runs


def studies(location, between, within, *, count=30, tasks=5, error=0.05, seed=0):
    """Return logarithms of a quantity that scatter around those of their studies."""
    rng = np.random.default_rng(seed)
    own = location + between * rng.standard_normal(count)
    values = own[:, None] + np.hypot(within, error) * rng.standard_normal((count, tasks))
    return [Seen(f"s{i:02}", "law", "E", float(v), error) for i, row in enumerate(values) for v in row]


def test_a_new_study_is_believed_to_be_like_the_others():
    """Thirty studies of five: location and scale within three of their standard errors."""
    found = learn(studies(-0.6, 0.3, 0.1), "law")["E"]
    assert float(found.loc) == pytest.approx(-0.6, abs=3 * np.sqrt(0.3**2 / 30 + 0.1**2 / 150))
    assert float(found.scale) == pytest.approx(np.hypot(0.3, 0.1), rel=3 / np.sqrt(2 * 30))


def test_intervals_of_new_studies_cover_what_they_turn_out_to_be():
    """Of 400 populations of eight studies, 90 % intervals hold the ninth's within three binomial standard errors."""
    inside = []
    for k in range(400):
        *known, new = studies(0.2, 0.4, 0.1, count=9, tasks=1, error=0.0001, seed=k)
        found = learn(known, "law")["E"]
        inside.append(abs(new.value - float(found.loc)) < 1.645 * float(found.scale))
    assert np.mean(inside) == pytest.approx(0.9, abs=3 * np.sqrt(0.9 * 0.1 / 400))


def test_a_study_that_is_known_is_believed_to_stay_as_it_was():
    others = studies(-0.6, 0.4, 0.1)
    mine = [Seen("mine", "law", "E", value, 0.02) for value in (0.42, 0.55, 0.40, 0.48, 0.50)]
    known, new = (learn([*others, *mine], "law", study=study)["E"] for study in ("mine", ""))
    assert float(known.loc) == pytest.approx(0.47, abs=3 * 0.1 / np.sqrt(5))
    assert float(known.scale) < 0.2 < float(new.scale)


def test_what_is_measured_badly_tells_little():
    good = studies(-0.6, 0.1, 0.05)
    bad = [Seen("bad", "law", "E", 3.0, 2.0)]
    assert float(learn([*good, *bad], "law")["E"].loc) == pytest.approx(float(learn(good, "law")["E"].loc), abs=0.02)


def test_one_study_alone_says_less_than_many():
    alone, many = (learn(studies(-0.6, 0.3, 0.1, count=n), "law")["E"] for n in (1, 30))
    assert float(alone.scale) > float(many.scale)


def test_an_unknown_law_is_refused():
    with pytest.raises(BayesmixError, match=r"nothing was seen of 'x' .* Take one of alab_m2, chinchilla"):
        learn(past_quantities(), "x")


def test_shipped_priors_are_what_past_studies_showed():
    """Of the law where it is one of losses over N and D alone, of the ready model where the law is of anything."""
    shipped = {"chinchilla": laws.get("chinchilla").quantities, "alab_m2": Model.read("alab_m2").law.quantities}
    for law, quantities in shipped.items():
        for name, learned in learn(past_quantities(), law).items():
            stated = arguments(quantities[name].distribution)
            assert stated == {n: pytest.approx(v, abs=0.006) for n, v in arguments(learned).items()}, (law, name)


def test_past_quantities_are_of_several_studies_each():
    for law in ("chinchilla", "alab_m2"):
        assert len({s.study for s in past_quantities() if s.law == law}) >= 7


def test_all_runs_are_asked_at_the_references_of_the_small_ones(exact):
    """Runs without noise: the floor over the small runs' response, amplitudes at their N0 and D0."""
    truth, runs, small = exact
    wide = {"E": LogNormal(-0.5, 0.5), "A": LogNormal(-1.6, 0.8), "B": LogNormal(-1.6, 0.8),
            "alpha": LogNormal(-1.4, 0.6), "beta": LogNormal(-1.4, 0.6)}  # fmt: skip
    model = Model(laws.get("chinchilla").given(**wide), targets=("loss",))
    found = {s.quantity: s for s in seen(model, runs, small, "mine")}
    at = model.inputs(small)[1]
    expected = truth | {"A": truth["A"] * at.references["N0"] ** -truth["alpha"],
                        "B": truth["B"] * at.references["D0"] ** -truth["beta"]}  # fmt: skip
    for name, value in expected.items():
        log = np.log(value / at.scale[0] if name in "EAB" else value)
        assert found[name].study == "mine"
        assert found[name].value == pytest.approx(log, abs=4 * found[name].error), name
        assert found[name].error < 0.2


@pytest.fixture
def exact():
    rng = np.random.default_rng(0)
    truth = {"E": 1.7, "A": 400.0, "B": 410.0, "alpha": 0.34, "beta": 0.28}
    N, D = (10 ** rng.uniform(low, high, 60) for low, high in ((7.5, 9.5), (9, 11)))
    loss = truth["E"] + truth["A"] * N ** -truth["alpha"] + truth["B"] * D ** -truth["beta"]
    measured = loss * np.exp(0.002 * rng.standard_normal(60))
    runs = Runs.of(pd.DataFrame({"N": N, "D": D, "loss": measured}))
    return truth, runs, runs.split("C", at=0.1 * float(runs.column("C").max()))[0]


@pytest.mark.parametrize("law", ["effective_tokens", "regmix_linear"])
def test_laws_whose_quantities_are_no_single_positive_numbers_are_refused(law, exact):
    _, runs, small = exact
    with pytest.raises(BayesmixError, match="is no single positive number"):
        seen(Model(laws.get(law)), runs, small, "mine")


def test_a_study_began_with_a_tenth_of_the_largest_compute(exact):
    _, runs, _ = exact
    small = began_with(runs)
    assert 0 < len(small) < len(runs)
    assert small.column("C").max() <= 0.1 * runs.column("C").max()
