"""What the templates show: the page of a law, and the index."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import words
from curves import DRAWS, Curves, Fit
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup
from picture import figure, look, outside, response, thumbnail

from bayesmix import laws
from bayesmix.covariates import RESPONSES, is_fraction
from bayesmix.figures import style
from bayesmix.law import Law, Prior
from bayesmix.model import Model
from bayesmix.report.drawing import svg
from bayesmix.report.numbers import amount, percent, united

_FEW, _FAR = 0.005, 100  # a share of the draws not worth a sentence; times the reference that is far from it


def environment() -> Environment:
    """Return the templates; the style sheet is the report's."""
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(Path(__file__).parent), PackageLoader("bayesmix.report", ".")]),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def law_page(law: Law, using: list[Model], drawn: Curves, pages: Collection[str]) -> dict[str, Any]:
    """Return what the template of a law's page shows.

    Parameters
    ----------
    law : Law
        The law.
    using : list of Model
        Its ready models, its namesake first.
    drawn : Curves
        What is drawn of it.
    pages : collection of str
        Names of the laws that have a page, in the order of the index.
    """
    return {
        "law": law,
        "title": words.title(law),
        "passages": list(words.passages(law, pages)),
        "response": f"{law.response}, {RESPONSES[law.response].meaning}",
        "source": words.source(law),
        "reading": " ".join(_reading(law, using[0], drawn)),
        "pictures": list(_pictures(law, drawn)),
        "fits": [_fit(k, fit) for k, fit in enumerate(drawn.fits)],
        "covariates": words.covariates(law),
        "quantities": words.quantities(law),
        "is_relative": _is_relative(law),
        "derived": words.derived(law),
        "constants": words.constants(drawn),
        "models": words.ready_models(law, using),
        "family": [name for name in pages if laws.get(name).family == law.family],
    }


def law_entry(law: Law, drawn: Curves) -> dict[str, Any]:
    """Return what the index shows of a law."""
    return {
        "name": law.name,
        "family": law.family,
        "title": words.title(law),
        "response": law.response,
        "covariates": ", ".join(law.covariates),
        "fits": len(drawn.fits),
        "thumbnail": Markup(thumbnail(law, drawn) if law.covariates else ""),  # noqa: S704 - numbers
    }


def index(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the template of the index shows; the laws come family by family."""
    families = [{"name": name, "laws": list(group)} for name, group in groupby(entries, key=lambda e: e["family"])]
    return {"families": families, "count": len(entries), "fits": sum(e["fits"] for e in entries)}


def _is_relative(law: Law) -> bool:
    return any(q.relative for q in law.quantities.values() if isinstance(q, Prior))


def _reading(law: Law, model: Model, drawn: Curves) -> Iterator[str]:
    """Yield, piece by piece, how the pictures are to be read, or why there is none."""
    unit = RESPONSES[law.response].unit
    if not law.covariates:
        low, middle, high = (f"{v:.2g}" for v in np.quantile(drawn.panels[0].prior, [0.05, 0.5, 0.95]))
        yield "There is no picture: the law has no covariate that its response could be drawn against."
        yield f"Where the response reference is {united(f'{drawn.scale:g}', unit)}, the prior expects"
        yield f"{united(middle, unit)} of every run, {low} to {high} with 90 % probability."
        return
    yield f"How to read it. Blue: the median of {DRAWS} draws of the priors of the model {model.name}, and bands that"
    yield "hold 50 % and 90 % of them. Thin grey lines: single draws. What does not vary in a picture is held in the"
    yield "middle of its usual range, and there the references are, as if the runs were around it."
    yield from _about_scale(law, drawn, unit)
    if "w" in law.covariates:
        yield f"The mixture has {drawn.domains} domains: the weight of one varies, the others share the rest equally."
    if law.vector and drawn.fits:
        count = len(drawn.panels[0].published[0])
        yield f"Published constants have a curve for each of {count} targets, against the weight of its own domain."
    leave = max(outside(panel) for panel in drawn.panels)
    if is_fraction(law.response) and leave > _FEW:
        yield f"Of the draws, {percent(leave, 0)} leave 0 to 1 somewhere along a picture: nothing in the equation keeps"
        yield "them within, so the runs must."


def _about_scale(law: Law, drawn: Curves, unit: str) -> Iterator[str]:
    if drawn.is_ratio:
        yield "The response is shown as a multiple of its reference" + (
            ", and that of published constants of what they say where all covariates are held." if drawn.fits else "."
        )
    elif _is_relative(law):
        said = united(f"{drawn.scale:.3g}", unit)
        where = "what the published constants say there" + (", on average" if len(drawn.fits) > 1 else "")
        yield f"The response reference is {said}" + (f": {where}." if drawn.fits else ", for the picture's sake.")
    for panel in drawn.panels:
        highest = np.quantile(panel.prior, 0.95, axis=0).max()
        if law.response in ("loss", "optimum") and highest > _FAR * drawn.scale:
            yield (
                f"Along {panel.covariate} the 90 % band reaches {amount(highest / drawn.scale)} times the reference: "
                "so far from the runs the prior alone says next to nothing."
            )


def _pictures(law: Law, drawn: Curves) -> Iterator[dict[str, Any]]:
    for k, panel in enumerate(drawn.panels if law.covariates else ()):
        name, about = f"picture-{k}", law.takes[panel.covariate]
        shown = svg(figure(law, drawn, panel), name)
        caption = Markup("<strong>{}</strong> against {}: {}").format(
            response(law, drawn), panel.covariate, about.meaning
        )
        yield {"name": name, "svg": Markup(shown), "caption": caption}  # noqa: S704 - escaped by its parser


def _fit(k: int, fit: Fit) -> dict[str, Any]:
    mark, _, dashes = look(k)
    key = Markup(
        '<svg class="key" viewBox="0 0 32 10" aria-hidden="true"><line x1="0" y1="5" x2="32" y2="5" '
        'style="stroke-width:2.5;stroke:var(--mark-{},{});stroke-dasharray:{}"/></svg>'
    ).format(mark, style.CYCLE[mark - 1], ",".join(f"{2 * d:g}" for d in dashes) or "none")
    along = ", ".join(f"{c} = {column}" for c, column in fit.model.covariates.items())
    return {"key": key, "name": fit.name, "along": along, "source": words.text(fit.source)}
