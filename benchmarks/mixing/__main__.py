"""How well laws forecast mixtures and models that were hidden, beside what people use today, on real tables.

    pip install -e '.[bench]'
    python benchmarks/mixing --list
    python benchmarks/mixing --out results              # fits, rivals and one table, results/mixing.md; an hour or two
    python benchmarks/mixing --out results --only RegMix

Laws are fitted with default settings, each split from nothing. The error is that of the median forecast, relative to
what was measured, over all hidden responses; `in 90%` is the share of them inside the 90 % interval of one measured
run. Rivals are point estimates. What was computed is kept in the folder, so that the same command goes on where it was
stopped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from scoring import scored, summary
from shared import markdown, present
from splits import TASKS
from store import Split

from bayesmix.files import write_whole


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the tasks")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where results are kept, and where to go on")
    parser.add_argument("--only", action="append", metavar="TEXT", help="tasks whose name has this in it")
    asked = parser.parse_args()
    if not (asked.list or asked.out):
        parser.error("say --list, or --out FOLDER")
    return asked


def main() -> None:
    asked = arguments()
    chosen = [t for t in TASKS if not asked.only or any(text in t.name for text in asked.only)]
    for table in sorted({t.table for t in chosen if not present(t.table)}):
        print(f"{table} is not at hand: set BAYESMIX_DATA to the folder that has {table}/", file=sys.stderr)
    chosen = [t for t in chosen if present(t.table)]
    if asked.list:
        print(markdown(pd.DataFrame([{"task": t.name, "splits": len(t.seeds), "best known error, %": t.known,
                                      "laws": ", ".join(t.laws)} for t in chosen])))  # fmt: skip
        return
    scores, parts = [], []
    for task in chosen:
        splits = [Split(task, seed, asked.out) for seed in task.seeds]
        scores += [scored(split.forecasts()).assign(task=task.name) for split in splits]
        comparison = splits[0].comparison[["elpd", "diff", "diff_se", "weight", "bad_k"]].round(2)
        parts += [f"{task.name}, split {task.seeds[0]}, leaving out whole mixtures:",
                  markdown(comparison.reset_index(names="law"))]  # fmt: skip
    text = "\n\n".join([markdown(summary(pd.concat(scores))), *parts])
    write_whole(asked.out / "mixing.md", lambda p: p.write_text(f"{text}\n", encoding="utf-8"), overwrite=True)
    print(text)


if __name__ == "__main__":
    main()
