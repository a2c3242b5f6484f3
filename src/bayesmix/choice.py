"""The command that chooses the mixture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayesmix import options as option
from bayesmix.terminal import load_informed, notice_of, say, show, warn


def decide(
    posteriors: option.Posteriors,
    problem: option.Problem,
    comparison: Annotated[Path | None, typer.Option(help="Comparison whose stacking weights share the draws.")] = None,
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
    from bayesmix.files import refuse_overwrite
    from bayesmix.results import load_comparison, save

    refuse_overwrite(out, overwrite=force)
    stated = Problem.read(problem)
    loaded, backtests = load_informed(posteriors, accept_unconverged, extrapolation)
    weights = load_comparison(comparison).weights if comparison else shares(loaded, backtests)
    decision = choose(loaded, stated, seed=seed, weights=weights)
    save(decision, out, notice=notice_of(loaded), overwrite=force)
    for table in (decision.table(), decision.candidates(), decision.alternatives()):
        if len(table):
            show(table, index=False)
            say()
    for name, value in decision.facts().items():
        say(f"{name:28} {value:.4g}")
    for warning in decision.warnings:
        warn(warning)
    say(f"wrote {out}")
