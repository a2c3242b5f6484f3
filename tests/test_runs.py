import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix.card import Card
from bayesmix.errors import InputError
from bayesmix.runs import Runs

TEXT = """step,loss.web,run,D,accuracy.arc,N,w.web,w.code,role,items.accuracy.arc
10,3.5,a,2e9,,1e8,0.5,0.5,ladder,
20,3.25,a,4e9,0.25,1e8,0.5,0.5,ladder,100
10,3.0,b,2e9,NA,1e9,0.2,0.8,test,100
20,2.75,b,4e9,0.5,1e9,0.2,0.8,test,100
"""


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(TEXT)
    return Runs.read(path)


def test_table_is_canonical(runs):
    assert list(runs.table) == [
        "run", "N", "D", "C", "w.web", "w.code", "loss.web", "accuracy.arc", "items.accuracy.arc",
        "step", "role",
    ]  # fmt: skip
    assert runs.table["C"].tolist() == [1.2e18, 2.4e18, 1.2e19, 2.4e19]
    assert runs.names == ("a", "a", "b", "b")
    assert runs.domains == ("web", "code")
    assert runs.targets == ("loss.web", "accuracy.arc")
    assert runs.labels == ("step", "role")
    assert runs.symbols == ("N", "D", "C", "M", "w")
    assert len(runs) == 4
    assert runs.hints == ()


def test_column(runs):
    assert runs.column("M").tolist() == [20, 40, 2, 4]
    assert runs.column("w").shape == (4, 2)
    assert runs.column("step").tolist() == [10, 20, 10, 20]
    np.testing.assert_array_equal(runs.column("accuracy.arc"), [np.nan, 0.25, np.nan, 0.5])
    with pytest.raises(InputError, match=r"no column 'loss.wbe'. Did you mean 'loss.web'\?"):
        runs.column("loss.wbe")
    with pytest.raises(InputError, match="label 'role' holds 'ladder'"):
        runs.column("role")


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("N<=1e8", [0, 1]),
        ("N < 1e8", []),
        ("N<1000000000.0000001", [0, 1]),
        ("N=1.0000000001e8", [0, 1]),
        ("M>=20", [0, 1]),
        ("w.web!=0.5", [2, 3]),
        ("role==test", [2, 3]),
        ("role!=test", [0, 1]),
        ("step>1e1", [1, 3]),
        ("run=a", [0, 1]),
    ],
)
def test_where(runs, condition, rows):
    if rows:
        left = runs.where(condition)
        assert left.text() == Runs.of(runs.table.iloc[rows]).text()
        assert left.table.index.tolist() == list(range(len(rows)))
    else:
        with pytest.raises(InputError, match=r"no row has N < 1e8. There are N: 1e\+08 to 1e\+09"):
            runs.where(condition)


def test_where_drops_a_response_without_values(runs):
    left = runs.where("N<=1e8", step=10)
    assert left.targets == ("loss.web",)
    assert not any(name.startswith("items.") for name in left.table)


def test_where_reports(runs):
    with pytest.raises(InputError, match=r"no column 'rol'. Did you mean 'role'\?"):
        runs.where(rol="test")
    with pytest.raises(InputError, match=r"no row has role=big\. There are role: ladder, test"):
        runs.where(role="big")
    with pytest.raises(InputError, match="'role' is not a condition"):
        runs.where("role")
    with pytest.raises(InputError, match="'N<big' compares N with 'big'"):
        runs.where("N<big")
    with pytest.raises(InputError, match="label 'role' holds 'ladder'"):
        runs.where("role<test")


def test_split(runs):
    low, high = runs.split(at=2.4e18)
    assert (low.names, high.names) == (("a", "a"), ("b", "b"))
    low, high = runs.split("step", at=10)
    assert low.names == high.names == ("a", "b")
    with pytest.raises(InputError, match=r"all rows have N <= 1e\+09, so one side of the split is empty"):
        runs.split("N", at=1e9)


def test_compute_and_tokens_derive_from_each_other():
    assert Runs.of(pd.DataFrame({"N": [1e8], "C": [1.2e18], "loss": [3]})).column("D") == [2e9]
    assert Runs.of(pd.DataFrame({"D": [2e9], "C": [1.2e18], "loss": [3]})).column("N") == [1e8]
    assert Runs.of(pd.DataFrame({"N": [1e8], "D": [2e9], "C": [9e9], "loss": [3]})).column("C") == [9e9]


def test_planned_runs_need_no_response():
    frame = pd.DataFrame({"N": [7e10], "D": [2e12], "loss": [None], "items.error": [9]})
    assert Runs.of(frame.drop(columns=["loss", "items.error"]), planned=True).targets == ()
    assert Runs.of(frame, planned=True).targets == ()
    with pytest.raises(InputError, match="column 'loss' has no value at all"):
        Runs.of(frame[["N", "D", "loss"]])


def test_an_index_that_is_a_column_too_counts_once():
    frame = pd.DataFrame({"run": ["a", "b"], "N": [1e8, 2e8], "loss": [3, 4]})
    plain = Runs.of(frame)
    assert Runs.of(frame.set_index("run", drop=False)).hash == plain.hash
    both = frame.set_index(["run", "N"], drop=False).drop(columns="N")
    assert Runs.of(both).hash == plain.hash


def test_of_counts_rows_as_the_frame_does():
    frame = pd.DataFrame({"N": [1e8, 0.0], "loss": [3, 4]}, index=pd.Index(["a", "b"], name="run"))
    with pytest.raises(InputError, match=r"row 1, run b: N is 0\.0"):
        Runs.of(frame)


def test_units_come_before_checks():
    card = Card.parse(["{d} share=w.{d}"], ["N=millions", "w=percent", "accuracy=percent"])
    frame = pd.DataFrame({"N": [70], "web share": [25], "code share": [75], "accuracy.arc": [40]})
    runs = Runs.of(frame, card)
    assert runs.column("N") == [7e7]
    assert runs.column("w").tolist() == [[0.25, 0.75]]
    assert runs.column("accuracy.arc") == [0.4]


def test_hash_is_of_the_text_alone(runs):
    assert runs.hash == hashlib.sha256(runs.text().encode()).hexdigest()
    frame = runs.table
    assert Runs.of(frame, Card(notice="simulated"), source="elsewhere").hash == runs.hash
    # Groups may come in any order; within a group, and for rows, the order is part of the table.
    assert Runs.of(frame[[*frame.columns[6:], *frame.columns[:6]]]).hash == runs.hash
    assert Runs.of(frame.iloc[::-1]).hash != runs.hash
    assert Runs.of(frame[[*reversed(frame.columns)]]).hash != runs.hash


positive = st.floats(1e-100, 1e100)
cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).map(str.strip)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"N": positive, "D": positive, "loss.a": positive, "bpb": positive | st.none(), "label": cell}
            | {"parts": st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda w: sum(w) > 0.1)}
        ),
        min_size=1,
        max_size=5,
    )
)
def test_text_round_trip(rows):
    frame = pd.DataFrame(rows).assign(run=[f"r{at}" for at in range(len(rows))])
    weights = np.array(frame.pop("parts").tolist())
    frame[["w.a", "w.b", "w.c"]] = weights / weights.sum(axis=1, keepdims=True)
    runs = Runs.of(frame, planned=True)
    again = Runs.loads(runs.text(), runs.card, runs.source)
    pd.testing.assert_frame_equal(again.table, runs.table, check_exact=True)
    assert again.text() == runs.text()
    assert again.column("N").tolist() == frame["N"].tolist()
    assert list(again.table["label"]) == list(frame["label"])


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=9), st.floats(-9e-4, 9e-4))
def test_mixtures_are_renormalised(parts, off):
    w = np.array(parts) / sum(parts)
    frame = pd.DataFrame([w * (1 + off)], columns=[f"w.{at}" for at in range(len(w))]).assign(loss=3.0)
    runs = Runs.of(frame)
    np.testing.assert_allclose(runs.column("w")[0], w, rtol=1e-11)
    assert abs(runs.column("w").sum() - 1) < 1e-11


def test_real_compute_table(shared_data):
    card = Card.parse(["Model Size=N", "Training FLOP=C"])
    runs = Runs.read(shared_data / "chinchilla_epoch" / "svg_extracted_data.csv", card)
    assert len(runs) == 245
    assert runs.symbols == ("N", "D", "C", "M")
    np.testing.assert_allclose(6 * runs.column("N") * runs.column("D"), runs.column("C"), rtol=1e-12)


def test_real_mixture_table(shared_data):
    card = Card.parse(["weight_{domain}=w.{domain}", "{domain}_loss=loss.{domain}", "model_size=N", "n_tokens=D"])
    runs = Runs.read(shared_data / "slimpajama-7-and-pile-4" / "dmsl_llm_slimpajama.csv", card)
    assert (len(runs), len(runs.domains), len(runs.targets)) == (2188, 7, 8)
    assert "2188 of 2188 share N and w" in runs.hints[0]


def test_real_table_in_millions_and_billions(shared_data):
    maps = ["w_{d}=w.{d}", "loss_{d}=loss.{d}", "model_size_M=N", "tokens_B=D"]
    card = Card.parse(maps, ["N=millions", "D=billions"])
    runs = Runs.read(shared_data / "slimpajama-7-and-pile-4" / "domain4.csv", card)
    assert runs.column("N").min() == 9e7
    np.testing.assert_allclose(runs.column("w").sum(axis=1), 1, rtol=1e-12)


def test_real_table_with_repeated_tokens(shared_data):
    maps = ["name=run", "params=N", "tokens_B=D", "unique_tokens_B=U", "val_loss=loss"]
    runs = Runs.read(shared_data / "datablations" / "val_losses.csv", Card.parse(maps, ["D=billions", "U=billions"]))
    assert "U" in runs.symbols
    assert np.isnan(runs.column("loss")).any()
    assert not np.isnan(runs.where("loss>0").column("loss")).any()


def test_real_wide_table_of_models(shared_data):
    card = Card.parse(["name=run", "loss_c4_val=loss.c4", "loss_openlm=loss.openlm"])
    runs = Runs.read(shared_data / "gadre_scaling" / "gadre_models.csv", card)
    assert runs.targets == ("loss.openlm", "loss.c4")
    assert len(set(runs.names)) == len(runs) == 95
