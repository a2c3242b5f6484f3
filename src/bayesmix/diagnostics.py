"""What is wrong with a posterior, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from arviz_stats.base import array_stats

if TYPE_CHECKING:
    from bayesmix.model import Model
    from bayesmix.posterior import Posterior
    from bayesmix.runs import Runs

R_HAT = 1.01
NEARLY = 1.05  # R-hat up to which chains that differ may have too few effective draws rather than modes of their own
ESS = 400
BFMI = 0.3
PRIOR_SD_KEPT = 0.5
DEEPEST_TREE = 1023  # leapfrog steps
PARETO_K = 0.7
TAIL = (0.05, 0.95)  # quantiles whose effective sample size is that of the tails
_TOLD = 2  # attempts that are quoted

Draws = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Problem:
    """One thing a reader of the posterior must know.

    Parameters
    ----------
    kind : str
        Short name of the check.
    sentence : str
        What was seen, and what to do.
    fatal : bool
        Whether the draws cannot be trusted at all; otherwise a caution.
    short : str
        What was seen in a few words.
    mild : bool
        Whether nothing but more draws is likely to be wanting.
    """

    kind: str
    sentence: str
    fatal: bool = True
    short: str = field(default="", compare=False)
    mild: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        label = "NOT CONVERGED" if self.fatal else "PREVIEW" if self.kind == "preview" else "caution"
        return f"{label}: {self.sentence}"


def find_problems(posterior: Posterior) -> list[Problem]:
    """Return everything found, what forbids using the posterior first."""
    draws, stats = (
        {str(n): v.values for n, v in posterior.tree[group].to_dataset().data_vars.items()}
        for group in ("posterior", "sample_stats")
    )
    found = [
        *(_preview(posterior, draws) if posterior.preview else sampling_problems(draws, stats)),
        *_attempts(posterior),
        *_modes(posterior),
        *_prior(posterior),
        *ignored(posterior.model, posterior.runs),
    ]
    found += [Problem("provenance", note, fatal=False) for note in posterior.notes]
    return sorted(found, key=lambda p: (not p.fatal, p.kind != "preview"))


def sampling_problems(draws: Draws, stats: Draws) -> list[Problem]:
    """Return what the draws themselves, arrays (chain, draw, ...), show to be wrong."""
    return [*_convergence(draws), *_sampler(stats)]


def _preview(posterior: Posterior, draws: Draws) -> Iterator[Problem]:
    if not all(np.isfinite(v).all() for v in draws.values()):
        yield _NOT_FINITE
        return
    k = posterior.pareto_k
    verdict = (
        "it is close to the posterior, but tails and intervals are rough"
        if k < PARETO_K
        else f"it is far from the posterior (at most {PARETO_K})"
    )
    yield Problem(
        "preview",
        f"These are draws of an approximation, not a sampled posterior; its Pareto k of {k:.2f} says that "
        f"{verdict}. Fit without preview before anything is decided.",
        fatal=not k < PARETO_K,
    )


def _attempts(posterior: Posterior) -> Iterator[Problem]:
    if posterior.attempts:
        before = "; then ".join(posterior.attempts[:_TOLD])
        if (more := len(posterior.attempts) - _TOLD) > 0:
            before += f"; and {'once' if more == 1 else f'{more} times'} more"
        yield Problem(
            "attempts",
            f"Sampling was repeated more carefully after {before}. The draws at hand are judged on their own; expect "
            "the same of models like it.",
            fatal=False,
        )


def _worst(values: Mapping[str, np.ndarray], largest: bool) -> tuple[str, float]:
    """Return the name and value of the worst; NaN, which chains that never move give, is worse than anything."""
    per_name = {n: float(v.max() if largest else v.min()) for n, v in values.items()}
    name = max(per_name, key=lambda n: (np.isnan(per_name[n]), per_name[n] if largest else -per_name[n]))
    return name, per_name[name]


_NOT_FINITE = Problem(
    "finite",
    "Some draws are not finite. The law overflows under its prior: look at the priors.",
    short="draws that are not finite",
)


def _convergence(draws: Draws) -> Iterator[Problem]:
    more = "Run more draws; if it stays, the runs cannot tell some quantities apart: fix one, or use a simpler law."
    if not all(np.isfinite(v).all() for v in draws.values()):
        yield _NOT_FINITE
        return

    worst = mixing(draws)
    name, value = worst["r_hat"]
    if not value <= R_HAT:
        yield Problem(
            "r_hat",
            f"R-hat of {name} is {value:.4f} (at most {R_HAT}): the chains disagree. {more}",
            short=f"R-hat {value:.4f} of {name}",
            mild=value <= NEARLY,
        )
    for method in ("bulk", "tail"):
        name, value = worst[f"ess_{method}"]
        if not value >= ESS:
            yield Problem(
                f"ess_{method}",
                f"The {method} effective sample size of {name} is {value:.0f} (at least {ESS}). {more}",
                short=f"{method} ESS {value:.0f} of {name}",
                mild=True,
            )


def mixing(draws: Draws) -> dict[str, tuple[str, float]]:
    """Return R-hat, bulk and tail effective sample size of draws (chain, draw, ...), each where it is worst."""

    def of_each(statistic, **options) -> dict[str, np.ndarray]:
        return {n: np.asarray(statistic(v, chain_axis=0, draw_axis=1, **options)) for n, v in draws.items()}

    return {
        "r_hat": _worst(of_each(array_stats.rhat), largest=True),
        "ess_bulk": _worst(of_each(array_stats.ess, method="bulk"), largest=False),
        "ess_tail": _worst(of_each(array_stats.ess, method="tail", prob=TAIL), largest=False),
    }


def _sampler(stats: Draws) -> Iterator[Problem]:
    count, total = int(stats["diverging"].sum()), stats["diverging"].size
    if count:
        yield Problem(
            "divergences",
            f"{count} of {total} draws diverged: a region of the posterior was not explored. Use tighter priors, a "
            "simpler law, or complete pooling where groups are few.",
            fatal=count > total // 1000,
            short=f"{count} divergence{'s' if count > 1 else ''}",
        )
    deep = int((stats["n_steps"] >= DEEPEST_TREE).sum())
    if deep:
        yield Problem(
            "tree_depth",
            f"{deep} of {total} draws hit the maximum tree depth: sampling is slow, not wrong. Look for quantities "
            "that the runs cannot tell apart.",
            fatal=False,
        )
    bfmi = stats["bfmi"] if "bfmi" in stats else energy_mixing(stats["energy"])
    if not bfmi.min() >= BFMI:
        yield Problem(
            "bfmi",
            f"The energy mixes badly (BFMI {bfmi.min():.2f}, at least {BFMI}): tails are too heavy for the sampler. "
            "Use priors with lighter tails, or a noise with more degrees of freedom.",
            short=f"BFMI {bfmi.min():.2f}",
        )


def energy_mixing(energy: np.ndarray) -> np.ndarray:
    """Return the Bayesian fraction of missing information of each chain (Betancourt 2016, eq. 9), shape (chain,)."""
    return (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)


def _modes(posterior: Posterior) -> Iterator[Problem]:
    if posterior.modes > 1:
        yield Problem(
            "modes",
            f"{posterior.modes} separate modes explain the runs about equally well. If R-hat is good the chains moved "
            "between them; report the intervals, never a point, and add runs that tell the modes apart.",
            fatal=False,
        )


def _prior(posterior: Posterior) -> Iterator[Problem]:
    kept, law = posterior.prior_kept, posterior.model.law
    dominated = {n: v for n, v in kept.items() if v > PRIOR_SD_KEPT and n in law.quantities}
    if dominated:
        listed = ", ".join(f"{n} ({min(v, 1):.0%})" for n, v in sorted(dominated.items(), key=lambda i: -i[1]))
        yield Problem(
            "prior",
            f"The prior decides much of {listed}: that share of its standard deviation is left after the runs. Read "
            "these as assumptions, or vary the runs so that they show them.",
            fatal=False,
        )


def ignored(model: Model, runs: Runs) -> Iterator[Problem]:
    """Say which covariates vary among runs that a model's law does not use."""
    used = {"C": {"N", "D"}, "M": {"N", "D"}}
    seen: set[str] = set()
    for known in model.uses:
        seen |= used.get(known, {known})
    if seen & set(runs.targets):
        return  # a link: all else acts through the loss
    for symbol in ("N", "D", "w"):
        if symbol in seen or symbol not in runs.symbols:
            continue
        values = runs.column(symbol)
        varies = np.ptp(values, axis=0).max() > 0.02 if symbol == "w" else values.max() > 1.05 * values.min()
        if varies:
            yield Problem(
                "ignored",
                f"{symbol} varies among these runs, but law {model.law.name} does not use it: its effect is "
                f"taken for noise. Choose runs of one {symbol}, or a law that has it.",
                fatal=False,
            )
