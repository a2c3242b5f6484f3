"""The commands that hide the largest runs, and learn from what such runs showed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayesmix import options as option
from bayesmix.terminal import claim, companion, load, read_model, read_runs, say, say_notice, show, warn

_YOURS = "yours"


def extrapolate(
    model: option.ModelName,
    runs: option.RunsFile,
    by: Annotated[str, typer.Option("--by", help="What is large: C, N, D or another column of numbers.")] = "C",
    at: Annotated[
        list[float] | None,
        typer.Option("--at", help="Runs above are hidden; several times for several. 3, 10, 30 % of the largest."),
    ] = None,
    mixtures: Annotated[float, typer.Option(min=0, max=0.9, help="Share of the mixtures to hide with scale.")] = 0.0,
    out: Annotated[Path, typer.Option(help="Extrapolation to write, with a figure beside it.")] = Path(
        "extrapolation.json"
    ),
    card: option.Card = None,
    map_: option.Maps = None,
    unit: option.Units = None,
    where: option.Where = None,
    target: option.Targets = None,
    seed: option.Seed = 0,
    processes: option.Processes = 1,
    quiet: option.Quiet = False,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Hide the largest runs, forecast them from the others, and say how far intervals can be trusted."""
    from bayesmix.extrapolation import extrapolate as hide
    from bayesmix.figures import extrapolation_figure
    from bayesmix.files import write_whole
    from bayesmix.results import save

    picture = companion(out, ".png")
    claim(out, picture, force=force, read=[Path(model), runs, card])
    chosen = read_model(model, target)
    table = read_runs(runs, card, map_, unit, where)
    result = hide(
        chosen, table, by=by, at=at or None, mixtures=mixtures, seed=seed, processes=processes, progress=not quiet,
        accept_unconverged=accept_unconverged,
    )  # fmt: skip
    save(result, out, notice=table.card.notice, overwrite=force)
    write_whole(picture, extrapolation_figure(result).savefig, overwrite=force)
    say_notice(table.card.notice)
    for warning in result.warnings:
        warn(warning)
    show(result.scores(), index=False)
    say(result.sentence())
    say(f"wrote {out} and {picture}")


def history(
    extrapolations: Annotated[list[Path], typer.Argument(help="What `extrapolate` wrote of your own studies, JSON.")],
    study: Annotated[
        list[Path] | None,
        typer.Option("--study", help="Posterior of all runs of an earlier study, large ones too; several times."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Discrepancy to write, and priors if asked, as TOML.")] = Path(
        "discrepancy.toml"
    ),
    seed: option.Seed = 0,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Learn how far laws are off beyond the runs of a house like yours; takes half a minute.

    And, with --study, what quantities of a law turn out to be there. Past studies count too: the fewer of your own
    there are, the more. The tables written belong into model files.
    """
    from bayesmix.discrepancy import past
    from bayesmix.errors import Fault, InputError
    from bayesmix.files import write_text
    from bayesmix.history import Shown, learn, past_studies
    from bayesmix.results import load_extrapolation

    claim(out, force=force, read=[*extrapolations, *(study or [])])
    bends = {path: load_extrapolation(path).bend for path in extrapolations}
    if faults := [
        Fault(f"{path} shows no bend", "Give extrapolations whose hidden runs lie beyond the fitted ones")
        for path, bend in bends.items()
        if bend is None
    ]:
        raise InputError("history", faults)
    shown = [Shown(_YOURS, *bend) for bend in bends.values() if bend]
    for path, each in zip(bends, shown, strict=True):
        say(f"{path}: responses fell {1 + each.bend:.2f} ± {each.error:.2f} times as far as the law said")
    learned = learn([*past_studies(), *shown], run=past().run, study=_YOURS, seed=seed)
    priors = _usual(study, seed, accept_unconverged) if study else ""
    write_text(out, learned.table() + priors, overwrite=force)
    say(f"the next ones are expected to fall {1 + learned.location:.2f} ± {learned.scale:.2f} times as far")
    say(f"wrote {out}: put its {'tables' if priors else 'table'} into your model files")


def _usual(studies: list[Path], seed: int, accept_unconverged: bool) -> str:
    """Return priors of the law of these posteriors, as a table of a model file."""
    from bayesmix import toml
    from bayesmix.errors import BayesmixError
    from bayesmix.population import began_with, comparable, learn, seen
    from bayesmix.priors import to_table

    posteriors = load(studies, accept_unconverged)
    models = {f"{m.law.name} of {', '.join(m.columns.values())}": m for m in (p.model for p in posteriors.values())}
    if len(models) > 1:
        raise BayesmixError(f"these studies were fitted by {' and '.join(models)}. Give posteriors of one law")
    (model,) = models.values()
    found = [s for p in posteriors.values() for s in seen(p.model, p.runs, began_with(p.runs), _YOURS, seed=seed)]
    priors = learn([*comparable(model), *found], model.law.name, study=_YOURS)
    lines = [f"{toml.key(name)} = {toml.value(_rounded(to_table(prior)))}" for name, prior in priors.items()]
    return "\n[priors]\n" + "\n".join(lines) + "\n"


def _rounded(table: dict[str, list[float]]) -> dict[str, list[float]]:
    return {family: [float(f"{v:.3g}") for v in numbers] for family, numbers in table.items()}
