"""Runs proposed one batch after another out of those that were measured, beside twice as many drawn at random.

Posteriors are previews: what is compared is which runs teach more, by the same law and the same inference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from choosers import objective, posterior
from tables import Wish, planned

from bayesmix import Posterior, Problem, propose
from bayesmix.files import write_whole

SEEDS = tuple(range(20))

# Wish, posterior so far, rows that are left in random order: rows to show next.
Policy = Callable[[Wish, Posterior, np.ndarray], np.ndarray]


def proposed(by: str) -> Policy:
    """Return what `bayesmix next` proposes; nothing once it says that no run is worth anything."""

    def policy(wish: Wish, found: Posterior, left: np.ndarray) -> np.ndarray:
        table = wish.offer().learned.iloc[left]
        proposal = propose(found, problem(wish), seed=0, most=wish.start // 2, pool=planned(table), by=by)
        return left[table["run"].isin(proposal.table["run"]).to_numpy()]

    return policy


def problem(wish: Wish) -> Problem:
    """Return the decision: a domain may have as much weight as in any mixture on offer."""
    offer = wish.offer()
    most = dict(zip(offer.domains, offer.w.max(axis=0), strict=True))
    baseline = dict(zip(offer.domains, offer.w[offer.baseline], strict=True))
    return Problem(bounds={d: (0.0, float(m)) for d, m in most.items()}, baseline=baseline)


RANDOM = "at random"
POLICIES: Mapping[str, Policy] = {
    "next, by regret": proposed("regret"),
    "next, by information": proposed("information"),
    RANDOM: lambda wish, _, left: left[: wish.start],
}


def replays(wish: Wish, folder: Path) -> pd.DataFrame:
    """Return the regret after every batch, one row a policy, seed and batch; kept in the folder."""
    parts = []
    for name, policy in POLICIES.items():
        for seed in SEEDS:
            path = wish.path(folder, name, seed)
            if not path.exists():
                most = wish.most if name == RANDOM else wish.most // 2
                table = _replayed(wish, policy, seed, most).assign(wish=wish.name, policy=name, seed=seed)
                write_whole(path, lambda p, table=table: table.to_csv(p, index=False))
                print(f"{wish.name}, {name}, seed {seed}", flush=True)
            parts.append(pd.read_csv(path))
    return pd.concat(parts, ignore_index=True)


def _replayed(wish: Wish, policy: Policy, seed: int, most: int) -> pd.DataFrame:
    offer = wish.offer()
    order = np.random.default_rng(seed).permutation(len(offer.learned))
    shown, left = order[: wish.start], order[wish.start :]
    truth, rows = wish.measured(offer.offered), []
    while True:
        found = posterior(wish.runs(shown), preview=True)
        choice = int(objective(wish, found)[0].mean(axis=0).argmin())
        rows.append({"runs": len(shown), "regret": truth[choice] - truth.min()})
        if len(shown) >= most or not len(left):
            break
        new = policy(wish, found, left)
        if not len(new):
            break
        shown, left = np.concatenate([shown, new]), left[~np.isin(left, new)]
    return pd.DataFrame(rows)
