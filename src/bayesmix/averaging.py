r"""Averaging: one forecast from several laws, by how well each forecast larger runs that were hidden.

$$p(y \mid x) = \sum_k w_k\, p_k(y \mid x)$$

with the weights of `bayesmix.stacking`, over hidden scales in place of left-out runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bayesmix.comparison import compare
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.optimum import Optimum
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction
from bayesmix.stacking import stacking

NEGLIGIBLE = 0.01  # weight below which a law does not count


def scale_weights(extrapolations: Sequence[Extrapolation]) -> dict[str, float]:
    """Return the stacking weight of each model, by the responses that all extrapolations hid and forecast.

    Raises
    ------
    BayesmixError
        Two are of one model, they hid different responses, or only some are of counts.
    """
    keys = ["at", "run", "target"]
    tables = {e.model: e.table.set_index(keys)["log_score"] for e in extrapolations}
    if len(tables) < len(extrapolations):
        raise BayesmixError("two extrapolations are of the same model. Give one for each")
    if len({e.discrete for e in extrapolations}) > 1:
        raise BayesmixError(
            "some of these models give probabilities of counts, others densities: their scores cannot be compared. "
            "Average models of one kind of noise"
        )
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
    """Return the mixture of predictions of the same runs and targets, with a warning where the laws disagree.

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
    if len({(p.targets, p.planned.hash) for p in parts}) > 1:
        raise BayesmixError("the predictions are of different runs or targets and cannot be averaged")
    expected, measured = _mixed({n: (p.expected, p.measured) for n, p in predictions.items()}, weights, seed)
    warnings = (*_disagreement(spread(predictions, weights)), *_inherited(predictions, weights))
    return Prediction(expected, measured, parts[0].planned, parts[0].targets, warnings)


def average_optimum(optima: Mapping[str, Optimum], weights: Mapping[str, float], *, seed: int) -> Optimum:
    """Return the mixture of compute-optimal allocations of the same budgets and targets; arguments as of `average`.

    Raises
    ------
    BayesmixError
        The allocations are of different budgets or targets.
    """
    parts = list(optima.values())
    if len({(o.targets, tuple(o.C.tolist())) for o in parts}) > 1:
        raise BayesmixError("the allocations are of different budgets or targets and cannot be averaged")
    N, D, response = _mixed({n: (o.N, o.D, o.response) for n, o in optima.items()}, weights, seed)
    return Optimum(parts[0].C, N, D, response, parts[0].targets, _inherited(optima, weights))


def spread(predictions: Mapping[str, Prediction], weights: Mapping[str, float]) -> pd.DataFrame:
    r"""Return how far laws lie apart, against how unsure each is by itself, of expected responses.

    $$\mathrm{var}(y) = \sum_k w_k \mathrm{var}_k(y) + \sum_k w_k (\bar y_k - \bar y)^2$$

    Returns
    -------
    DataFrame
        One row a run and target: ``sd_within`` and ``sd_between`` laws, the roots of the two sums; ``lowest`` and
        ``highest``, the median of the laws that say least and most, of those with at least 1 % of the weight.
    """
    first = next(iter(predictions.values()))
    heavy = [n for n in predictions if weights[n] >= NEGLIGIBLE]
    share = np.array([weights[n] for n in heavy]) / sum(weights[n] for n in heavy)
    drawn = [predictions[n].expected for n in heavy]
    within = np.tensordot(share, np.stack([d.var(axis=0) for d in drawn]), axes=1)
    means, medians = (np.stack([of(d, axis=0) for d in drawn]) for of in (np.mean, np.median))
    between = np.tensordot(share, (means - np.tensordot(share, means, axes=1)) ** 2, axes=1)
    values = {
        "sd_within": np.sqrt(within),
        "sd_between": np.sqrt(between),
        "lowest": medians.min(axis=0),
        "highest": medians.max(axis=0),
    }
    rows = [(run, target) for run in first.rows for target in first.targets]
    return pd.DataFrame(rows, columns=["run", "target"]).assign(**{n: v.ravel() for n, v in values.items()})


def _disagreement(apart: pd.DataFrame) -> list[str]:
    return [
        f"The laws disagree about {r['target']} of {r['run']} by more than each is unsure: {r['lowest']:.4g} to "
        f"{r['highest']:.4g}, a standard deviation of {r['sd_between']:.2g} between laws and {r['sd_within']:.2g} "
        "within. Which law holds there, their average cannot know."
        for r in apart.to_dict("records")
        if r["sd_between"] > r["sd_within"]
    ]


def _mixed(parts: Mapping[str, tuple[np.ndarray, ...]], weights: Mapping[str, float], seed: int) -> list[np.ndarray]:
    """Return the draws of each model by its share, arrays (draw, ...) with those of a model along the first axis."""
    rng = np.random.default_rng(seed)
    # As many draws as the shares allow without drawing any twice.
    total = int(min(len(arrays[0]) / weights[n] for n, arrays in parts.items() if weights[n] > 0))
    chosen = {n: rng.permutation(len(arrays[0]))[: round(weights[n] * total)] for n, arrays in parts.items()}
    return [
        np.concatenate([a[chosen[n]] for n, a in zip(parts, arrays, strict=True)])
        for arrays in zip(*parts.values(), strict=True)
    ]


def _inherited(results: Mapping[str, Prediction | Optimum], weights: Mapping[str, float]) -> tuple[str, ...]:
    """Return the warnings of all models that count, each once."""
    return tuple(dict.fromkeys(w for n, r in results.items() if weights[n] >= NEGLIGIBLE for w in r.warnings))
