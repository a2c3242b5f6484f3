"""What is wrong with a posterior, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import arviz_stats
import numpy as np

from bayesmix.inference.program import MAX_TREE_DEPTH

if TYPE_CHECKING:
    import xarray as xr

    from bayesmix.posterior import Posterior

R_HAT = 1.01
ESS = 400
BFMI = 0.3
PRIOR_SD_KEPT = 0.5


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
    """

    kind: str
    sentence: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{'NOT CONVERGED' if self.fatal else 'caution'}: {self.sentence}"


def find_problems(posterior: Posterior) -> list[Problem]:
    """Return everything found, what forbids using the posterior first."""
    found = [
        *_convergence(posterior),
        *_sampler(posterior),
        *_modes(posterior),
        *_prior(posterior),
        *_ignored(posterior),
    ]
    found += [Problem("provenance", note, fatal=False) for note in posterior.notes]
    return sorted(found, key=lambda p: not p.fatal)


def _worst(values: xr.Dataset, largest: bool) -> tuple[str, float]:
    """Return the name and value of the worst; NaN, which chains that never move give, is worse than anything."""
    per_name = {
        str(n): float(v.max(skipna=False) if largest else v.min(skipna=False)) for n, v in values.data_vars.items()
    }
    name = max(per_name, key=lambda n: (np.isnan(per_name[n]), per_name[n] if largest else -per_name[n]))
    return name, per_name[name]


def _convergence(posterior: Posterior) -> Iterator[Problem]:
    draws = posterior.tree["posterior"].to_dataset()
    more = "Run more draws; if it stays, the runs cannot tell some quantities apart: fix one, or use a simpler law."
    if not all(np.isfinite(v).all() for v in draws.data_vars.values()):
        yield Problem("finite", "Some draws are not finite. The law overflows under its prior: look at the priors.")
        return
    name, value = _worst(arviz_stats.rhat(draws), largest=True)
    if not value <= R_HAT:
        yield Problem("r_hat", f"R-hat of {name} is {value:.3f} (at most {R_HAT}): the chains disagree. {more}")
    for method in ("bulk", "tail"):
        name, value = _worst(arviz_stats.ess(draws, method=method), largest=False)
        if not value >= ESS:
            yield Problem(
                f"ess_{method}",
                f"The {method} effective sample size of {name} is {value:.0f} (at least {ESS}). {more}",
            )


def _sampler(posterior: Posterior) -> Iterator[Problem]:
    stats = posterior.tree["sample_stats"].to_dataset()
    count = int(stats["diverging"].sum())
    total = stats["diverging"].size
    if count:
        yield Problem(
            "divergences",
            f"{count} of {total} draws diverged: a region of the posterior was not explored. Use tighter priors, a "
            "simpler law, or complete pooling where groups are few.",
            fatal=count > total // 1000,
        )
    deep = int((stats["n_steps"] >= 2**MAX_TREE_DEPTH - 1).sum())
    if deep:
        yield Problem(
            "tree_depth",
            f"{deep} of {total} draws hit the maximum tree depth: sampling is slow, not wrong. Look for quantities "
            "that the runs cannot tell apart.",
            fatal=False,
        )
    energy = stats["energy"].values
    bfmi = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)
    if not bfmi.min() >= BFMI:
        yield Problem(
            "bfmi",
            f"The energy mixes badly (BFMI {bfmi.min():.2f}, at least {BFMI}): tails are too heavy for the sampler. "
            "Use priors with lighter tails, or a noise with more degrees of freedom.",
        )


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


def _ignored(posterior: Posterior) -> Iterator[Problem]:
    used = {"C": {"N", "D"}, "M": {"N", "D"}}
    seen: set[str] = set()
    for column in posterior.model.columns.values():
        seen |= used.get(column, {column})
    if seen & set(posterior.runs.targets):
        return  # a link: all else acts through the loss
    for symbol in ("N", "D", "w"):
        if symbol in seen or symbol not in posterior.runs.symbols:
            continue
        values = posterior.runs.column(symbol)
        varies = np.ptp(values, axis=0).max() > 0.02 if symbol == "w" else values.max() > 1.05 * values.min()
        if varies:
            yield Problem(
                "ignored",
                f"{symbol} varies among these runs, but law {posterior.model.law.name} does not use it: its effect is "
                f"taken for noise. Choose runs of one {symbol}, or a law that has it.",
                fatal=False,
            )
