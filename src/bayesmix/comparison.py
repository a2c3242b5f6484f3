"""compare(): which model would predict another run like these best."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from bayesmix.diagnostics import PARETO_K
from bayesmix.errors import BayesmixError, listed
from bayesmix.loo import WAIC_VARIANCE, LeftOut, estimate
from bayesmix.posterior import Posterior
from bayesmix.stacking import pseudo_bma, stacking
from bayesmix.units import Units, units

LEAST_DIFFERENCE = 4.0  # nats
_FEW = 100


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Models ordered by expected log predictive density, with what to distrust.

    Attributes
    ----------
    table : DataFrame
        One row a model, best first: ``elpd`` and ``se`` (of `method`), ``p`` (effective number of quantities), ``diff``
        and ``diff_se`` (from the best), ``weight`` (stacking) and ``pseudo_bma`` (pseudo-BMA+), ``max_k`` and ``bad_k``
        (largest Pareto k and how many exceed 0.7, after all that was done about it), ``bad_k_before`` (how many did by
        importance sampling alone), ``waic`` and ``waic_se``.
    left_out : str
        What is left out at a time: run, mixture, observation, or the label column whose values are.
    units : int
        How many of them there are.
    method : str
        How what was left out is predicted.
    warnings : tuple of str
        Caveats in sentences, also that the table does not decide.
    undecided : tuple of str
        Models that are not told apart from the best.
    """

    table: pd.DataFrame
    left_out: str
    units: int
    method: str
    warnings: tuple[str, ...]
    undecided: tuple[str, ...] = ()

    def __repr__(self) -> str:
        names = listed([f"{n} {weight:.0%}" for n, weight in self.weights.items()])
        return f"<Comparison by {self.method}, {self.units} units left out by {self.left_out}; weights {names}>"

    @property
    def weights(self) -> dict[str, float]:
        """Stacking weight of each model."""
        return dict(zip(map(str, self.table.index), self.table["weight"].tolist(), strict=True))


def compare(
    posteriors: Mapping[str, Posterior],
    *,
    leave_out: str = "run",
    refit: bool = False,
    folds: int | None = None,
    seed: int = 0,
    processes: int = 1,
    progress: bool = False,
) -> Comparison:
    r"""Compare models fitted to the same runs.

    PSIS-LOO (Vehtari, Gelman and Gabry 2017) leaves out whole runs, since the checkpoints and targets of one run
    share its luck. Where Pareto k says that importance sampling fails, draws are moved to the posterior without the
    run; see `bayesmix.matching`. WAIC (Watanabe 2010; Gelman, Hwang and Vehtari 2014) is given beside it,
    $\mathrm{WAIC} = \sum_i \log \overline{p(y_i)} - \mathrm{var} \log p(y_i)$ over draws, as a log density. All
    likelihoods are densities of the response itself: a model of the log loss needs no correction to be compared with
    a model of the loss. The answer is about another run like these, not about a larger one.

    Two models are told apart if their expected densities differ by 4 nats (Sivula, Magnusson, Matamoros and Vehtari
    2020) and by the 95 % interval of a paired Student's t, which is wide where few units are left out.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        At least one; all of the same runs and targets.
    leave_out : str
        What to leave out at a time: run, mixture, observation, or the name of a label column, such as family.
    refit : bool
        Fit anew without each unit whose Pareto k is still bad when its draws were moved.
    folds : int, optional
        Leave out units in so many groups instead, chosen by chance, with a fit for each: K-fold cross-validation.
    seed, processes, progress
        Of these fits, see `fit_many`; and of the bootstrap of pseudo-BMA+.

    Raises
    ------
    InputError
        There is no label column of the name given.
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
    of = units(next(iter(posteriors.values())), leave_out)
    how = {"refit": refit, "folds": folds, "seed": seed, "processes": processes, "progress": progress}
    found = {name: estimate(p, of, **how) for name, p in posteriors.items()}
    densities = np.stack([f.density for f in found.values()])
    best = list(found)[int(densities.sum(axis=1).argmax())]
    shares = zip(stacking(densities).tolist(), pseudo_bma(densities, seed=seed).tolist(), strict=True)
    rows = {name: _row(f, found[best], *s) for (name, f), s in zip(found.items(), shares, strict=True)}
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values("elpd", ascending=False)
    cautions = [said for name, f in found.items() for said in _cautions(name, f, of, refit or bool(folds))]
    ordered = {str(name): found[str(name)] for name in table.index}
    undecided = tuple(_undecided(ordered))
    cautions += _closeness(ordered, undecided, of)
    return Comparison(table, leave_out, len(of), _method(found, refit, folds), tuple(cautions), undecided)


def _row(found: LeftOut, best: LeftOut, weight: float, pseudo: float) -> dict[str, float]:
    difference = found.density - best.density
    return {
        "elpd": float(found.density.sum()),
        "se": _error(found.density),
        "p": found.fitted - float(found.density.sum()),
        "diff": float(difference.sum()),
        "diff_se": _error(difference),
        "weight": weight,
        "pseudo_bma": pseudo,
        "max_k": float(found.k.max()),
        "bad_k": len(found.bad),
        "bad_k_before": int((found.first_k > PARETO_K).sum()),
        "waic": float(found.waic.sum()),
        "waic_se": _error(found.waic),
    }


def _error(densities: np.ndarray) -> float:
    """Return the standard error of a sum over units."""
    return float(np.sqrt(len(densities)) * densities.std(ddof=1))


def _method(found: Mapping[str, LeftOut], refit: bool, folds: int | None) -> str:
    if folds:
        return f"{folds}-fold cross-validation"
    moved = any(f.moved for f in found.values())
    where = f"where Pareto k was above {PARETO_K}"
    done = [f"moment matching {where}"] * moved + [f"refits where it {'stayed' if moved else 'was'} so"] * refit
    if refit and not moved:
        done = [f"refits {where}"]
    return ", with ".join(["PSIS-LOO", " and ".join(done)]) if done else "PSIS-LOO"


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


def _cautions(name: str, found: LeftOut, of: Units, refitted: bool) -> list[str]:
    cautions = [f"{name}: {said}." for said in found.said]
    if found.bad:
        count, largest = len(found.bad), found.k.max()
        beginning = f"{name}: Pareto k above {PARETO_K} for {count} left-out {of.several} (largest {largest:.2f}; "
        said = f"{beginning}{of.named(found.bad)}): "
        if refitted:
            said += "even a fit without them does not show how likely they are. Look at these runs."
        else:
            said += "they decide the fit by themselves and LOO is too optimistic about them. "
            if of.large:
                said += f"A whole {of.kind} is often more than importance sampling can leave out. "
            said += "Look at these runs, and refit without each of them (--refit)."
        cautions.append(said)
    if unstable := int((found.variance > WAIC_VARIANCE).sum()):
        cautions.append(
            f"{name}: the log likelihood of {unstable} left-out {of.several} varies by more than {WAIC_VARIANCE}: "
            "WAIC is unreliable, read LOO."
        )
    return cautions


def _undecided(found: Mapping[str, LeftOut]) -> list[str]:
    """Return the models that are not told apart from the best, which comes first."""
    best, *others = found
    return [name for name in others if not _told_apart(found[best].density - found[name].density)]


def _closeness(found: Mapping[str, LeftOut], rivals: Collection[str], of: Units) -> list[str]:
    """Return what keeps the table from deciding between the best model, which comes first, and its rivals."""
    said, (best, *others) = [], found
    if len(of) < _FEW:
        said.append(f"Only {len(of)} units are left out in turn: standard errors are rough below {_FEW}.")
    differences = {name: found[best].density - found[name].density for name in others}
    if rivals:
        listed = ", ".join(f"{n} (behind by {differences[n].sum():.1f} ± {_error(differences[n]):.1f})" for n in rivals)
        said.append(
            f"Not told apart from {best}: {listed}, within {LEAST_DIFFERENCE:g} nats or the 95 % interval of {len(of)} "
            "paired differences. The table does not decide between them: average them by their weights, or ask which "
            "forecasts hidden larger runs (extrapolate)."
        )
    for name in (n for n in others if n not in rivals):
        if found[name].bad or found[best].bad:
            said.append(
                f"As long as Pareto k is bad, {name} may be nearer to {best} than the standard error of their "
                "difference says."
            )
    return said


def _told_apart(difference: np.ndarray) -> bool:
    """Say whether differences, shape (unit,), add up to more than chance may."""
    beyond = float(stats.t.ppf(0.975, len(difference) - 1)) * _error(difference)
    return abs(difference.sum()) >= max(LEAST_DIFFERENCE, beyond)
