"""Units: what is left out at a time, and how to speak of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesmix.errors import BayesmixError, Fault, InputError, listed, suggest
from bayesmix.posterior import Posterior

KINDS = ("run", "mixture", "observation")
_NAMED = 3


@dataclass(frozen=True)
class Units:
    """Rows that are left out together.

    Attributes
    ----------
    kind : str
        run, mixture or observation; or the label column whose values they are.
    index : integer array, shape (observation,)
        Which unit each row belongs to: 0, 1, ...; -1 where none of the targets was measured.
    names : tuple of str
        How each is called.
    """

    kind: str
    index: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def several(self) -> str:
        """What they are called together."""
        return f"{self.kind}s" if self.kind in KINDS else f"values of {self.kind}"

    @property
    def large(self) -> bool:
        """Whether they are many runs as a rule."""
        return self.kind not in ("run", "observation")

    def rows(self, units: Sequence[int]) -> np.ndarray:
        """Return which rows belong to some units, boolean, shape (observation,)."""
        return np.isin(self.index, units)

    def named(self, units: Sequence[int]) -> str:
        """Return the names of the first few."""
        return listed([self.names[u] for u in units], _NAMED)


def units(posterior: Posterior, kind: str) -> Units:
    """Return what is left out at a time of the runs of a posterior.

    Parameters
    ----------
    posterior : Posterior
        Its runs and targets count.
    kind : str
        run, mixture, observation, or a label column.

    Raises
    ------
    InputError
        There is no such label column, or there are no mixtures.
    BayesmixError
        There is only one such unit.
    """
    runs, measured = posterior.runs, np.asarray(posterior.inputs.observed).any(axis=1)
    if kind not in (*KINDS, *runs.labels):
        labels = ", ".join(runs.labels) or "none"
        what = (
            f"{kind!r} cannot be left out: it is none of {', '.join(KINDS)}, and no label column (there are: {labels})"
        )
        raise InputError(runs.source, [Fault(what, suggest(kind, (*KINDS, *runs.labels)))])
    rows = np.array([f"{name}, row {i}" for i, name in enumerate(runs.names)])
    names = np.array(runs.names)
    of = {
        "run": lambda: (names, names),
        "mixture": lambda: (runs.column("w"), np.array([f"that of {name}" for name in names])),
        "observation": lambda: (np.arange(len(runs)), names if len(set(names)) == len(names) else rows),
    }
    values, called = of[kind]() if kind in of else (labels := runs.table[kind].astype(str).to_numpy(), labels)
    _, first, inverse = np.unique(values[measured], axis=0, return_index=True, return_inverse=True)
    index = np.full(len(runs), -1)
    index[measured] = inverse.ravel()
    if len(first) < 2:
        raise BayesmixError(
            f"there is only one {kind} with a measured target, so that nothing would remain if it were left out. "
            "Leave out less: run, then observation"
        )
    return Units(kind, index, tuple(called[measured][first].tolist()))
