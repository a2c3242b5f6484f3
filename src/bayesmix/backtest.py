"""The command that hides the largest runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayesmix import options as option
from bayesmix.terminal import read_model, read_runs, say, say_notice, show, warn


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
    from bayesmix.files import refuse_overwrite, write_whole
    from bayesmix.results import save

    picture = out.with_suffix(".png")
    for path in (out, picture):
        refuse_overwrite(path, overwrite=force)
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
