import ast
import doctest
import importlib
import inspect
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer

import bayesmix
from bayesmix import Problem, demo, modelfile, ready
from bayesmix.card import Card
from bayesmix.cli import app
from bayesmix.decision.constraints import choices
from bayesmix.noise import NOISES

ROOT = Path(bayesmix.__file__).parent
README = ROOT.parents[1] / "README.md"
ARCHITECTURE = ROOT.parents[1] / "docs" / "architecture.md"
ADD_A_LAW = ROOT.parents[1] / "docs" / "add_a_law.md"


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout


def test_importing_the_package_imports_neither_jax_nor_numpyro():
    code = (
        "import sys, bayesmix; print(sorted({'jax', 'numpyro', 'numpy', 'pandas', 'arviz_stats'} & set(sys.modules)))"
    )
    assert python(code).strip() == "[]"


def test_importing_everything_changes_no_configuration_and_prints_nothing():
    code = """
import logging, warnings, random
import jax, numpy
before = jax.config.values.copy(), numpy.geterr(), logging.root.level, list(logging.root.handlers)
seeds = random.getstate(), numpy.random.get_state()[1].tolist()
import bayesmix
for name in bayesmix.__all__:
    if name != "write_report":
        getattr(bayesmix, name)
assert (jax.config.values.copy(), numpy.geterr(), logging.root.level, list(logging.root.handlers)) == before
assert (random.getstate(), numpy.random.get_state()[1].tolist()) == seeds
assert jax.numpy.zeros(1).dtype == "float32"
"""
    assert python(code) == ""


@pytest.mark.parametrize("name", bayesmix.__all__)
def test_every_public_name_resolves_and_says_what_it_is(name):
    found = getattr(bayesmix, name)
    assert found.__name__ == name
    assert len(inspect.getdoc(found) or "") > 20


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = bayesmix.nonsense
    assert set(bayesmix.__all__) <= set(dir(bayesmix))


def test_no_module_is_longer_than_300_lines():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in ROOT.rglob("*.py")}
    assert not {name: length for name, length in lengths.items() if length > 300}


def _order() -> dict[str, int]:
    """Return the line of docs/architecture.md that each module or folder is in."""
    lines = [line for line in ARCHITECTURE.read_text().splitlines() if line.startswith("| `")]
    return {name: k for k, line in enumerate(lines) for name in re.findall(r"`(\w+)/?`", line.split("|")[1])}


def test_every_module_imports_from_above_itself_only():
    order = _order()
    for path in sorted(ROOT.rglob("*.py")):
        own = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        imported = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ImportFrom)]
        from_package = [n for n in imported if (n.module or "").split(".")[0] == "bayesmix"]
        names = {part for n in from_package for part in ((n.module or "").split(".")[1:2] or [a.name for a in n.names])}
        assert not {name for name in names & order.keys() if order[name] > order[own]}, path


def test_ready_models_and_the_demonstration_are_there():
    assert {"chinchilla", "ye_m4", "constant"} <= set(ready.models())
    files = {"runs.csv", "runs.toml", "problem.toml", "planned.csv", "tokens.toml", "blind.toml"}
    assert files <= {p.name for p in ready.demo().iterdir()}


def test_the_demonstration_is_a_list_of_commands_that_write_into_one_folder(tmp_path):
    lines = demo.commands(tmp_path / "demo", force=False)
    assert [line[0] for line in lines] == [
        "check", "fit", "fit", "compare", "predict", "decide", "next", "report"
    ]  # fmt: skip
    for line in lines[1:]:
        assert line[line.index("--out") + 1].startswith(str(tmp_path / "demo"))


def test_the_demonstration_does_not_replace_a_folder_unasked(tmp_path):
    with pytest.raises(bayesmix.BayesmixError, match="exists"):
        demo.commands(tmp_path, force=False)
    assert all("--force" in line for line in demo.commands(tmp_path, force=True) if "--out" in line)


def test_the_tables_of_the_readme_are_read():
    card, problem, *models = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    assert [modelfile.loads(model, name="m").law.name for model in models] == ["chinchilla", "effective_tokens"]
    assert Card.loads(card).columns["model_size"] == "N"
    stated = Problem.of(tomllib.loads(problem))
    assert stated.candidates.keys() == {"house"}
    fitted = np.random.default_rng(0).dirichlet(np.ones(4), 300)
    assert choices(stated, ("web", "books", "python", "c"), fitted).free.all(), "its demands can be met"


def test_the_commands_of_the_readme_have_the_options_it_gives_them():
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    lines = [line[1:] for line in lines if line[:1] == ["bayesmix"]]
    assert len(lines) > 25
    for line in lines:
        command: Any = typer.main.get_command(app)
        while hasattr(command, "commands"):
            command = command.commands[line.pop(0)]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in line if word.startswith("--")} <= known, line


def test_the_law_that_is_shown_how_to_add_works(tmp_path, monkeypatch):
    text, *_ = re.findall(r"```python\n(.*?)```", ADD_A_LAW.read_text(), re.DOTALL)
    (tmp_path / "law_as_shown.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("law_as_shown")
    monkeypatch.delitem(sys.modules, "law_as_shown")
    assert doctest.testmod(module, raise_on_error=True).attempted == 1
    model = bayesmix.Model(module.loss, NOISES["log_student_t"])
    assert model.columns == {"batch": "batch"}
    runs = bayesmix.Runs.of(pd.DataFrame({"batch": [64, 256, 1024], "loss": [3.2, 3.0, 2.9]}))
    assert model.inputs(runs)[1].references == {"batch0": pytest.approx(256)}


@pytest.mark.slow
def test_the_main_job_of_the_readme_runs(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (main_job,) = (b for b in blocks if "write_report(" in b)
    monkeypatch.chdir(tmp_path)
    for file in ready.demo().glob("*.[ct]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "models").mkdir()
    for name, path in ready.models().items():
        (tmp_path / "models" / f"{name}.toml").write_bytes(path.read_bytes())
    exec(main_job, {})
    assert (tmp_path / "report").is_dir()
