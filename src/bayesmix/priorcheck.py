"""The command that says what rests on the prior."""

from pathlib import Path
from typing import Annotated

import typer

from bayesmix import options as option
from bayesmix.terminal import claim, load, notice_of, read_planned, say, show, warn


def sensitivity(
    posterior: Annotated[Path, typer.Argument(metavar="POSTERIOR", help="File written by fit.")],
    planned: option.Planned = None,
    at: option.At = None,
    problem: Annotated[Path | None, typer.Option(help="Problem whose mixture is chosen anew.")] = None,
    out: Annotated[Path, typer.Option(help="Table to write.")] = Path("sensitivity.csv"),
    seed: option.Seed = 0,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Say how coefficients, forecasts and the mixture move when the prior counts for more or for less."""
    from bayesmix import sensitivity as power
    from bayesmix.decision import Problem
    from bayesmix.files import write_whole

    if planned and at:
        raise typer.BadParameter("say what is planned once: --planned FILE or --at N=...,D=...")
    claim(out, force=force, read=[posterior, planned, problem])
    loaded = load([posterior], accept_unconverged)
    (model,) = loaded.values()
    table = power.sensitivity(model, read_planned(planned, at), seed=seed)
    show(table)
    for diagnosis, names in table.groupby("diagnosis").groups.items():
        if "prior" in str(diagnosis):
            warn(f"{diagnosis}: {', '.join(map(str, names))}")
    if problem:
        decisions = power.mixtures(model, Problem.read(problem), seed=seed)
        for exponent, decision in sorted(decisions.items()):
            weights = ", ".join(f"{d} {w:.3f}" for d, w in zip(decision.domains, decision.mixture, strict=True))
            say(f"prior to the power {exponent:g}: {weights}")
        share = power.moved(decisions)
        say(
            f"Between them at most {share:.1%} of the weight moves: "
            + ("the mixture does not rest on the prior." if share <= power.SAME else "the mixture rests on the prior.")
        )
    if notice := notice_of(loaded):
        table = table.assign(notice=notice)
    write_whole(out, lambda p: table.to_csv(p, index_label="quantity"), overwrite=force)
    say(f"wrote {out}")
