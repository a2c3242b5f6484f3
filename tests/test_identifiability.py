import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal

from bayesmix import modelfile
from bayesmix.errors import BayesmixError, InputError
from bayesmix.identifiability import assess, design_facts, feedable, lacking, prior_left, weak
from bayesmix.model import Model
from bayesmix.runs import Runs
from fakes import mixture_runs, scale_runs, table


def chinchilla(N, D) -> Runs:
    N, D = np.broadcast_arrays(N, D)
    return table(N=N, D=D, loss=1.8 + 400 * N**-0.34 + 410 * D**-0.28)


SIZES = np.geomspace(2e7, 2e10, 12)


def grid() -> Runs:
    N, D = np.meshgrid(np.geomspace(1e7, 1e11, 8), np.geomspace(1e8, 1e13, 8))
    return chinchilla(N.ravel(), D.ravel())


def test_a_good_design_identifies_every_quantity():
    shares = prior_left(Model.read("chinchilla"), grid())
    assert set(shares) == {"E", "A", "B", "alpha", "beta"}
    assert not weak(shares)
    assert max(shares.values()) < 0.3


def test_a_single_number_of_tokens_leaves_their_effect_at_its_prior():
    shares = prior_left(Model.read("chinchilla"), chinchilla(SIZES, 2e10))
    assert shares["beta"] > 0.99
    assert shares["B"] > 0.5
    assert {"beta", "B"} <= set(weak(shares))
    assert shares["alpha"] < 0.5


def test_a_single_number_of_tokens_per_parameter_does_not_tell_the_two_apart():
    crossed = prior_left(Model.read("chinchilla"), grid())
    locked = prior_left(Model.read("chinchilla"), chinchilla(SIZES, 20 * SIZES))
    for name in ("A", "B", "alpha", "beta"):
        assert locked[name] > 1.5 * crossed[name]
    assert {"A", "B"} & set(weak(locked))


@pytest.mark.parametrize("count", [3, 7])
def test_a_domain_of_constant_weight_leaves_its_effect_at_its_prior(count):
    domains = [f"d{j}" for j in range(count)]
    varied = mixture_runs(40, domains=domains, targets=("loss",))
    assert prior_left(Model.read("ye_m4"), varied)["t"] < 0.5
    w = varied.column("w").copy()
    w[:, :-1] *= 0.8 / w[:, :-1].sum(axis=1, keepdims=True)
    w[:, -1] = 0.2
    frame = pd.DataFrame(w, columns=[f"w.{d}" for d in domains]).assign(loss=varied.column("loss"))
    # However many domains there are: that of the one that never varied is not known at all.
    assert prior_left(Model.read("ye_m4"), Runs.of(frame))["t"] > 0.95


def test_runs_in_which_the_target_was_not_measured_show_nothing():
    runs = grid()
    half = np.where(runs.column("D") == runs.column("D").min(), runs.column("loss"), np.nan)
    frame = pd.DataFrame({"N": runs.column("N"), "D": runs.column("D"), "loss": half})
    # With E and B known within a factor of 2 only, since what is believed of these says something of beta too.
    wide = {"E": LogNormal(-0.5, 0.5), "B": LogNormal(-1.6, 0.8), "beta": LogNormal(-1.4, 0.6)}
    assert prior_left(Model.read("chinchilla").given(**wide), Runs.of(frame))["beta"] > 0.5


def test_a_law_of_own_weights_is_assessed_by_a_target_that_is_a_domain_wherever_it_stands():
    runs = mixture_runs(40, targets=("loss.zzz", "loss.web"))
    runs = Runs.of(runs.table.drop(columns="C").assign(D=np.geomspace(1e9, 1e11, 40)))
    alone = Runs.of(runs.table.drop(columns=["C", "loss.zzz"]))
    assert assess(runs, ["bimix"]) == assess(alone, ["bimix"]) != {}


def test_what_a_law_needs_and_the_runs_lack_is_refused():
    with pytest.raises(InputError, match="no column 'w'"):
        prior_left(Model.read("ye_m4"), scale_runs())


def test_the_runs_feed_the_laws_whose_columns_they_have_and_vary():
    fed = {model.law.name for model in feedable(scale_runs())}
    assert {"chinchilla", "kaplan_nd", "gadre_overtraining", "alab_m2"} <= fed
    assert not {"constant", "ye_m4", "muennighoff", "gadre_error", "clark_routed"} & fed
    mixed = scale_runs().table.assign(**{"w.web": 0.5, "w.code": 0.5})
    assert not any("w" in model.law.covariates for model in feedable(Runs.of(mixed.drop(columns="C"))))


def test_a_link_is_not_fed_by_the_loss_that_it_predicts():
    fed = {model.law.name for model in feedable(scale_runs())}
    assert "loss_to_loss" not in fed
    two = scale_runs().table.assign(**{"loss.code": lambda t: t["loss"] * 0.7}).drop(columns="C")
    assert "loss_to_loss" in {model.law.name for model in feedable(Runs.of(two))}


def test_a_link_is_fed_by_a_loss_of_another_name_beside_the_response_it_needs():
    table = scale_runs().table.drop(columns="C").rename(columns={"loss": "loss.c4"})
    assert not {"gadre_error", "ladder_two_step", "loss_to_loss"} & {m.law.name for m in feedable(Runs.of(table))}
    scored = table.assign(**{"accuracy.arc": 1 / table["loss.c4"]})
    (link,) = feedable(Runs.of(scored), ["gadre_error", "ladder_two_step", "loss_to_loss"])
    assert (link.name, link.columns) == ("ladder_two_step", {"L": "loss.c4"})


def test_the_models_asked_for_are_assessed_if_they_can_be_fed():
    found = assess(scale_runs(), ["kaplan_nd", "ye_m4"])
    assert list(found) == ["kaplan_nd"]
    assert all(0 <= share <= 1 + 1e-9 for share in found["kaplan_nd"].values())
    assert set(assess(scale_runs())) == {"chinchilla", "alab_m2"}


def test_what_runs_lack_is_said():
    one_size = Runs.of(scale_runs().table.drop(columns="C").assign(N=1e8))
    assert lacking(one_size, Model.read("chinchilla")) == "N must vary"
    assert lacking(scale_runs(), Model.read("chinchilla")) == ""
    assert "U" in lacking(scale_runs(), Model.read("muennighoff"))


def test_every_model_that_is_named_is_assessed_though_others_share_its_law():
    assert list(assess(scale_runs(), ["chinchilla_normal"])) == ["chinchilla_normal"]
    assert list(assess(scale_runs(), ["chinchilla_normal", "chinchilla"])) == ["chinchilla", "chinchilla_normal"]


def test_a_model_that_does_not_exist_is_refused():
    with pytest.raises(BayesmixError, match=r"no model file or ready model 'chinchila'\. Did you mean 'chinchilla'"):
        assess(scale_runs(), ["chinchila"])


def test_scarce_domains_feed_the_law_of_repeated_tokens_though_one_is_endless_and_counts_are_equal():
    w = np.linspace(0.1, 0.8, 12)
    frame = grid().table.iloc[:12].drop(columns="C").assign(**{"w.web": w, "w.code": 1 - w, "unique.code": 1e8})
    fed = {model.law.name for model in feedable(Runs.of(frame))}
    assert {"effective_tokens_repeated", "effective_tokens_nd"} <= fed


def test_only_the_models_that_are_named_are_read(monkeypatch):
    read = []
    monkeypatch.setattr(Model, "read", lambda path: read.append(path.stem) or modelfile.read(path))
    assert [model.name for model in feedable(scale_runs(), ["ye_m4", "chinchilla_normal"])] == ["chinchilla_normal"]
    assert sorted(read) == ["chinchilla_normal", "ye_m4"]


def facts(runs: Runs) -> str:
    return "\n".join(design_facts(runs))


def test_a_design_that_varies_everything_has_nothing_to_say_against_it():
    assert facts(grid()) == ""


def test_what_a_design_cannot_show_is_said():
    assert "the same D: the effect of tokens" in facts(chinchilla(SIZES, 2e10))
    assert "the same N: the effect of parameters" in facts(chinchilla(1e9, SIZES))
    locked = facts(chinchilla(SIZES, 20 * SIZES))
    assert "the same D/N" in locked
    assert "the same N" not in locked
    w = np.linspace(0.1, 0.8, 6)
    assert "vary in 1 of 2 directions" in facts(table(w__a=w, w__b=0.9 - w, w__c=[0.1] * 6, loss=3 - w))
    assert "more than 2.0 times" in facts(table(N=SIZES, D=SIZES[::-1], U=SIZES[::-1] / 2, loss=[3.0] * 12))
