"""bayesmix on many curves: all at once, or one after the other.

ours_curves.py MODEL FOLDER RESULT COUNT (fit_many | fit)
"""

import sys
from pathlib import Path

from ours import results
from tables import now, save, together

from bayesmix import Model, Runs, fit, fit_many


def main(model: str, folder: str, result: str, count: str, way: str) -> None:
    model, runs = Model.read(model), Runs.read(Path(folder) / "runs.csv")
    tables = [runs.where(f"curve={i}") for i in range(int(count))]
    begin = now()
    if way == "fit_many":
        posteriors = fit_many(model, tables, seed=0).values()
    else:
        posteriors = [fit(model, table, seed=0) for table in tables]
    draws, stats = (together(part) for part in zip(*map(results, posteriors), strict=True))
    save(result, draws, times=[begin, now()], **stats)


if __name__ == "__main__":
    main(*sys.argv[1:])
