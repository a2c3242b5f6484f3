import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmix.card import Card
from bayesmix.errors import InputError
from bayesmix.interchange import read

BY_TARGET = (
    "name,N,D,arch,val_set,nll\na,1e8,2e9,x,c4,3.11\nb,1e8,4e9,y,c4,3.01\na,1e8,2e9,x,code,1.42\nb,1e8,4e9,y,code,\n"
)
BY_METRIC = """run,step,metric,value
a,1000,eval/c4/loss,3.11
a,1000,accuracy.arc,0.31
a,1000,speed,7
a,2000,eval/c4/loss,3.0
"""


def test_rows_of_targets_become_columns(put):
    card = Card.parse(["name=run", "val_set=target", "nll=loss"], ["N=1"])
    runs = read("long_table", [put("l.csv", BY_TARGET)], card)
    assert runs.names == ("a", "b")
    assert runs.targets == ("loss.c4", "loss.code")
    assert runs.column("loss.c4").tolist() == [3.11, 3.01]
    assert np.isnan(runs.column("loss.code")[1])
    assert runs.table["arch"].tolist() == ["x", "y"]


def test_rows_of_metrics_become_columns(put):
    runs = read(
        "long_table", [put("l.csv", BY_METRIC)], Card.parse(["eval/{set}/loss=loss.{set}", "step=D"], ["D=1e6"])
    )
    assert runs.column("D").tolist() == [1e9, 2e9]
    assert runs.column("loss.c4").tolist() == [3.11, 3.0]
    assert runs.column("accuracy.arc")[0] == 0.31
    assert runs.hints[0] == "metrics that are no response, left out: speed"


def test_blank_cells_are_not_measured(put):
    text = "run,step,target,loss\na,1,c4,\na,1,c4,3\na,2,c4,NaN\n"
    runs = read("long_table", [put("l.csv", text)])
    assert runs.column("loss.c4").tolist() == [3.0]
    assert runs.table["step"].tolist() == ["1"]


def test_the_index_of_an_exported_frame_is_ignored(put):
    plain = "run,target,loss\na,c4,3\na,code,2\n"
    indexed = "".join(f"{at or ''},{line}\n" for at, line in enumerate(plain.splitlines()))
    runs = read("long_table", [put("l.csv", indexed)])
    assert runs.hash == read("long_table", [put("m.csv", plain)]).hash
    assert len(runs) == 1


def test_items_go_with_their_accuracies(put):
    text = "run,target,accuracy,items.accuracy\na,arc,0.3,100\nb,arc,0.4,100\n"
    runs = read("long_table", [put("l.csv", text)])
    assert runs.column("items.accuracy.arc").tolist() == [100, 100]


def test_a_real_long_table_is_read_in_full(shared_data):
    path = shared_data / "gadre_scaling" / "gadre_losses_long.csv"
    if not path.is_file():
        pytest.skip("no table of Gadre et al.")
    runs = read("long_table", [path], Card.parse(["name=run", "val_set=target", "C_6ND=C"]))
    whole = pd.read_csv(path)
    assert len(runs) == whole["name"].nunique() == 95
    assert len(runs.targets) == whole["val_set"].nunique()
    measured = sum(int(np.isfinite(runs.column(target)).sum()) for target in runs.targets)
    assert measured == whole["loss"].notna().sum()
    one = whole[(whole["name"] == runs.names[40]) & (whole["val_set"] == "c4_val")]
    assert runs.column("loss.c4_val")[40] == one["loss"].item()


def test_a_response_in_two_rows_is_a_fault_that_names_both(put):
    path = put("l.csv", BY_METRIC + "a,2000,eval/c4/loss,3.2\n")
    with pytest.raises(InputError) as error:
        read("long_table", [path], Card.parse(["eval/{set}/loss=loss.{set}"]))
    assert f"run a: {path} row 6: loss.c4 is in row 5 too, with equal run, step. Keep one, or tell" in str(error.value)


def test_faults_name_the_rows_that_they_come_from(put):
    path = put("l.csv", "run,target,loss\na,c4,3\nb,c4,-3\na,code,2\nb,code,x\n")
    with pytest.raises(InputError) as error:
        read("long_table", [path])
    assert f"run b: {path} rows 3 to 5: loss.c4 is -3" in str(error.value)
    assert f"run b: {path} rows 3 to 5: loss.code is 'x'" in str(error.value)


def test_tables_of_another_shape_say_what_to_map(put):
    with pytest.raises(
        InputError, match=r"neither columns metric and value, nor target and a response, among run, nll"
    ):
        read("long_table", [put("l.csv", "run,nll\na,3\n")])
    with pytest.raises(InputError, match=r"no metric is a response: nll. Map them by name: --map nll=loss.nll"):
        read("long_table", [put("l.csv", "run,metric,value\na,nll,3\n")])
    with pytest.raises(InputError, match=r"no column 'run' that says which rows belong together"):
        read("long_table", [put("l.csv", "id,target,loss\na,c4,3\n")])


@settings(max_examples=30)
@given(st.lists(st.lists(st.floats(0.1, 20), min_size=3, max_size=3), min_size=1, max_size=6), st.randoms())
def test_melting_and_reading_changes_nothing(tmp_path_factory, losses, random):
    rows = [(f"r{i}", f"t{j}", value) for i, row in enumerate(losses) for j, value in enumerate(row)]
    random.shuffle(rows)
    path = tmp_path_factory.mktemp("long") / "l.csv"
    path.write_text("run,target,loss\n" + "".join(f"{r},{t},{v!r}\n" for r, t, v in rows))
    runs = read("long_table", [path])
    at = {run: i for i, run in enumerate(runs.names)}
    for run, target, value in rows:
        assert runs.column(f"loss.{target}")[at[run]] == value
