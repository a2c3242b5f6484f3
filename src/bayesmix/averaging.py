r"""Averaging: one forecast from several laws, by how well each forecast larger runs that were hidden.

$$p(y \mid x) = \sum_k w_k\, p_k(y \mid x)$$

with the weights of `bayesmix.stacking`, over hidden scales in place of left-out runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayesmix.comparison import compare
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction
from bayesmix.stacking import stacking


def scale_weights(extrapolations: Sequence[Extrapolation]) -> dict[str, float]:
    """Return the stacking weight of each model, by the responses that all extrapolations hid and forecast.

    Raises
    ------
    BayesmixError
        Two are of one model, or they hid different responses.
    """
    keys = ["at", "run", "target"]
    tables = {e.model: e.table.set_index(keys)["log_score"] for e in extrapolations}
    if len(tables) < len(extrapolations):
        raise BayesmixError("two extrapolations are of the same model. Give one for each")
    first = next(iter(tables.values()))
    # Rows of one run at one threshold and target, such as checkpoints, stand in the same order in every table.
    if not all(table.index.equals(first.index) for table in tables.values()):
        raise BayesmixError(
            "the extrapolations hid different responses, so that their forecasts cannot be compared. Split the same "
            "runs at the same thresholds"
        )
    weights = stacking(-np.stack([table.to_numpy() for table in tables.values()]))
    return dict(zip(tables, weights.tolist(), strict=True))


def shares(posteriors: Mapping[str, Posterior], extrapolations: Sequence[Extrapolation] = ()) -> dict[str, float]:
    """Return each posterior's share in an averaged forecast.

    By hidden scales if there is an extrapolation of every model, else by the stacking weights of `compare`.
    """
    models = [p.model.name for p in posteriors.values()]
    if len(posteriors) == 1:
        return dict.fromkeys(posteriors, 1.0)
    if len(set(models)) == len(models) and {e.model for e in extrapolations} >= set(models):
        weights = scale_weights([e for e in extrapolations if e.model in models])
        return {name: weights[p.model.name] for name, p in posteriors.items()}
    return compare(posteriors).weights


def average(predictions: Mapping[str, Prediction], weights: Mapping[str, float], *, seed: int) -> Prediction:
    """Return the mixture of predictions of the same runs and targets.

    Parameters
    ----------
    predictions : mapping of str to Prediction
        One a model.
    weights : mapping of str to float
        Share of each in the draws; they sum to one.
    seed : int
        Chooses the draws.

    Raises
    ------
    BayesmixError
        The predictions are of different runs or targets.
    """
    parts = list(predictions.values())
    if len({(p.targets, p.planned.names) for p in parts}) > 1:
        raise BayesmixError("the predictions are of different runs or targets and cannot be averaged")
    rng = np.random.default_rng(seed)
    # As many draws as the shares allow without drawing any twice.
    total = int(min(len(p.expected) / weights[n] for n, p in predictions.items() if weights[n] > 0))
    chosen = {n: rng.permutation(len(p.expected))[: round(weights[n] * total)] for n, p in predictions.items()}
    expected, measured = (
        np.concatenate([getattr(p, of)[chosen[n]] for n, p in predictions.items()]) for of in ("expected", "measured")
    )
    warnings = dict.fromkeys(w for n, p in predictions.items() if weights[n] > 0.01 for w in p.warnings)
    return Prediction(expected, measured, parts[0].planned, parts[0].targets, tuple(warnings))
