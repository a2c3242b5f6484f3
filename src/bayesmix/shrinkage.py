r"""Shrinkage: towards what, and with which others, a quantity of learned scale is drawn.

A law that says `scaled_by` draws the effects of domains towards zero, each by itself:

$$t_{ij} = \tau_i z_{ij},\quad \sum_j z_{ij} = 0$$

A model may know better. An earlier study says around what they lie, whatever its list of domains was; and domains that
are alike may be expected to act alike:

$$t_{ij} = m_{ij} + \tau_i z_{ij},\quad \mathrm{cor}(z_{ij}, z_{ik}) = \tfrac12\ \text{for j and k alike}$$

before z is made to sum to zero. How far it departs from that is learned all the same: $\tau$.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpyro.distributions import LogNormal, transforms

from bayesmix.errors import BayesmixError, Fault, suggest
from bayesmix.precision import double
from bayesmix.toml import is_number

if TYPE_CHECKING:
    from bayesmix.model import Model
    from bayesmix.posterior import Posterior

COMMON = 0.5  # of the variance, between domains that are alike
# By how much the logarithm of a domain's worth may change from one study to the next, and how well that is known.
DRIFT, UNSURE = 0.3, 0.7


@dataclass(frozen=True)
class Shrinkage:
    """What is known before of effects whose scale is learned.

    Parameters
    ----------
    around : mapping of str to mapping of str to float
        Target to domain to the effect that is expected. What an earlier study did not know may be missing.
    alike : sequence of sequence of str
        Groups of domains that are alike; no domain is in two of them.
    """

    around: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    alike: Sequence[Sequence[str]] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "alike", tuple(map(tuple, self.alike)))
        named = [domain for group in self.alike for domain in group]
        if twice := sorted({d for d in named if named.count(d) > 1}):
            raise BayesmixError(f"{', '.join(twice)} are named twice as alike. Name a domain in one group")
        if few := [list(group) for group in self.alike if len(group) < 2]:
            raise BayesmixError(f"{few[0]} is alike to nothing. Name at least two domains")

    @classmethod
    def of(cls, table: Any, name: str) -> Shrinkage:
        """Build that of a quantity from a table of a TOML file.

        Raises
        ------
        BayesmixError
            It is another table.
        """
        kinds = {"around": _table_of(_table_of(is_number)), "alike": _list_of(_list_of(_is_name))}
        if not (isinstance(table, Mapping) and all(k in kinds and kinds[k](v) for k, v in table.items())):
            raise BayesmixError(
                f"shrinkage of {name!r} is not understood. "
                'Write { alike = [["web", "news"]] }, { around = { "loss.web" = { web = 0.5, news = 0.2 } } }, or both'
            )
        return cls(**table)

    def faults(self, name: str, targets: Sequence[str], domains: Sequence[str]) -> Iterator[Fault]:
        """Yield what does not fit the names of targets and domains."""
        for domain in (d for group in self.alike for d in group if d not in domains):
            yield Fault(f"shrinkage of {name}: there is no domain {domain!r} to be alike", suggest(domain, domains))
        known = [d for t in targets for d in self.around.get(t, {}) if d in domains]
        if self.around and not known:
            yield Fault(
                f"shrinkage of {name} is around the effects of other domains on other targets than those of the runs",
                "Name targets and domains as in the study before",
            )

    def centre(self, targets: Sequence[str], domains: Sequence[str]) -> np.ndarray:
        """Return what is expected, shape (target, domain): sums of zero, and zero for what is not known."""
        known = np.array([[d in self.around.get(t, {}) for d in domains] for t in targets])
        value = np.array([[self.around.get(t, {}).get(d, 0.0) for d in domains] for t in targets])
        mean = value.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
        return np.where(known, value - mean, 0.0)

    def root(self, domains: Sequence[str]) -> np.ndarray:
        """Return a root of the covariance of effects that sum to zero, shape (domain - 1, domain - 1)."""
        together = [[any({a, b} <= set(group) for group in self.alike) for b in domains] for a in domains]
        covariance = np.where(np.eye(len(domains), dtype=bool), 1.0, COMMON * np.array(together))
        basis = zero_sum_basis(len(domains))
        return np.linalg.cholesky(basis @ covariance @ basis.T)


def _table_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Mapping) and all(map(fits, value.values()))


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def zero_sum_basis(size: int) -> np.ndarray:
    """Return orthonormal vectors that sum to zero, shape (size - 1, size): those that are sampled by."""
    with double():
        return np.asarray(transforms.ZeroSumTransform(1)(np.eye(size - 1)))


def shrinkable(model: Model) -> list[str]:
    """Return the quantities that may be drawn towards something: effects of domains on targets, of learned scale."""
    effects = [n for n, q in model.unknowns.items() if q.scaled_by and q.zero_sum]
    return [n for n in effects if model.dims(n) == ("target", "domain")]


def after(model: Model, posterior: Posterior) -> Model:
    """Return the model with its effects of domains expected where an earlier study found them; see `Model.after`."""
    posterior.require_converged()
    mine, known = model.unknowns, posterior.model.unknowns
    # The same letter may stand for an effect of the opposite sign in another law.
    names = [n for n in shrinkable(model) if n in shrinkable(posterior.model) and mine[n].meaning == known[n].meaning]
    if not names:
        raise BayesmixError(
            f"model {model.name} has no effects of domains of learned scale that {posterior.model.name} knows too. "
            "Use one law for both studies, such as effective_tokens"
        )
    shrinkage, changes, domains = dict(model.shrinkage), {}, posterior.coordinates.domains
    for name in names:
        draws = posterior.values()[name]
        mean, sd = draws.mean(axis=0), draws.std(axis=0)
        rows = [dict(zip(domains, row.tolist(), strict=True)) for row in mean.round(4)]
        around = dict(zip(posterior.targets, rows, strict=True))
        shrinkage[name] = replace(shrinkage.get(name, Shrinkage()), around=around)
        scale = model.unknowns[name].scaled_by
        if scale in model.unknowns:
            typical = float(np.hypot(DRIFT, np.sqrt((sd**2).mean())))
            changes[scale] = LogNormal(round(float(np.log(typical)), 4), UNSURE)
    return replace(model.given(**changes), shrinkage=shrinkage)
