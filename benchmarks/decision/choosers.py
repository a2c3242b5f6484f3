"""Ways to choose one of the mixtures on offer, from runs and their losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from shared import rivals
from tables import Offer, Wish

from bayesmix import Model, Posterior, Runs, fit, predict

LAW = "effective_tokens"
SIMULATED, TOP = 100_000, 128  # of RegMix
STRENGTHS = (0.1, 5.0)  # of RegMix's mixtures, which lie around natural shares, smallest and largest

# Wish, runs that were seen, random numbers: which mixture on offer.
Chooser = Callable[[Wish, Runs, np.random.Generator], int]


def posterior(runs: Runs, *, preview: bool = False) -> Posterior:
    """Return the posterior of our law with default settings, converged or not: what did not converge counts too."""
    return fit(Model.read(LAW), runs, seed=0, preview=preview).accept()


def objective(wish: Wish, found: Posterior) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of the objective of every mixture on offer, expected and of one measured run: (draw, mixture)."""
    forecast = predict(found, wish.offer().planned(), seed=0)
    return forecast.expected.mean(axis=2), forecast.measured.mean(axis=2)


def by_rival(name: str) -> Chooser:
    """Return the choice of the least forecast of a point estimate."""

    def choose(wish: Wish, runs: Runs, _: np.random.Generator) -> int:
        planned = wish.offer().planned()
        return int(np.mean([rivals.RIVALS[name](runs, planned, loss) for loss in wish.losses], axis=0).argmin())

    return choose


def top_average(wish: Wish, runs: Runs, rng: np.random.Generator) -> int:
    """Return what is nearest to RegMix's answer: the mean of the simulated mixtures that its trees like best."""
    offer = wish.offer()
    w = simulated(offer, rng)
    columns = {f"w.{d}": w[:, k] for k, d in enumerate(offer.domains)}
    fixed = {s: runs.table[s].iloc[0] for s in ("N", "D") if s in runs.table}
    asked = Runs.of(pd.DataFrame({"run": np.arange(len(w)).astype(str), **fixed, **columns}), planned=True)
    forecast = np.mean([rivals.lightgbm(runs, asked, loss) for loss in wish.losses], axis=0)
    return offer.nearest(w[np.argsort(forecast)[:TOP]].mean(axis=0))


def simulated(offer: Offer, rng: np.random.Generator) -> np.ndarray:
    """Return mixtures, tight and loose, shape (mixture, domain), around the habitual one for want of natural shares."""
    root = np.sqrt(offer.habitual)
    shape = root / root.sum() * len(root)
    strengths = np.geomspace(*STRENGTHS, 50)
    drawn = np.concatenate([rng.dirichlet(strength * shape, SIMULATED // len(strengths)) for strength in strengths])
    return drawn[np.isfinite(drawn).all(axis=1)]


def best_seen(wish: Wish, runs: Runs, _: np.random.Generator) -> int:
    """Return what is nearest to the best run that was seen."""
    offer, table = wish.offer(), runs.table
    return offer.nearest(offer.weights(table.iloc[[wish.measured(table).argmin()]]))


def habit(wish: Wish, _: Runs, __: np.random.Generator) -> int:
    """Return what is nearest to the mixture that one would train without any runs."""
    return wish.offer().baseline


def uniform(wish: Wish, _: Runs, __: np.random.Generator) -> int:
    """Return what is nearest to the uniform mixture."""
    offer = wish.offer()
    return offer.nearest(np.full(len(offer.domains), 1 / len(offer.domains)))


CHOOSERS: Mapping[str, Chooser] = {
    "LightGBM, best forecast": by_rival(rivals.TREES),
    f"LightGBM, mean of the top {TOP} (RegMix)": top_average,
    "log-linear, best forecast (Olmix)": by_rival(rivals.LOG_LINEAR),
    "random search: best run seen": best_seen,
    "habit": habit,
    "uniform": uniform,
}
