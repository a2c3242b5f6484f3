import numpy as np
import pytest

from bayesmix.card import Card
from bayesmix.errors import InputError
from bayesmix.interchange import read

STATE = {
    "global_step": 1000,
    "log_history": [
        {"step": 0, "eval_loss": 10.9},
        {"step": 500, "loss": 2.9, "learning_rate": 3e-4, "grad_norm": 0.4, "epoch": 0.1},
        {"step": 500, "eval_loss": 2.85, "eval_code_loss": 1.92, "eval_accuracy": 0.41, "eval_runtime": 3.0},
        {"step": 1000, "loss": 2.7, "learning_rate": 2e-4},
        {"step": 1000, "eval_loss": 2.65, "eval_code_loss": float("nan"), "eval_accuracy": 0.43},
        {"step": 1000, "train_loss": 2.8, "train_runtime": 77.0, "total_flos": 1e18},
    ],
}


def test_steps_become_rows_of_one_run(put):
    path = put("out/run-7/checkpoint-1000/trainer_state.json", STATE)
    card = Card.parse(["step=D"], ["D=2097152"])
    runs = read("trainer_state", [path], card, same={"N": "1e8"})
    assert runs.names == ("run-7", "run-7")
    assert runs.column("D").tolist() == [500 * 2097152, 1000 * 2097152]
    assert runs.column("loss").tolist() == [2.85, 2.65]
    assert runs.column("loss.train").tolist() == [2.9, 2.7]
    assert runs.column("loss.code")[0] == 1.92
    assert np.isnan(runs.column("loss.code")[1])
    assert runs.column("accuracy").tolist() == [0.41, 0.43]
    assert runs.column("learning_rate").tolist() == [3e-4, 2e-4]
    assert runs.labels == ("learning_rate",)


def test_tokens_seen_are_training_tokens(put):
    history = [{"step": s, "eval_loss": 3.0 - s / 100, "num_input_tokens_seen": 1000000 * s} for s in (10, 20)]
    runs = read("trainer_state", [f"mine={put('s.json', {'log_history': history})}"])
    assert runs.names == ("mine", "mine")
    assert runs.column("D").tolist() == [1e7, 2e7]
    assert not [hint for hint in runs.hints if "num_input_tokens_seen" in hint]


def test_without_tokens_the_reader_says_how_to_give_them(put):
    runs = read("trainer_state", [put("a/s.json", STATE)])
    assert "D" not in runs.symbols
    assert runs.hints[0].endswith("state the tokens of a batch, --map step=D --unit D=TOKENS_A_BATCH")


def test_runs_are_joined_to_what_is_known_of_them(put):
    table = put("mine.csv", "run,N,w.web,w.code\na,1e8,0.5,0.5\nb,2e8,1,0\n")
    files = [put("a/s.json", STATE), put("b/s.json", STATE)]
    runs = read("trainer_state", files, Card.parse(["step=D"], ["D=1e6"]), runs=table)
    assert runs.column("N").tolist() == [1e8, 1e8, 2e8, 2e8]
    assert runs.column("w").tolist() == [[0.5, 0.5], [0.5, 0.5], [1, 0], [1, 0]]


def test_runs_with_steps_are_joined_step_by_step(put):
    table = put("mine.csv", "run,step,D\na,1000,2e9\na,500,1e9\na,1500,3e9\n")
    runs = read("trainer_state", [put("a/s.json", STATE)], runs=table)
    assert runs.column("D").tolist() == [1e9, 2e9]
    assert runs.column("step").tolist() == [500, 1000]
    assert f"{table}: runs without anything measured, left out: a" in runs.hints


def test_a_step_that_was_logged_twice_has_its_later_values_and_a_hint(put):
    history = [{"step": 10, "eval_loss": 3.0}, {"step": 10, "eval_loss": 2.9}, {"step": 20, "eval_loss": 2.8}]
    runs = read("trainer_state", [put("s.json", {"log_history": history})])
    assert runs.column("loss").tolist() == [2.9, 2.8]
    assert any("logged twice, the later values are read, at steps 10" in hint for hint in runs.hints)


def test_faults_name_file_and_step(put):
    path = put("a/s.json", {"log_history": [{"step": 10, "eval_loss": -1}, {"step": 20, "eval_accuracy": 30}]})
    with pytest.raises(InputError) as error:
        read("trainer_state", [path])
    assert f"run a: {path} step 10: loss is -1, expected a finite number above 0" in str(error.value)
    assert f"run a: {path} step 20: accuracy is 30, expected a fraction from 0 to 1" in str(error.value)


def test_files_without_losses_or_of_one_run_are_faults_of_one_error(put):
    empty, odd = put("a/s.json", {"log_history": [{"step": 0, "loss": 3}]}), put("b/s.json", {"history": []})
    with pytest.raises(InputError) as error:
        read("trainer_state", [empty, odd])
    assert f"{empty}: log_history holds no loss. Log losses, or name another file" in str(error.value)
    assert f"{odd}: no list 'log_history' of entries. Name a trainer_state.json" in str(error.value)
    same = [put("r/checkpoint-1/s.json", STATE), put("r/checkpoint-2/s.json", STATE)]
    with pytest.raises(InputError, match=r"run r: .*checkpoint-2/s.json: the run was read from another file already"):
        read("trainer_state", same)


def test_tokens_of_some_entries_only_are_a_fault(put):
    history = [{"step": 10, "eval_loss": 3.0, "num_input_tokens_seen": 100}, {"step": 20, "eval_loss": 2.9}]
    with pytest.raises(InputError, match=r"only some entries have num_input_tokens_seen"):
        read("trainer_state", [put("s.json", {"log_history": history})])


def test_the_loss_of_training_is_the_evaluated_one_where_there_is_one(put):
    history = [
        {"step": 5, "loss": 3.3},
        {"step": 10, "loss": 3.1},
        {"step": 10, "eval_train_loss": 2.9, "eval_loss": 3.0},
        {"step": 20, "eval_loss": 2.8, "loss": 2.7},
    ]
    files = [put("a/s.json", {"log_history": history}), put("b/s.json", {"log_history": history[:2]})]
    runs = read("trainer_state", files)
    assert runs.names == ("a", "a")
    assert runs.column("loss").tolist() == [3.0, 2.8]
    assert runs.column("loss.train")[0] == 2.9
    assert np.isnan(runs.column("loss.train")[1])
    said = "loss.train is eval_train_loss; the loss that training logs was left out, and steps that have no other"
    assert f"{said}: all of b" in runs.hints
    assert not any("twice" in hint for hint in runs.hints)
    assert said in read("trainer_state", files[:1]).hints


def test_tokens_of_checkpoints_are_kept_beside_a_table_of_runs(put):
    history = [{"step": s, "eval_loss": 3.0, "num_input_tokens_seen": s * 10**6, "learning_rate": 0.1} for s in (1, 2)]
    file, table = put("a/s.json", {"log_history": history}), put("mine.csv", "run,N,D,learning_rate\na,1e8,9e6,0.2\n")
    runs = read("trainer_state", [file], runs=table)
    assert runs.column("D").tolist() == [1e6, 2e6]
    assert runs.column("N").tolist() == [1e8, 1e8]
    assert runs.column("learning_rate").tolist() == [0.2, 0.2]
    said = "D: differs between the rows of a run, and was taken from the files that were read, not from "
    assert any(hint.startswith(f"{said}{table}, which has one row a run") for hint in runs.hints)
    assert f"learning_rate: taken from {table}, not from the files that were read" in runs.hints
