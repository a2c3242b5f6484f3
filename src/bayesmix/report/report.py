"""write_report(): everything that was found, on one page."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from bayesmix.comparison import Comparison
from bayesmix.decision import Decision
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation, informed
from bayesmix.files import refuse_overwrite, write_whole
from bayesmix.posterior import Posterior
from bayesmix.prediction import Optimum, Prediction
from bayesmix.report import answers, evidence, facts, forecast, models
from bayesmix.report.blocks import Picture, Section
from bayesmix.report.groups import Results, group
from bayesmix.report.tex import mathml

_DPI = 160
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
        By the name of the posterior that each is from.
    optima : mapping of str to Optimum, optional
        Likewise.
    extrapolations : sequence of Extrapolation
        Forecasts of hidden runs, by the models of these posteriors.
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
        Nothing to report, or a result of a posterior that is not given.
    WouldOverwriteError
        The folder exists and `overwrite` is false.
    """
    refuse_overwrite(folder, overwrite=overwrite)
    for posterior in posteriors.values():
        posterior.require_converged()
    posteriors = informed(posteriors, extrapolations)
    compared = (comparisons,) if isinstance(comparisons, Comparison) else tuple(comparisons or ())
    predictions, optima = predictions or {}, optima or {}
    results = Results(group(posteriors, compared), decision, predictions, optima, tuple(extrapolations))
    _refuse_strangers(posteriors, {**predictions, **optima})
    numbers = facts.gather(title, results, compared)
    page = {
        "title": title,
        "alarm": answers.alarm(results),
        "notices": numbers["notices"],
        "sections": _sections(results),
    }
    return write_whole(folder, lambda path: _write(path, page, numbers), overwrite=overwrite)


def _refuse_strangers(posteriors: Mapping[str, Posterior], results: Mapping[str, Any]) -> None:
    if strangers := [n for n in results if n not in posteriors]:
        raise BayesmixError(
            f"results of {', '.join(strangers)}, but the posteriors are {', '.join(posteriors)}. Give the posterior "
            "that each result is from, under the same name"
        )


def _sections(results: Results) -> list[Section]:
    sections = [
        answers.answer(results),
        answers.warnings(results),
        evidence.diagnostics(results),
        evidence.data(results),
        models.models(results),
        evidence.comparison(results),
        evidence.fit(results),
        forecast.predictions(results),
        forecast.backtests(results),
        forecast.optima(results),
        forecast.mixture(results),
        forecast.provenance(results),
    ]
    return [s for s in sections if s is not None and s.blocks]


def _write(path: Path, page: dict[str, Any], numbers: dict[str, Any]) -> None:
    (path / "figures").mkdir(parents=True)
    pictures: dict[str, bytes] = {}
    for block in (b for s in page["sections"] for b in s.blocks):
        if isinstance(block, Picture):
            pictures[block.name] = png(block.figure)
            (path / "figures" / _file(block)).write_bytes(pictures[block.name])
    pages = {"report.html": _html(pictures), "report.md": _markdown()}
    for name, environment in pages.items():
        text = environment.get_template(f"{name}.j2").render(page)
        (path / name).write_text(text, encoding="utf-8")
    text = json.dumps(numbers, allow_nan=False, ensure_ascii=False, indent=1)
    (path / "report.json").write_text(text + "\n", encoding="utf-8")


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG of 256 colours: a third of the size, and no difference to the eye."""
    raw, image = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=_DPI, facecolor="white")
    colours = Image.open(raw).convert("RGB")
    # Other methods lose the colours of thin lines, which cover few pixels.
    colours.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        image, format="png", optimize=True
    )
    return image.getvalue()


def _file(picture: Picture) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", picture.name).lstrip(".") + ".png"


def _html(pictures: Mapping[str, bytes]) -> Environment:
    environment = Environment(
        loader=PackageLoader("bayesmix.report", "."), autoescape=True, finalize=_unbroken, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["data_uri"] = lambda p: "data:image/png;base64," + base64.b64encode(pictures[p.name]).decode()
    # Made of escaped parts by `mathml`, so that it may stand as it is.
    environment.filters["mathml"] = lambda tex: Markup(found) if (found := mathml(tex)) else None  # noqa: S704
    return environment


def _unbroken(value: Any) -> Any:
    """Keep a number and its sign or power on one line."""
    return value.replace(" %", "\u00a0%").replace(" × 10", "\u00a0×\u00a010") if isinstance(value, str) else value


def _markdown() -> Environment:
    environment = Environment(  # noqa: S701 - finalize escapes for Markdown, where HTML is only one of the dangers
        loader=PackageLoader("bayesmix.report", "."),
        finalize=_escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["file"] = lambda p: Markup("figures/" + _file(p))  # noqa: S704
    environment.filters["fenced"] = _fenced
    return environment


def _escape(value: Any) -> Any:
    return value if isinstance(value, Markup) else str(value).translate(_MARKDOWN)


def _fenced(text: str, language: str) -> Markup:
    """Return text in a fence longer than any run of backticks in it, so that it cannot end the fence."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}{language}\n{text.strip()}\n{fence}")  # noqa: S704
