"""Many fits at once: in this process, in others, on a cluster, and after having been killed."""

import dataclasses
import os
import signal
import threading
import time

import h5py
import numpy as np
import pandas as pd
import pytest
from numpyro.distributions import LogNormal, Normal

from bayesmix.errors import BayesmixError, InputError, WouldOverwriteError
from bayesmix.inference import fit, fit_many
from bayesmix.law import law, prior
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.runs import Runs
from moments import assert_same_mean

FEW = {"draws": 50, "warmup": 60}


@law(paper="nowhere")
def loss(*, a=prior(Normal(0, 1), "", "makes the response NaN")):
    return a * np.nan


NOWHERE = Model(loss, NOISES["log_normal"], targets=("loss",), name="nowhere")


def curve(seed, rows=12):
    rng = np.random.default_rng(seed)
    D = np.geomspace(1e8, 1e11, rows)
    E, A, c = rng.uniform([1, 0.4, 0.2], [2, 1.2, 0.5])
    return Runs.of(pd.DataFrame({"D": D, "loss": (E + A * (D / 1e9) ** -c) * np.exp(rng.normal(0, 0.005, rows))}))


@pytest.fixture(scope="module")
def model():
    return dataclasses.replace(Model.read("alab_m2"), covariates={"x": "D"}, noise=NOISES["log_normal"])


@pytest.fixture(scope="module")
def curves():
    return [curve(i, 12 + i % 3) for i in range(6)]


@pytest.fixture(scope="module")
def local(model, curves):
    return fit_many(model, curves, seed=0, **FEW)


def draws(posterior):
    return posterior.values()["E"]


def same(some, others):
    assert list(some) == list(others)
    for name in some:
        assert (some[name].seed, some[name].runs.hash) == (others[name].seed, others[name].runs.hash)
        np.testing.assert_array_equal(draws(some[name]), draws(others[name]))


def test_every_fit_is_the_one_that_its_own_seed_gives(model, curves):
    """Within four standard errors: another number of lanes rounds differently in the last bit."""
    posterior = fit_many(model, curves[:3], seed=0, draws=500)["1"]
    alone = fit(model, curves[1], seed=posterior.seed, draws=500)
    for name in ("E", "c", "sigma"):
        both = [np.log(p.tree["posterior"][name].values[..., 0]) for p in (posterior, alone)]
        assert_same_mean(*both, gate=200)


def test_fits_differ_from_each_other_and_with_the_seed(model, curves, local):
    assert len({p.seed for p in local.values()}) == len(local)
    assert list(local) == ["0", "1", "2", "3", "4", "5"]
    assert [p.runs.hash for p in local.values()] == [c.hash for c in curves]
    twice = fit_many(model, [curves[0], curves[0]], seed=0, names=["one", "two"], **FEW)
    assert (draws(twice["one"]) != draws(twice["two"])).all()
    assert fit_many(model, curves[0], seed=1, **FEW)["0"].seed != local["0"].seed


def test_a_second_sweep_compiles_nothing(model, local, compilations):
    other = [curve(i, 10 + i % 5) for i in range(10, 16)]
    wider = model.given(c=LogNormal(-1.0, 0.8))
    compilations.clear()
    fit_many([model, wider] * 3, other, seed=3, **FEW)
    assert compilations == []


def test_a_sweep_that_was_killed_goes_on_to_the_same_end(model, curves, local, tmp_path):
    names = list(local)
    same(fit_many(model, curves, seed=0, out=tmp_path, **FEW), local)
    before = {n: (tmp_path / f"{n}.nc").stat().st_mtime_ns for n in names}
    (tmp_path / "4.nc").unlink()
    same(fit_many(model, curves, seed=0, out=tmp_path, **FEW), local)
    after = {n: (tmp_path / f"{n}.nc").stat().st_mtime_ns for n in names}
    assert [n for n in names if before[n] != after[n]] == ["4"]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"{n}.nc" for n in names)


@pytest.mark.parametrize("change", ["seed", "runs", "model", "draws"])
def test_a_posterior_of_something_else_is_not_taken_nor_replaced(change, model, curves, local, tmp_path):
    local["0"].save(tmp_path / "0.nc")
    asked = {"models": model, "runs": curves[0], "seed": 0, **FEW}
    asked |= {"seed": {"seed": 1}, "runs": {"runs": curves[1]}, "model": {"models": model.given(c=0.3)},
              "draws": {"draws": 100}}[change]  # fmt: skip
    before = (tmp_path / "0.nc").read_bytes()
    with pytest.raises(WouldOverwriteError, match=r"0\.nc is the posterior of another model, another version"):
        fit_many(**asked, out=tmp_path)
    assert (tmp_path / "0.nc").read_bytes() == before


def test_a_posterior_of_another_version_of_the_law_is_not_taken(model, curves, local, tmp_path):
    path = local["0"].save(tmp_path / "0.nc")
    with h5py.File(path, "a") as file:
        file.attrs["law_fingerprint"] = "that of code which was changed since"
    with pytest.raises(WouldOverwriteError, match="another version of its law"):
        fit_many(model, curves[0], seed=0, out=tmp_path, **FEW)


def test_one_that_cannot_be_fitted_is_named_and_the_others_are_kept(model, curves, tmp_path):
    with pytest.raises(BayesmixError) as caught:
        fit_many([model, NOWHERE], curves[:2], seed=0, names=["good", "bad"], out=tmp_path, **FEW)
    first, second = str(caught.value).splitlines()
    assert first == "1 of 2 fits failed:"
    assert second.startswith("  bad: model nowhere has no finite density at any of 64 draws from its prior.")
    assert [p.name for p in tmp_path.iterdir()] == ["good.nc"]


def test_one_hopeless_density_does_not_spoil_those_beside_it(curves):
    """Of one program, in one batch: a response that the law cannot reach."""
    impossible = dataclasses.replace(NOWHERE, noise=NOISES["log_normal"])
    with pytest.raises(BayesmixError, match="2 of 2 fits failed"):
        fit_many(impossible, curves[:2], seed=0, **FEW)


def test_everything_wrong_with_any_of_the_runs_is_said(model, curves):
    lacking = Runs.of(pd.DataFrame({"N": [1e8, 2e8], "loss": [3.0, 2.9]}))
    with pytest.raises(InputError) as caught:
        fit_many([model, Model.read("chinchilla")], [lacking, lacking], seed=0, **FEW)
    assert len(caught.value.faults) >= 2
    assert "model alab_m2" in str(caught.value)
    assert "model chinchilla" in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"models": []}, "there is nothing to fit"),
        ({"names": ["a", "a"]}, "2 fits need as many different names, not 1"),
        ({"names": ["a", "b/c"]}, "'b/c' cannot be the name of a fit"),
        ({"chains": 1}, "chains must be at least 2, not 1"),
        ({"models": 3}, "3 models cannot be paired with 2 tables"),
    ],
)
def test_what_cannot_be_asked_for(asked, message, model, curves):
    if asked.get("models") == 3:
        asked = {"models": [model] * 3}
    with pytest.raises(BayesmixError, match=message):
        fit_many(**{"models": model, "runs": curves[:2], "seed": 0, **FEW, **asked})


def test_two_processes_give_what_one_gives(model, curves, local):
    same(fit_many(model, curves, seed=0, processes=2, **FEW), local)


def test_a_law_that_other_processes_cannot_find_is_refused(model, curves):
    homeless = dataclasses.replace(model, law=dataclasses.replace(model.law, module="__main__"))
    with pytest.raises(BayesmixError, match="is defined in __main__, where other processes cannot find it"):
        fit_many(homeless, curves, seed=0, processes=2, **FEW)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="needs the extra cluster")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as running:
        yield running


def test_a_cluster_gives_what_one_process_gives(model, curves, local, cluster):
    same(fit_many(model, curves, seed=0, cluster=cluster.scheduler_address, **FEW), local)


def test_a_worker_that_dies_half_way_costs_nothing(model, curves, local, cluster, tmp_path):
    """Nothing is lost, and nothing is done twice under one name."""
    from distributed import Client

    killed, limit = [], time.monotonic() + 60

    def kill_one():
        with Client(cluster.scheduler_address) as client:
            while time.monotonic() < limit:
                if busy := next((worker for worker, tasks in client.processing().items() if tasks), None):
                    pid = client.run(os.getpid, workers=[busy])[busy]
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    return
                time.sleep(0.05)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    found = fit_many(model, curves, seed=0, cluster=cluster.scheduler_address, out=tmp_path, **FEW)
    killer.join(60)
    assert killed, "no worker was seen at work"
    same(found, local)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"{n}.nc" for n in local)


def test_a_cluster_that_is_not_there_is_said(model, curves):
    dask = pytest.importorskip("distributed", reason="needs the extra cluster").client.dask
    with pytest.raises(BayesmixError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        fit_many(model, curves, seed=0, cluster="tcp://127.0.0.1:9", **FEW)
    assert dask.config.get("scheduler", None) is None, "what uses Dask besides does not go to the cluster"
