"""The models in full: equation, priors, what the runs made of them, and what others found."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import re
from typing import Any

import numpy as np

from bayesmix.diagnostics import PRIOR_SD_KEPT
from bayesmix.figures import prior_posterior_figure
from bayesmix.law import Prior
from bayesmix.posterior import Posterior
from bayesmix.report import facts, numbers
from bayesmix.report.blocks import Block, Equation, Heading, Picture, Section, Table, Text
from bayesmix.report.groups import Results
from bayesmix.report.tex import equations


def models(results: Results) -> Section:
    """Return every model with its quantities."""
    blocks = [b for name, posterior in results.posteriors.items() for b in _model(name, posterior)]
    lead = Text(
        "× reference: the prior is of the quantity divided by the geometric mean of the response. Prior s.d. kept: the "
        "share of the prior's standard deviation that the runs left (the largest, of several values); near 100 % the "
        "prior decides."
    )
    return Section("Models and priors", (lead, *blocks))


def _model(name: str, posterior: Posterior) -> list[Block]:
    model = posterior.model
    lines = model.law.document.splitlines() or [""]
    source = re.search(r"^Source: (.+?)(?:\n\n|\Z)", model.law.document, re.DOTALL | re.MULTILINE)
    pooled = [f"{q} by {p.by} ({p.kind})" for q, p in model.pooling.items()]
    found = facts.quantities(posterior)
    constants = ", ".join(f"{n} = {_constant(v)}" for n, v in facts.constants(posterior).items() if np.ndim(v) < 2)
    return [
        Heading(name),
        Text(lines[0].replace("$", "")),
        *(Equation(tex) for tex in equations(model.law.document)),
        Text(
            f"Law {model.law.name}{f' ({model.law.paper})' if model.law.paper else ''}. Noise: {model.noise.name}. "
            f"Pooling: {', '.join(pooled) or 'complete'}." + (f" Constants: {constants}." if constants else "")
        ),
        # What follows about "the number" is about the law's own doctest, which is not on this page.
        *(
            [
                Text(
                    "Source: "
                    + " ".join(source[1].split()).replace("$", "").partition(". The number")[0].rstrip(".")
                    + "."
                )
            ]
            if source
            else []
        ),
        *_priors(found),
        *_tables(posterior, found, "Posterior mean ± standard deviation"),
        *_derived(posterior),
        *_published(posterior, found),
        *_quantities(name, posterior),
    ]


def _quantities(name: str, posterior: Posterior) -> list[Block]:
    if not any(isinstance(quantity, Prior) for quantity in posterior.model.law.quantities.values()):
        return []  # all are stated as numbers
    drawn = "Prior (grey) and posterior of the law's quantities, scaled to the same height."
    return [Picture(prior_posterior_figure(posterior), f"quantities-{name}", _learned(name, posterior), drawn)]


def _learned(name: str, posterior: Posterior) -> str:
    """Return the claim of the figure: how much of their priors the runs left the law's quantities."""
    kept = {n: k for n, k in posterior.prior_kept.items() if n in posterior.model.law.quantities and np.isfinite(k)}
    if not kept:
        return f"{name}: what was believed before the runs, and after."
    worst = max(kept, key=lambda n: kept[n])
    most = "decides" if kept[worst] > PRIOR_SD_KEPT else "left little to decide"
    return (
        f"{name}: least was learned of {worst}, which keeps {numbers.percent(min(kept[worst], 1), 0)} of its prior's "
        f"standard deviation; there the prior {most}."
    )


def _constant(value: Any) -> str:
    if isinstance(value, list):
        return f"({', '.join(f'{v:.3g}' for v in value)})"
    return numbers.amount(value) if abs(value) >= 1e3 else numbers.plain(value)


def _priors(found: dict[str, dict[str, Any]]) -> list[Block]:
    """Return one row a quantity: what it is and was believed to be, and what was found where it is one number."""
    header = ("quantity", "meaning", "unit", "prior", "mean", "s.d.", "90 % interval", "prior s.d. kept")
    rows = []
    for name, q in found.items():
        count = int(np.size(q["mean"]))
        if count == 1:
            values = [float(np.ravel(q[k])[0]) for k in ("mean", "sd", "low90%", "high90%")]
            mean, sd, low, high = numbers.together(values, values[1])
            cells = (mean, sd, f"{low} to {high}")
        else:
            cells = (f"{count} values", "below", "")
        kept = "" if q["prior_sd_kept"] is None else f"{100 * min(q['prior_sd_kept'], 1):.0f} %"
        rows.append((name, q["meaning"], q["unit"], q["prior"], *cells, kept))
    return [Table.of(header, rows, words=4, title="Quantities")]


def _tables(posterior: Posterior, found: dict[str, dict[str, Any]], title: str) -> list[Block]:
    """Return quantities of several values: those with the same rows side by side, a matrix by itself."""
    blocks: list[Block] = []
    beside: dict[tuple[str, ...], list[str]] = {}
    for name, q in found.items():
        if np.size(q["mean"]) == 1:
            continue
        if "domain" in q["dims"] and len(q["dims"]) > 1:
            blocks.append(_matrix(posterior, name, q, title))
        else:
            beside.setdefault(tuple(q["dims"]), []).append(name)
    for dims, names in beside.items():
        cells = [
            [_cell(m, s) for m, s in zip(np.ravel(found[n]["mean"]), np.ravel(found[n]["sd"]), strict=True)]
            for n in names
        ]
        rows = [(label, *(c[i] for c in cells)) for i, label in enumerate(_labels(posterior, dims))]
        blocks.insert(0, Table.of((", ".join(dims), *names), rows, title=title))
    return blocks


def _matrix(posterior: Posterior, name: str, q: dict[str, Any], title: str) -> Table:
    dims, columns = q["dims"][:-1], posterior.coordinates.of(q["dims"][-1])
    mean, sd = (np.reshape(q[k], (-1, len(columns))) for k in ("mean", "sd"))
    rows = [(label, *map(_cell, m, s)) for label, m, s in zip(_labels(posterior, dims), mean, sd, strict=True)]
    return Table.of((f"{name}: {', '.join(dims)}", *columns), rows, title=f"{title}: {name}")


def _cell(mean: float, sd: float) -> str:
    return " ± ".join(numbers.together([float(mean), float(sd)], float(sd)))


def _labels(posterior: Posterior, dims: tuple[str, ...]) -> list[str]:
    names = [""]
    for dim in dims:
        names = [f"{n} {level}".strip() for n in names for level in posterior.coordinates.of(dim)]
    return names


def _derived(posterior: Posterior) -> list[Block]:
    found = facts.derived(posterior)
    rows = [
        (name, *numbers.interval(*(float(np.ravel(q[k])[0]) for k in ("median", "low90%", "high90%"))))
        for name, q in found.items()
        if np.size(q["mean"]) == 1
    ]
    title = "Derived coefficients, in the units of the paper"
    blocks: list[Block] = [Table.of(("coefficient", "median", "90 % interval"), rows, title=title)] if rows else []
    return blocks + _tables(posterior, found, title)


def _published(posterior: Posterior, found: dict[str, dict[str, Any]]) -> list[Block]:
    stated = facts.published(posterior)
    own = {**found, **facts.derived(posterior)}
    names = [
        n for n, q in own.items() if np.size(q["mean"]) == 1 and any(n in constants for constants in stated.values())
    ]
    if not names:
        return []
    rows = []
    for n in names:
        middle, span = numbers.interval(*(float(np.ravel(own[n][k])[0]) for k in ("median", "low90%", "high90%")))
        rows.append((n, f"{middle} ({span})", *(numbers.plain(c[n], 4) if n in c else "" for c in stated.values())))
    header = ("coefficient", "this fit: median (90 %)", *stated)
    sources = " ".join(f"{n}: {c['source']}." for n, c in stated.items())
    return [
        Table.of(header, rows, title="Beside published constants"),
        Text(f"{sources} Other data and another tokenizer move the floor and the amplitudes; exponents travel better."),
    ]
