"""bayesmix as its README has it: one fit.

ours.py MODEL FOLDER RESULT [CHAINS]
"""

import sys
from pathlib import Path

from tables import now, save

from bayesmix import Model, Posterior, Runs, fit


def results(posterior: Posterior) -> tuple[dict, dict]:
    """Return draws and statistics of the sampler by name."""
    draws, stats = (posterior.tree[group] for group in ("posterior", "sample_stats"))
    return (
        {name: draws[name].values for name in posterior.model.unknowns},
        {name: stats[name].values for name in ("diverging", "n_steps")},
    )


def main(model: str, folder: str, result: str, chains: str = "4") -> None:
    runs = Runs.read(Path(folder) / "runs.csv")
    begin = now()
    posterior = fit(Model.read(model), runs, seed=0, chains=int(chains))
    draws, stats = results(posterior)
    save(result, draws, times=[begin, now()], **stats)


if __name__ == "__main__":
    main(*sys.argv[1:])
