"""Olmix and RegMix: a file of mixtures with a file of what was measured."""

import numpy as np
import pandas as pd
import pytest

from bayesmix.card import Card
from bayesmix.errors import BayesmixError, InputError
from bayesmix.interchange import read
from bayesmix.runs import Runs

MIXTURE = "index,train_the_pile_arxiv,train_the_pile_freelaw\n1,0.25,0.75\n2,1.0,0.0\n"
LOSS = "index,metric/the_pile_arxiv_val_loss\n2,3.5\n1,4.41\n"
RATIOS = ",run,name,index,web,code\n0,hz0d,swarm-0000,0,0.45,0.55\n1,k3x1,swarm-0001,1,0.3,0.7\n"
METRICS = """,run,name,index,arc_easy,minerva,eval/loss,mmlu_acc
5,hz0d,swarm-0000,0,1.12,0.84,2.9,0.3
6,k3x1,swarm-0001,1,1.1,,2.8,0.31
"""


def test_regmix_pairs_are_joined_by_index_whatever_their_order(put):
    runs = read("regmix", [put("mixture.csv", MIXTURE), put("loss.csv", LOSS)], same={"N": "1e6", "D": "1e9"})
    assert runs.names == ("2", "1")
    assert runs.domains == ("the_pile_arxiv", "the_pile_freelaw")
    assert runs.column("w").tolist() == [[1.0, 0.0], [0.25, 0.75]]
    assert runs.column("loss.the_pile_arxiv").tolist() == [3.5, 4.41]
    assert runs.column("N").tolist() == [1e6, 1e6]
    assert runs.column("C").tolist() == [6e15, 6e15]


def test_an_unnamed_first_column_is_the_index(put):
    mixture, loss = (put(f"{i}.csv", text.removeprefix("index")) for i, text in enumerate((MIXTURE, LOSS)))
    runs = read("regmix", [mixture, loss])
    assert (runs.names, runs.labels) == (("2", "1"), ())
    assert read("regmix", [mixture, loss], Card.parse(["=run"])).hash == runs.hash


def test_columns_are_renamed_on_request(put):
    card = Card.parse(["train_the_pile_{d}=w.{d}", "metric/the_pile_{d}_val_loss=bpb.{d}"])
    runs = read("regmix", [put("mixture.csv", MIXTURE), put("loss.csv", LOSS)], card)
    assert (runs.domains, runs.targets) == (("arxiv", "freelaw"), ("bpb.arxiv",))


def test_regmix_mixtures_may_miss_one_by_what_three_decimals_hide(put):
    names = [f"train_{i}" for i in range(8)]
    rows = [f"1,{','.join(['0.1254'] * 8)}", f"2,{','.join(['0.127'] * 8)}"]  # sums 1.0032 and 1.016
    mixture = put("m.csv", "\n".join([f"index,{','.join(names)}", *rows]))
    loss = put("l.csv", "index,metric/a_val_loss\n1,3\n2,4\n")
    with pytest.raises(
        InputError, match=r"run 2: .*m.csv row 3 with .*l.csv row 3: weights w.\* sum to 1.016"
    ) as error:
        read("regmix", [mixture, loss])
    assert len(error.value.faults) == 1


def test_a_real_pair_of_regmix_is_read_in_full(shared_data):
    folder = shared_data / "regmix-pile17"
    if not folder.is_dir():
        pytest.skip("no RegMix tables")
    files = [folder / "train_mixture_1m.csv", folder / "train_pile_loss_1m.csv"]
    runs = read("regmix", files, same={"N": "1e6"})
    mixture, loss = (pd.read_csv(file).set_index("index") for file in files)
    assert (len(runs), len(runs.domains), len(runs.targets)) == (512, 17, 13)
    w = mixture.to_numpy()
    np.testing.assert_allclose(runs.column("w"), w / w.sum(axis=1, keepdims=True), rtol=1e-12)
    assert runs.column("loss.the_pile_github").tolist() == loss["metric/the_pile_github_val_loss"].tolist()


def test_olmix_swarms_are_read_with_their_measures(put):
    runs = read("olmix", [put("ratios.csv", RATIOS), put("metrics.csv", METRICS)])
    assert runs.names == ("hz0d", "k3x1")
    assert runs.column("w").tolist() == [[0.45, 0.55], [0.3, 0.7]]
    assert runs.targets == ("loss.eval/loss", "bpb.arc_easy", "bpb.minerva", "accuracy.mmlu_acc")
    assert runs.column("bpb.arc_easy").tolist() == [1.12, 1.1]
    assert np.isnan(runs.column("bpb.minerva")[1])
    assert runs.table["name"].tolist() == ["swarm-0000", "swarm-0001"]
    remedy = "Map one that is not: --map 'arc_easy=score.arc_easy'"
    assert runs.hints[0] == f"read as bits per byte, Olmix's measure: arc_easy, minerva. {remedy}"


def test_what_the_user_says_of_a_metric_or_ratio_counts_first(put):
    metrics = METRICS.replace("run,name", "run_id,name")
    card = Card.parse(["arc_easy=score.arc", "minerva=loss.minerva", "web=w.crawl"])
    runs = read("olmix", [put("ratios.csv", RATIOS), put("metrics.csv", metrics)], card)
    assert {"score.arc", "loss.minerva"} < set(runs.targets)
    assert runs.domains == ("crawl", "code")
    assert not [hint for hint in runs.hints if "bits per byte" in hint]


def test_mixtures_without_measurements_are_left_out_and_said(put):
    ratios = RATIOS + "2,zzzz,swarm-0002,2,0.5,0.5\n"
    runs = read("olmix", [put("ratios.csv", ratios), put("metrics.csv", METRICS)])
    assert runs.names == ("hz0d", "k3x1")
    assert any("ratios.csv: not measured and left out: zzzz" in hint for hint in runs.hints)


def test_all_faults_of_both_files_are_one_error_with_file_row_and_run(put):
    ratios = put("ratios.csv", "run,web,code\na,0.5,0.5\nb,0.5,0.9\nc,x,0.5\nd,1,0\n")
    metrics = put("metrics.csv", "run,arc\nd,1\nc,1\nb,-1\na,1.1\n")
    with pytest.raises(InputError) as error:
        read("olmix", [ratios, metrics])
    text = str(error.value)
    assert text.startswith(f"{ratios} and {metrics}: 3 faults\n")
    assert f"run c: {ratios} row 4 with {metrics} row 3: w.web is 'x'" in text
    assert f"run b: {ratios} row 3 with {metrics} row 4: weights w.* sum to 1.4" in text
    assert f"run b: {ratios} row 3 with {metrics} row 4: bpb.arc is -1" in text


def test_runs_that_do_not_pair_are_faults_of_one_error(put):
    ratios = put("ratios.csv", "run,web,code\na,0.5,0.5\na,0.4,0.6\n")
    metrics = put("metrics.csv", "run,arc\na,1\nx,1\nx,2\n")
    with pytest.raises(InputError) as error:
        read("olmix", [ratios, metrics])
    text = str(error.value)
    assert f"run a: {ratios} row 3: the run is in row 2 already. Keep one of the rows" in text
    assert f"run x: {metrics} row 4: the run is in row 3 already" in text
    assert f"run x: {metrics} row 3: the run is not in {ratios}. Add its mixture there, or remove the row" in text


def test_labels_that_differ_between_the_files_are_a_fault(put):
    metrics = METRICS.replace("k3x1,swarm-0001", "k3x1,swarm-0009")
    with pytest.raises(InputError, match=r"differ in column 'name'. Map one of the two"):
        read("olmix", [put("ratios.csv", RATIOS), put("metrics.csv", metrics)])


def test_broken_files_are_all_named_in_one_error(put):
    ragged = put("r.csv", "run,web\na,1\nb,1,2\n")
    twice = put("m.csv", "run,arc,arc\na,1,2\n")
    with pytest.raises(InputError) as error:
        read("olmix", [ragged, twice])
    assert f"{ragged} row 3: the row has 3 cells, expected 2 as in the header" in str(error.value)
    assert f"{twice} row 1: column 'arc' appears twice" in str(error.value)
    with pytest.raises(InputError, match=r"nothing.csv: no such file"):
        read("olmix", [ragged.parent / "nothing.csv", twice])


def test_a_format_of_two_files_wants_two(put):
    with pytest.raises(InputError, match=r"regmix is 2 files, and 1 were given. Name MIXTURE.csv LOSS.csv"):
        read("regmix", [put("m.csv", MIXTURE)])
    with pytest.raises(InputError, match=r"no column 'run' or 'run_id' to join by. Map one: --map NAME=run"):
        read("olmix", [put("r.csv", "id,web\na,1\n"), put("x.csv", METRICS)])


def test_a_mapping_that_fits_neither_file_is_a_fault(put):
    card = Card.parse(["weight_{d}=w.{d}", "trian_x=w.x"])
    with pytest.raises(InputError) as error:
        read("regmix", [put("mixture.csv", MIXTURE), put("loss.csv", LOSS)], card)
    assert [fault.what for fault in error.value.faults] == [
        "mapped columns 'weight_{d}': none in the file",
        "mapped column 'trian_x' is not in the file",
    ]


def test_a_format_that_is_not_there_is_an_error_with_the_known_ones():
    with pytest.raises(BayesmixError, match=r"there is no format 'regmx' here. Did you mean 'regmix'?"):
        read("regmx", ["a.csv"])
    with pytest.raises(BayesmixError, match=r"there is no format 'megatron' here. Known: lm_eval, long_table, olmix"):
        read("megatron", ["a.csv"])


def test_what_was_read_is_a_table_that_reads_back_the_same(put, tmp_path):
    runs = read("olmix", [put("ratios.csv", RATIOS), put("metrics.csv", METRICS)], same={"N": "3e7", "D": "3e9"})
    (tmp_path / "runs.csv").write_text(runs.text())
    assert Runs.read(tmp_path / "runs.csv").hash == runs.hash
