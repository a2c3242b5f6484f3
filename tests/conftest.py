"""What several tests need."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from bayesmix import cli
from bayesmix.model import Model
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs

# The same examples on every machine, however slow it is.
settings.register_profile("bayesmix", deadline=None, derandomize=True)
settings.load_profile("bayesmix")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the measured tables of other projects."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BAYESMIX_DATA", beside))
    if not folder.is_dir():
        pytest.skip("measured tables not found: set BAYESMIX_DATA")
    return folder


def synthetic_frame(rows: int = 12, *, unit: float = 1.0, size: float = 1.0) -> pd.DataFrame:
    """Return a table with every column that a law of the catalogue may ask for.

    Responses are in `unit` nats and N, D and U are `size` times as large, so that two tables differ in units alone.
    """
    rng = np.random.default_rng(7)
    N, D = 10 ** rng.uniform(7.5, 9.5, rows), 10 ** rng.uniform(9.0, 11.0, rows)
    U = D * 10 ** rng.uniform(-1.3, 0.3, rows)
    w = rng.dirichlet([2.0, 2.0, 2.0], rows)
    loss = 1.8 + 400 * N**-0.34 + 410 * D**-0.28
    table = {"run": [f"r{i}" for i in range(rows)], "N": size * N, "D": size * D, "U": size * U}
    table |= {f"w.{domain}": w[:, j] for j, domain in enumerate(("web", "code", "books"))}
    # One domain runs out often, one hardly, and nobody counted the third.
    scarce = 10 ** np.random.default_rng(8).uniform(-2, -0.5, rows)
    table |= {"unique.web": size * D * scarce, "unique.code": size * D * 0.6}
    table["loss"] = unit * loss
    table |= {
        f"loss.{target}": unit * (loss + 0.3 * np.exp(-2 * w[:, j])) * (1 + 0.003 * rng.standard_normal(rows))
        for j, target in enumerate(("web", "code"))
    }
    table |= {f"accuracy.{target}": 0.3 + 0.02 * rng.random(rows) for target in ("arc", "piqa")}
    table |= {f"score.{target}": unit * rng.normal(1.0, 2.0, rows) for target in ("helpful", "harmless")}
    table |= {f"optimum.{target}": unit * rng.lognormal(0.0, 0.3, rows) for target in ("lr", "batch")}
    table |= {
        f"error.{target}": 0.8 - 2.0 * np.exp(-rate * loss) + 0.005 * rng.standard_normal(rows)
        for target, rate in (("arc", 0.8), ("piqa", 0.7))
    }
    table["family"] = [("dense", "sparse", "wide")[i % 3] for i in range(rows)]
    return pd.DataFrame(table)


def feeding(model: Model, frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that a model needs beside the standard ones: usual values, all over their range."""
    needed = {
        column: model.law.takes[c]
        for c, column in model.columns.items()
        if column not in {*frame, "w", "unique", "M", "C"}
    }
    added = {}
    for column, about in needed.items():
        rng = np.random.default_rng([*column.encode()])
        low, high = about.plausible
        shares = (rng.permutation(len(frame)) + rng.random(len(frame))) / len(frame)
        added[column] = low * (high / low) ** shares if low > 0 else low + (high - low) * shares
    return frame.assign(**added)


@pytest.fixture(scope="session")
def synthetic() -> Callable[..., Runs]:
    """Make runs with every column that a model may ask for."""

    def make(*args, model: Model | None = None, **kwargs) -> Runs:
        frame = synthetic_frame(*args, **kwargs)
        return Runs.of(feeding(model, frame) if model else frame)

    return make


CHINCHILLA = {"E": 1.8, "A": 400.0, "B": 410.0, "alpha": 0.34, "beta": 0.28}


def chinchilla_runs(seed: int, sigma: float = 0.003) -> Runs:
    """Return 30 runs that obey Chinchilla with the constants `CHINCHILLA` and normal errors of the log loss."""
    c = CHINCHILLA
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(3e7, 3e9, 6), np.geomspace(1e9, 1e11, 5)))
    mean = c["E"] + c["A"] * N ** -c["alpha"] + c["B"] * D ** -c["beta"]
    noise = np.random.default_rng(seed).normal(0, sigma, len(N))
    return Runs.of(pd.DataFrame({"N": N, "D": D, "loss": mean * np.exp(noise)}))


@pytest.fixture(scope="session")
def simulated() -> Callable[..., Runs]:
    """Make runs that obey Chinchilla with known constants."""
    return chinchilla_runs


@pytest.fixture(scope="session")
def truth() -> dict[str, float]:
    """Constants behind `simulated`, for N in parameters and D in tokens."""
    return dict(CHINCHILLA)


@pytest.fixture(scope="session")
def chinchilla_posterior() -> Posterior:
    """Chinchilla with normal noise, fitted to simulated runs; it converged."""
    from bayesmix.inference import fit

    return fit(Model.read("chinchilla_normal"), chinchilla_runs(0), seed=0, draws=500, warmup=500)


@pytest.fixture
def compilations() -> Iterator[list[str]]:
    """Names of the programs that XLA was asked for, whether it compiled them or read them from the disk's cache.

    Clear it where the count shall begin.
    """
    names: list[str] = []

    def listen(event: str, seconds: float, **about: str) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(about.get("fun_name", "?"))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture
def bayesmix(monkeypatch, capsys):
    """Run the command line in this process: exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bayesmix", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as left:
            code = int(left.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture(scope="session")
def curve() -> Runs:
    """Return eight losses along one decade of tokens: too few to tell the floor from the excess."""
    D = np.geomspace(1e9, 1e10, 8)
    noise = 1 + 0.003 * np.random.default_rng(1).standard_normal(8)
    return Runs.of(pd.DataFrame({"run": list("abcdefgh"), "D": D, "loss": (1.8 + 0.9 * (D / 3e9) ** -0.3) * noise}))
