"""Fits of measured tables beside the numbers that the authors of the tables published.

    python benchmarks/reproduction --list
    python benchmarks/reproduction --out results           # fits, and one table, results/reproduction.md
    python benchmarks/reproduction --out results --only Porian

A published number is met if our 95 % interval holds it or meets its own, a published error if that of our medians is no
larger; where it is not, a remark says what is known of why. Posteriors are kept in the folder, so that the same command
goes on where it was stopped.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from cases import CASES, Case, Number
from shared import arguments, chosen, markdown

from bayesmix import Posterior, fit, predict
from bayesmix.files import write_text


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
    if case.rmsd is not None:
        error = rmsd(found)
        table.append({"fit": case.name, "runs": len(found.runs), "quantity": "error of log responses",
                      "published": shown((case.rmsd,)), "ours": shown((error,)),
                      "met": "yes" if error <= case.rmsd else "no"})  # fmt: skip
    return pd.DataFrame(table)


def rmsd(found: Posterior) -> float:
    """Return the root mean squared error of the log responses at the medians, mean over targets."""
    medians = np.median(predict(found.accept(), found.runs, seed=0).expected, axis=0)
    errors = np.log(medians) - np.log(np.stack([found.runs.column(t) for t in found.targets], axis=1))
    return float(np.sqrt((errors**2).mean(axis=0)).mean())


def meet(published: Number, ours: Number) -> bool:
    """Say whether two intervals have a point in common; a number alone is an interval of no width."""
    return published[-1] >= ours[-2] and published[1 if len(published) > 1 else 0] <= ours[-1]


def shown(number: Number) -> str:
    """Return a number, and its interval if it has one."""
    value, *ends = (f"{v:.4g}" for v in number)
    return f"{value} ({ends[0]} to {ends[1]})" if ends else value


def main() -> None:
    asked = arguments(__doc__)
    cases = chosen(CASES, asked.only)
    if asked.list:
        print(markdown(pd.DataFrame([{"fit": c.name, "law": c.model.law.name, "table": c.table} for c in cases])))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    tables, remarks = [], {}
    for case in cases:
        found = posterior(case, asked.out)
        table = compared(case, found)
        print(table.to_string(header=False, index=False), flush=True)
        tables.append(table)
        for text in (case.remark, "" if found.converged else str(found.problems()[0])):
            remarks.setdefault(text, []).append(case.name)
    remarks.pop("", None)
    said = "\n".join(f"- {'; '.join(names)}: {text}" for text, names in remarks.items())
    text = "\n\n".join([markdown(pd.concat(tables)), said])
    write_text(asked.out / "reproduction.md", f"{text}\n", overwrite=True)


if __name__ == "__main__":
    main()
