r"""Risk: one number from the draws of an objective, smaller being better; each is a weighted sum of sorted draws.

$$\rho(x) = \max_k \sum_i a_{ki}\, x_{(i)}$$

with $x_{(1)} \le x_{(2)} \le \dots$ the draws. The mean weighs all alike. The expected shortfall of the worst share
$\alpha$ (CVaR) weighs the largest $\alpha$ of them alike, and the draw on the boundary by what is left of it, which is
the minimum of Rockafellar and Uryasev (2000, eq. 4) over their auxiliary variable. The quantile has the weights of
Harrell and Davis (1982), that change smoothly from rank to rank, where a single order statistic would jump. These are
spectral risk measures (Acerbi 2002); convex, but for the quantile, wherever the draws are. The worst law is the largest
of the means over the draws of each law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betainc

from bayesmix.errors import Fault, InputError
from bayesmix.toml import is_number

WORST_LAW = "worst law"
_REMEDY = f'Give "mean", "{WORST_LAW}", {{ quantile = 0.9 }} or {{ cvar = 0.2 }}, with a number between 0 and 1'


@dataclass(frozen=True)
class Risk:
    """What is minimised of the objective's draws.

    Parameters
    ----------
    kind : {"mean", "quantile", "cvar", "worst law"}
        See the module.
    level : float
        Probability of the quantile, or worst share of the expected shortfall.
    """

    kind: str = "mean"
    level: float = 0.0

    @classmethod
    def of(cls, stated: str | Mapping[str, float]) -> Risk:
        """Build it from what a problem states.

        Raises
        ------
        InputError
            It is none of the known ones.
        """
        if stated in ("mean", WORST_LAW):
            return cls(str(stated))
        if isinstance(stated, Mapping) and len(stated) == 1:
            ((kind, level),) = stated.items()
            if kind in ("quantile", "cvar") and is_number(level) and 0 < level < 1:
                return cls(kind, float(level))
        raise InputError("problem", [Fault(f"risk is {stated!r}", _REMEDY)])

    @property
    def sorts(self) -> bool:
        """Whether the draws have to be sorted."""
        return self.kind in ("quantile", "cvar")

    def weights(self, counts: Sequence[int]) -> np.ndarray:
        """Return the weights of the draws, shape (term, draw), of so many draws of each law in turn."""
        total = int(sum(counts))
        if self.kind == "mean":
            return np.full((1, total), 1 / total)
        if self.kind == "quantile":
            a, b = (total + 1) * self.level, (total + 1) * (1 - self.level)
            return np.diff(betainc(a, b, np.linspace(0, 1, total + 1)))[None]
        if self.kind == "cvar":
            worst = total * self.level
            return (np.clip(np.arange(total) + 1 - (total - worst), 0, 1) / worst)[None]
        law = np.repeat(np.arange(len(counts)), counts)
        return np.array([(law == k) / count for k, count in enumerate(counts) if count])

    def __call__(self, draws: np.ndarray, counts: Sequence[int]) -> float:
        """Return the risk of draws, so many of each law in turn."""
        return float(terms(draws, self.weights(counts), self.sorts, np).max())

    def __str__(self) -> str:
        names = {
            "mean": "mean",
            "quantile": f"{100 * self.level:g} % quantile",
            "cvar": f"mean of the worst {100 * self.level:g} %",
            WORST_LAW: "mean under the worst law",
        }
        return names[self.kind]


def softened(weights: np.ndarray, width: int) -> np.ndarray:
    """Return the weights of sorted draws averaged over so many ranks to either side; they keep their sum.

    Those of an expected shortfall stay within what its dual allows, so that the weighted sum of any draws is a lower
    bound of it (Rockafellar and Uryasev 2000), and changes more gently from mixture to mixture.
    """
    if width < 1:
        return weights
    # Beyond the ends the weights are mirrored, so that none are lost.
    padded = np.pad(weights, ((0, 0), (width, width)), mode="symmetric")
    kernel = np.full(2 * width + 1, 1 / (2 * width + 1))
    return np.array([np.convolve(row, kernel, mode="valid") for row in padded])


def terms(draws: Any, weights: Any, sorts: bool, library: Any) -> Any:
    """Return the terms of which the largest is the risk, shape (term,); weights as `Risk.weights` has them.

    By NumPy, or by `jax.numpy`.
    """
    return weights @ (library.sort(draws) if sorts else draws)
