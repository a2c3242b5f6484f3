"""Every format that is written, read back by a parser of that format under the rules of the system that reads it."""

import ast
import csv
import io
import json
import shlex
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmix.errors import BayesmixError, InputError
from bayesmix.interchange import launch, writable, write

MIXTURE = {"web": 0.7, "code": 0.2, "math": 0.1, "books": 0.0}
DATA = """
[web]
paths = "s3://b/web"
tokens = 3.5e12
[code]
paths = ["s3://b/code"]
local = "/tmp/code"
split = "train"
tokens = 6e10
[math]
paths = ["/d/math"]
"""


def megatron(text):
    words = shlex.split(text)  # as argparse gets them from a shell; the file is split at blanks
    assert words == text.split()
    assert len(words) % 2 == 0
    return dict(zip(words[1::2], map(float, words[0::2]), strict=True))


def nemo(text):
    content = json.loads(text)
    assert list(content) == ["paths"]
    assert all(isinstance(word, str) for word in content["paths"])
    return megatron(" ".join(content["paths"]))


def olmo_core(text):
    content = yaml.safe_load(text)
    assert list(content) == ["sources"]
    for source in content["sources"]:
        assert set(source) <= {"source_name", "target_ratio", "paths", "max_repetition_ratio"}
        assert 0 < source["target_ratio"] <= 1
        assert isinstance(source["paths"], list)
        assert source.get("max_repetition_ratio", 1) >= 1
    assert np.allclose(sum(source["target_ratio"] for source in content["sources"]), 1.0)
    return {source["source_name"]: source["target_ratio"] for source in content["sources"]}


def olmix(text):
    content = yaml.safe_load(text)
    assert list(content) == ["mix"]
    weights = {}
    for parent, node in content["mix"].items():
        children = {key: child for key, child in node.items() if isinstance(child, dict)}
        assert set(node) - set(children) <= {"weight", "repetition_factor"}
        if children:
            assert sum(Decimal(repr(child["weight"])) for child in children.values()) == 1
        weights |= {f"{parent}:{name}": node["weight"] * child["weight"] for name, child in children.items()}
        weights |= {} if children else {parent: node["weight"]}
    return weights


def levanter(text):
    return yaml.safe_load(text)["train_weights"]


def llm_foundry(text):
    streams = yaml.safe_load(text)["train_loader"]["dataset"]["streams"]
    for stream in streams.values():
        assert set(stream) <= {"remote", "local", "split", "proportion"}
        assert {"remote", "local"} & set(stream)
        assert stream["proportion"] > 0
    return {name: stream["proportion"] for name, stream in streams.items()}


def nanotron(text):
    (stage,) = yaml.safe_load(text)["data_stages"]
    assert set(stage) == {"name", "start_training_step", "data"}
    assert stage["start_training_step"] == 1  # of the first stage
    assert set(stage["data"]) == {"dataset", "num_loading_workers", "seed"}
    dataset = stage["data"]["dataset"]
    return dict(zip(dataset["dataset_folder"], dataset["dataset_weights"], strict=True))


def torchtitan(text):
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    datasets = {name: name for name in names if name.endswith("_dataset")}
    known = {"DatasetMixConfig": SimpleNamespace, "WeightedDataset": SimpleNamespace, **datasets}
    exec(text, known)  # a recipe is Python
    return {part.dataset.removesuffix("_dataset"): part.weight for part in known["mixture"].datasets}


def huggingface(text):
    content = json.loads(text)
    arguments = content["interleave_datasets"]
    assert set(arguments) == {"probabilities", "seed", "stopping_strategy"}
    assert arguments["stopping_strategy"] in ("first_exhausted", "all_exhausted")
    assert all(p > 0 for p in arguments["probabilities"])
    np.random.default_rng(arguments["seed"]).choice(len(content["datasets"]), p=arguments["probabilities"])
    return {d["domain"]: p for d, p in zip(content["datasets"], arguments["probabilities"], strict=True)}


def csv_table(text):
    return {row["domain"]: float(row["weight"]) for row in csv.DictReader(io.StringIO(text))}


def json_table(text):
    return {row["domain"]: row["weight"] for row in json.loads(text)["domains"]}


READERS = {reader.__name__: reader for reader in (
    megatron, nemo, olmo_core, olmix, levanter, llm_foundry, nanotron, torchtitan, huggingface, csv_table, json_table
)}  # fmt: skip
KEEP_ZERO = {"levanter", "csv_table", "json_table"}
BY_PATH = {"megatron", "nemo", "nanotron"}
PATHS = {"s3://b/web": "web", "s3://b/code": "code", "/d/math": "math"}


@pytest.fixture
def launched(mixing, put):
    return launch(mixing(MIXTURE, warnings=("Outside: the hull\nof mixtures.",)), put("data.toml", DATA), notice="Toy.")


def test_every_format_that_is_written_is_read_back_here():
    assert set(READERS) == set(writable())


@pytest.mark.parametrize("name", READERS)
def test_every_format_gives_the_weights_back(launched, name):
    weights = READERS[name](write(name, launched))
    if name in BY_PATH:
        weights = {PATHS[path]: weight for path, weight in weights.items()}
    expected = MIXTURE if name in KEEP_ZERO else {d: w for d, w in MIXTURE.items() if w > 0}
    assert weights == expected
    assert list(weights) == list(expected)


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=12).filter(lambda w: sum(w) > 0.01))
@pytest.mark.parametrize("name", READERS)
def test_whatever_the_mixture_weights_sum_to_one_to_the_last_digit(mixing, tmp_path_factory, name, weights):
    total = sum(weights)
    domains = [f"d{i}" for i in range(len(weights))]
    data = tmp_path_factory.mktemp("data") / "data.toml"
    data.write_text("".join(f'[{d}]\npaths = "{d}"\n' for d in domains))
    mixture = {d: w / total for d, w in zip(domains, weights, strict=True)}
    found = READERS[name](write(name, launch(mixing(mixture), data)))
    assert sum(Decimal(repr(weight)) for weight in found.values()) == 1
    for domain, weight in mixture.items():
        assert abs(found.get(domain, 0.0) - weight) < 1e-6
        if weight == 0:
            assert found.get(domain, 0.0) == 0


def test_megatron_has_weights_before_paths_and_plain_decimals(mixing, put):
    data = put("d.toml", '[a]\npaths = "/d/a"\n[b]\npaths = "/d/b"\n')
    text = write("megatron", launch(mixing({"a": 0.000003, "b": 0.999997}), data))
    assert text == "0.000003 /d/a 0.999997 /d/b\n"


def test_repetition_is_allowed_as_far_as_the_planned_run_needs_it(launched):
    content = yaml.safe_load(write("olmo_core", launched))
    web, code, math = content["sources"]
    assert code == {
        "source_name": "code",
        "target_ratio": 0.2,
        "paths": ["s3://b/code"],
        "max_repetition_ratio": 3.34,  # 0.2e12 / 6e10 = 3.333..., and less would not do
    }
    assert "max_repetition_ratio" not in web  # one pass is enough
    assert "max_repetition_ratio" not in math  # not known
    mix = yaml.safe_load(write("olmix", launched))["mix"]
    assert mix == {"web": {"weight": 0.7}, "code": {"weight": 0.2, "repetition_factor": 3.34}, "math": {"weight": 0.1}}


def test_olmix_children_are_relative_to_their_parent(mixing):
    mixture = {"dclm:software": 0.5, "wiki": 0.2, "dclm:science": 0.3, "dclm:spam": 0.0}
    content = yaml.safe_load(write("olmix", launch(mixing(mixture))))
    assert content == {
        "mix": {
            "dclm": {"weight": 0.8, "software": {"weight": 0.625}, "science": {"weight": 0.375}},
            "wiki": {"weight": 0.2},
        }
    }
    with pytest.raises(InputError, match=r"'dclm' is a domain, and the parent of others"):
        write("olmix", launch(mixing({"dclm": 0.5, "dclm:science": 0.5})))


def test_streams_have_remote_or_local_data(launched):
    streams = yaml.safe_load(write("llm_foundry", launched))["train_loader"]["dataset"]["streams"]
    assert streams == {
        "web": {"remote": "s3://b/web", "proportion": 0.7},
        "code": {"remote": "s3://b/code", "local": "/tmp/code", "split": "train", "proportion": 0.2},
        "math": {"local": "/d/math", "proportion": 0.1},
    }


def test_probabilities_of_examples_are_weights_divided_by_lengths(mixing, put):
    data = put("d.toml", "[a]\ntokens_per_example = 100\n[b]\ntokens_per_example = 300\n")
    content = json.loads(write("huggingface", launch(mixing({"a": 0.5, "b": 0.5}), data)))
    assert content["interleave_datasets"]["probabilities"] == [0.75, 0.25]
    assert "shares of examples" in content["note"]
    packed = json.loads(write("huggingface", launch(mixing({"a": 0.5, "b": 0.5}))))
    assert packed["interleave_datasets"]["probabilities"] == [0.5, 0.5]
    assert "right if every example has equally many (packed data)" in packed["note"]
    with pytest.raises(InputError, match=r"no tokens_per_example of 'b'. Give it for every domain, or for none"):
        write("huggingface", launch(mixing({"a": 0.5, "b": 0.5}), put("d.toml", "[a]\ntokens_per_example = 100\n")))


def test_an_example_that_would_hardly_ever_be_drawn_is_left_out(mixing, put):
    data = put("d.toml", "[a]\ntokens_per_example = 10\n[b]\ntokens_per_example = 1e5\n")
    content = json.loads(write("huggingface", launch(mixing({"a": 0.99999, "b": 0.00001}), data)))
    assert [d["domain"] for d in content["datasets"]] == ["a"]
    assert content["interleave_datasets"]["probabilities"] == [1.0]


def test_torchtitan_names_are_python_and_differ(mixing):
    text = write("torchtitan", launch(mixing({"2-web": 0.5, "code": 0.5})))
    assert "WeightedDataset(dataset=_2_web_dataset, weight=0.5)" in text
    assert "#   _2_web_dataset: 2-web\n" in text
    with pytest.raises(InputError, match=r"'a-b', 'a b' would have one name in Python"):
        write("torchtitan", launch(mixing({"a-b": 0.5, "a b": 0.5})))


def test_tables_have_intervals_tokens_and_epochs(launched):
    rows = json.loads(write("json_table", launched))["domains"]
    assert rows[1] | {"low90%": 0, "high90%": 0} == {
        "domain": "code",
        "weight": 0.2,
        "low90%": 0,
        "high90%": 0,
        "baseline": 0.25,
        "training_tokens": 0.2e12,
        "unique_tokens": 6e10,
        "epochs": pytest.approx(10 / 3),
    }
    interval = launched.decision.table()
    assert rows[1]["low90%"] == round(interval["low90%"][1], 6)
    assert rows[1]["high90%"] == round(interval["high90%"][1], 6)
    assert rows[1]["low90%"] < rows[1]["high90%"]
    assert rows[2]["unique_tokens"] is None
    assert rows[2]["epochs"] is None
    lines = list(csv.DictReader(io.StringIO(write("csv_table", launched))))
    assert [float(line["training_tokens"]) for line in lines] == [0.7e12, 0.2e12, 0.1e12, 0]
    assert [line["epochs"] for line in lines] == ["0.2", lines[1]["epochs"], "", ""]
    assert lines[0]["notice"].startswith("Toy. Outside")


@pytest.mark.parametrize("name", sorted(set(READERS) - {"megatron", "nemo"}))
def test_caveats_travel_where_the_format_has_room_for_them(launched, name):
    text = write(name, launched)
    assert "Toy." in text
    assert "Outside: the hull" in text


@pytest.mark.parametrize("name", ["megatron", "nemo", "nanotron", "olmo_core", "llm_foundry"])
def test_formats_that_need_paths_list_every_domain_without_one(mixing, put, name):
    data = put("d.toml", '[web]\npaths = "x"\n')
    with pytest.raises(InputError) as error:
        write(name, launch(mixing({"web": 0.5, "code:a": 0.3, "math": 0.2, "books": 0.0}), data))
    assert [str(fault) for fault in error.value.faults] == [
        f"{name} needs paths of 'code:a', which has weight 0.3. "
        'Write them in the TOML of --paths: "code:a".paths = ["..."]',
        f"{name} needs paths of 'math', which has weight 0.2. "
        'Write them in the TOML of --paths: math.paths = ["..."]',
    ]


def test_paths_that_a_format_cannot_take_are_faults_of_one_error(mixing, put):
    data = put("d.toml", '[a]\npaths = ["x", "y"]\n[b]\npaths = "with space"\n')
    with pytest.raises(InputError) as error:
        write("megatron", launch(mixing({"a": 0.5, "b": 0.5}), data))
    assert [fault.what for fault in error.value.faults] == [
        "'a' has 2 paths, and megatron takes one a weight",
        "a path of 'b' holds a space: megatron splits there",
    ]
    assert yaml.safe_load(write("olmo_core", launch(mixing({"a": 0.5, "b": 0.5}), data)))["sources"][0]["paths"] == [
        "x",
        "y",
    ]


def test_paths_may_hold_blanks_where_nothing_splits_at_them(mixing, put):
    data = put("d.toml", '[a]\npaths = "/d/my data"\n')
    assert json.loads(write("nemo", launch(mixing({"a": 1.0}), data))) == {"paths": ["1.000000", "/d/my data"]}


def test_names_that_yaml_would_misread_come_back_as_they_are(mixing):
    mixture = {"no": 0.25, "1": 0.25, "a: b": 0.25, "# c": 0.25}
    assert levanter(write("levanter", launch(mixing(mixture)))) == mixture


def test_a_format_that_is_only_read_is_not_written(mixing):
    with pytest.raises(BayesmixError, match=r"there is no format 'wandb' here. Known: csv_table, huggingface"):
        write("wandb", launch(mixing({"web": 1.0})))
