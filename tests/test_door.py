import math

import pytest

from bayesmix.card import Card
from bayesmix.errors import InputError
from bayesmix.runs import Runs

TEN_FAULTS = """run,N,D,w.web,w.code,wt.math,loss.web,accuracy.arc,error.mmlu,role
a,1e8,2e9,0.5,0.5,0,3.1,0.4,,small
b,-1e8,2e9,0.5,0.5,0,3.2,0.4,,small
c,1e8,2O0e9,0.5,0.5,0,3.3,0.4,,small
d,1e8,,0.5,0.5,0,3.4,0.4,,small
e,1e8,4e9,-0.5,1.5,0,3.5,0.4,,small
f,1e8,4e9,0.5,0.4,0,3.6,0.4,,small
g,1e8,4e9,0.5,0.5,0,0,0.4,,small
h,1e8,4e9,0.5,0.5,0,3.7,40,,small
i,1e8,4e9,0.5,0.5,0,3.8
a,1e8,2e9,0.5,0.5,0,3.9,0.4,,small
"""


def faults_of(text, tmp_path, card=None, **options):
    path = tmp_path / "runs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as error:
        Runs.read(path, card, **options)
    assert error.value.source == str(path)
    return [str(fault) for fault in error.value.faults]


def test_one_error_names_ten_kinds_of_fault(tmp_path):
    positive = "expected a finite number above 0"
    assert faults_of(TEN_FAULTS, tmp_path) == [
        "row 10, run i: the row has 7 cells, expected 10 as in the header. "
        "Separate cells by commas, and quote a cell that contains one",
        "column 'wt.math' is none of the known vectors (w, unique, tokens, loss, bpb, error, accuracy, score, optimum, "
        'items). Did you mean \'w.math\'? Or, if it is a label, map it to a name without a dot: "wt.math" = "wt_math"',
        f"row 3, run b: N is -1e8, {positive} (parameters). Correct it, or remove the row",
        f"row 4, run c: D is '2O0e9', {positive} (tokens). "
        "Write a plain number such as 160e6, without suffix or separators",
        f"row 5, run d: D is missing, {positive} (tokens). Fill it in, or remove the row",
        "row 6, run e: w.web is -0.5, expected a weight of 0 or more. Correct it, or remove the row",
        f"row 8, run g: loss.web is 0, {positive}. Correct it, or leave the cell empty if it was not measured",
        "row 9, run h: accuracy.arc is 40, expected a fraction from 0 to 1. "
        'Is accuracy.arc in percent? Say so: --unit accuracy.arc=percent, or "accuracy.arc" = "percent" under [units] '
        "of a card",
        "row 7, run f: weights w.* sum to 0.9, expected 1 within 0.001. "
        "Correct them, add the domain that is not in the table, or state a sum_tolerance in the card",
        "row 11, run a: the row has the same run, covariates and labels as row 2. "
        "Remove it, or tell them apart in a label such as step",
        "column 'error.mmlu' has no value at all. Remove the column, or map the one that holds the measurements",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"\x89PNG\r\n\x00\xff", "not a text file in UTF-8"),
        ("loss\n3,1\n".encode("utf-16"), "not a text file in UTF-8"),
        ("", "the file is empty"),
        ("N,D,loss\n", "the file has a header but no rows"),
        ('N,loss\n1e8,"3\n', "row 2: not CSV: unexpected end of data"),
        ("N,loss,loss\n1e8,3,4\n", "column 'loss' appears twice"),
        ("N,,loss\n1e8,3,4\n", 'column 2 has no name. Name it in the header, or map it: "" = "run"'),
        ("N,M,loss\n1e8,20,4\n", "column 'M' is given, but M = D/N is always derived"),
        ("N,w,loss\n1e8,20,4\n", "column 'w' does not say of what. Name it in full, such as 'w.web'"),
        ("run,N,loss\n,1e8,4\n", "row 2: the run has no name"),
        ("N,loss\ninf,4\n", "row 2: N is inf, expected a finite number above 0"),
        ("N,loss\n1e8,inf\n", "row 2: loss is inf, expected a finite number above 0"),
        ("N,loss\n1e8,4\n2e8,5\n1e8,4\n", "row 4: the row is identical to row 2"),
        ("N,final_loss\n1e8,4\n", 'Map it: "final_loss" = "loss"'),
        ("N,ppl\n1e8,4\n", 'Map one of N, ppl: "NAME" = "loss"'),
        ("w.a,w.b,loss\n60,40,4\n", 'Is w in percent? Say so: --unit w=percent, or w = "percent" under [units]'),
        ("w.a,w.b,loss\n1,,4\n", "row 2: w.b is missing, expected a weight of 0 or more. Write 0 for"),
        ("N,accuracy,items.accuracy\n1,0.5,2.5\n", "row 2: items.accuracy is 2.5, expected a whole number"),
        (
            "N,accuracy,items.accuracy\n1,0.5,\n",
            "items.accuracy is missing, expected a whole number of items",
        ),
        (
            "N,accuracy,items.acuracy\n1,0.5,9\n",
            "column 'items.acuracy' belongs to no response. Expected items.<target>;",
        ),
        (
            "N,accuracy.arc,items.arc\n1,0.5,9\n",
            "'items.arc' belongs to no response. Did you mean 'items.accuracy.arc'? Or,",
        ),
        ("N,accuracy.b,error.b,items.b\n1,0.5,0.5,9\n", "'items.b' belongs to no response. Expected items.<target>;"),
        ("N,accuracy.b,items.accuracy.a\n1,0.5,9\n", "not in the table. Did you mean 'accuracy.b'?"),
    ],
)
def test_single_faults(text, expected, tmp_path):
    (fault,) = faults_of(text, tmp_path)
    assert expected in fault


def test_rows_are_lines_of_the_file(tmp_path):
    text = '\ufeffrun,N,loss,note\r\na,1e8,3,"two\r\nlines"\r\n\r\nb,0,3,x\r\n'
    (fault,) = faults_of(text, tmp_path)
    assert fault.startswith("row 5, run b: N is 0,")


def test_many_faults_of_one_kind_are_counted(tmp_path):
    rows = "".join(f"r{at},0,{at + 1}\n" for at in range(42))
    faults = faults_of(f"run,N,loss\n{rows}x,1e8,-1\n", tmp_path)
    assert [fault.partition(":")[0] for fault in faults[:5]] == [f"row {at + 2}, run r{at}" for at in range(5)]
    assert faults[5] == "N: and 37 more rows like it. Correct it, or remove the row"
    assert faults[6].startswith("row 44, run x: loss is -1")
    assert len(faults) == 7


def test_percent_is_asked_about_once_for_a_column(tmp_path):
    rows = "".join(f"{at},{100 - at},{at},{at + 1}\n" for at in range(10, 20))
    assert faults_of(f"w.a,w.b,accuracy.arc,loss\n{rows}", tmp_path) == [
        "row 2: accuracy.arc is 10, expected a fraction from 0 to 1, and 9 more rows like it. Is accuracy.arc in "
        'percent? Say so: --unit accuracy.arc=percent, or "accuracy.arc" = "percent" under [units] of a card',
        "row 2: weights w.* sum to 100, expected 1 within 0.001, and 9 more rows like it. Is w in percent? Say so: "
        '--unit w=percent, or w = "percent" under [units] of a card',
    ]


def test_a_label_that_looks_like_a_weight_is_asked_about_where_weights_do_not_sum_to_1(tmp_path):
    *_, fault = faults_of("w.a,w.b,w_math,loss\n0.3,0.3,0.4,3\n", tmp_path)
    assert fault == (
        "column 'w_math' is read as a label, and weights w.* do not sum to 1. If it is a weight, map it: "
        "--map w_math=w.math"
    )


def test_faults_of_the_card_and_of_the_cells_come_together(tmp_path):
    card = Card({"params": "N", "flop": "C"}, {"N": "millions"})
    faults = faults_of("params,flops,loss\n0,1e18,3\n", tmp_path, card)
    assert faults[0] == "mapped column 'flop' is not in the file. Did you mean 'flops'?"
    assert faults[1].startswith("row 2: N is 0, expected")


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "runs.csv").write_text("N,loss\n1e8,3\n")
    with pytest.raises(InputError, match=r"no such file. Did you mean 'runs.csv'\?"):
        Runs.read(tmp_path / "run.csv")


def test_a_missing_file_without_a_neighbour_and_a_folder_are_faults(tmp_path):
    with pytest.raises(InputError, match=r"no such file. No CSV file is beside it either: check the folder"):
        Runs.read(tmp_path / "run.csv")
    with pytest.raises(InputError, match=r"this is a folder. Name a CSV file in it"):
        Runs.read(tmp_path)


def test_a_dotted_name_that_resembles_no_vector_is_a_label(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("N,optim.lr,loss,\n1e8,3e-4,3,\n")
    assert Runs.read(path).labels == ("optim.lr",)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_another_separator_than_a_comma_is_named(separator, tmp_path):
    text = "run,N,D,loss\na,1e8,2e9,3.1\n".replace(",", separator)
    faults = faults_of(text, tmp_path)
    assert any("the whole table is one column" in f and repr(separator) in f for f in faults)


TOKENS = "run,N,tokens.web,tokens.code,loss\na,1e8,1.5e9,5e8,3.1\nb,1e8,0,2e9,3.2\n"


def test_tokens_of_domains_are_a_mixture_and_their_sum_is_d():
    same = "run,N,D,w.web,w.code,loss\na,1e8,2e9,0.75,0.25,3.1\nb,1e8,2e9,0,1,3.2\n"
    assert Runs.loads(TOKENS, Card(), "t").hash == Runs.loads(same, Card(), "w").hash


@pytest.mark.parametrize("of", [["tokens"], ["D"], ["tokens", "D"]])
def test_the_unit_of_tokens_may_be_said_of_their_sum(tmp_path, of):
    path = tmp_path / "runs.csv"
    path.write_text("tokens.web,tokens.code,loss\n1.5,0.5,3.1\n0,2,3.2\n")
    assert Runs.read(path, Card(units=dict.fromkeys(of, "billions"))).column("D").tolist() == [2e9, 2e9]


def test_a_checkpoint_has_its_own_d_and_the_mixture_of_all_tokens(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("run,D,tokens.web,tokens.code,unique.web,loss\na,1e9,3e9,1e9,5e8,3.1\na,4e9,3e9,1e9,5e8,3.0\n")
    runs = Runs.read(path, Card(run=("w",)))
    assert runs.column("D").tolist() == [1e9, 4e9]
    assert runs.column("w").tolist() == [[0.75, 0.25]] * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w.web,tokens.web,loss\n1,1e9,3\n",
         "columns tokens.* and w.* both say what the mixture is. Remove one of the two"),
        ("w.web,w.code,loss\n3,4,3\n",
         "row 2: weights w.* sum to 7, expected 1 within 0.001. If they count tokens, call the columns tokens.<domain>"
         "; else correct them"),
        ("tokens.web,tokens.code,loss\n0,0,3\n", "row 2: tokens.* are all 0. Correct them, or remove the row"),
        ("tokens.web,tokens.code,loss\n1e9,,3\n",
         "row 2: tokens.code is missing, expected a number of tokens of 0 or more. Write 0 for an unused domain"),
        ("tokens.web,tokens.code,loss\n1e9,-1,3\n",
         "row 2: tokens.code is -1, expected a number of tokens of 0 or more. Correct it, or remove the row"),
        ("tokens.web,unique.code,loss\n1e9,1e8,3\n",
         "column 'unique.code' counts tokens of a domain without a weight. Known: w.web"),
    ],
)  # fmt: skip
def test_faults_of_tokens(text, expected, tmp_path):
    assert faults_of(text, tmp_path) == [expected]


def test_perplexity_is_the_exponential_of_a_loss(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(f"loss.web,loss.code\n{math.exp(3.0)},1.5\n,1.4\n")
    runs = Runs.read(path, Card(units={"loss.web": "perplexity"}))
    assert runs.column("loss.web")[0] == pytest.approx(3.0, rel=1e-12)
    assert math.isnan(runs.column("loss.web")[1])
    assert runs.column("loss.code").tolist() == [1.5, 1.4]


@pytest.mark.parametrize(("cell", "shown"), [("1", "1 (0 in standard units)"), ("-2", "-2"), ("0.5", "0.5 (-0.69")])
def test_a_perplexity_of_no_loss_is_a_fault(tmp_path, cell, shown):
    (fault,) = faults_of(f"loss\n{cell}\n", tmp_path, Card(units={"loss": "perplexity"}))
    assert fault.startswith(f"row 2: loss is {shown}")


def test_only_a_loss_has_a_perplexity():
    with pytest.raises(InputError, match="accuracy has the unit 'perplexity', which is of a loss alone"):
        Card(units={"accuracy": "perplexity"})
