"""Three hundred fits of different laws in one process: memory maps and memory must stay bounded.

    python benchmarks/many_programs.py

Every fit has equations of its own, so that none reuses the compiled program of another, and nothing is read from a
cache on disk. A process that keeps them all is aborted by XLA when it has used up the memory maps that Linux allows.
"""

import itertools
import os
import resource
import sys
import time

os.environ["BAYESMIX_CACHE"] = "off"

import dataclasses

import numpy as np
import pandas as pd

from bayesmix import Model, Runs, fit, simulate
from bayesmix.inference.maps import used
from bayesmix.noise import NOISES

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 300
# A quantity that is fixed to another number each time is another program.
FIXED = {"alab_m2": "c", "chinchilla": "beta", "kaplan_nd": "beta", "gadre_overtraining": "eta"}
NOISE = ("log_normal", "normal", "log_student_t")


def table() -> Runs:
    rng = np.random.default_rng(0)
    N = np.exp(rng.uniform(np.log(5e7), np.log(5e9), 24))
    design = Runs.of(pd.DataFrame({"N": N, "D": N * np.exp(rng.uniform(np.log(5), np.log(200), 24))}), planned=True)
    model = Model.read("chinchilla_normal")
    constants = {**Model.read("chinchilla").published["besiroglu2024"], "sigma": 0.004}
    return simulate(model, design, constants, targets=("loss",), seed=0)


def models():
    for i, (law, noise) in zip(range(COUNT), itertools.cycle(itertools.product(FIXED, NOISE)), strict=False):
        model = Model.read(law)
        if law == "alab_m2":
            model = dataclasses.replace(model, covariates={"x": "D"})
        yield dataclasses.replace(model, noise=NOISES[noise]).given(**{FIXED[law]: 0.2 + 0.0005 * i})


def main() -> None:
    runs, begin, most = table(), time.perf_counter(), 0.0
    for i, model in enumerate(models(), start=1):
        fit(model, runs, seed=0, draws=50, warmup=60)
        most = max(most, used())
        if i % 20 == 0:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{i} fits, {time.perf_counter() - begin:.0f} s, maps {used():.0%}, peak memory {peak:.0f} MB",
                flush=True,
            )
    print(f"done: {COUNT} fits, at most {most:.0%} of the memory maps that the system allows")


if __name__ == "__main__":
    main()
