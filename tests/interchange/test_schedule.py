"""Loss curves with their learning rates."""

import numpy as np
import pandas as pd
import pytest

from bayesmix.card import Card
from bayesmix.errors import InputError
from bayesmix.interchange import read
from bayesmix.schedules import annealed, areas

CURVES = """name,step,lr,loss
a,0,0.0,
a,4,4e-4,
a,10,4e-4,3.5
a,12,2e-4,3.1
b,4,2e-4,3.9
b,8,2e-4,3.7
new,4,4e-4,
new,20,0,
"""
CARD = Card.parse(["name=run", "lr=learning_rate"])
RATES = np.array([1e-4, 2e-4, 3e-4, *[4e-4] * 7, 3e-4, 2e-4])


@pytest.fixture
def curves(put):
    return read("schedule", [put("c.csv", CURVES)], CARD)


def test_areas_are_those_of_the_schedule_between_the_rows(curves):
    table = curves.table.set_index(["run", "step"])
    forward, annealing = areas(RATES)
    for step in (10, 12):
        row = table.loc[("a", str(step))]
        assert float(row["area"]) == pytest.approx(forward[step - 1], rel=1e-12)
        assert float(row["annealing"]) == pytest.approx(annealing[step - 1], rel=1e-12)
        assert float(row["annealed"]) == pytest.approx(annealed(RATES, [step])[0], rel=1e-12)


def test_annealing_is_relative_to_the_greatest_rate_of_the_file(curves):
    row = curves.where("run=b", "step=8").table.iloc[0]
    rates = [0.5e-4, 1e-4, 1.5e-4, *[2e-4] * 5]
    assert float(row["annealed"]) == pytest.approx(annealed(rates, peak=4e-4)[0], rel=1e-12)


def test_rows_that_only_bend_the_schedule_are_dropped_but_for_planned_runs(curves):
    steps = curves.table.groupby("run", sort=False)["step"].agg(list).to_dict()
    assert steps == {"a": ["10", "12"], "b": ["4", "8"], "new": ["4", "20"]}
    end = curves.where("run=new", "step=20").table.iloc[0]
    assert float(end["annealed"]) > 0.5, "the rate has fallen to 0"


def test_everything_wrong_is_said(put):
    with pytest.raises(InputError) as raised:
        read("schedule", [put("c.csv", "run,steps,rate,area,loss\na,1,1e-3,1,3\n")])
    said = str(raised.value)
    assert "no column 'step'. Did you mean 'steps'? Map it: --map NAME=step" in said
    assert "no column 'learning_rate'" in said
    assert "column 'area' is computed here" in said
    text = "run,step,learning_rate,loss\na,1.5,1e-3,3\na,2,x,3\na,3,-1,3\na,4,1,3\na,4,1,2.9\n"
    with pytest.raises(InputError) as raised:
        read("schedule", [put("d.csv", text)])
    assert [f.row for f in raised.value.faults] == [2, 3, 4, 6]
    with pytest.raises(InputError, match="every learning rate is 0"):
        read("schedule", [put("e.csv", "run,step,learning_rate,loss\na,1,0,3\n")])


def test_measured_curves_get_what_laws_of_schedules_take(shared_data, put):
    """Steps of Luo et al. (2025), whose warm-up of 2,160 steps no row shows."""
    frame = pd.read_csv(shared_data / "multipowerlaw" / "loss_curves.csv").query("model_M == 25")
    frame = frame[frame["schedule"] == "wsdcon_9"][["step", "lr", "loss"]].assign(run="wsdcon_9")
    bend = pd.DataFrame([{"run": "wsdcon_9", "step": 2160, "lr": 3e-4}])
    whole = pd.concat([bend[~bend["step"].isin(frame["step"])], frame])
    runs = read("schedule", [put("l.csv", whole.to_csv(index=False))], Card.parse(["lr=learning_rate"]))
    steps = np.arange(1, frame["step"].max() + 1)
    rates = np.interp(steps, [0, 2160, *frame["step"]], [0, 3e-4, *frame["lr"]])
    at = frame["step"].to_numpy()
    np.testing.assert_allclose(runs.column("area"), areas(rates)[0][at - 1], rtol=1e-9)
    np.testing.assert_allclose(runs.column("annealed"), annealed(rates, at), rtol=1e-9)
