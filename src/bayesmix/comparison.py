"""compare(): which model would predict another run like these best."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import arviz_base
import arviz_stats
import numpy as np
import pandas as pd

from bayesmix.errors import BayesmixError
from bayesmix.evaluation import log_likelihood
from bayesmix.posterior import Posterior
from bayesmix.refit import exact, in_folds
from bayesmix.stacking import stacking

BAD_K = 0.7
WAIC_VARIANCE = 0.4
Unit = Literal["run", "mixture", "observation"]


@dataclass(frozen=True)
class Comparison:
    """Models ordered by expected log predictive density, with what to distrust.

    Attributes
    ----------
    table : DataFrame
        One row a model, best first: ``elpd`` and ``se`` (of `method`), ``p`` (effective number of quantities), ``diff``
        and ``diff_se`` (from the best), ``weight`` (stacking), ``max_k`` and ``bad_k`` (largest Pareto k and how many
        exceed 0.7), ``waic`` and ``waic_se``.
    left_out : str
        What is left out at a time: a whole run, a whole mixture, or one row.
    units : int
        How many of them there are.
    method : str
        How what was left out is predicted.
    warnings : tuple of str
        Caveats in sentences.
    """

    table: pd.DataFrame
    left_out: Unit
    units: int
    method: str
    warnings: tuple[str, ...]

    @property
    def weights(self) -> dict[str, float]:
        """Stacking weight of each model."""
        return dict(zip(map(str, self.table.index), self.table["weight"].tolist(), strict=True))


def compare(
    posteriors: Mapping[str, Posterior],
    *,
    leave_out: Unit = "run",
    refit: bool = False,
    folds: int | None = None,
    seed: int = 0,
    processes: int = 1,
    progress: bool = False,
) -> Comparison:
    r"""Compare models fitted to the same runs.

    PSIS-LOO (Vehtari, Gelman and Gabry 2017) leaves out whole runs, since the checkpoints and targets of one run
    share its luck; WAIC (Watanabe 2010; Gelman, Hwang and Vehtari 2014) is given beside it,
    $\mathrm{WAIC} = \sum_i \log \overline{p(y_i)} - \mathrm{var} \log p(y_i)$ over draws, as a log density. All
    likelihoods are densities of the response itself: a model of the log loss needs no correction to be compared with
    a model of the loss. The answer is about another run like these, not about a larger one.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        At least one; all of the same runs and targets.
    leave_out : {"run", "mixture", "observation"}
        What to leave out at a time.
    refit : bool
        Fit anew without each unit whose Pareto k says that importance sampling cannot stand in for that.
    folds : int, optional
        Leave out units in so many groups instead, chosen by chance, with a fit for each: K-fold cross-validation.
    seed, processes, progress
        Of these fits; see `fit_many`.

    Raises
    ------
    BayesmixError
        The posteriors are not of the same runs or targets, mix densities with probabilities, or there are fewer than
        two folds.
    NotConvergedError
        One of them has not converged.
    """
    if folds is not None and folds < 2:
        raise BayesmixError(f"folds is {folds}. Give at least 2")
    require_alike(posteriors)
    _require_one_kind(posteriors)
    first = next(iter(posteriors.values()))
    unit = _units(first, leave_out)
    likelihoods = {name: log_likelihood(p, unit) for name, p in posteriors.items()}
    elpds, cautions = {}, []
    for name, likelihood in likelihoods.items():
        elpd = _loo(likelihood)
        bad = [[int(u)] for u in np.flatnonzero(np.asarray(elpd.pareto_k) > BAD_K)] if refit else []
        groups = in_folds(likelihood.shape[2], folds, seed) if folds else bad
        if groups:
            found, said = exact(posteriors[name], unit, groups, seed=seed, processes=processes, progress=progress)
            elpd = _replaced(elpd, found)
            cautions += [f"{name}: {sentence}." for sentence in said]
        elpds[name] = elpd
    pointwise = {name: np.asarray(elpd.elpd_i) for name, elpd in elpds.items()}
    weights = dict(zip(elpds, stacking(np.stack(list(pointwise.values()))).tolist(), strict=True))
    best = max(elpds, key=lambda n: elpds[n].elpd)
    rows = {}
    for name, elpd in elpds.items():
        k = np.asarray(elpd.pareto_k)
        difference = pointwise[name] - pointwise[best]
        waic, waic_se, unstable = _waic(likelihoods[name])
        rows[name] = {
            "elpd": float(elpd.elpd),
            "se": float(elpd.se),
            "p": float(elpd.p),
            "diff": difference.sum(),
            "diff_se": np.sqrt(len(difference)) * difference.std(ddof=1),
            "weight": weights[name],
            "max_k": k.max(),
            "bad_k": int((k > BAD_K).sum()),
            "waic": waic,
            "waic_se": waic_se,
        }
        cautions += _cautions(name, rows[name], unstable, leave_out)
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values("elpd", ascending=False)
    units = int(unit.max()) + 1
    method = f"{folds}-fold cross-validation" if folds else "PSIS-LOO"
    if refit and not folds:
        method += f", with refits where Pareto k was above {BAD_K}"
    return Comparison(table, leave_out, units, method, tuple(cautions + _closeness(table, units)))


def require_alike(posteriors: Mapping[str, Posterior]) -> None:
    """Raise an error unless all posteriors converged, and are of the same runs and targets."""
    if not posteriors:
        raise BayesmixError("there is nothing to compare: give at least one posterior")
    for posterior in posteriors.values():
        posterior.require_converged()
    remedy = "Fit all of them to the same runs and targets"
    _require_same("runs", posteriors, lambda p: f"{len(p.runs)} rows, hash {p.runs.hash[:8]}", remedy)
    _require_same("targets", posteriors, lambda p: ", ".join(p.targets), remedy)


def _require_one_kind(posteriors: Mapping[str, Posterior]) -> None:
    def kind(posterior: Posterior) -> str:
        return "probabilities of counts" if posterior.model.noise.discrete else "densities"

    remedy = "Compare those with the noise binomial among themselves, the others among themselves"
    _require_same("kinds of noise", posteriors, kind, remedy)


def _require_same(what: str, posteriors: Mapping[str, Posterior], key: Callable[[Posterior], str], remedy: str) -> None:
    groups: dict[str, list[str]] = {}
    for name, posterior in posteriors.items():
        groups.setdefault(key(posterior), []).append(name)
    if len(groups) > 1:
        listed = "; ".join(f"{', '.join(names)} ({group})" for group, names in groups.items())
        raise BayesmixError(f"the posteriors are of different {what} and cannot be compared: {listed}. {remedy}")


def _units(posterior: Posterior, leave_out: Unit) -> np.ndarray:
    """Return the unit of each row: 0, 1, ...; -1 where none of the targets was measured."""
    runs, measured = posterior.runs, np.asarray(posterior.inputs.observed).any(axis=1)
    of = {
        "observation": lambda: np.arange(len(runs)),
        "mixture": lambda: runs.column("w"),
        "run": lambda: np.array(runs.names),
    }
    unit = np.full(len(runs), -1)
    unit[measured] = np.unique(of[leave_out]()[measured], axis=0, return_inverse=True)[1].ravel()
    if unit.max() < 1:
        raise BayesmixError(
            f"there is only one {leave_out} with a measured target, so that nothing would remain if it were left out. "
            "Leave out less: run, then observation"
        )
    return unit


def _loo(likelihood: np.ndarray) -> Any:
    # The mean over draws stands in for a quantity, so that the relative efficiency is that of the likelihood itself.
    tree = arviz_base.from_dict({"posterior": {"lp": likelihood.sum(axis=2)}, "log_likelihood": {"run": likelihood}})
    # What ArviZ warns of here is said in the comparison's own warnings, with names.
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        return arviz_stats.loo(tree, pointwise=True)


def _replaced(elpd: Any, found: Mapping[int, float]) -> Any:
    """Put exact densities of some units in place of estimated ones; their Pareto k is 0, since nothing is estimated."""
    pointwise, k = elpd.elpd_i.copy(), elpd.pareto_k.copy()
    for unit, density in found.items():
        pointwise[unit], k[unit] = density, 0.0
    values = np.asarray(pointwise)
    total, error = float(values.sum()), float(np.sqrt(len(values)) * values.std(ddof=1))
    return replace(
        elpd, elpd=total, se=error, p=elpd.p + elpd.elpd - total, elpd_i=pointwise, pareto_k=k, warning=False
    )


def _waic(likelihood: np.ndarray) -> tuple[float, float, int]:
    flat = likelihood.reshape(-1, likelihood.shape[-1])
    density = np.logaddexp.reduce(flat, axis=0) - np.log(len(flat))
    variance = flat.var(axis=0, ddof=1)
    pointwise = density - variance
    error = np.sqrt(len(pointwise)) * pointwise.std(ddof=1)
    return float(pointwise.sum()), float(error), int((variance > WAIC_VARIANCE).sum())


def _cautions(name: str, row: Mapping[str, float], unstable: int, leave_out: Unit) -> list[str]:
    found = []
    if row["bad_k"]:
        found.append(
            f"{name}: Pareto k above {BAD_K} for {row['bad_k']} left-out {leave_out}s (largest {row['max_k']:.2f}): "
            "they decide the fit by themselves and LOO is too optimistic about them. Look at these runs, and refit "
            "without each of them (--refit)."
        )
    if unstable:
        found.append(
            f"{name}: the log likelihood of {unstable} left-out {leave_out}s varies by more than {WAIC_VARIANCE}: "
            "WAIC is unreliable, read LOO."
        )
    return found


def _closeness(table: pd.DataFrame, units: int) -> list[str]:
    found = []
    if units < 100:
        found.append(f"Only {units} units are left out in turn: standard errors are rough below 100.")
    rivals = [str(n) for n, r in table.iloc[1:].iterrows() if abs(r["diff"]) < max(4.0, 2 * r["diff_se"])]
    if rivals:
        found.append(f"Not told apart from {table.index[0]}: {', '.join(rivals)} (within 4, or 2 standard errors).")
    return found
