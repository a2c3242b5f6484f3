"""What past studies showed of the bend, and what it says of the next one."""

from __future__ import annotations

import numpy as np
import numpyro
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from bayesmix import Runs, fit, history
from bayesmix.cli import app
from bayesmix.discrepancy import Discrepancy, past
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.history import Shown, learn, past_studies
from bayesmix.model import Model
from bayesmix.precision import double
from bayesmix.priors import arguments
from bayesmix.results import save
from bayesmix.scores import LEVELS

RUN = 0.1


def studies(location, between, within, *, count=30, tasks=5, seed=0):
    """Return bends of studies that scatter around their own."""
    rng = np.random.default_rng(seed)
    own = location + between * rng.standard_normal(count)
    return [
        Shown(f"s{i:02}", float(b + within * rng.standard_normal()), 0.02)
        for i, b in enumerate(own)
        for _ in range(tasks)
    ]


def extrapolation(path, bend, error=0.05):
    columns = ("decades", "truth", "median", "bias", "crps", "log_score", "interval_score95%", "pit")
    ends = [f"{end}{level:.0%}" for end in ("low", "high") for level in LEVELS]
    table = pd.DataFrame({"at": [1e18], "run": ["a"], "target": ["loss"], **dict.fromkeys((*columns, *ends), 1.0)})
    bends = pd.DataFrame({"at": [1e18], "target": ["loss"], "bend": [bend], "error": [error]})
    save(Extrapolation("chinchilla", "C", table, bends if np.isfinite(bend) else bends[:0], ()), path)
    return path


def test_past_studies_are_those_the_default_says_it_was_learned_from():
    known = past_studies()
    assert len(known) > 100
    assert len({s.study for s in known}) > 10
    assert all(np.isfinite([s.bend, s.error]).all() and s.error > 0 for s in known)


def test_an_unknown_study_is_refused():
    with pytest.raises(BayesmixError, match=r"there is no study 'x' in this history\. It has a, b"):
        learn([Shown("b", 0.1, 0.1), Shown("a", 0.1, 0.1)], run=RUN, study="x")


def test_a_discrepancy_as_a_table_is_read_by_model_files(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('law = "chinchilla"\n' + past().table())
    assert Model.read(path).discrepancy == past()


def test_extrapolations_without_a_bend_are_named(tmp_path):
    paths = [extrapolation(tmp_path / f"{i}.json", bend) for i, bend in enumerate((0.1, np.nan))]
    result = CliRunner().invoke(app, ["history", *map(str, paths), "--out", str(tmp_path / "d.toml")])
    assert isinstance(result.exception, BayesmixError)
    assert "1.json shows no bend" in str(result.exception)
    assert not (tmp_path / "d.toml").exists()


@pytest.mark.parametrize("error", [0.02, 0.2, 1.0, 5.0])
@pytest.mark.parametrize("scale", [0.05, 0.3])
def test_what_was_shown_is_as_likely_as_an_integral_over_its_error_says(error, scale):
    with double(), numpyro.handlers.seed(rng_seed=0), numpyro.handlers.trace() as trace:
        history._shown(np.array([-0.5]), np.array([error]), np.array(0.175), scale, 3.4)
    bend = np.linspace(-60, 60, 400_001)
    joint = stats.t.pdf(bend, 3.4, 0.175, scale) * stats.norm.pdf(-0.5, bend, error)
    assert float(trace["shown"]["fn"].log_factor) == pytest.approx(np.log(np.trapezoid(joint, bend)), abs=1e-3)


@pytest.mark.slow
def test_a_new_study_is_believed_to_be_like_the_others():
    """Thirty studies of five backtests: location and scale within three of their standard errors."""
    found = learn(studies(0.3, 0.2, 0.1), run=RUN)
    total = np.hypot(0.2, 0.1)
    assert found.location == pytest.approx(0.3, abs=3 * np.sqrt(0.2**2 / 30 + 0.1**2 / 150))
    assert found.scale == pytest.approx(total, rel=3 / np.sqrt(2 * 30))
    assert found.run == RUN


@pytest.mark.slow
def test_a_study_that_is_known_is_believed_to_stay_as_it_was():
    """Its own five backtests say where it lies, to .1 / sqrt(5), and its backtests scatter less than studies."""
    others = studies(0.3, 0.4, 0.1)
    mine = [Shown("mine", bend, 0.02) for bend in (-0.62, -0.55, -0.70, -0.58, -0.60)]
    known, new = (learn([*others, *mine], run=RUN, study=study) for study in ("mine", ""))
    assert known.location == pytest.approx(-0.61, abs=3 * 0.1 / np.sqrt(5))
    assert known.scale < 0.2 < new.scale
    # The others alone say nothing of it.
    assert learn(others, run=RUN).location == pytest.approx(0.3, abs=3 * 0.4 / np.sqrt(30))


@pytest.mark.slow
def test_the_command_writes_a_table_for_model_files(tmp_path):
    paths = [extrapolation(tmp_path / f"{i}.json", bend) for i, bend in enumerate((-0.1, -0.05))]
    result = CliRunner().invoke(app, ["history", *map(str, paths), "--out", str(tmp_path / "d.toml")])
    assert result.exit_code == 0, result.output
    assert "0.json: responses fell 0.90 ± 0.05 times as far as the law said" in result.output
    (tmp_path / "m.toml").write_text('law = "chinchilla"\n' + (tmp_path / "d.toml").read_text())
    found = Model.read(tmp_path / "m.toml").discrepancy
    assert isinstance(found, Discrepancy)
    assert found.location < past().location - 0.1


@pytest.mark.slow
def test_the_command_learns_priors_from_studies_of_ones_own(tmp_path):
    """Runs without noise to speak of: floor and exponents are believed to be as they were, by a tenth or so."""
    rng = np.random.default_rng(0)
    N, D = (10 ** rng.uniform(low, high, 40) for low, high in ((7.5, 9.5), (9, 11)))
    losses = (1.0 + 20 * N**-0.2 + 300 * D**-0.3) * np.exp(0.002 * rng.standard_normal(40))
    for name in ("a", "b"):
        fit(Model.read("chinchilla"), Runs.of(pd.DataFrame({"N": N, "D": D, "loss": losses})), seed=0).save(
            tmp_path / f"{name}.nc"
        )
    out = tmp_path / "mine.toml"
    line = ["history", str(extrapolation(tmp_path / "e.json", 0.1)), "--out", str(out)]
    result = CliRunner().invoke(app, [*line, *(f"--study={tmp_path / n}.nc" for n in ("a", "b"))])
    assert result.exit_code == 0, result.output
    (tmp_path / "m.toml").write_text('law = "chinchilla"\n' + out.read_text())
    found, shipped = (
        arguments(Model.read(p).quantities["alpha"].distribution) for p in (tmp_path / "m.toml", "chinchilla")
    )
    assert found["loc"] == pytest.approx(np.log(0.2), abs=0.5)
    assert found["scale"] < shipped["scale"]
