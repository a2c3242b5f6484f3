"""What several commands do: read runs, load posteriors, forecast, and say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bayesmix.assignments import assignments
from bayesmix.errors import BayesmixError, Fault, InputError, traced

if TYPE_CHECKING:
    from bayesmix.card import Card
    from bayesmix.extrapolation import Extrapolation
    from bayesmix.model import Model
    from bayesmix.optimum import Optimum
    from bayesmix.posterior import Posterior
    from bayesmix.prediction import Prediction
    from bayesmix.runs import Runs


def read_card(path: Path | None, maps: list[str] | None, units: list[str] | None) -> Card:
    """Read how a table is to be understood the way that the options say."""
    from bayesmix.card import Card

    return (Card.read(path) if path else Card()).merged(Card.parse(maps or [], units or []))


def read_runs(
    path: Path, card: Path | None, maps: list[str] | None, units: list[str] | None, where: list[str] | None
) -> Runs:
    """Read a table of runs the way that the options say, and say what is suspicious of it."""
    from bayesmix.runs import Runs

    runs = Runs.read(path, read_card(card, maps, units))
    return _hinted(runs.where(*where) if where else runs)


def _hinted(runs: Runs) -> Runs:
    """Say what is suspicious of runs, and return them."""
    for hint in runs.hints:
        warn(f"hint: {hint}")
    return runs


def read_model(name: str, targets: list[str] | None) -> Model:
    """Read a model the way that the options say."""
    import dataclasses

    from bayesmix.model import Model

    model = Model.read(name)
    return dataclasses.replace(model, targets=tuple(targets)) if targets else model


def load(paths: list[Path], accept: bool) -> dict[str, Posterior]:
    """Load posteriors under their files' names, and stop at any that did not converge."""
    from bayesmix.posterior import Posterior

    posteriors = {path.stem: Posterior.load(path) for path in paths}
    if len(posteriors) < len(paths):
        raise BayesmixError("two posterior files have the same name: rename one, since names tell them apart")
    for notice in dict.fromkeys(p.runs.card.notice for p in posteriors.values()):
        say_notice(notice)
    for name, posterior in posteriors.items():
        for problem in posterior.problems():
            warn(f"{name}: {problem}")
        if accept:
            posteriors[name] = posterior.accept()
        posteriors[name].require_converged()
    return posteriors


def companion(out: Path, suffix: str) -> Path:
    """Return where a command writes what belongs beside its result: the same name with another ending.

    Raises
    ------
    typer.BadParameter
        The result has that ending itself, so that one of the two would replace the other; or it is a folder.
    """
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder. Name a file", param_hint="--out")
    # Some systems take .CSV and .csv for the same file.
    if out.suffix.lower() == suffix:
        raise typer.BadParameter(
            f"{out} is the name of what is written beside it too. Give it another ending than {suffix}",
            param_hint="--out",
        )
    return out.with_suffix(suffix)


def claim(*written: Path, force: bool, read: Iterable[Path | None] = (), marker: str = "") -> None:
    """Raise an error if a command may not write its results: over others unasked, or over what it reads at all.

    `marker` is of a folder; see `files.refuse_overwrite`.
    """
    from bayesmix.files import refuse_overwrite

    given = [path for path in read if path and path.exists()]
    for path in written:
        if path.exists() and any(path.samefile(other) for other in given):
            raise typer.BadParameter(
                f"{path} would be written, and is what the command reads. Give the result another name",
                param_hint="--out",
            )
        refuse_overwrite(path, overwrite=force, marker=marker)


def say(text: str = "") -> None:
    """Write to standard output."""
    typer.echo(text)


def warn(text: str) -> None:
    """Write to standard error."""
    typer.echo(text, err=True)


def warn_once(warnings: Iterable[str], posteriors: Mapping[str, Posterior]) -> None:
    """Write warnings, each once, but for what was said of these posteriors when they were loaded."""
    problems = [(name, str(problem)) for name, posterior in posteriors.items() for problem in posterior.problems()]
    said = {text for name, problem in problems for text in (problem, f"{name}: {problem}")}
    for warning in dict.fromkeys(warnings):
        if warning not in said:
            warn(warning)


def say_notice(notice: str) -> None:
    """Repeat what must be said of the data, if anything."""
    if notice:
        warn(f"NOTE: {notice}")


def notice_of(posteriors: dict[str, Posterior]) -> str:
    """Return what must be said of the data of all posteriors, each sentence once."""
    return " ".join(dict.fromkeys(p.runs.card.notice for p in posteriors.values() if p.runs.card.notice))


def show(frame, **options) -> None:
    """Write a data frame to standard output."""
    say(frame.to_string(float_format=lambda v: f"{v:.4g}", **options))


def read_planned(path: Path | None, at: list[str] | None = None) -> Runs | None:
    """Read planned runs from a file, or from texts such as N=70e9,D=1.4e12; none where neither is given."""
    import dataclasses

    import pandas as pd

    from bayesmix.runs import Runs

    if path:
        return _hinted(Runs.read(path, planned=True))
    if not at:
        return None
    rows = [{"run": text.replace(" ", ""), **cells} for text, cells in zip(at, _cells(at), strict=True)]
    try:
        return _hinted(Runs.of(pd.DataFrame(rows), planned=True, source="--at"))
    except InputError as error:
        faults = [dataclasses.replace(traced(fault, at), run=None) for fault in error.faults]
        raise InputError("--at", faults) from None


def _cells(at: list[str]) -> list[dict[str, str]]:
    """Return what texts such as N=70e9,D=1.4e12 state, by name."""
    faults: list[Fault] = []
    found = []
    for text in at:
        wrong: list[Fault] = []
        parts = [part for part in text.split(",") if part.strip()]
        found.append(assignments(parts, "N=70e9,D=1.4e12", wrong))
        faults += [Fault(f"{text}: {fault.what}", fault.remedy) for fault in wrong]
    if faults:
        raise InputError("--at", faults)
    return found


def scales(at: list[str] | None) -> list[dict[str, float | str]]:
    """Read N, D, other columns of numbers, and labels as text, from texts such as N=1e8,D=2e9,architecture=moe."""
    if (runs := read_planned(None, at)) is None:
        return []
    stated = {name for cells in _cells(at or []) for name in cells}
    # A C that nobody stated is 6ND, and follows by itself.
    table = runs.table.drop(columns=["run", *({"C"} - stated)], errors="ignore")
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def load_informed(
    paths: list[Path], accept: bool, extrapolations: list[Path] | None
) -> tuple[dict[str, Posterior], list[Extrapolation]]:
    """Load posteriors and extrapolations of their models, which inform them."""
    from bayesmix.extrapolation import informed
    from bayesmix.results import load_extrapolation

    backtests = [load_extrapolation(path) for path in extrapolations or []]
    return informed(load(paths, accept), backtests), backtests


def pairs(option: str, texts: list[str] | None, example: str) -> dict[str, str]:
    """Read what an option was given, such as `architecture=moe`: the value is all after the first `=`."""
    faults: list[Fault] = []
    found = assignments(texts or [], example, faults)
    if faults:
        raise InputError(option, faults)
    return found


def forecasts(
    loaded: dict[str, Posterior], runs: Runs | None, compute: list[float] | None, label: list[str] | None, seed: int
) -> tuple[dict[str, Prediction], dict[str, Optimum]]:
    """Predict planned runs and split budgets, each with all posteriors that can do it.

    Raises
    ------
    BayesmixError
        No posterior can answer one of the two questions.
    """
    from bayesmix.optimum import compute_optimal
    from bayesmix.prediction import predict as forecast
    from bayesmix.prediction import unused

    def reached(posterior: Posterior, planned: Runs) -> Prediction:
        # Alone it says so in a warning; beside others it would count for as much as a law that knows better.
        if len(loaded) > 1 and (ignored := unused(posterior, planned)):
            raise BayesmixError(f"law {posterior.model.law.name} does not use {' and '.join(ignored)}")
        return forecast(posterior, planned, seed=seed)

    labels = pairs("--label", label, "architecture=moe")
    predictions = _answers(loaded, lambda p: reached(p, runs), "the planned runs") if runs is not None else {}
    optima = (
        _answers(loaded, lambda p: compute_optimal(p, compute, labels), "compute-optimal N and D") if compute else {}
    )
    return predictions, optima


def refuse_idle(
    compute: list[float] | None, label: list[str] | None, link: list[Path] | None = None, *, planned: bool = False
) -> None:
    """Raise an error for options that no answer would heed: a label without a budget, a link without planned runs."""
    if label and not compute:
        raise typer.BadParameter("it says whom a budget is for: give one, --compute FLOP", param_hint="--label")
    if link and not planned:
        raise typer.BadParameter(
            "it reads scores off predicted losses: say of which runs, --planned FILE or --at N=...,D=...",
            param_hint="--link",
        )


def _answers(loaded: dict[str, Posterior], question: Callable[[Posterior], Any], about: str) -> dict[str, Any]:
    """Ask every posterior, and say which cannot answer; an error if none can."""
    answers, refusals = {}, {}
    for name, posterior in loaded.items():
        try:
            answers[name] = question(posterior)
        except BayesmixError as error:
            refusals[name] = error
    said = [f"{name} is not asked about {about}: {error}" for name, error in refusals.items()]
    if not answers:
        raise BayesmixError("\n".join(said)) if len(loaded) > 1 else refusals.popitem()[1]
    for line in said:
        warn(line)
    return answers
