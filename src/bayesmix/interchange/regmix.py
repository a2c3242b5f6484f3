"""RegMix: a CSV of mixtures and a CSV of losses of the same proxy runs.

```
train_mixture_1m.csv                                train_pile_loss_1m.csv
index,train_the_pile_arxiv,train_the_pile_freelaw   index,metric/the_pile_arxiv_val_loss
1,0.25,0.75                                         1,4.41
```

Read as `run` = index, `w.the_pile_arxiv`, `loss.the_pile_arxiv`. The files do not say N and D: add them (`--set
N=1e6`). Weights are rounded to three decimals, so a mixture of n domains may miss the sum of one by 0.0005 n.

Source: sail-sg/regmix, folder `data`, of October 2024. Liu et al. (2025), RegMix: Data Mixture as Regression for
Language Model Pre-training, arXiv:2407.01492.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from bayesmix.card import SUM_TOLERANCE, Card
from bayesmix.interchange._join import paired
from bayesmix.interchange._reading import Source, Table, every, file_count, read_cells, settled

FILES = ("MIXTURE.csv", "LOSS.csv")


def read(sources: Sequence[Source], card: Card) -> Table:
    """Read a pair of files, mixtures first."""
    file_count(sources, FILES, "regmix")
    paths = [source.path for source in sources]
    (mixtures, first), (losses, second) = every(paths, read_cells, "regmix")
    seen = (*map(str, mixtures.columns), *map(str, losses.columns))
    left = settled(mixtures, card, _usual(mixtures, "train_", "", "w."), str(paths[0]))
    right = settled(losses, card, _usual(losses, "metric/", "_val_loss", "loss."), str(paths[1]))
    if card.sum_tolerance == SUM_TOLERANCE:
        domains = sum(str(name).startswith("w.") for name in left.columns)
        card = replace(card, sum_tolerance=min(0.1, max(SUM_TOLERANCE, 0.0005 * domains)))
    return replace(paired((paths[0], left, first), (paths[1], right, second), card), seen=seen)


def _usual(frame: pd.DataFrame, before: str, after: str, vector: str) -> dict[str, str]:
    """Return the standard names of a file: its first column names the run."""
    names = [str(name) for name in frame.columns]
    named = [n for n in names[1:] if n.startswith(before) and n.endswith(after) and len(n) > len(before + after)]
    return {names[0]: "run"} | {n: vector + n[len(before) : len(n) - len(after)] for n in named}
