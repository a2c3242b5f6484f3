"""The commands that choose: the first runs, the mixture, and the runs to do next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesmix import options as option
from bayesmix.terminal import (
    claim,
    companion,
    load,
    load_informed,
    notice_of,
    read_planned,
    say,
    scales,
    show,
    warn_once,
)

if TYPE_CHECKING:
    from bayesmix.decision import Problem
    from bayesmix.posterior import Posterior

_DECIMALS = 4  # of weights
_IN_THE_FILE = ("near_loss", "kkt_residual", "candidate_gap")  # facts that need an explanation


def design(
    domains: Annotated[str, typer.Argument(metavar="DOMAINS", help="Their names: web,code,books.")],
    runs: Annotated[int, typer.Option(min=2, help="How many runs to train.")] = 24,
    at: Annotated[list[str] | None, typer.Option(help="A scale: N=1e8,D=2e9; may be given several times.")] = None,
    problem: Annotated[
        Path | None,
        typer.Option(help="TOML whose constraints hold for every mixture; its baseline, moved if need be, is first."),
    ] = None,
    model: option.Asked = None,
    out: Annotated[Path, typer.Option(help="Table of runs to write.")] = Path("design.csv"),
    seed: option.Seed = 0,
    force: option.Force = False,
) -> None:
    """Design the first runs: mixtures that fill what is allowed, most of them small; say what they would show."""
    from bayesmix.decision import Problem
    from bayesmix.describe import telling
    from bayesmix.design import design as designed
    from bayesmix.design import imagined
    from bayesmix.files import write_whole

    claim(out, force=force, read=[problem])
    stated = Problem.read(problem) if problem else None
    names = [name.strip() for name in domains.split(",")]
    frame = designed(names, runs, scales=scales(at) or ({},), problem=stated, seed=seed)
    write_whole(out, lambda p: frame.to_csv(p, index=False), overwrite=force)
    show(frame, index=False)
    say()
    if stated and stated.budget and stated.available:
        say("How many tokens are trained on is for the budget to choose: what is [available] limits no weight here.")
    if "C" in (table := imagined(frame)).symbols:
        say(f"{len(frame)} runs of {table.column('C').sum():.3g} FLOP together")
    for line in telling(table, model or ()):
        say(line)
    say(f"wrote {out}")


def decide(
    posteriors: option.Posteriors,
    problem: option.Problem,
    link: option.Links = None,
    comparison: option.Weights = None,
    extrapolation: option.Extrapolations = None,
    out: Annotated[Path, typer.Option(help="Decision to write.")] = Path("decision.json"),
    seed: option.Seed = 0,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Choose the mixture that minimises the risk of the objective, and say how sure that is."""
    from bayesmix.averaging import shares
    from bayesmix.decision import Problem
    from bayesmix.decision import decide as choose
    from bayesmix.results import load_comparison, save

    claim(out, force=force, read=[problem, comparison, *posteriors, *(link or []), *(extrapolation or [])])
    stated = Problem.read(problem)
    loaded, backtests = load_informed(posteriors, accept_unconverged, extrapolation)
    weights = load_comparison(comparison).weights if comparison else shares(loaded, backtests)
    links = load(link or [], accept_unconverged)
    decision = choose(loaded, stated, seed=seed, weights=weights, links=list(links.values()))
    save(decision, out, notice=notice_of(loaded | links), overwrite=force)
    _say_unstated(stated, loaded, links)
    if len(decision.sizes):
        N, D = (float(decision.problem.planned[symbol]) for symbol in ("N", "D"))
        say(f"Train N = {N:.3g} on D = {D:.3g} tokens.\n")
    alternatives = decision.alternatives().rename(columns={"moved": "weight moved"})
    for table in (decision.sizes, decision.table().round(_DECIMALS), decision.candidates(), alternatives):
        if len(table):
            show(table, index=False)
            say()
    for name, value in decision.facts().items():
        if name not in _IN_THE_FILE:
            say(f"{name:28} {value:.4g}")
    warn_once(decision.warnings, loaded | links)
    say(f"wrote {out}")


def next_(
    posteriors: option.Posteriors,
    problem: option.Problem,
    budget: Annotated[float | None, typer.Option(help="Training FLOP of all these runs together.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="How many runs at most.")] = 8,
    pool: Annotated[
        Path | None, typer.Option(help="CSV of candidates: run,N,D,w.web,...; mixtures are made up without it.")
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(help="A scale of the candidates: N=1e8,D=2e9; else those of the runs done.")
    ] = None,
    by: Annotated[
        str, typer.Option(help="What a run shall bring: less regret, or more information on the law.")
    ] = "regret",
    link: option.Links = None,
    comparison: option.Weights = None,
    extrapolation: option.Extrapolations = None,
    out: Annotated[
        Path, typer.Option(help="Proposal to write; the runs alone, to plan by, become a CSV beside it.")
    ] = Path("next.json"),
    seed: option.Seed = 0,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Propose the small runs that would most improve the choice of the mixture, and say what they are worth."""
    import numpy as np

    from bayesmix.averaging import shares
    from bayesmix.decision import Problem, propose
    from bayesmix.files import write_whole
    from bayesmix.results import load_comparison, save

    if pool and at:
        raise typer.BadParameter("the pool has its own scales", param_hint="--at")
    beside = companion(out, ".csv")
    read = [pool, problem, comparison, *posteriors, *(link or []), *(extrapolation or [])]
    claim(out, beside, force=force, read=read)
    stated, offered = Problem.read(problem), read_planned(pool)
    loaded, backtests = load_informed(posteriors, accept_unconverged, extrapolation)
    links = load(link or [], accept_unconverged)
    proposal = propose(
        loaded,
        stated,
        seed=seed,
        budget=np.inf if budget is None else budget,
        most=runs,
        pool=offered,
        at=scales(at),
        by=by,
        weights=load_comparison(comparison).weights if comparison else shares(loaded, backtests),
        links=list(links.values()),
    )
    save(proposal, out, notice=notice_of(loaded | links), overwrite=force)
    write_whole(beside, lambda p: proposal.runs().to_csv(p, index=False), overwrite=force)
    _say_unstated(stated, loaded, links)
    if len(proposal.table):
        show(proposal.table, index=False)
        say()
    say(proposal.sentence())
    warn_once(proposal.warnings, loaded | links)
    say(f"wrote {out} and {beside}")


def _say_unstated(problem: Problem, posteriors: Mapping[str, Posterior], links: Mapping[str, Posterior]) -> None:
    """Say what is minimised where the problem does not."""
    if not problem.objective:
        targets = [t for p in (next(iter(posteriors.values())), *links.values()) for t in p.targets]
        say(f"The problem states no [objective]: it is the {problem.combine} of {', '.join(targets)}.\n")
