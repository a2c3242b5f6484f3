"""Whether forecasts of larger runs hold: small ones are fitted, larger ones hidden, on real tables.

    python benchmarks/calibration --list                       # every task: rows fitted and hidden, how far it asks
    python benchmarks/calibration --out results                # fits, rivals, scores, a table and a figure; hours
    python benchmarks/calibration --out results --only porian --only "chinchilla_epoch:C10"
    python benchmarks/calibration --learn benchmarks/results/evidence.json       # what is shipped, from all studies

A task is asked for by its name, its table or its kind; the others do not count. What was computed is kept in the
folder of results, so that the same command goes on where it was stopped. The discrepancy that a study's tasks are
scored with is learned from the other studies, and so are the priors of its law's quantities; tasks that are not asked
for teach what benchmarks/results and the package have of them. What the tasks showed is kept as evidence.json and
past_quantities.csv: `--learn` makes of the first src/bayesmix/past.toml and past.csv, and past_without.toml beside it,
in which each study is left out once; the second belongs into src/bayesmix, and a test says what priors it makes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd
import quantities
from contenders import CONTENDERS, forecasts
from figure import figure
from history import Evidence, evidence, learn, read, records, written
from joblib import Parallel, delayed
from rivals import RIVALS
from scores import scored
from shared import TABLES, markdown, present
from store import Store
from summary import by_contender, by_table, shown
from task import Task
from tasks import listing, tasks

from bayesmix.discrepancy import Discrepancy
from bayesmix.files import write_text, write_whole
from bayesmix.population import past_quantities

_HOME = Path(__file__).parents[2]
PAST = _HOME / "src" / "bayesmix" / "past.toml"
EVIDENCE = _HOME / "benchmarks" / "results" / "evidence.json"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print a table of the tasks")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where results are kept, and where to go on")
    parser.add_argument("--only", action="append", metavar="TASK", help="name, table or kind of a task")
    parser.add_argument("--learn", type=Path, metavar="FILE", help="learn what is shipped from such an evidence.json")
    asked = parser.parse_args()
    if not (asked.list or asked.out or asked.learn):
        parser.error("say --list, --out FOLDER, or --learn FILE")
    return asked


def prepare(store: Store, chosen: list[Task]) -> None:
    """Compute what takes long, task by task."""
    for task in chosen:
        begin = time.perf_counter()
        posterior = store.posterior(task)
        store.backtest(task)
        for law in task.laws:
            store.textbook(task, law)
        for name in RIVALS:
            store.draws(task, name)
        problems = "; ".join(p.short or p.kind for p in posterior.problems() if p.fatal)
        print(f"{task.name}: {time.perf_counter() - begin:.1f} s {problems}", flush=True)


def left_out(found: Collection[Evidence], asked: Iterable[str]) -> dict[str, Discrepancy]:
    """Return for every study that is asked for what all others showed."""
    apart = list(dict.fromkeys(asked))
    learned = dict(zip(apart, Parallel(2)(delayed(learn)(found, without=s) for s in apart), strict=True))
    for study, discrepancy in learned.items():
        print(f"for {study}: {discrepancy}", flush=True)
    return learned


def ship(path: Path) -> None:
    """Write what all studies showed to the package, and what all but one showed beside the evidence."""
    found = list(read(path).values())
    studies = [e.study for e in found]
    head = f"# Learned by benchmarks/calibration from {len(found)} tasks of {len(set(studies))} studies.\n"
    write_text(PAST, head + learn(found).table(), overwrite=True)
    write_text(PAST.with_suffix(".csv"), pd.DataFrame(map(vars, records(found))).to_csv(index=False), overwrite=True)
    without = [discrepancy.table(f'"{study}"') for study, discrepancy in left_out(found, studies).items()]
    head = "# Learned as src/bayesmix/past.toml, without one study.\n"
    write_text(path.with_name("past_without.toml"), head + "".join(without), overwrite=True)


def main() -> None:
    asked = arguments()
    for table in TABLES:
        if not present(table):
            print(f"{table} is not at hand: set BAYESMIX_DATA to the folder that has {table}/", file=sys.stderr)
    if asked.list:
        print(markdown(listing(asked.only)))
        return
    if asked.learn:
        ship(asked.learn)
        return
    chosen = [task for task in tasks() if task.among(asked.only)]
    studies = [task.table for task in chosen]
    seen = quantities.kept(asked.out, chosen)
    seen += [s for s in past_quantities() if s.study not in studies]
    write_text(asked.out / "past_quantities.csv", quantities.table(seen), overwrite=True)
    store = Store(asked.out, quantities.left_out(seen, studies))
    prepare(store, chosen)
    # Tasks that are not asked for teach what they showed when last seen.
    found = read(EVIDENCE) | {task.name: evidence(store, task) for task in chosen}
    write_text(asked.out / "evidence.json", written(found), overwrite=True)
    learned = left_out(found.values(), studies)
    rows = []
    for task in chosen:
        for name, draws in forecasts(store, task, learned[task.table]).items():
            score = scored(draws, task.truth, task.beyond)
            rows.append(score.assign(task=task.name, table=task.table, kind=task.kind, contender=name))
    table = pd.concat(rows, ignore_index=True)
    write_whole(asked.out / "scores.csv", lambda p: table.to_csv(p, index=False), overwrite=True)
    write_whole(asked.out / "calibration.png", figure(table).savefig, overwrite=True)
    text = "\n\n".join(map(markdown, (shown(by_contender(table)), shown(by_table(table)))))
    legend = "\n".join(f"- {name}: {what}" for name, what in CONTENDERS.items())
    write_text(asked.out / "calibration.md", f"{text}\n\n{legend}\n", overwrite=True)
    print(text)


if __name__ == "__main__":
    main()
