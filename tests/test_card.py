import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmix.card import UNITS, Card
from bayesmix.errors import InputError

TOML = """
notice = "These runs are simulated."

[columns]
model_size = "N"
"weight_{domain}" = "w.{domain}"
"{domain}_loss" = "loss.{domain}"

[units]
N = "millions"
accuracy = "percent"
"accuracy.arc" = 0.001

[about]
paper = "arXiv:0000.00000"
"""

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda s: s == s.strip())
labels = words.filter(lambda s: not set(s) & set("{}.") and s not in ("M", "w", "items"))
cards = st.builds(
    Card,
    columns=st.dictionaries(labels, labels),
    units=st.dictionaries(
        st.sampled_from(["N", "D", "w", "loss", "accuracy.arc"]),
        st.sampled_from(list(UNITS)) | st.floats(1e-300, 1e300) | st.integers(1, 10**12),
    ),
    notice=st.text(st.characters(exclude_categories=["Cs"])),
    about=st.dictionaries(words, words),
)


def test_reads_toml(tmp_path):
    path = tmp_path / "runs.toml"
    path.write_text(TOML)
    card = Card.read(path)
    assert card.columns["weight_{domain}"] == "w.{domain}"
    assert card.notice == "These runs are simulated."
    assert card.about == {"paper": "arXiv:0000.00000"}


def test_the_unit_of_a_column_goes_before_that_of_its_kind():
    card = Card.loads(TOML)
    assert card.standard("N", 2.0) == 2e6
    assert card.standard("accuracy.mmlu", 50.0) == 0.5
    assert card.standard("accuracy.arc", 50.0) == 0.05
    assert card.standard("D", 7.0) == 7.0


@given(cards)
def test_text_round_trip(card):
    assert Card.loads(card.text()) == card


def test_parse_reads_command_line_strings():
    card = Card.parse(["weight_{domain}=w.{domain}", "d=96=loss"], ["N=millions", "D=1e9"])
    assert card.columns == {"weight_{domain}": "w.{domain}", "d=96": "loss"}
    assert card.units == {"N": "millions", "D": 1e9}


def test_parse_lists_all_faults():
    with pytest.raises(InputError) as error:
        Card.parse(["params", "a=N", "a=D", "x_{domain}=w.web"], ["N=milions", "X=2", "D=-1"])
    assert str(error.value).splitlines() == [
        "mapping: 6 faults",
        "  'params' is not NAME=VALUE. Write such as 'params=N'",
        "  'a' is given twice: 'N' and 'D'. Keep one of them",
        "  'x_{domain}' = 'w.web': expected one {place}, the same on both sides, or none. "
        'Write such as "weight_{domain}" = "w.{domain}"',
        "  N has the unknown unit 'milions'. Did you mean 'millions'?",
        "  unit of unknown 'X'. Known: C, D, N, U, accuracy, bpb, error, loss, optimum, score, tokens, unique, w",
        "  D has the unit -1.0. Write a positive factor or one of "
        "percent, thousands, millions, billions, trillions, bits, petaFLOP/s-days, perplexity",
    ]


def test_loads_lists_all_faults():
    with pytest.raises(InputError) as error:
        Card.loads('colums = 1\nunits = 2\nnotice = 3\n[columns]\nx = "wt.web"', source="c.toml")
    assert str(error.value).splitlines() == [
        "c.toml: 4 faults",
        "  unknown key 'colums'. Did you mean 'columns'?",
        "  units is not a table. Write [units] and its lines below it",
        "  column 'wt.web' is none of the known vectors (w, unique, tokens, loss, bpb, error, accuracy, score, "
        "optimum, items). Did you mean 'w.web'? Or, if it is a label, map it to a name without a dot: "
        '"wt.web" = "wt_web"',
        "  notice is 3, expected a string. Put it in quotation marks",
    ]


def test_text_that_is_not_toml_or_not_there(tmp_path):
    with pytest.raises(InputError, match="not a TOML file"):
        Card.loads("a = ")
    with pytest.raises(InputError, match="cannot be read"):
        Card.read(tmp_path / "absent.toml")


def test_merged_lets_the_other_win():
    merged = Card({"a": "N", "b": "D"}, {"N": 2}, "old").merged(Card({"b": "U"}, {"D": 3}))
    assert merged == Card({"a": "N", "b": "U"}, {"N": 2, "D": 3}, "old")


def test_rename_lets_exact_names_win():
    card = Card({"{x}_loss": "loss.{x}", "train_loss": "smooth"})
    renamed, faults = card.rename(["train_loss", "web_loss", "other"])
    assert renamed == {"train_loss": "smooth", "web_loss": "loss.web"}
    assert not faults


def test_rename_reports_what_does_not_fit():
    card = Card({"model_sizes": "N", "mix_{d}": "w.{d}", "a": "D", "b": "D", "c": "U"})
    _, faults = card.rename(["model_size", "a", "b", "c", "U"])
    assert [str(fault) for fault in faults] == [
        "mapped column 'model_sizes' is not in the file. Did you mean 'model_size'?",
        "mapped columns 'mix_{d}': none in the file. Known: U, a, b, c, model_size",
        "columns 'a', 'b' would all be called 'D'. Map all but one to another name, such as \"b\" = \"other_D\"",
        "columns 'c', 'U' would all be called 'U'. Map all but one to another name, such as \"U\" = \"other_U\"",
    ]
