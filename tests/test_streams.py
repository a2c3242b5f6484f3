"""Threads: they change neither what comes out, nor what goes wrong, but the time it takes."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from bayesmix.diagnostics import Problem
from bayesmix.errors import BayesmixError
from bayesmix.inference import batch, fit
from bayesmix.inference.streams import Streams
from bayesmix.model import Model
from fakes import mixture_runs

FEW = {"draws": 100, "warmup": 100}
TARGETS = ("loss.a", "loss.b", "loss.c")
MODEL = replace(Model.read("olmix_loglinear"), targets=TARGETS)
_exact = mixture_runs(40, targets=TARGETS)
_noise = np.exp(0.01 * np.random.default_rng(0).standard_normal((40, 3)))
RUNS = replace(_exact, table=_exact.table.assign(**{t: _exact.table[t] * _noise[:, j] for j, t in enumerate(TARGETS)}))


@pytest.fixture
def threads(monkeypatch):
    """Set how many there are, for posteriors that are sampled one by one."""
    monkeypatch.setattr(batch, "_SMALL", 0)
    # The function of the same name hides the module.
    return lambda count: monkeypatch.setattr(sys.modules["bayesmix.inference.fit"], "cores", lambda: count)


def streams_left():
    return [t for t in threading.enumerate() if t.name.startswith("bayesmix-stream")]


@pytest.mark.parametrize("failing", [False, True])
def test_draws_do_not_depend_on_the_number_of_threads(failing, threads, monkeypatch):
    """Nor where some targets are sampled again."""

    def verdict(outcome, settings, rung):
        again = failing and rung < 2 and outcome.quantities["sigma"].mean() % 0.001 < 0.0005
        return [Problem("r_hat", "made up", short="made up")] if again else []

    monkeypatch.setattr(batch, "_wrong", verdict)
    found = []
    for count in (1, 2):
        threads(count)
        found.append(fit(MODEL, RUNS, seed=0, **FEW))
    first, *others = found
    assert bool(first.attempts) == failing
    for other in others:
        assert other.attempts == first.attempts
        for name, values in first.tree["posterior"].items():
            np.testing.assert_array_equal(values, other.tree["posterior"][name])


def test_company_is_for_small_tables():
    inputs, _ = MODEL.inputs(RUNS)
    small = replace(inputs, covariates={"w": inputs.covariates["w"][:4]})
    large = replace(inputs, covariates={"w": np.repeat(inputs.covariates["w"], 100, axis=0)})
    assert [batch.slots_for(n, small) for n in (1, 5, 100)] == [1, 6, 8]
    assert [batch.slots_for(n, large) for n in (1, 5, 100)] == [1, 1, 1]


def test_a_stream_may_begin_another_and_all_are_waited_for():
    with Streams[str](2) as streams:

        def second(name):
            time.sleep(0.05)
            yield f"{name}, again"

        def first(name):
            yield name
            streams.begin(second(name))

        for name in "abc":
            streams.begin(first(name))
        found = set(streams)
    assert found == {n + more for n in "abc" for more in ("", ", again")}
    assert not streams_left()


def test_what_goes_wrong_in_a_thread_is_raised_where_one_waits():
    def bad():
        yield 1
        raise BayesmixError("no")

    with Streams[int](2) as streams:
        streams.begin(bad())
        with pytest.raises(BayesmixError, match="no"):
            list(streams)
    assert not streams_left()


def test_threads_end_where_nobody_waits_any_more(threads):
    """After Ctrl-C no thread samples on behind the user's back."""
    threads(2)
    running, over = [], threading.Event()

    def interrupt():
        limit = time.monotonic() + 120
        while not (running or over.is_set()) and time.monotonic() < limit:
            running.extend(streams_left())
            time.sleep(0.01)
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # workers of pytest-xdist ignore it
    user = threading.Thread(target=interrupt, daemon=True)
    user.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(MODEL, RUNS, seed=0, draws=10**7)
    finally:
        over.set()
        user.join()
        signal.signal(signal.SIGINT, before)
    assert running, "interrupted before any thread was there"
    assert not streams_left()
