import copy

import pytest

from bayesmix.card import Card
from bayesmix.errors import InputError
from bayesmix.interchange import read

RESULT = {
    "results": {
        "arc_easy": {
            "alias": "arc_easy",
            "acc,none": 0.41,
            "acc_stderr,none": 0.0144,
            "acc_norm,none": 0.44,
            "acc_norm_stderr,none": 0.0145,
        },
        "gsm8k": {
            "alias": "gsm8k",
            "exact_match,strict-match": 0.02,
            "exact_match_stderr,strict-match": 0.004,
            "exact_match,flexible-extract": 0.03,
            "exact_match_stderr,flexible-extract": "N/A",
        },
        "mmlu": {"alias": "mmlu", "acc,none": 0.26, "acc_stderr,none": 0.01},
        "mmlu_a": {"alias": " - a", "acc,none": 0.25, "acc_stderr,none": 0.043301},
        "mmlu_b": {"alias": " - b", "sample_len": 50, "acc,none": 0.28, "acc_stderr,none": 0.06},
        "wikitext": {"bits_per_byte,none": 0.71, "bits_per_byte_stderr,none": "N/A", "word_perplexity,none": 21.0},
        "toxicity": {"acc,none": 0.1, "acc_stderr,none": 0.01},
    },
    "group_subtasks": {"mmlu": ["mmlu_a", "mmlu_b"], "arc_easy": []},
    "higher_is_better": {"arc_easy": {"acc": True, "acc_norm": True}, "toxicity": {"acc": False}, "mmlu": None},
    "n-samples": {
        "arc_easy": {"original": 2376, "effective": 1172},
        "gsm8k": {"original": 1319, "effective": 1319},
        "mmlu_a": {"original": 100, "effective": 100},
    },
    "config": {"model_num_parameters": 411616256, "model_args": "pretrained=/ckpts/run-9,dtype=float"},
    "model_name": "/ckpts/run-7",
}


def test_tasks_become_accuracies_with_items_and_standard_errors(put):
    runs = read("lm_eval", [put("results.json", RESULT)])
    assert runs.names == ("run-7",)
    row = runs.table.iloc[0]
    assert row["N"] == 411616256
    assert row["accuracy.arc_easy"] == 0.41
    assert row["items.accuracy.arc_easy"] == 1172
    assert row["stderr.accuracy.arc_easy"] == "0.0144"
    assert row["accuracy.gsm8k"] == 0.02
    assert row["bpb.wikitext"] == 0.71
    assert row["accuracy.mmlu"] == 0.26
    assert row["items.accuracy.mmlu_b"] == 50
    assert row["items.accuracy.mmlu"] == 150  # of its two parts
    assert row["error.toxicity"] == 0.1  # lower is better
    assert not [name for name in runs.table if "perplexity" in name or "acc_norm" in name]


def test_items_that_are_not_given_follow_from_the_standard_error(put):
    items, p = 431, 120 / 431
    error = (p * (1 - p) / (items - 1)) ** 0.5
    content = {"results": {"arc": {"acc,none": p, "acc_stderr,none": error}}, "model_name": "a"}
    assert read("lm_eval", [put("r.json", content)]).column("items.accuracy.arc").tolist() == [items]


def test_another_metric_is_taken_by_name(put):
    card = Card.parse(["{task}/acc_norm=accuracy.{task}", "gsm8k/exact_match,flexible-extract=accuracy.gsm8k"])
    row = read("lm_eval", [put("results.json", RESULT)], card).table.iloc[0]
    assert (row["accuracy.arc_easy"], row["stderr.accuracy.arc_easy"]) == (0.44, "0.0145")
    assert (row["accuracy.gsm8k"], row["items.accuracy.gsm8k"]) == (0.03, 1319)
    assert row["accuracy.mmlu"] == 0.26  # has no acc_norm
    card = Card.parse(["arc_easy/acc=accuracy.arc", "arc_easy/acc_norm=accuracy.arc_norm"])
    row = read("lm_eval", [put("results.json", RESULT)], card).table.iloc[0]
    assert (row["accuracy.arc"], row["accuracy.arc_norm"], row["items.accuracy.arc_norm"]) == (0.41, 0.44, 1172)


def test_which_of_several_filters_was_taken_is_said_unless_it_was_named(put):
    file = put("results.json", RESULT)
    assert (
        "of several filters the first was taken: gsm8k/exact_match,strict-match (there is flexible-extract); "
        "--map TASK/METRIC,FILTER=accuracy.TASK takes another"
    ) in read("lm_eval", [file]).hints
    for name in ("strict-match", "flexible-extract"):
        runs = read("lm_eval", [file], Card.parse([f"gsm8k/exact_match,{name}=accuracy.gsm8k"]))
        assert not [hint for hint in runs.hints if "filters" in hint]


def test_two_metrics_under_one_name_are_a_fault(put):
    card = Card.parse(["{task}/acc_norm=accuracy.{task}", "arc_easy/acc=accuracy.arc_easy"])
    with pytest.raises(
        InputError, match=r"arc_easy/acc_norm and another metric would both be called 'accuracy.arc_easy'"
    ):
        read("lm_eval", [put("results.json", RESULT)], card)


def test_files_of_one_run_are_put_together_and_joined_to_a_table_of_runs(put):
    first = {"results": {"arc": {"acc,none": 0.4}}, "n-samples": {"arc": {"effective": 100}}, "model_name": "x/a"}
    second = {"results": {"piqa": {"acc,none": 0.6}}, "n-samples": {"piqa": {"effective": 200}}, "model_name": "x/a"}
    other = {"results": {"arc": {"acc,none": 0.5}}, "n-samples": {"arc": {"effective": 100}}}
    files = [put("1.json", first), put("2.json", second), f"b={put('3.json', other)}"]
    table = put(
        "mine.csv",
        "name,N,D,w.web,w.code,loss\nb,1e8,2e9,0.5,0.5,3\na,1e8,1e9,0.5,0.5,3.1\nc,1e8,3e9,0,1,2.9\nd,1e8,3e9,0,1,\n",
    )
    runs = read("lm_eval", files, Card.parse(["name=run"]), runs=table)
    assert runs.names == ("a", "b", "c")  # c has a loss; d was never measured
    assert runs.column("D").tolist() == [1e9, 2e9, 3e9]
    assert runs.column("accuracy.arc")[:2].tolist() == [0.4, 0.5]
    assert runs.column("items.accuracy.piqa")[:1].tolist() == [200]
    assert runs.column("loss").tolist() == [3.1, 3.0, 2.9]
    assert f"{table}: runs without anything measured, left out: d" in runs.hints


def test_the_table_of_runs_knows_size_better_than_the_file(put):
    runs = read("lm_eval", [put("r.json", RESULT)], runs=put("mine.csv", "run,N\nrun-7,4e8\n"))
    assert runs.column("N").tolist() == [4e8]
    assert any(hint.startswith("N: taken from ") for hint in runs.hints)


def test_parameters_that_only_some_files_say_is_not_read(put):
    other = {**RESULT, "model_name": "b", "config": {}}
    runs = read("lm_eval", [put("a.json", RESULT), put("b.json", other)])
    assert "N" not in runs.symbols
    assert "only some files say model_num_parameters: N was not read" in runs.hints


def test_items_that_one_run_lacks_are_not_read_for_any(put):
    other = copy.deepcopy(RESULT) | {"model_name": "b"}
    del other["n-samples"]["gsm8k"]
    other["results"]["gsm8k"]["exact_match_stderr,strict-match"] = "N/A"
    runs = read("lm_eval", [put("a.json", RESULT), put("b.json", other)])
    assert "items.accuracy.gsm8k" not in runs.table
    assert "accuracy.gsm8k: the number of items is not known for every run, and was not read" in runs.hints


def test_every_unreadable_file_is_named_in_one_error(put):
    files = [
        put("1.json", "{"),
        put("2.json", {"results": [1]}),
        put("3.json", {"results": {"a": {"acc,none": 0.4}}}),
        put("4.json", {"results": {"a": {"ppl,none": 4}}, "model_name": "m"}),
    ]
    with pytest.raises(InputError) as error:
        read("lm_eval", [*files, files[0].parent / "none.json"])
    text = str(error.value)
    assert len(error.value.faults) == 5
    assert f"{files[0]}: not JSON" in text
    assert f"{files[1]}: no object 'results' with an object a task. Name a results_*.json" in text
    assert f"{files[2]}: the file does not say which model it is of. Name it: RUN={files[2]}" in text
    assert f"{files[3]}: no task has acc, exact_match or bits_per_byte. Map one by name" in text
    assert "none.json: no such file" in text


def test_one_task_of_one_run_in_two_files_is_a_fault(put):
    files = [put("1.json", RESULT), put("2.json", RESULT)]
    with pytest.raises(InputError, match=r"run run-7: .*2.json: accuracy.arc_easy, .* were read from .*1.json already"):
        read("lm_eval", files)


def test_a_run_that_the_table_of_runs_does_not_have_is_a_fault(put):
    table = put("mine.csv", "run,N\nrun-6,1e8\nrun-8,1e8\nrun-8,1e8\n")
    with pytest.raises(InputError) as error:
        read("lm_eval", [put("r.json", RESULT)], runs=table)
    text = str(error.value)
    assert f"run run-8: {table} row 4: the run is in row 3 already" in text
    assert f"run run-7: {table.parent / 'r.json'}: run-7 is not in {table}. Did you mean 'run-" in text
    with pytest.raises(InputError, match=r"no column 'run' to join by. Known: N, id Map it: NAME=run"):
        read("lm_eval", [table.parent / "r.json"], runs=put("mine.csv", "id,N\nrun-7,1e8\n"))


def test_responses_of_both_are_a_fault(put):
    table = put("mine.csv", "run,accuracy.arc_easy\nrun-7,0.4\n")
    with pytest.raises(InputError, match=r"mine.csv has accuracy.arc_easy, and so have the files that were read"):
        read("lm_eval", [put("r.json", RESULT)], runs=table)


def part(task, model, N=None):
    config = {"model_num_parameters": N} if N else {}
    return {"results": {task: {"acc,none": 0.4}}, "model_name": model, "config": config}


def test_models_of_one_last_name_are_not_put_together(put):
    files = [put(f"{i}.json", part(f"task{i}", f"runs/{i}/checkpoint-1000", 10**8 * i)) for i in range(1, 4)]
    with pytest.raises(InputError) as error:
        read("lm_eval", files)
    assert len(error.value.faults) == 2
    assert (
        f"run checkpoint-1000: {files[1]}: the model is runs/2/checkpoint-1000, and in {files[0]} it is "
        "runs/1/checkpoint-1000. Name the run of each, alike if they are one: RUN=FILE"
    ) in str(error.value)
    runs = read("lm_eval", [f"run-{i}={file}" for i, file in enumerate(files)])
    assert runs.column("N").tolist() == [1e8, 2e8, 3e8]


def test_one_run_may_be_named_for_files_of_several_names_but_not_sizes(put):
    files = [put("1.json", part("arc", "here/a", 10**8)), put("2.json", part("piqa", "there/b", 10**8))]
    assert len(read("lm_eval", [f"a={file}" for file in files])) == 1
    files[1] = put("2.json", part("piqa", "here/a/", 2 * 10**8))
    for prefix in ("", "a="):
        with pytest.raises(InputError) as error:
            read("lm_eval", [f"{prefix}{file}" for file in files])
        said = f"run a: {files[1]}: model_num_parameters is 200000000, and in {files[0]} it is 100000000. Name their"
        assert said in str(error.value)


def test_a_group_that_does_not_say_which_way_is_better_has_accuracies(put):
    content = part("mmlu", "a") | {"higher_is_better": {"mmlu": {"acc": None}}}
    assert read("lm_eval", [put("r.json", content)]).targets == ("accuracy.mmlu",)
