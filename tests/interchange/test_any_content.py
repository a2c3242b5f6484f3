"""Whatever a file holds, it is read, or refused with an error that was made for the user."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayesmix.errors import BayesmixError
from bayesmix.interchange import read, readable

KEYS = ["results", "config", "model_name", "model_args", "arc", "acc,none", "acc_stderr,none", "bits_per_byte,none",
        "n-samples", "effective", "group_subtasks", "higher_is_better", "log_history", "step", "loss", "eval_loss",
        "num_input_tokens_seen", "name", "state", "summary", "eval/loss", "parameter_count", ""]  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**12), st.floats(), st.sampled_from([*KEYS, "a=b,c", "7"])
)
CONTENT = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)
HEADS = ["run", "name", "index", "web", "w.web", "Step", "a - loss", "a - loss__MIN", "target", "metric", "value",
         "loss", "items.loss", "train_web", "metric/web_val_loss", "N", "", "optimum.x", "loss.", "w"]  # fmt: skip
CELLS = st.sampled_from(["", "a", "b", "1", "0.5", "-1", "nan", "inf", "1e400", "loss.web", "a,b", '"', "x\ny"])
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=4)


def read_or_refuse(name, files, **others):
    try:
        runs = read(name, files, **others)
    except BayesmixError:
        return
    assert len(runs) > 0


@pytest.mark.parametrize("name", ["lm_eval", "trainer_state", "wandb"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(content=CONTENT)
def test_any_json(tmp_path_factory, name, content):
    path = tmp_path_factory.mktemp("any") / "a.json"
    for whole in (content, {"results": content}, {"log_history": content}, [content]):
        path.write_text(json.dumps(whole))
        read_or_refuse(name, [path])


@pytest.mark.parametrize("name", sorted(set(readable()) - {"lm_eval", "trainer_state"}))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    tables=st.lists(st.tuples(st.lists(st.sampled_from(HEADS), min_size=1, max_size=4), ROWS), min_size=2, max_size=2)
)
def test_any_csv(tmp_path_factory, name, tables):
    folder = tmp_path_factory.mktemp("any")
    files = []
    for at, (header, rows) in enumerate(tables):
        rows = [[*row, "1", "1", "1"][: len(header)] for row in rows]
        files.append(folder / f"{at}.csv")
        quoted = [[f'"{cell}"' if cell != '"' else cell for cell in row] for row in (header, *rows)]
        files[-1].write_text("\n".join(",".join(row) for row in quoted))
    read_or_refuse(name, files if name in ("olmix", "regmix") else files[:1])
    if name == "long_table":
        read_or_refuse(name, files[:1], runs=files[1])
