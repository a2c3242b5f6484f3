import json
import subprocess
import sys
from importlib.metadata import version

import pytest
import yaml

from bayesmix.card import Card
from bayesmix.interchange import readable, writable
from bayesmix.results import save
from bayesmix.runs import Runs

RATIOS = "run,web,code\na,0.45,0.55\nb,0.3,0.7\n"
METRICS = "run,arc,gsm\na,1.12,2.0\nb,1.1,2.1\n"


@pytest.fixture
def swarm(put):
    return put("ratios.csv", RATIOS), put("metrics.csv", METRICS)


@pytest.fixture
def decision(decided, tmp_path):
    return save(decided, tmp_path / "decision.json", notice="Made up.")


def test_import_writes_a_table_and_says_what_was_read(bayesmix, swarm, tmp_path):
    out = tmp_path / "runs.csv"
    code, said, err = bayesmix("import", "olmix", *swarm, "--set", "N=30", "--unit", "N=millions", "--out", out,
                               "--map", "gsm=loss.gsm")  # fmt: skip
    assert code == 0
    runs = Runs.read(out)
    assert runs.column("N").tolist() == [3e7, 3e7]
    assert runs.targets == ("loss.gsm", "bpb.arc")
    assert f"read 2 rows of 2 runs from {swarm[0]} and {swarm[1]}" in said
    assert "covariates   N, w (2 domains)" in said
    assert "responses    2: loss.gsm, bpb.arc" in said
    assert f"wrote {out}\n" in said
    assert "hint: read as bits per byte, Olmix's measure: arc." in err
    assert not out.with_suffix(".toml").exists()


def test_import_keeps_what_a_card_says_of_the_data(bayesmix, swarm, put, tmp_path):
    card = put("card.toml", 'notice = "Simulated."\n[columns]\narc = "loss.arc"\n[about]\nby = "me"\n')
    out = tmp_path / "runs.csv"
    code, said, err = bayesmix("import", "olmix", *swarm, "--card", card, "--out", out)
    assert code == 0
    assert "NOTE: Simulated." in err
    assert f"read it with --card {tmp_path / 'runs.toml'}" in said
    kept = Card.read(tmp_path / "runs.toml")
    assert (kept.notice, dict(kept.about), dict(kept.columns)) == ("Simulated.", {"by": "me"}, {})
    assert Runs.read(out, tmp_path / "runs.toml").targets == ("loss.arc", "bpb.gsm")


def test_import_keeps_only_the_rows_asked_for(bayesmix, swarm, tmp_path):
    code, *_ = bayesmix("import", "olmix", *swarm, "--where", "w.web<0.4", "--out", tmp_path / "runs.csv")
    assert code == 0
    assert Runs.read(tmp_path / "runs.csv").names == ("b",)


def test_an_existing_table_is_kept_unless_forced(bayesmix, swarm, tmp_path):
    out = tmp_path / "runs.csv"
    out.write_text("precious")
    code, _, err = bayesmix("import", "olmix", *swarm, "--out", out)
    assert (code, out.read_text()) == (5, "precious")
    assert "exists. Choose another name" in err
    code, *_ = bayesmix("import", "olmix", *swarm, "--out", out, "--force")
    assert (code, len(Runs.read(out))) == (0, 2)


def test_the_card_that_is_read_is_never_replaced(bayesmix, swarm, put, tmp_path):
    text = 'notice = "Simulated."\n[columns]\narc = "loss.arc"\n'
    card = put("runs.toml", text)
    code, _, err = bayesmix("import", "olmix", *swarm, "--card", card, "--out", tmp_path / "runs.csv", "--force")
    assert (code, card.read_text()) == (2, text)
    assert "is what the command reads. Give the result another name" in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "runs.csv").exists()


def test_what_is_read_is_never_replaced(bayesmix, put, tmp_path):
    """Neither a file of the other system, alone or as RUN=FILE, nor the table that it is joined with."""
    table, mine = put("t.csv", "run,N,D,target,value\na,1e8,2e9,loss,3\n"), put("runs.csv", "run,family\na,x\nb,y\n")
    for line in (
        ["long_table", table, "--out", table],
        ["long_table", f"a={table}", "--out", table],
        ["long_table", table, "--runs", mine, "--out", mine],
    ):
        code, _, err = bayesmix("import", *line, "--force")
        assert code == 2
        assert "is what the command reads" in " ".join(err.replace("│", " ").split())
    assert [len(path.read_text().splitlines()) for path in (table, mine)] == [2, 3]


def test_what_a_reader_has_to_say_is_said_of_some_of_its_runs_too(bayesmix, put, tmp_path):
    table = put("t.csv", "Name,State,_timestamp,N,loss\na,finished,1,1e8,3\nb,crashed,2,2e8,Infinity\n")
    line = ["import", "wandb", table, "--out", tmp_path / "runs.csv", "--force"]
    left_out, diverged = "hint: left out 1 columns", "hint: loss is infinite, as of runs that diverged"
    unfinished = "hint: not all runs have finished (1 crashed): --where State=finished"
    for condition, advised in (("N<2e8", True), ("State = finished", False), ("State==finished", False)):
        code, _, err = bayesmix(*line, "--where", condition)
        assert code == 0, err
        assert err.count(left_out) == err.count(diverged) == 1
        assert err.count(unfinished) == advised


def test_faults_exit_3_and_write_nothing(bayesmix, swarm, tmp_path):
    out = tmp_path / "runs.csv"
    code, _, err = bayesmix("import", "olmix", *swarm, "--set", "N", "--out", out)
    assert code == 3
    assert "'N' is not NAME=VALUE. Write such as N=1e6" in err
    code, _, err = bayesmix("import", "olmix", *swarm, "--set", "w.web=1", "--set", "N=-1", "--out", out)
    assert code == 3
    assert "w.web is in the files, and said to be '1' everywhere. Take one of them away" in err
    assert "N is -1, expected a finite number above 0" in err
    assert not out.exists()


@pytest.mark.parametrize(("command", "formats"), [("import", readable), ("export", writable)])
def test_formats_are_listed_and_explained(bayesmix, command, formats):
    code, out, _ = bayesmix(command)
    assert code == 0
    for name, module in formats().items():
        assert f"\n{name} " in f"\n{out}"
        code, explained, _ = bayesmix(command, *([name] if command == "import" else ["--to", name]))
        assert code == 0
        assert explained.strip() == module.__doc__.strip()
        assert "```" in explained


def test_both_commands_are_listed_and_have_help(bayesmix):
    _, out, _ = bayesmix("--help")
    for name in ("import", "export"):
        assert f"\n  {name} " in out
        code, said, _ = bayesmix(name, "--help")
        assert code == 0
        assert "--force" in said


def test_formats_are_known_without_importing_jax():
    code = "import sys; from bayesmix import interchange as i; i.readable(), i.writable(); print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", sorted(readable() | writable()))
def test_every_format_says_where_it_is_from(name):
    document = (readable() | writable())[name].__doc__
    assert "\nSource: " in document or "Written by bayesmix" in " ".join(document.split())


def test_export_writes_the_file_and_shows_the_table(bayesmix, decision, decided, put, tmp_path):
    data = put("data.toml", "[web]\ntokens = 1e10\n")
    out = tmp_path / "mix.yaml"
    code, said, err = bayesmix("export", decision, "--to", "levanter", "--out", out, "--paths", data)
    assert code == 0
    weights = yaml.safe_load(out.read_text())["train_weights"]
    assert list(weights) == list(decided.domains)
    assert weights == pytest.approx(dict(zip(decided.domains, decided.mixture, strict=True)), abs=1e-6)
    decided_by = f"# Mixture decided by bayesmix {version('bayesmix')} ({decision}).\n"
    assert out.read_text().startswith(f"{decided_by}# Made up.\n")
    assert err.startswith("Made up.\n")
    assert all(warning in err for warning in decided.warnings)
    assert "epochs" in said
    assert f"wrote {out}" in said


def test_an_existing_export_is_kept_unless_forced(bayesmix, decision, tmp_path):
    out = tmp_path / "mix.json"
    out.write_text("precious")
    code, *_ = bayesmix("export", decision, "--to", "json-table", "--out", out)
    assert (code, out.read_text()) == (5, "precious")
    code, *_ = bayesmix("export", decision, "--to", "json-table", "--out", out, "--force")
    assert code == 0
    assert json.loads(out.read_text())["caveats"][0] == "Made up."


def test_an_export_without_its_paths_exits_3_and_writes_nothing(bayesmix, decision, tmp_path):
    code, _, err = bayesmix("export", decision, "--to", "megatron", "--out", tmp_path / "args")
    assert code == 3
    assert err.startswith("error: --paths: ")
    assert not (tmp_path / "args").exists()


def test_an_export_without_a_place_to_go_is_wrong_usage(bayesmix, decision):
    code, _, err = bayesmix("export", decision, "--to", "levanter")
    assert code == 2
    assert "say where to write" in err
