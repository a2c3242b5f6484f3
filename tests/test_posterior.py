import importlib
import json
import sys
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesmix import laws
from bayesmix.errors import BayesmixError, InputError, NotConvergedError, WouldOverwriteError
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling
from bayesmix.posterior import Posterior, assemble
from bayesmix.prediction import unused
from bayesmix.runs import Runs
from fakes import chinchilla_values, fake, scale_runs

MORE = "Run more draws; if it stays, the runs cannot tell some quantities apart: fix one, or use a simpler law."
MODEL = Model(laws.get("constant"), NOISES["log_normal"])
LOSSES = Runs.of(pd.DataFrame({"run": ["a", "b", "c"], "loss": [2.0, 2.5, 3.0]}))


def artificial(model=MODEL, runs=LOSSES, draws=1000, chains=4, change=None, prior_kept=None, modes=1, **changed_stats):
    """Return a posterior of independent draws, some of them spoilt by `change`."""
    rng = np.random.default_rng(0)
    inputs, coordinates = model.inputs(runs)
    shape = (chains, draws)
    quantities = {n: np.exp(0.1 * rng.standard_normal((*shape, *inputs.shape(model.dims(n))))) for n in model.unknowns}
    if change:
        change(quantities)
    stats = {
        "diverging": np.zeros(shape, dtype=bool),
        "energy": rng.standard_normal(shape),
        "acceptance_rate": np.full(shape, 0.9),
        "n_steps": np.full(shape, 7),
        "lp": rng.standard_normal(shape),
    } | changed_stats
    u = np.zeros((*shape, 2))
    return assemble(model, runs, coordinates, quantities, u, stats, 5, modes=modes, prior_kept=prior_kept or {})


def only_problem(posterior):
    (problem,) = posterior.problems()
    return problem


def test_a_good_posterior_has_no_problems():
    posterior = artificial()
    assert posterior.problems() == []
    assert posterior.converged
    posterior.require_converged()


def test_a_quantity_may_have_the_name_of_what_the_sampler_says():
    """Farseer's floor has a slope u; u is also what the coordinates are called, here of two targets sampled apart."""
    model = replace(Model.read("farseer"), targets=("loss.web", "loss.code"))
    table = scale_runs().table
    runs = Runs.of(table.assign(**dict.fromkeys(model.targets, table["loss"])))
    inputs, coordinates = model.inputs(runs)
    quantities = {n: np.ones((4, 10, *inputs.shape(model.dims(n)))) for n in model.unknowns}
    stats = {"energy": np.zeros((4, 10, 2))}
    found = assemble(model, runs, coordinates, quantities, np.zeros((4, 10, 2, 9)), stats, 0, modes=1, prior_kept={})
    assert found.tree["posterior"]["u"].dims == ("chain", "draw", "target")
    assert found.tree["unconstrained"]["u"].dims == ("chain", "draw", "target", "coordinate")


def test_a_chain_that_went_elsewhere_is_told():
    def change(quantities):
        quantities["L0"][2] += 0.06

    problem = artificial(change=change).problems()[0]
    assert problem.kind == "r_hat"
    assert problem.fatal
    assert problem.sentence.startswith("R-hat of L0 is 1.0")
    assert problem.sentence.endswith(f" (at most 1.01): the chains disagree. {MORE}")
    assert str(problem) == f"NOT CONVERGED: {problem.sentence}"


def test_too_few_draws_are_told():
    first, second = artificial(draws=50).problems()
    assert [first.kind, second.kind] == ["ess_bulk", "ess_tail"]
    assert first.sentence.startswith("The bulk effective sample size of ")
    assert first.sentence.endswith(f" (at least 400). {MORE}")
    assert first.fatal
    assert second.sentence.startswith("The tail effective sample size of ")


def test_chains_that_never_moved_are_told():
    def change(quantities):
        quantities["sigma"][:] = 1.0

    problem = artificial(change=change).problems()[0]
    assert problem.kind == "r_hat"
    assert problem.sentence == f"R-hat of sigma is nan (at most 1.01): the chains disagree. {MORE}"


def test_one_element_that_never_moved_is_told():
    runs = Runs.of(pd.DataFrame({"run": ["a", "b"], "loss.x": [2.0, 2.5], "loss.y": [1.0, 2.0]}))

    def change(quantities):
        quantities["L0"][..., 1] = 1.0

    assert "R-hat of L0 is nan" in artificial(runs=runs, change=change).problems()[0].sentence


def test_draws_that_are_not_finite_are_told_and_nothing_else_is_judged():
    def change(quantities):
        quantities["L0"][1, 3] = np.inf

    problem = only_problem(artificial(change=change))
    assert problem.kind == "finite"
    assert problem.sentence == "Some draws are not finite. The law overflows under its prior: look at the priors."


@pytest.mark.parametrize(("count", "fatal"), [(1, False), (4, False), (5, True)])
def test_divergences_are_counted_and_fatal_from_one_in_a_thousand(count, fatal):
    diverging = np.zeros((4, 1000), dtype=bool)
    diverging[1, :count] = True
    problem = only_problem(artificial(diverging=diverging))
    assert problem.sentence == (
        f"{count} of 4000 draws diverged: a region of the posterior was not explored. Use tighter priors, a simpler "
        "law, or complete pooling where groups are few."
    )
    assert problem.fatal == fatal


def test_a_full_tree_is_a_caution():
    n_steps = np.full((4, 1000), 7)
    n_steps[0, 0] = 1023
    problem = only_problem(artificial(n_steps=n_steps))
    assert problem.sentence.startswith("1 of 4000 draws hit the maximum tree depth: sampling is slow, not wrong.")
    assert str(problem).startswith("caution: ")


def test_energy_that_mixes_badly_is_told():
    energy = np.random.default_rng(1).standard_normal((4, 1000))
    energy[3] = energy[3].cumsum()
    problem = only_problem(artificial(energy=energy))
    bfmi = (np.diff(energy[3]) ** 2).mean() / energy[3].var()
    assert problem.kind == "bfmi"
    assert problem.sentence.startswith(f"The energy mixes badly (BFMI {bfmi:.2f}, at least 0.3): tails are too heavy")
    assert problem.fatal


def test_modes_priors_and_ignored_covariates_are_cautions():
    runs = Runs.of(pd.DataFrame({"N": [1e8, 1e9], "D": [1e9, 1.01e9], "loss": [3.0, 2.5]}))
    posterior = artificial(runs=runs, modes=3, prior_kept={"L0": 0.9, "sigma": 0.1})
    sentences = {p.kind: p.sentence for p in posterior.problems()}
    assert set(sentences) == {"modes", "prior", "ignored"}
    assert sentences["modes"].startswith("3 separate modes explain the runs about equally well.")
    assert sentences["prior"].startswith("The prior decides much of L0 (90%): that share")
    assert sentences["ignored"].startswith("N varies among these runs, but law constant does not use it: its effect")
    assert posterior.converged


def test_parameters_counted_otherwise_are_not_ignored():
    runs = scale_runs()
    runs = Runs.of(runs.table.assign(N_without_embeddings=runs.column("N") * 0.9).drop(columns="C"))
    model = replace(Model.read("chinchilla"), covariates={"N": "N_without_embeddings"})
    posterior = fake(model, runs, chinchilla_values(runs), spread=0.01)
    assert not any(p.kind == "ignored" for p in posterior.problems())
    planned = Runs.of(pd.DataFrame({"N": [1e13], "D": [1e10], "N_without_embeddings": [9e12]}), planned=True)
    assert not unused(posterior, planned)


def test_the_worst_comes_first():
    posterior = artificial(draws=50, modes=2)
    fatal = [p.fatal for p in posterior.problems()]
    assert fatal == sorted(fatal, reverse=True)
    assert fatal[0]
    assert not fatal[-1]


def test_what_has_not_converged_is_no_answer_unless_accepted():
    posterior = artificial(draws=50)
    with pytest.raises(NotConvergedError) as caught:
        posterior.require_converged()
    lines = str(caught.value).splitlines()
    assert lines[0] == "the posterior of model constant did not converge and is no answer:"
    assert lines[1].startswith("  NOT CONVERGED: The bulk effective sample size")
    assert lines[-1] == "To use it all the same: accept() it, or --accept-unconverged"
    accepted = posterior.accept()
    accepted.require_converged()
    assert accepted.problems() == posterior.problems()
    assert not accepted.converged


def test_the_summary_and_the_values_are_those_of_the_draws():
    posterior = artificial()
    draws = posterior.tree["posterior"]["L0"].values.ravel()
    row = posterior.summary().loc["L0[loss]"]
    assert row["mean"] == pytest.approx(draws.mean())
    np.testing.assert_allclose(row[["eti90_lb", "eti90_ub"]], np.quantile(draws, [0.05, 0.95]))
    np.testing.assert_array_equal(posterior.values()["L0"][:, 0], draws)


TABLE = pd.DataFrame(
    {
        "run": list("abcd"),
        "N": [1e8, 2e8, 4e8, 8e8],
        "D": [1e9, 4e9, 2e9, 8e9],
        "loss.x": [3.0, 2.8, 2.7, 2.5],
        "loss.y": [2.0, 1.8, 1.7, 1.5],
        "family": ["p", "q", "r", "p"],
    }
)


def test_derived_coefficients_are_in_the_units_of_the_paper():
    posterior = artificial(Model(laws.get("chinchilla"), NOISES["log_normal"]), Runs.of(TABLE), draws=20)
    derived, drawn = posterior.derived(), posterior.tree["posterior"]
    assert derived["A_raw"].dims == ("chain", "draw", "target")
    assert derived["A_raw"].coords["target"].values.tolist() == ["loss.x", "loss.y"]
    N0 = posterior.coordinates.references["N0"]
    np.testing.assert_allclose(derived["A_raw"].values, drawn["A"].values * N0 ** drawn["alpha"].values, rtol=1e-12)


def test_derived_coefficients_of_fixed_quantities_have_no_target():
    model = Model(laws.get("chinchilla"), NOISES["log_normal"]).given(alpha=0.34, beta=0.28, N0=1)
    derived = artificial(model, Runs.of(TABLE), draws=20).derived()
    assert derived["a"].dims == ("chain", "draw")
    np.testing.assert_allclose(derived["a"].values, 0.28 / 0.62)
    assert derived["A_raw"].dims == ("chain", "draw", "target")


def test_derived_coefficients_follow_the_pooling():
    model = Model(laws.get("chinchilla"), NOISES["log_normal"], pooling={"A": Pooling("family", "none")})
    derived = artificial(model, Runs.of(TABLE), draws=20).derived()
    assert derived["A_raw"].dims == ("chain", "draw", "family", "target")
    assert derived["B_raw"].dims == ("chain", "draw", "target")


def test_a_law_without_derived_coefficients_has_none():
    assert len(artificial().derived().data_vars) == 0


@pytest.fixture
def saved(tmp_path):
    return artificial(draws=50, prior_kept={"L0": 0.9}, modes=2).save(tmp_path / "p.nc")


def edited(path, **facts):
    with h5py.File(path, "a") as file:
        for name, value in facts.items():
            file.attrs[name] = value
    return path


def test_a_posterior_that_was_saved_is_loaded_the_same(tmp_path):
    model = Model(
        laws.get("chinchilla"), NOISES["log_normal"], name="mine", pooling={"A": Pooling("family", "none")}
    ).given(beta=0.3)
    posterior = artificial(model, Runs.of(TABLE), draws=50, prior_kept={"E": 0.9}, modes=2)
    again = Posterior.load(posterior.save(tmp_path / "p.nc"))
    assert again.model.name == "mine"
    assert again.runs.hash == posterior.runs.hash
    assert again.coordinates == posterior.coordinates
    assert (again.seed, again.modes, again.notes) == (5, 2, ())
    assert again.problems() == posterior.problems()
    for group in ("posterior", "sample_stats", "unconstrained"):
        xr.testing.assert_identical(
            again.tree[group].to_dataset().drop_attrs(), posterior.tree[group].to_dataset().drop_attrs()
        )
    xr.testing.assert_identical(again.derived(), posterior.derived())


def test_a_fit_that_was_saved_is_loaded_the_same(chinchilla_posterior, tmp_path):
    again = Posterior.load(chinchilla_posterior.save(tmp_path / "p.nc"))
    assert again.problems() == chinchilla_posterior.problems()
    pd.testing.assert_frame_equal(again.summary(), chinchilla_posterior.summary())


def test_a_result_is_not_replaced_unasked(saved):
    before = saved.read_bytes()
    with pytest.raises(WouldOverwriteError):
        artificial(draws=20).save(saved)
    assert saved.read_bytes() == before
    artificial(draws=20).save(saved, overwrite=True)
    assert Posterior.load(saved).tree["posterior"].sizes["draw"] == 20


def test_a_save_that_is_cut_short_leaves_nothing(tmp_path, monkeypatch):
    def cut(self, path, **_):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.DataTree, "to_netcdf", cut)
    with pytest.raises(KeyboardInterrupt):
        artificial(draws=20).save(tmp_path / "p.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_explained(tmp_path):
    path = tmp_path / "p.nc"
    with pytest.raises(BayesmixError) as caught:
        Posterior.load(path)
    assert str(caught.value) == f"there is no file {path}. Make it with: bayesmix fit MODEL RUNS --out {path}"


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x89HDF\r\n\x1a\nrubbish"])
def test_rubbish_is_refused(tmp_path, content):
    path = tmp_path / "p.nc"
    path.write_bytes(content)
    with pytest.raises(BayesmixError) as caught:
        Posterior.load(path)
    assert str(caught.value).startswith(f"{path} is not a posterior written by bayesmix, or is damaged: ")


def test_a_file_that_lost_its_end_is_refused(saved):
    saved.write_bytes(saved.read_bytes()[:2000])
    with pytest.raises(BayesmixError, match="is not a posterior written by bayesmix, or is damaged: "):
        Posterior.load(saved)


def test_a_foreign_netcdf_file_is_refused(tmp_path):
    path = tmp_path / "p.nc"
    xr.Dataset({"x": ("y", [1.0])}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(BayesmixError) as caught:
        Posterior.load(path)
    assert str(caught.value) == f"{path} is a NetCDF file, but not a posterior written by bayesmix"


def test_a_newer_format_is_refused(saved):
    edited(saved, bayesmix_format=99, versions=json.dumps({"bayesmix": "9.9"}))
    with pytest.raises(BayesmixError) as caught:
        Posterior.load(saved)
    assert str(caught.value).startswith(f"{saved} was written by bayesmix 9.9, in a newer format than bayesmix ")
    assert str(caught.value).endswith(" reads. Upgrade, or fit again")


def test_another_version_of_the_law_is_noted_and_stays_noted(saved, tmp_path):
    again = Posterior.load(edited(saved, law_fingerprint="0123"))
    note = (
        f"{saved} was made for another version of law constant than the one at hand: its quantities may mean "
        "something else. Fit again."
    )
    assert again.notes == (note,)
    assert [p.sentence for p in again.problems() if p.kind == "provenance"] == [note]
    assert Posterior.load(again.save(tmp_path / "copy.nc")).notes == (note,)


def test_other_runs_than_those_of_the_fit_are_noted(saved):
    again = Posterior.load(edited(saved, runs_hash="0123"))
    assert again.notes == (f"The runs inside {saved} are not the ones that it says it was fitted to. Fit again.",)


def test_another_version_of_the_package_is_noted(saved):
    (note,) = Posterior.load(edited(saved, versions=json.dumps({"bayesmix": "0.0.1"}))).notes
    assert note.startswith(f"{saved} was made by bayesmix 0.0.1; this is ")


def test_a_model_inside_a_file_that_was_tampered_with_is_refused(saved):
    with pytest.raises(InputError) as caught:
        Posterior.load(edited(saved, model='law = "constnt"'))
    assert str(caught.value).splitlines() == [
        f"the model inside {saved}: 1 fault",
        "  there is no law 'constnt'. Did you mean 'constant'?",
    ]


def test_loading_imports_no_code_of_other_packages(tmp_path, monkeypatch):
    """A file that names a module shall not be able to run it."""
    (tmp_path / "my_laws.py").write_text(
        "from pathlib import Path\n"
        "from numpyro.distributions import LogNormal\n"
        "from bayesmix.law import law, prior\n"
        "(Path(__file__).parent / 'imported').write_text('')\n"
        "@law(paper='')\n"
        "def loss(*, L0=prior(LogNormal(0, 1), 'nats/token', 'loss', relative=True)):\n"
        "    return L0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    model = Model(importlib.import_module("my_laws").loss, NOISES["log_normal"])
    path = artificial(model, draws=20).save(tmp_path / "p.nc")
    assert Posterior.load(path).model.law.function is model.law.function
    monkeypatch.delitem(sys.modules, "my_laws")
    (tmp_path / "imported").unlink()
    with pytest.raises(InputError) as caught:
        Posterior.load(path)
    first, second = str(caught.value).splitlines()
    assert first == f"the model inside {path}: 1 fault"
    assert second.startswith("  the law 'my_laws:loss' is not part of bayesmix. Import my_laws first if you trust it")
    assert not (tmp_path / "imported").exists()
    assert "my_laws" not in sys.modules


def test_a_posterior_of_many_runs_is_saved(tmp_path):
    rng = np.random.default_rng(0)
    many = Runs.of(pd.DataFrame({"run": [f"r{i}" for i in range(5000)], "loss": rng.uniform(2, 3, 5000)}))
    posterior = replace(artificial(draws=20), runs=many)
    assert len(many.text()) > 2**16
    assert Posterior.load(posterior.save(tmp_path / "p.nc")).runs.hash == many.hash
