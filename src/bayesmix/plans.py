"""The commands that answer one planning question each: `bayesmix plan best | reach | serve | repeat | distil`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesmix import options as option
from bayesmix.terminal import claim, load, notice_of, pairs, read_planned, say, scales, show, warn_once

if TYPE_CHECKING:
    from bayesmix.planning import Answer
    from bayesmix.posterior import Posterior
    from bayesmix.runs import Runs

plan = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Answer one planning question with a law, with intervals."
)

_Posterior = Annotated[Path, typer.Argument(metavar="POSTERIOR", help="File written by fit.")]
_Along = Annotated[str, typer.Argument(metavar="COLUMN", help="What is to be chosen: lr, sparsity, D, ...")]
_Low = Annotated[float, typer.Option("--from", help="Least value to think of.")]
_High = Annotated[float, typer.Option("--to", help="Greatest value to think of.")]
_Fixed = Annotated[str | None, typer.Option("--at", help="Everything else that the law takes: N=1e9,D=2e10.")]
_Out = Annotated[Path, typer.Option(help="Table to write.")]


@plan.command()
def best(
    posterior: _Posterior,
    column: _Along,
    low: _Low,
    high: _High,
    at: _Fixed = None,
    out: _Out = Path("best.csv"),
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Say which value of a column is best: learning rate, batch, sparsity, precision, ..."""
    from bayesmix.planning import best_setting

    def answer(model: Posterior) -> Answer:
        return best_setting(model, _settings(column, low, high, at), column)

    _answered([posterior], answer, out, force, accept_unconverged)


@plan.command()
def reach(
    posterior: _Posterior,
    column: _Along,
    response: Annotated[list[float], typer.Option(help="Response to reach; may be given several times.")],
    low: _Low,
    high: _High,
    at: _Fixed = None,
    out: _Out = Path("reach.csv"),
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Say how much of a column reaches a response: tokens, parameters, samples, ..."""
    from bayesmix.planning import needed

    def answer(model: Posterior) -> Answer:
        return needed(model, _settings(column, low, high, at), column, response)

    _answered([posterior], answer, out, force, accept_unconverged)


@plan.command()
def serve(
    posterior: _Posterior,
    response: Annotated[float, typer.Option(help="Loss to reach.")],
    tokens: Annotated[list[float], typer.Option(help="Tokens to be served; may be given several times.")],
    label: option.Label = None,
    out: _Out = Path("serve.csv"),
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Say which N and D reach a loss with the least compute for training and serving together."""
    from bayesmix.planning import inference_optimal

    labels = pairs("--label", label, "architecture=moe")
    _answered(
        [posterior], lambda model: inference_optimal(model, response, tokens, labels), out, force, accept_unconverged
    )


@plan.command()
def repeat(
    posterior: _Posterior,
    planned: option.Planned = None,
    at: Annotated[list[str] | None, typer.Option("--at", help="A planned run: N=1e9,D=1e11,U=2e10.")] = None,
    out: _Out = Path("repeat.csv"),
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Say how many fresh tokens would do what planned runs do that repeat theirs."""
    from bayesmix.planning import worth_of_repeats

    runs = _planned(planned, at, "U=...")
    _answered([posterior], lambda model: worth_of_repeats(model, runs), out, force, accept_unconverged, planned)


@plan.command()
def distil(
    posterior: _Posterior,
    supervised: Annotated[Path, typer.Option(metavar="POSTERIOR", help="Of a law in N and D, without a teacher.")],
    planned: option.Planned = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", help="A student: N=1e9,D=2e10,teacher=2.2,teacher_N=7e9.")
    ] = None,
    out: _Out = Path("distil.csv"),
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Say whether students gain more by a teacher than by its compute spent on more tokens."""
    from bayesmix.planning import worth_of_teacher

    runs = _planned(planned, at, "teacher=...,teacher_N=...")

    def answer(model: Posterior, alone: Posterior) -> Answer:
        return worth_of_teacher(model, alone, runs)

    _answered([posterior, supervised], answer, out, force, accept_unconverged, planned)


def _planned(planned: Path | None, at: list[str] | None, more: str) -> Runs:
    runs = read_planned(planned, at)
    if runs is None or (planned and at):
        raise typer.BadParameter(f"say what is planned once: --planned FILE or --at N=...,D=...,{more}")
    return runs


def _settings(column: str, low: float, high: float, at: str | None) -> Runs:
    from bayesmix.planning import settings

    (fixed,) = scales([at]) if at else ({},)
    return settings(column, low, high, fixed)


def _answered(
    paths: list[Path],
    question: Callable[..., Answer],
    out: Path,
    force: bool,
    accept: bool,
    planned: Path | None = None,
) -> None:
    """Load posteriors, ask them, and show and write the answer."""
    from bayesmix.files import write_whole

    claim(out, force=force, read=[*paths, planned])
    loaded = load(paths, accept)
    answer = question(*loaded.values())
    table = answer.table()
    show(table, index=False)
    warn_once(answer.warnings, loaded)
    if notice := notice_of(loaded):
        table = table.assign(notice=notice)
    write_whole(out, lambda p: table.to_csv(p, index=False), overwrite=force)
    say(f"wrote {out}")
