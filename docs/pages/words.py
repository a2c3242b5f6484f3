"""A law's document, its covariates, its quantities and its constants, as what the page shows."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from curves import Curves, is_decades, middle, span
from markupsafe import Markup

from bayesmix.figures.style import short
from bayesmix.law import OWN, Law, Prior, Reference
from bayesmix.model import Model
from bayesmix.priors import describe
from bayesmix.report.tex import mathml

# Code, names of laws and files, and what may be a law with a capital letter, but not the author of a paper.
_WORDS = re.compile(r"(``.+?``|`.+?`|\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?:\.py)?\b|\b[A-Z][A-Za-z]+\b(?! et al))")


def title(law: Law) -> str:
    """Return what the law says, in one sentence."""
    return law.document.splitlines()[0]


def passages(law: Law, pages: Collection[str]) -> Iterator[tuple[str, Markup]]:
    """Yield the document's equations, texts and numbers in their order, the title aside, as HTML.

    Parameters
    ----------
    law : Law
        The law.
    pages : collection of str
        Names of laws that a text may link to.
    """
    for paragraph in re.split(r"\n\s*\n", law.document)[1:]:
        if paragraph.startswith(">>>"):
            yield "number", Markup("{}").format(paragraph)
            continue
        for k, part in enumerate(re.split(r"\$\$(.+?)\$\$", paragraph, flags=re.DOTALL)):
            if k % 2:
                yield "equation", _mathematics(part)
            elif part.strip():
                yield "text", text(part, {*pages} - {law.name})


def text(paragraph: str, pages: Collection[str] = ()) -> Markup:
    """Return a paragraph with its mathematics, its code, and links to the laws that it names."""
    parts = re.split(r"\$(.+?)\$", " ".join(paragraph.split()))
    return Markup("").join(_mathematics(p, inline=True) if k % 2 else _named(p, pages) for k, p in enumerate(parts))


def _mathematics(tex: str, *, inline: bool = False) -> Markup:
    found = mathml(" ".join(tex.split()))
    if found is None:
        return Markup("<code>{}</code>").format(tex)
    # Made of escaped parts by `mathml`, so that it may stand as it is.
    return Markup(found.replace('<math display="block">', "<math>") if inline else found)  # noqa: S704


def _named(plain: str, pages: Collection[str]) -> Markup:
    shown = Markup("")
    for k, part in enumerate(_WORDS.split(plain)):
        name = part.strip("`")
        law = name.lower() if part[:1].isupper() else name
        if k % 2 and law in pages:
            shown += Markup('<a href="{}.html">{}</a>').format(law, name)
        elif k % 2 and not part[:1].isupper():
            shown += Markup("<code>{}</code>").format(name)
        else:
            shown += part
    return shown


def source(law: Law) -> Markup:
    """Return where the law is from, as a link where the document says how to find it."""
    paper = law.paper
    if paper.startswith("arXiv:"):
        return Markup('<a href="https://arxiv.org/abs/{}">{}</a>').format(paper.removeprefix("arXiv:"), paper)
    if "/" in paper:
        address = paper if paper.startswith("https://") else f"https://{paper}"
        return Markup('<a href="{}">{}</a>').format(address, address.removeprefix("https://"))
    return Markup("{}").format(paper)


def covariates(law: Law) -> list[tuple[str, ...]]:
    """Return symbol, meaning, unit, usual range, and where it is held while others vary."""
    rows = []
    for name, about in law.takes.items():
        low, high = span(law, name)
        held = "uniform" if name == "w" else short(middle(law, name))
        axis = " (log axis)" if is_decades(law, name) else ""
        rows.append((name, about.meaning, about.unit, f"{short(low)} to {short(high)}{axis}", held))
    return rows


def quantities(law: Law) -> list[tuple[str, ...]]:
    """Return name, meaning, unit and prior, or constant, of everything in the equation that is no covariate."""
    return [(name, *_quantity(quantity)) for name, quantity in law.quantities.items()]


def _quantity(quantity: Any) -> tuple[str, str, str]:
    if isinstance(quantity, Prior):
        return quantity.meaning, quantity.unit, _prior(quantity)
    if isinstance(quantity, Reference) and quantity.covariate == OWN:
        return "which domain is a target's own, by its name", "", "from the names"
    if isinstance(quantity, Reference):
        mean = "mean" if quantity.covariate == "w" else "geometric mean"
        return f"reference of {quantity.covariate}", "", f"{mean} over the runs"
    return "constant", "", f"{quantity:g}"


def _prior(prior: Prior) -> str:
    text = describe(prior.distribution).replace("-", "−")
    text += " × response reference" if prior.relative else ""
    text += f" × {prior.scaled_by}" if prior.scaled_by else ""
    text += f", for every {' and '.join(prior.dims)}" if prior.dims else ""
    return text + (f", summing to 0 over {prior.dims[-1]}s" if prior.zero_sum else "")


def derived(law: Law) -> str:
    """Return what is reported beside the quantities, in the words of the law's file."""
    document = (law.derived.__doc__ or "") if law.derived else ""
    return " ".join(document.split()).removeprefix("Return ")


def ready_models(law: Law, using: list[Model]) -> list[tuple[str, ...]]:
    """Return name, purpose and noise of every ready model of a law, and in what it differs from the law."""
    return [(m.name, m.description, m.noise.name, "; ".join(_differences(law, m))) for m in using]


def _differences(law: Law, model: Model) -> Iterator[str]:
    yield from (f"{c} = {column}" for c, column in model.covariates.items())
    for name, quantity in model.law.quantities.items():
        if quantity != law.quantities[name]:
            yield f"{name} ~ {_prior(quantity)}" if isinstance(quantity, Prior) else f"{name} = {quantity:g}"
    yield from (f"{name} pooled by {p.by} ({p.kind})" for name, p in model.pooling.items())
    if model.discrepancy is None:
        yield "taken for true beyond the runs"


def constants(curves: Curves) -> tuple[list[str], list[list[Markup | str]]] | None:
    """Return header and rows of the published constants, digit by digit as their model files have them, if any."""
    if not curves.fits:
        return None
    quantities = curves.fits[0].model.law.quantities
    names = [n for n, q in quantities.items() if not (isinstance(q, Reference) and q.covariate == OWN)]
    columns = [[_number(fit.constants[n]) for n in names] for fit in curves.fits]
    fits = [fit.name for fit in curves.fits]
    if any(np.ndim(fit.constants[n]) for fit in curves.fits for n in names):
        return ["constant", *fits], [[name, *cells] for name, *cells in zip(names, *columns, strict=True)]
    return ["fit", *names], [[fit, *cells] for fit, cells in zip(fits, columns, strict=True)]


def _number(value: Any) -> Markup:
    if np.ndim(value) == 0:
        return Markup(f"{value:.12g}".replace("-", "−"))  # noqa: S704 - digits
    separator = Markup("<br>") if np.ndim(value) > 1 else ", "
    return Markup(separator).join(_number(v) for v in value)  # noqa: S704
