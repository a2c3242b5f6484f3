"""What is lost by choosing a mixture from few runs, beside what people use today, on real tables.

    pip install -e '.[bench]'
    python benchmarks/decision --list
    python benchmarks/decision --out results              # fits, rivals, replays, results/decision.md; hours
    python benchmarks/decision --out results --only RegMix

One of the mixtures on offer is chosen, whose losses were measured but shown to nobody; regret is what it lost against
the best of them, in nats. Ways to choose that answer with a mixture of their own get the nearest one on offer. What was
computed is kept in the folder, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from decisions import LEVEL, decisions
from replay import replays
from shared import arguments, chosen, markdown
from tables import WISHES

from bayesmix.files import write_text

BINS = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)


def regretted(regrets: pd.DataFrame) -> pd.DataFrame:
    """Return the mean regret of every way to choose, a column a number of runs, and that of larger models."""
    columns = ["regret", "regret, larger"]
    found = regrets.pivot_table(index=["wish", "by"], columns="runs", values=columns, sort=False).sort_index(axis=1)
    shown = found.map("{:.4f}".format).where(found.notna(), "")
    return (shown["regret"] + " / " + shown["regret, larger"]).replace(" / ", "").reset_index()


def claimed(claims: pd.DataFrame) -> pd.DataFrame:
    """Return how often a mixture was better than the baseline where that was said to be so probable."""
    better, said = claims["gained"] > 0, pd.cut(claims["p_better"], list(BINS), include_lowest=True)
    table = claims.assign(better=better, said=said).groupby("said", observed=True)
    return table.agg(claims=("better", "size"), said_on_average=("p_better", "mean"), was_better=("better", "mean"))


def covered(claims: pd.DataFrame) -> pd.DataFrame:
    """Return how often intervals held the measured gain: of all mixtures, and of those chosen over the baseline."""
    held = claims.assign(inside=(claims["low"] <= claims["gained"]) & (claims["gained"] <= claims["high"]))
    cases = held.groupby(["wish", "runs"], sort=False)
    return pd.DataFrame(
        {
            f"in {LEVEL:.0%}, all": cases["inside"].mean().round(2),
            f"in {LEVEL:.0%}, chosen": [
                f"{(c['inside'] & c['chosen']).sum()} of {c['chosen'].sum()}" for _, c in cases
            ],
            "converged": cases["converged"].mean().round(2),
        }
    ).reset_index()


def needed(found: pd.DataFrame, batch: int) -> pd.DataFrame:
    """Return mean regrets by number of runs, after every batch; a replay that stopped keeps its last regret.

    Blank where a policy, which goes in larger steps, was never asked.
    """
    steps = found.pivot_table(index="runs", columns=["policy", "seed"], values="regret", sort=False).sort_index()
    mean = steps.ffill().T.groupby("policy", sort=False).mean()
    mean = mean.loc[:, mean.columns % batch == 0]
    at = {policy: set(part) for policy, part in found.groupby("policy")["runs"]}
    asked = [[n in at[policy] or n > max(at[policy]) for n in mean.columns] for policy in mean.index]
    shown = mean.map("{:.4f}".format).where(np.array(asked), "")
    stopped = found.groupby(["policy", "seed"])["runs"].max().groupby("policy").mean()
    return shown.assign(**{"runs at the end": stopped.round(1)}).reset_index()


def main() -> None:
    asked = arguments(__doc__)
    wishes = chosen(WISHES, asked.only)
    if asked.list:
        print(markdown(pd.DataFrame([{"wish": w.name, "runs": ", ".join(map(str, w.shown)), "replayed": bool(w.most)}
                                     for w in wishes])))  # fmt: skip
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    regrets, claims = (pd.concat(found) for found in zip(*(decisions(wish, asked.out) for wish in wishes), strict=True))
    text = ["Mean regret, nats, by number of runs: of models like those seen / of larger ones.",
            markdown(regretted(regrets)), "Claims about single measured runs of all mixtures against the baseline.",
            markdown(claimed(claims).round(3).reset_index()), markdown(covered(claims))]  # fmt: skip
    for wish in (w for w in wishes if w.most):
        text += [
            f"{wish.name}: mean regret by number of runs.",
            markdown(needed(replays(wish, asked.out), wish.start // 2)),
        ]
    write_text(asked.out / "decision.md", "\n\n".join(text) + "\n", overwrite=True)
    print("\n\n".join(text))


if __name__ == "__main__":
    main()
