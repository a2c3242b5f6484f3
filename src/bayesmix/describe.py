"""Tables of runs and laws in words, for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bayesmix import laws
from bayesmix.covariates import COVARIATES
from bayesmix.law import OWN, Prior, Reference
from bayesmix.model import Model
from bayesmix.priors import describe
from bayesmix.runs import Runs


def described(runs: Runs, models: Sequence[str] = ()) -> Iterator[str]:
    """Yield what a table holds and what its design can show, of the models named or else of the common ones."""
    yield f"{runs.source}: {len(runs)} rows, {len(set(runs.names))} runs, nothing wrong"
    yield ""
    for symbol in runs.symbols:
        yield _range(runs, symbol)
    for target in runs.targets:
        values = runs.column(target)
        missing = int(np.isnan(values).sum())
        note = f", {missing} missing" if missing else ""
        yield f"{target:24} {np.nanmin(values):.4g} to {np.nanmax(values):.4g}{note}"
    if runs.labels:
        yield f"{'labels':24} {', '.join(runs.labels)}"
    yield ""
    yield from telling(runs, models)


def telling(runs: Runs, models: Sequence[str] = ()) -> Iterator[str]:
    """Yield what the design of a table can and cannot show, of the models named or else of the common ones."""
    from bayesmix.identifiability import COMMON, assess, design_facts, lacking, weak

    yield from (f"design: {fact}" for fact in design_facts(runs))
    found = assess(runs, models or COMMON)
    yield ""
    yield "What runs like these leave of each prior's standard deviation, by law (at 1 % errors; above half is weak):"
    for name, shares in found.items():
        listed = ", ".join(f"{q} {s:.0%}" for q, s in shares.items())
        poor = weak(shares)
        yield f"  {name:20} {listed}" + (f"   cannot identify: {', '.join(poor)}" if poor else "")
    for name in models:
        if name not in found:
            yield f"  {name:20} not shown by such runs: {lacking(runs, Model.read(name))}"
    if not found and not models:
        yield "  no columns here that feed the common laws and vary; `bayesmix laws --for` names all that these feed"


def _range(runs: Runs, symbol: str) -> str:
    values = runs.column(symbol)
    if symbol == "w":
        distinct = len(np.unique(values.round(6), axis=0))
        return f"{'w':24} {len(runs.domains)} domains ({', '.join(runs.domains)}), {distinct} distinct mixtures"
    if symbol == "unique":
        return f"{'unique':24} {_counted(runs.domains, values)}"
    distinct = len(np.unique(np.round(np.log(values), 2)))
    unit = COVARIATES[symbol].unit
    return f"{symbol:24} {values.min():.4g} to {values.max():.4g} {unit}, {distinct} distinct"


def _counted(domains: Sequence[str], values: np.ndarray) -> str:
    """Say how many unique tokens there are of the domains where somebody counted them."""
    least = zip(domains, values.min(axis=0), strict=True)
    return ", ".join(f"{domain} from {few:.4g}" for domain, few in least if np.isfinite(few)) + " tokens"


def catalogue(names: Sequence[str]) -> Iterator[str]:
    """Yield one line a law, ordered by family."""
    shown = sorted(map(laws.get, names), key=lambda law: (law.family, law.name))
    covariates = [", ".join(law.covariates) or "-" for law in shown]
    width, wide = (max(map(len, column), default=0) + 2 for column in (names, covariates))
    yield f"{'law':{width}} {'family':16} {'response':9} {'covariates':{wide}} source"
    for law, needed in zip(shown, covariates, strict=True):
        yield f"{law.name:{width}} {law.family:16} {law.response:9} {needed:{wide}} {law.paper or '-'}"
    yield ""
    yield f"{len(shown)} laws. bayesmix laws NAME shows one in full."


def law_card(name: str) -> Iterator[str]:
    """Yield a law's equation and the table of its quantities."""
    law = laws.get(name)
    yield law.document
    yield ""
    for about in law.takes.values():
        unit = f" [{about.unit}]" if about.unit else ""
        low, high = about.plausible
        yield f"{about.symbol:10} is {about.meaning}, usually {low:g} to {high:g}{unit}"
    for quantity, value in law.quantities.items():
        if isinstance(value, Prior):
            relative = " x the response's geometric mean" if value.relative else ""
            dims = f" over ({', '.join(value.dims)})" if value.dims else ""
            unit = f" [{value.unit}]" if value.unit else ""
            yield f"{quantity:10} ~ {describe(value.distribution)}{relative}{dims}  {value.meaning}{unit}"
        elif isinstance(value, Reference) and value.covariate == OWN:
            yield f"{quantity:10} = 1 where the domain has the target's name, 0 elsewhere, unless given"
        elif isinstance(value, Reference):
            yield f"{quantity:10} = the runs' mean of {value.covariate} (geometric; arithmetic for w), unless given"
        else:
            yield f"{quantity:10} = {value:g}"
