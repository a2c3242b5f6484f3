"""bayesmix on many curves: all at once, or one after the other.

ours_curves.py MODEL FOLDER RESULT COUNT (fit_many | processes | fit | shell)
"""

import subprocess
import sys
from pathlib import Path

from ours import results
from tables import now, save, together

from bayesmix import Model, Posterior, Runs, fit, fit_many


def main(model: str, folder: str, result: str, count: str, way: str) -> None:
    table = Path(folder) / "runs.csv"
    curves = [f"curve={i}" for i in range(int(count))]
    law, runs = Model.read(model), Runs.read(table)
    tables = [runs.where(curve) for curve in curves]
    times, posteriors = [now()], []
    if way in ("fit_many", "processes"):
        posteriors += fit_many(law, tables, seed=0, processes=2 if way == "processes" else 1).values()
        times.append(now())
    else:
        for i, curve in enumerate(curves):
            one = fit(law, tables[i], seed=0) if way == "fit" else _from_the_shell(model, table, curve, Path(result))
            posteriors.append(one)
            times.append(now())
    draws, stats = (together(part) for part in zip(*map(results, posteriors), strict=True))
    save(result, draws, times=times, **stats)


def _from_the_shell(model: str, table: Path, curve: str, beside: Path) -> Posterior:
    out = beside.with_name(f"{curve}.nc")
    command = ["bayesmix", "fit", model, table, "--where", curve, "--out", out]
    command += ["--quiet", "--accept-unconverged", "--force"]
    subprocess.run([Path(sys.executable).parent / command[0], *command[1:]], check=True)
    return Posterior.load(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
