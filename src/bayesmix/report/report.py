"""write_report(): everything that was found, on one page."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bayesmix.comparison import Comparison
from bayesmix.decision import Decision, Proposal
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation, informed
from bayesmix.files import refuse_overwrite, write_whole
from bayesmix.linking import linked
from bayesmix.optimum import Optimum
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction
from bayesmix.report import caveats, evidence, facts, following, forecast, mixture, models, verdict
from bayesmix.report.averages import averages, reached
from bayesmix.report.blocks import Picture, Section
from bayesmix.report.drawing import png, svg
from bayesmix.report.groups import Results, group
from bayesmix.report.tex import mathml

PAGE = "report.html"
_MARKDOWN = str.maketrans({
    "&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": " ", "\r": " ",
    "|": r"\|", "`": r"\`", "*": r"\*", "[": r"\[", "]": r"\]",
})  # fmt: skip


def write_report(
    folder: str | Path,
    posteriors: Mapping[str, Posterior],
    comparisons: Comparison | Sequence[Comparison] | None = None,
    decision: Decision | None = None,
    *,
    predictions: Mapping[str, Prediction] | None = None,
    optima: Mapping[str, Optimum] | None = None,
    extrapolations: Sequence[Extrapolation] = (),
    proposal: Proposal | None = None,
    links: Mapping[str, Posterior] | None = None,
    title: str = "Scaling and mixture report",
    overwrite: bool = False,
) -> Path:
    """Write report.html (one file), report.md with its figures, and report.json into a folder.

    Parameters
    ----------
    folder : str or Path
        Made whole or not at all.
    posteriors : mapping of str to Posterior
        By the names used in comparisons. Those of different runs are kept apart.
    comparisons : Comparison, or several, optional
        Each of posteriors of the same runs.
    decision : Decision, optional
        The mixture.
    predictions : mapping of str to Prediction, optional
        By the name of the posterior that each is from. Those of the same runs by several laws are averaged too.
    optima : mapping of str to Optimum, optional
        Likewise.
    extrapolations : sequence of Extrapolation
        Forecasts of hidden runs, by the models of these posteriors.
    proposal : Proposal, optional
        The small runs to do next.
    links : mapping of str to Posterior, optional
        Those that read scores off predicted losses: shown, and read off all forecasts; see `bayesmix.linking`.
    title : str
        Heading of the page.
    overwrite : bool
        Replace an existing folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    NotConvergedError
        A posterior has not converged and was not accepted.
    BayesmixError
        Nothing to report, a result of a posterior that is not given, or a link that reads off nothing predicted.
    WouldOverwriteError
        The folder exists and `overwrite` is false, or holds something else than a report.
    """
    refuse_overwrite(folder, overwrite=overwrite, marker=PAGE)
    predictions, optima, links = predictions or {}, optima or {}, links or {}
    for posterior in (*posteriors.values(), *links.values()):
        posterior.require_converged()
    posteriors = informed(posteriors, extrapolations)
    compared = (comparisons,) if isinstance(comparisons, Comparison) else tuple(comparisons or ())
    concluded = [result.model_weights for result in (decision, proposal) if result]
    _refuse_strangers(
        posteriors, [*predictions, *optima, *(n for weights in concluded for n, w in weights.items() if w)]
    )
    if twice := [n for n in links if n in posteriors]:
        raise BayesmixError(f"{', '.join(twice)} is given as a posterior and as a link. Name it once")
    groups = group({**posteriors, **links}, compared)
    read = list(links.values())
    predictions = {n: linked(p, read, seed=posteriors[n].seed) for n, p in predictions.items()}
    averaged = tuple(averages(groups, predictions, extrapolations))
    chosen = reached(posteriors, decision, read)
    results = Results(groups, decision, predictions, optima, tuple(extrapolations), averaged, proposal, chosen)
    found = verdict.verdict(results)
    numbers = facts.gather(title, found, results, compared)
    page = {
        "title": title,
        "alarm": caveats.alarm(results),
        "notices": numbers["notices"],
        "sections": [verdict.section(found), *_sections(results)],
    }
    return write_whole(folder, lambda path: _write(path, page, numbers), overwrite=overwrite, marker=PAGE)


def _refuse_strangers(posteriors: Mapping[str, Posterior], named: Iterable[str]) -> None:
    if strangers := [n for n in dict.fromkeys(named) if n not in posteriors]:
        raise BayesmixError(
            f"results of {', '.join(strangers)}, but the posteriors are {', '.join(posteriors)}. Give the posterior "
            "that each result is from, under the same name"
        )


def _sections(results: Results) -> list[Section]:
    """Return what the verdict rests on: the evidence first, then what the evidence itself rests on."""
    sections = [
        caveats.section(results),
        mixture.section(results),
        following.section(results),
        forecast.predictions(results),
        forecast.optima(results),
        forecast.backtests(results),
        evidence.comparison(results),
        evidence.fit(results),
        models.models(results),
        evidence.diagnostics(results),
        evidence.data(results),
        evidence.provenance(results),
    ]
    return [s for s in sections if s is not None and s.blocks]


def _write(path: Path, page: dict[str, Any], numbers: dict[str, Any]) -> None:
    (path / "figures").mkdir(parents=True)
    pictures = [block for section in page["sections"] for block in section.blocks if isinstance(block, Picture)]
    # Numbered, so that names stay apart that differ only in what a file name or an identifier cannot hold.
    names = {picture.name: f"figure-{k}" for k, picture in enumerate(pictures, start=1)}
    for picture in pictures:
        (path / "figures" / _file(picture, names)).write_bytes(png(picture.figure))
        picture.figure.set_layout_engine("none")  # laid out once, that is enough
    pages = {PAGE: _html(names), "report.md": _markdown(names)}
    for name, environment in pages.items():
        text = environment.get_template(f"{name}.j2").render(page)
        (path / name).write_text(text, encoding="utf-8")
    text = json.dumps(numbers, allow_nan=False, ensure_ascii=False, indent=1)
    (path / "report.json").write_text(text + "\n", encoding="utf-8")


def _file(picture: Picture, names: Mapping[str, str]) -> str:
    number = names[picture.name].removeprefix("figure-")
    return f"{number}-" + re.sub(r"[^A-Za-z0-9_.-]+", "_", picture.name) + ".png"


def _html(names: Mapping[str, str]) -> Environment:
    environment = Environment(
        loader=PackageLoader("bayesmix.report", "."), autoescape=True, finalize=_unbroken, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["name"] = lambda picture: names[picture.name]
    # Escaped by the parser that wrote it.
    environment.filters["svg"] = lambda picture: Markup(svg(picture.figure, names[picture.name]))  # noqa: S704
    # Made of escaped parts by `mathml`, so that it may stand as it is.
    environment.filters["mathml"] = lambda tex: Markup(found) if (found := mathml(tex)) else None  # noqa: S704
    return environment


def _unbroken(value: Any) -> Any:
    """Keep a number and its sign or power on one line."""
    return value.replace(" %", "\u00a0%").replace(" × 10", "\u00a0×\u00a010") if isinstance(value, str) else value


def _markdown(names: Mapping[str, str]) -> Environment:
    environment = Environment(  # noqa: S701 - finalize escapes for Markdown, where HTML is only one of the dangers
        loader=PackageLoader("bayesmix.report", "."),
        finalize=_escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["file"] = lambda p: Markup("figures/" + _file(p, names))  # noqa: S704
    environment.filters["fenced"] = _fenced
    return environment


def _escape(value: Any) -> Any:
    return value if isinstance(value, Markup) else str(value).translate(_MARKDOWN)


def _fenced(text: str, language: str) -> Markup:
    """Return text in a fence longer than any run of backticks in it, so that it cannot end the fence."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}{language}\n{text.strip()}\n{fence}")  # noqa: S704
