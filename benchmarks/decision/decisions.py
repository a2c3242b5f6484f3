"""Decisions from a few runs: what each way of choosing loses against the best on offer, and what ours claims."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from choosers import CHOOSERS, objective, posterior
from tables import Wish

from bayesmix.files import write_whole

SEEDS = (0, 1, 2)
OURS = "bayesmix"
LEVEL = 0.9


def decisions(wish: Wish, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return regrets, one row a decision and way of choosing, and claims, one row a decision and mixture on offer.

    What was computed is kept in the folder.
    """
    parts = [_kept(wish, count, seed, folder) for count, seed in _cases(wish)]
    regrets, claims = (pd.concat(found, ignore_index=True) for found in zip(*parts, strict=True))
    return regrets, claims


def _cases(wish: Wish) -> Iterator[tuple[int, int]]:
    everything = len(wish.offer().learned)
    for count in wish.shown:
        yield from ((count, seed) for seed in (SEEDS if count < everything else SEEDS[:1]))


def _kept(wish: Wish, count: int, seed: int, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    paths = [wish.path(folder, count, seed, what) for what in ("regrets", "claims")]
    if not all(path.exists() for path in paths):
        for path, table in zip(paths, _decided(wish, count, seed), strict=True):
            write_whole(path, lambda p, table=table: table.to_csv(p, index=False), overwrite=True)
        print(f"{wish.name}, {count} runs, seed {seed}", flush=True)
    regrets, claims = (pd.read_csv(path) for path in paths)
    return regrets, claims


def _decided(wish: Wish, count: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    offer, rng = wish.offer(), np.random.default_rng(seed)
    runs = wish.runs(rng.permutation(len(offer.learned))[:count])
    found = posterior(runs)
    expected, measured = objective(wish, found)
    choices = {OURS: int(expected.mean(axis=0).argmin())}
    choices |= {name: choose(wish, runs, rng) for name, choose in CHOOSERS.items()}
    truth, larger = wish.measured(offer.offered), wish.measured(offer.larger)
    about = {"wish": wish.name, "runs": count, "seed": seed}
    regrets = pd.DataFrame(
        [
            {**about, "by": name, "regret": truth[k] - truth.min(), "regret, larger": larger[k] - larger.min()}
            for name, k in choices.items()
        ]
    )
    gain = measured[:, [offer.baseline]] - measured
    low, high = np.quantile(gain, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    claims = pd.DataFrame(
        {
            "p_better": (gain > 0).mean(axis=0),
            "low": low,
            "high": high,
            "gained": truth[offer.baseline] - truth,
            "chosen": np.arange(len(truth)) == choices[OURS],
            "converged": found.converged,
        }
    ).drop(index=offer.baseline)
    return regrets, claims.assign(**about)
