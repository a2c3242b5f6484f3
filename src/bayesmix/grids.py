"""Grids: planned runs made up to search along, with the labels that a model pools over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayesmix.errors import BayesmixError, suggest
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs


def grid(posterior: Posterior, columns: Mapping[str, Any], labels: Mapping[str, str], source: str) -> Runs:
    """Return planned runs of these columns, all of one group where quantities differ between groups.

    Parameters
    ----------
    posterior : Posterior
        Whose model is asked about them.
    columns : mapping of str to number or array, shape (run,)
        What the law takes.
    labels : mapping of str to str
        Level of each label column that the model pools over; others are not looked at.
    source : str
        What the runs are called in errors.

    Raises
    ------
    BayesmixError
        A label is missing, or has a level that was not among the fitted runs.
    """
    levels = posterior.coordinates.levels
    for by, known in levels.items():
        if by not in labels:
            raise BayesmixError(
                f"model {posterior.model.name} pools over {by}: say of which runs this is asked, by the label "
                f"{by} = {known[0]} or another of {', '.join(known)}"
            )
        if labels[by] not in known:
            raise BayesmixError(
                f"{by} = {labels[by]} was not among the runs of the fit. {suggest(str(labels[by]), known)}"
            )
    return Runs.of(pd.DataFrame({**columns, **{by: labels[by] for by in levels}}), planned=True, source=source)
