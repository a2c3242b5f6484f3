"""Fits of measured tables beside the numbers that the authors of the tables published.

    python benchmarks/reproduction --list
    python benchmarks/reproduction --out results           # fits, and one table, results/reproduction.md
    python benchmarks/reproduction --out results --only Porian

A published number is met if our 95 % interval holds it or meets its own; where it is not, a remark says why. Posteriors
are kept in the folder, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from cases import CASES, Case, Number
from shared import markdown, present

from bayesmix import Posterior, fit
from bayesmix.files import write_whole


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print what is fitted")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where results are kept, and where to go on")
    parser.add_argument("--only", action="append", metavar="TEXT", help="cases whose name has this in it")
    asked = parser.parse_args()
    if not (asked.list or asked.out):
        parser.error("say --list, or --out FOLDER")
    return asked


def posterior(case: Case, folder: Path) -> Posterior:
    """Return the posterior with default settings, kept from an earlier start."""
    path = folder / f"{re.sub(r'[^a-z0-9]+', '_', case.name.lower()).strip('_')}.nc"
    if not path.exists():
        fit(case.model, case.runs(), seed=0).save(path)
    return Posterior.load(path)


def compared(case: Case, found: Posterior) -> pd.DataFrame:
    """Return published and new numbers, one row a quantity."""
    groups = {**found.derived(), **found.tree["posterior"]}
    table = []
    for name, published in case.published.items():
        draws = groups[name].values.ravel()
        ours: Number = (float(np.median(draws)), *map(float, np.quantile(draws, [0.025, 0.975])))
        table.append({"fit": case.name, "runs": len(found.runs), "quantity": name, "published": shown(published),
                      "ours": shown(ours), "met": "yes" if meet(published, ours) else "no"})  # fmt: skip
    return pd.DataFrame(table)


def meet(published: Number, ours: Number) -> bool:
    """Say whether two intervals have a point in common; a number alone is an interval of no width."""
    return published[-1] >= ours[-2] and published[1 if len(published) > 1 else 0] <= ours[-1]


def shown(number: Number) -> str:
    """Return a number, and its interval if it has one."""
    value, *ends = (f"{v:.4g}" for v in number)
    return f"{value} ({ends[0]} to {ends[1]})" if ends else value


def main() -> None:
    asked = arguments()
    chosen = [c for c in CASES if not asked.only or any(text in c.name for text in asked.only)]
    for table in sorted({c.table for c in chosen if not present(c.table)}):
        print(f"{table} is not at hand: set BAYESMIX_DATA to the folder that has {table}/", file=sys.stderr)
    chosen = [c for c in chosen if present(c.table)]
    if asked.list:
        print(markdown(pd.DataFrame([{"fit": c.name, "law": c.model.law.name, "table": c.table} for c in chosen])))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    tables, remarks = [], []
    for case in chosen:
        found = posterior(case, asked.out)
        table = compared(case, found)
        print(table.to_string(header=False, index=False), flush=True)
        tables.append(table)
        remarks += [
            f"- {case.name}: {text}"
            for text in (case.remark, "" if found.converged else str(found.problems()[0]))
            if text
        ]
    text = "\n\n".join([markdown(pd.concat(tables)), "\n".join(remarks)])
    write_whole(asked.out / "reproduction.md", lambda p: p.write_text(f"{text}\n", encoding="utf-8"), overwrite=True)


if __name__ == "__main__":
    main()
