"""The commands that read and write files of other systems."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from bayesmix import options as option
from bayesmix.errors import listed
from bayesmix.terminal import claim, companion, pairs, read_card, say, say_notice, show, warn

if TYPE_CHECKING:
    from bayesmix.runs import Runs

Format = Annotated[str | None, typer.Argument(metavar="[FORMAT]", help="Format, by name; without one they are listed.")]
Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Files, or RUN=FILE; without one the format is explained."),
]


def import_(
    format_: Format = None,
    files: Files = None,
    out: Annotated[Path, typer.Option(help="Table of runs to write.")] = Path("runs.csv"),
    runs: Annotated[Path | None, typer.Option("--runs", help="CSV with N, D, w.*, ... to join by run.")] = None,
    same: Annotated[
        list[str] | None, typer.Option("--set", help="A column that is the same in every row: N=1e6.")
    ] = None,
    card: option.Card = None,
    map_: option.Maps = None,
    unit: option.Units = None,
    where: option.Where = None,
    force: option.Force = False,
) -> None:
    """Read what another system wrote (W&B, lm-eval, Olmix, ...) as a table of runs."""
    from bayesmix import interchange
    from bayesmix.card import Card
    from bayesmix.files import write_text

    if not format_ or not files:
        return _explain(format_, interchange.readable(), "bayesmix import FORMAT FILE... --out runs.csv")
    beside = companion(out, ".toml")
    given = [card, runs, *(Path(part) for file in files for part in (file, file.partition("=")[2]) if part)]
    claim(out, force=force, read=given)
    stated = read_card(card, map_, unit)
    read = interchange.read(format_, files, stated, runs=runs, same=pairs("--set", same, "N=1e6"))
    table = read.where(*where) if where else read
    said = Card(notice=stated.notice, about=stated.about)
    if said.text():
        claim(beside, force=force, read=given)
        write_text(beside, said.text(), overwrite=force)
    write_text(out, table.text(), overwrite=force)
    say_notice(stated.notice)
    domains, responses = len(table.domains), len(table.targets)
    say(f"read {len(table)} rows of {len(set(table.names))} runs from {table.source}")
    say(f"{'covariates':12} {', '.join(table.symbols) or 'none'}{f' ({domains} domains)' if domains else ''}")
    say(f"{'responses':12} {responses}: {listed(table.targets, 8)}")
    say(f"{'labels':12} {listed(table.labels, 8) or 'none'}")
    for hint in (*_of_the_reader(read, where or []), *table.hints) if where else table.hints:
        warn(f"hint: {hint}")
    say(f"wrote {out}" + (f" and {beside}: read it with --card {beside}" if said.text() else ""))


def export(
    decision: Annotated[Path | None, typer.Argument(metavar="[DECISION]", help="File written by decide.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Format, by name; without one they are listed.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
    paths: Annotated[Path | None, typer.Option(help="TOML with a table a domain: paths, tokens, ...")] = None,
    force: option.Force = False,
) -> None:
    """Write a decided mixture as the file that a training system launches from."""
    import json

    from bayesmix import interchange
    from bayesmix.files import write_text

    if not decision or not to:
        return _explain(to, interchange.writable(), "bayesmix export decision.json --to FORMAT --out FILE")
    if out is None:
        raise typer.BadParameter("say where to write", param_hint="--out")
    from bayesmix.results import load_decision

    claim(out, force=force, read=[decision, paths])
    chosen = load_decision(decision)
    notice = json.loads(decision.read_text(encoding="utf-8"))["notice"]
    launched = interchange.launch(chosen, paths, source=str(decision), notice=notice)
    text = interchange.write(to, launched)
    write_text(out, text, overwrite=force)
    for caveat in launched.caveats:
        warn(caveat)
    show(launched.table().dropna(axis=1, how="all"), index=False)
    say(f"wrote {out}")


def _of_the_reader(read: Runs, where: list[str]) -> list[str]:
    """Return the hints of the format's reader, which rows do not keep; without advice to filter that was followed."""
    from bayesmix.hints import hints_of

    own = set(hints_of(read.table))
    followed = [f"--where {''.join(condition.split()).replace('==', '=')} " for condition in where]
    return [hint for hint in read.hints if hint not in own and not any(advice in f"{hint} " for advice in followed)]


def _explain(name: str | None, formats: Mapping[str, ModuleType], usage: str) -> None:
    """Show one format in full, or all of them in a line each."""
    from bayesmix.interchange import get

    if name:
        say((get(name, formats).__doc__ or "").strip())
        return
    for known, module in formats.items():
        say(f"{known:14} {(module.__doc__ or '').partition(chr(10))[0]}")
    say(f"\n{usage}; without a file, the format is explained.")
