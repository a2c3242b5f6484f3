"""Options that several commands share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A model file, or a ready model by name: chinchilla.")]
RunsFile = Annotated[Path, typer.Argument(metavar="RUNS", help="CSV of runs: run,N,D,w.web,w.code,loss.web,...")]
Card = Annotated[Path | None, typer.Option("--card", help="TOML that says how a foreign table is read.")]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", help="Rename a column: model_size=N, 'weight_{domain}=w.{domain}'."),
]
Units = Annotated[list[str] | None, typer.Option("--unit", help="Unit of a column: N=millions, w=percent, D=1e9.")]
Where = Annotated[list[str] | None, typer.Option("--where", help="Keep only some runs: 'N<=2e9', role=ladder.")]
Posteriors = Annotated[list[Path], typer.Argument(metavar="POSTERIOR...", help="Files written by fit.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Source of all randomness; recorded in the result.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing result.")]
Accept = Annotated[
    bool, typer.Option("--accept-unconverged", help="Use posteriors that did not converge all the same.")
]
Draws = Annotated[int, typer.Option(min=50, help="Draws kept in each chain.")]
Warmup = Annotated[int, typer.Option(min=50, help="Warm-up draws at most; it stops earlier once adapted.")]
Chains = Annotated[int, typer.Option(min=2, help="Chains of each posterior.")]
Preview = Annotated[bool, typer.Option("--preview", help="Do not sample: a quick, rough look, labelled so.")]
Processes = Annotated[int, typer.Option(min=1, help="Processes on this machine.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Problem = Annotated[
    Path, typer.Option("--problem", help="TOML with objective, risk, planned run, constraints and baseline.")
]
Planned = Annotated[Path | None, typer.Option("--planned", help="CSV of planned runs: N,D,w.web,... without targets.")]
At = Annotated[list[str] | None, typer.Option("--at", help="A planned run: N=70e9,D=1.4e12.")]
Compute = Annotated[list[float] | None, typer.Option("--compute", help="Training FLOP to split best into N and D.")]
Label = Annotated[
    list[str] | None, typer.Option("--label", help="Whom budgets are for where a model pools: architecture=moe.")
]
Comparisons = Annotated[
    list[Path] | None, typer.Option("--comparison", help="Comparison to show; may be given several times.")
]
Weights = Annotated[
    Path | None, typer.Option("--comparison", help="Comparison whose stacking weights share the draws.")
]
Asked = Annotated[
    list[str] | None,
    typer.Option("--model", help="Ready model to ask what the runs would show of; else the common ones."),
]
Extrapolations = Annotated[
    list[Path] | None, typer.Option("--extrapolation", help="What extrapolate wrote; may be given several times.")
]
Targets = Annotated[list[str] | None, typer.Option(help="Target to model; all of the law's kind by default.")]
Links = Annotated[
    list[Path] | None,
    typer.Option("--link", help="Posterior that reads scores off predicted losses; may be given several times."),
]
