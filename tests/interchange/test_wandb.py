import json

import numpy as np
import pytest

from bayesmix.card import Card
from bayesmix.errors import InputError
from bayesmix.interchange import read

COLUMNS = {
    "Name": ("swarm-1", "swarm-2"),
    "State": ("finished", "crashed"),
    "Notes": ("", ""),
    "_timestamp": ("1", "2"),
    "optimizer.lr": ("0.003", "0.001"),
    "trainer.seed": ("0", "0"),
    "parameter_count": ("60000000", "60000000"),
    "throughput/total_tokens": ("1200000000", "600000000"),
    "throughput/total_gflops": ("432000000000", "216000000000"),
    "eval/paloma/c4_en/bpb": ("1.21", ""),
    "eval/loss": ("3.1", "3.4"),
    "val/web_nll": ("3.3", "3.6"),
}
TABLE = "".join(
    ",".join(f'"{cell}"' for cell in line) + "\n" for line in (COLUMNS, *zip(*COLUMNS.values(), strict=True))
)
CHART = """"Step","swarm-1 - eval/loss","swarm-1 - eval/loss__MIN","a - b - eval/loss","a - b - eval/loss__MAX"
"500","2.91","2.91","3.1","3.1"
"1000","2.71","2.71","",""
"""


def test_a_table_of_runs_is_read_by_the_names_of_levanter(put):
    runs = read("wandb", [put("t.csv", TABLE)], Card.parse(["val/{set}_nll=loss.{set}"]))
    assert runs.names == ("swarm-1", "swarm-2")
    assert runs.column("N").tolist() == [6e7, 6e7]
    assert runs.column("D").tolist() == [1.2e9, 6e8]
    assert runs.column("C").tolist() == [4.32e20, 2.16e20]
    assert runs.column("bpb.paloma/c4_en")[0] == 1.21
    assert runs.column("loss").tolist() == [3.1, 3.4]
    assert runs.column("loss.web").tolist() == [3.3, 3.6]
    # A seed that never varies, blank notes and the tracker's own are left out.
    assert runs.labels == ("State", "optimizer/lr")
    assert "left out 3 columns that are the tracker's own, blank, or equal in every run" in runs.hints
    assert "not all runs have finished (1 crashed): --where State=finished leaves them out" in runs.hints


def test_what_the_user_maps_is_kept_and_counts_first(put):
    card = Card.parse(["optimizer.lr=lr", "trainer.seed=seed", "eval/loss=loss.all", "Notes=notes"], ["C=1"])
    runs = read("wandb", [put("t.csv", TABLE)], card)
    assert set(runs.labels) == {"State", "lr", "seed", "notes", "val/web_nll"}
    assert "loss.all" in runs.targets
    assert runs.column("C").tolist() == [432e9, 216e9]


def test_a_loss_that_diverged_to_infinity_is_missing_and_said(put):
    runs = read("wandb", [put("t.csv", TABLE.replace('"3.4"', '"Infinity"'))])
    assert runs.column("loss")[0] == 3.1
    assert np.isnan(runs.column("loss")[1])
    assert "loss is infinite, as of runs that diverged, and was left empty: swarm-2" in runs.hints


def test_another_column_may_be_the_size(put):
    card = Card.parse(["trainer.seed=N", "parameter_count=parameters"], ["N=1e8"])
    with pytest.raises(InputError, match=r"run swarm-1: .*t.csv row 2: N is 0, "):
        read("wandb", [put("t.csv", TABLE)], card)


@pytest.mark.parametrize("lines", [False, True])
def test_objects_of_the_client_are_read_like_the_table(put, lines):
    objects = [
        {
            "name": f"swarm-{i}",
            "id": f"x{i}",
            "state": "finished",
            "config": {"optimizer": {"lr": 0.003 / i}, "tags": ["a"], "data": {"web": i / 4, "code": 1 - i / 4}},
            "summary": {"parameter_count": 6e7, "eval/loss": 3.0 + i / 10, "_wandb": {"runtime": i}, "bad": None},
        }
        for i in (1, 2)
    ]
    text = "\n".join(map(json.dumps, objects)) if lines else json.dumps(objects)
    runs = read("wandb", [put("t.jsonl" if lines else "t.json", text)], Card.parse(["data.{d}=w.{d}"]))
    assert runs.names == ("swarm-1", "swarm-2")
    assert runs.column("w").tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert runs.column("loss").tolist() == [3.1, 3.2]
    assert runs.column("optimizer/lr").tolist() == [0.003, 0.0015]
    assert set(runs.labels) == {"id", "State", "optimizer/lr"}


def test_a_chart_is_one_row_for_every_run_and_step(put):
    runs = read("wandb", [put("c.csv", CHART)], Card.parse(["step=D"], ["D=1e6"]), same={"N": "1e8"})
    assert list(zip(runs.names, runs.column("D"), runs.column("loss"), strict=True)) == [
        ("swarm-1", 5e8, 2.91),
        ("swarm-1", 1e9, 2.71),
        ("a - b", 5e8, 3.1),
    ]


def test_a_chart_over_tokens_has_training_tokens(put):
    runs = read("wandb", [put("c.csv", CHART.replace('"Step"', '"throughput/total_tokens"'))])
    assert runs.column("D").tolist() == [500, 1000, 500]


def test_a_row_that_repeats_another_is_a_fault_that_names_both(put):
    path = put("t.csv", TABLE + TABLE.splitlines()[1] + "\n")
    with pytest.raises(InputError) as error:
        read("wandb", [path], Card.parse(["val/{set}_nll=loss.{set}"]))
    assert f"{path} row 4: the row is identical to {path} row 2" in str(error.value)


def test_files_that_are_no_exports_are_faults(put):
    with pytest.raises(InputError, match=r"t.json: not a list of runs. Write one object a run: name, config, summary"):
        read("wandb", [put("t.json", [1])])
    with pytest.raises(InputError, match=r"no column 'Name' of the runs. Export it, or map another: --map ID=run"):
        read("wandb", [put("t.csv", "ID,loss\na,3\n")])
    with pytest.raises(InputError, match=r"c.csv: column 'x' is not RUN - METRIC. Export the chart again"):
        read("wandb", [put("c.csv", "Step,x,x__MIN\n1,2,2\n")])
    with pytest.raises(InputError, match=r"c.csv: the chart holds no value"):
        read("wandb", [put("c.csv", "Step,a - x,a - x__MIN\n1,,\n")])


BESIDE = [{"name": "a", "summary": {"N": 1e8, "loss": 3.2, "loss.web": 3.1, "eval/loss": 3.0, "eval/web/loss": 2.9}}]


def test_an_evaluated_loss_is_not_given_up_for_one_that_training_logged(put):
    path = put("t.json", BESIDE)
    with pytest.raises(InputError) as error:
        read("wandb", [path])
    assert len(error.value.faults) == 2
    assert (
        "'eval/loss' is to be called 'loss', as another column is, which may be of training. Say which to read: --map "
        "'loss=train/loss' makes that one a label, --map 'loss=loss' this one"
    ) in str(error.value)
    assert "'loss.web=train/loss/web' makes" in str(error.value)
    for maps, losses in (
        (["loss=train/loss", "loss.web=train/loss/web"], [3.0, 2.9]),
        (["loss=loss", "loss.web=loss.web"], [3.2, 3.1]),
    ):
        runs = read("wandb", [path], Card.parse(maps))
        assert runs.targets == ("loss", "loss.web")
        assert [runs.column(name)[0] for name in runs.targets] == losses
    runs = read("wandb", [path], Card.parse(["eval/loss=loss.held", "eval/web/loss=loss.held_web"]))
    assert set(runs.targets) == {"loss", "loss.web", "loss.held", "loss.held_web"}


def test_settings_are_no_responses_whatever_their_names(put):
    objects = [
        {
            "name": f"r{i}",
            "config": {
                "loss": {"z_weight": i * 1e-4, "type": "ce" if i else "z"},
                "accuracy": {"top": i},
                "bpb": f"b{i}",
                "items.x": i,
                "score": i,
                "w": {"web": 0.5 + i / 4, "code": 0.5 - i / 4},
            },
            "summary": {"loss": 3.0 + i},
        }
        for i in (0, 1)
    ]
    runs = read("wandb", [put("t.json", objects)], Card.parse(["config/score=points"]))
    assert runs.targets == ("loss",)
    assert runs.column("loss").tolist() == [3.0, 4.0]
    assert runs.column("w").tolist() == [[0.5, 0.5], [0.75, 0.25]]
    assert set(runs.labels) == {"loss/z_weight", "loss/type", "accuracy/top", "config/bpb", "items/x", "points"}
