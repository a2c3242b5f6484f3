"""Whether forecasts of larger runs hold: small ones are fitted, larger ones hidden, on real tables.

    python benchmarks/calibration --list           # every task: rows fitted and hidden, how far it asks
    python benchmarks/calibration --rivals         # scores of what people do today; an hour
    python benchmarks/calibration --rivals --only porian --only "chinchilla_epoch:C10"

A task is asked for by its name, its table or its kind.
"""

from __future__ import annotations

import argparse
import sys
import time

import pandas as pd
from rivals import RIVALS
from scores import scored
from shared import TABLES, markdown, present
from task import Task
from tasks import listing, tasks

SHOWN = ("coverage50%", "coverage80%", "coverage95%", "crps", "log_score", "interval_score95%", "bias")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print a table of the tasks")
    parser.add_argument("--rivals", action="store_true", help="score the rivals")
    parser.add_argument("--only", action="append", metavar="TASK", help="name, table or kind of a task")
    return parser.parse_args()


def rival_scores(task: Task) -> pd.DataFrame:
    """Return the scores of every rival on a task, one row a rival."""
    small, large = task.split()
    rows = []
    for name, rival in RIVALS.items():
        begin = time.perf_counter()
        draws = rival(task.model(), small, large, seed=0)
        seconds = time.perf_counter() - begin
        means = scored(draws, task.truth, task.beyond).mean()
        rows.append({"task": task.name, "rival": name, **{s: f"{means[s]:.3g}" for s in SHOWN}, "s": f"{seconds:.1f}"})
    return pd.DataFrame(rows)


def main() -> None:
    asked = arguments()
    for table in TABLES:
        if not present(table):
            print(f"{table} is not at hand: set BAYESMIX_DATA to the folder that has {table}/", file=sys.stderr)
    if asked.list or not asked.rivals:
        print(markdown(listing(asked.only)))
    if asked.rivals:
        chosen = [task for task in tasks() if task.among(asked.only)]
        print(markdown(pd.concat([rival_scores(task) for task in chosen])))


if __name__ == "__main__":
    main()
