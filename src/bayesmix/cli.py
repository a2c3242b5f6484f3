"""The command line: parses and calls; contains no statistics.

Everything heavy is imported inside the commands, so that --help answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesmix.errors import BayesmixError

if TYPE_CHECKING:
    from bayesmix.posterior import Posterior
    from bayesmix.runs import Runs

EXIT_CODES = """Exit codes: 0 done; 2 wrong usage; 3 bad input, all faults listed; 4 not converged, no answer given;
5 a result exists and was not to be replaced."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Bayesian scaling and data-mixing laws: forecast the large run, choose the mixture.\n\n" + EXIT_CODES,
)

RunsFile = Annotated[Path, typer.Argument(metavar="RUNS", help="CSV of runs: run,N,D,w.web,w.code,loss.web,...")]
Card = Annotated[Path | None, typer.Option("--card", help="TOML that says how a foreign table is read.")]
Maps = Annotated[list[str] | None, typer.Option("--map", help="Rename a column: model_size=N, 'weight_{domain}=w.{domain}'.")]
Units = Annotated[list[str] | None, typer.Option("--unit", help="Unit of a column: N=millions, w=percent, D=1e9.")]
Where = Annotated[list[str] | None, typer.Option("--where", help="Keep only some runs: 'N<=2e9', role=ladder.")]
Posteriors = Annotated[list[Path], typer.Argument(metavar="POSTERIOR...", help="Files written by fit.")]
Seed = Annotated[int, typer.Option(help="Source of all randomness; recorded in the result.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing result.")]
Accept = Annotated[bool, typer.Option("--accept-unconverged", help="Use posteriors that did not converge all the same.")]
Problem = Annotated[Path, typer.Option("--problem", help="TOML with objective, planned run, bounds and baseline.")]
Planned = Annotated[Path | None, typer.Option("--planned", help="CSV of planned runs: N,D,w.web,... without targets.")]
Compute = Annotated[list[float] | None, typer.Option("--compute", help="Training FLOP to split best into N and D.")]


def _read(path: Path, card: Path | None, maps: list[str] | None, units: list[str] | None, where: list[str] | None) -> Runs:
    from bayesmix.card import Card as RunsCard
    from bayesmix.runs import Runs

    stated = RunsCard.read(card) if card else RunsCard()
    runs = Runs.read(path, stated.merged(RunsCard.parse(maps or [], units or [])))
    return runs.where(*where) if where else runs


def _load(paths: list[Path], accept: bool) -> dict[str, Posterior]:
    """Load posteriors under their files' names, and stop at any that did not converge."""
    from bayesmix.posterior import Posterior

    posteriors = {path.stem: Posterior.load(path) for path in paths}
    if len(posteriors) < len(paths):
        raise BayesmixError("two posterior files have the same name: rename one, since names tell them apart")
    for name, posterior in posteriors.items():
        _say_notice(posterior.runs)
        for problem in posterior.problems():
            _warn(f"{name}: {problem}")
        if accept:
            posteriors[name] = posterior.accept()
        posteriors[name].require_converged()
    return posteriors


def _say(text: str = "") -> None:
    typer.echo(text)


def _warn(text: str) -> None:
    typer.echo(text, err=True)


def _say_notice(runs: Runs) -> None:
    if runs.card.notice:
        _warn(f"NOTE: {runs.card.notice}")


def _table(frame, **options) -> None:
    _say(frame.to_string(float_format=lambda v: f"{v:.4g}", **options))


@app.command()
def check(runs: RunsFile, card: Card = None, map_: Maps = None, unit: Units = None, where: Where = None) -> None:
    """Check a table of runs, and say what its design can and cannot show."""
    from bayesmix.describe import described

    table = _read(runs, card, map_, unit, where)
    _say_notice(table)
    for line in described(table):
        _say(line)


@app.command()
def laws(name: Annotated[str | None, typer.Argument(help="A law to show in full.")] = None) -> None:
    """List the laws, or show one: equation, priors, source."""
    from bayesmix.describe import catalogue, law_card

    for line in law_card(name) if name else catalogue():
        _say(line)


@app.command()
def fit(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file, or a ready model by name: chinchilla.")],
    runs: RunsFile,
    out: Annotated[Path | None, typer.Option(help="Posterior to write; MODEL.nc by default.")] = None,
    card: Card = None,
    map_: Maps = None,
    unit: Units = None,
    where: Where = None,
    target: Annotated[list[str] | None, typer.Option(help="Target to model; all of the law's kind by default.")] = None,
    seed: Seed = 0,
    draws: Annotated[int, typer.Option(min=50, help="Draws kept in each of four chains.")] = 1000,
    warmup: Annotated[int, typer.Option(min=50, help="Draws discarded before.")] = 500,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    force: Force = False,
    accept_unconverged: Accept = False,
) -> None:
    """Sample the posterior of a model given runs, and write it to a file."""
    import dataclasses

    from bayesmix.files import refuse_overwrite
    from bayesmix.inference import fit as sample
    from bayesmix.model import Model

    chosen = Model.read(model)
    if target:
        chosen = dataclasses.replace(chosen, targets=tuple(target))
    path = out or Path(f"{chosen.name}.nc")
    refuse_overwrite(path, overwrite=force)
    table = _read(runs, card, map_, unit, where)
    posterior = sample(chosen, table, seed=seed, draws=draws, warmup=warmup, progress=not quiet)
    posterior.save(path, overwrite=force)
    _say_notice(table)
    for problem in posterior.problems():
        _warn(str(problem))
    if accept_unconverged:
        posterior = posterior.accept()
    try:
        posterior.require_converged()
    except BayesmixError:
        _warn(f"The draws are kept in {path}, to look at.")
        raise
    _table(posterior.summary())
    _say(f"wrote {path}")


@app.command()
def compare(
    posteriors: Posteriors,
    out: Annotated[Path, typer.Option(help="Comparison to write.")] = Path("comparison.json"),
    leave_out: Annotated[str, typer.Option(help="What to leave out at a time: run, mixture or observation.")] = "run",
    force: Force = False,
    accept_unconverged: Accept = False,
) -> None:
    """Compare models of the same runs by PSIS-LOO and WAIC, with stacking weights."""
    from bayesmix.comparison import compare as by_loo
    from bayesmix.files import refuse_overwrite
    from bayesmix.results import save

    if leave_out not in ("run", "mixture", "observation"):
        raise typer.BadParameter("must be run, mixture or observation", param_hint="--leave-out")
    refuse_overwrite(out, overwrite=force)
    comparison = by_loo(_load(posteriors, accept_unconverged), leave_out=leave_out)  # pyright: ignore
    save(comparison, out, overwrite=force)
    _table(comparison.table)
    for warning in comparison.warnings:
        _warn(warning)
    _say(f"wrote {out}")


@app.command()
def predict(
    posterior: Annotated[Path, typer.Argument(metavar="POSTERIOR", help="File written by fit.")],
    planned: Planned = None,
    at: Annotated[list[str] | None, typer.Option("--at", help="A planned run: N=70e9,D=1.4e12.")] = None,
    compute: Compute = None,
    out: Annotated[Path, typer.Option(help="Table to write.")] = Path("prediction.csv"),
    seed: Seed = 0,
    force: Force = False,
    accept_unconverged: Accept = False,
) -> None:
    """Predict planned runs with intervals, and find compute-optimal N and D."""
    import pandas as pd

    from bayesmix.files import refuse_overwrite, write_whole
    from bayesmix.prediction import compute_optimal
    from bayesmix.prediction import predict as forecast

    if not (planned or at or compute):
        raise typer.BadParameter("say what to predict: --planned FILE, --at N=...,D=... or --compute FLOP")
    refuse_overwrite(out, overwrite=force)
    (loaded,) = _load([posterior], accept_unconverged).values()
    tables, warnings = [], []
    if planned or at:
        prediction = forecast(loaded, _planned(planned, at), seed=seed)
        tables += [prediction.table("measured").assign(of="one run"), prediction.table("expected").assign(of="the law")]
        warnings += prediction.warnings
    if compute:
        optimum = compute_optimal(loaded, compute)
        tables.append(optimum.table())
        warnings += optimum.warnings
    for table in tables:
        _table(table, index=False)
        _say()
    derived = loaded.derived()
    if derived.data_vars:
        _say("Derived coefficients, mean and standard deviation:")
        _table(pd.DataFrame({n: {"mean": float(v.mean()), "sd": float(v.std())} for n, v in derived.items() if v.size}).T)
    for warning in dict.fromkeys(warnings):
        _warn(warning)
    write_whole(out, lambda p: pd.concat(tables).to_csv(p, index=False), overwrite=force)
    _say(f"wrote {out}")


def _planned(path: Path | None, at: list[str] | None) -> Runs:
    import pandas as pd

    from bayesmix.runs import Runs

    frames = [Runs.read(path, planned=True).table] if path else []
    for text in at or []:
        cells = dict(part.partition("=")[::2] for part in text.replace(" ", "").split(","))
        frames.append(pd.DataFrame([{"run": text, **cells}]))
    return Runs.of(pd.concat(frames, ignore_index=True), planned=True, source=str(path or "--at"))


@app.command()
def decide(
    posteriors: Posteriors,
    problem: Problem,
    comparison: Annotated[Path | None, typer.Option(help="Comparison whose stacking weights share the draws.")] = None,
    out: Annotated[Path, typer.Option(help="Decision to write.")] = Path("decision.json"),
    seed: Seed = 0,
    force: Force = False,
    accept_unconverged: Accept = False,
) -> None:
    """Choose the mixture that minimises the expected objective."""
    from bayesmix.decision import Problem as Stated
    from bayesmix.decision import decide as choose
    from bayesmix.files import refuse_overwrite
    from bayesmix.results import load_comparison, save

    refuse_overwrite(out, overwrite=force)
    stated = Stated.read(problem)
    weights = load_comparison(comparison).weights if comparison else None
    decision = choose(_load(posteriors, accept_unconverged), stated, seed=seed, weights=weights)
    save(decision, out, overwrite=force)
    _table(decision.table(), index=False)
    for name, value in decision.facts().items():
        _say(f"{name:28} {value:.4g}")
    for warning in decision.warnings:
        _warn(warning)
    _say(f"wrote {out}")


@app.command()
def report(
    posteriors: Posteriors,
    comparison: Annotated[list[Path] | None, typer.Option(help="Comparison to show; may be given several times.")] = None,
    decision: Annotated[Path | None, typer.Option(help="Decision to show.")] = None,
    planned: Planned = None,
    compute: Compute = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("report"),
    seed: Seed = 0,
    force: Force = False,
    accept_unconverged: Accept = False,
) -> None:
    """Write one self-contained HTML report, with Markdown and JSON beside it."""
    from bayesmix.files import refuse_overwrite
    from bayesmix.report import write_report
    from bayesmix.results import load_comparison, load_decision

    refuse_overwrite(out, overwrite=force)
    loaded = _load(posteriors, accept_unconverged)
    predictions, optima = _forecasts(loaded, planned, compute, seed)
    write_report(
        out,
        loaded,
        [load_comparison(path) for path in comparison or []],
        load_decision(decision) if decision else None,
        predictions=predictions,
        optima=optima,
        overwrite=force,
    )
    _say(f"wrote {out / 'report.html'}")


def _forecasts(loaded: dict[str, Posterior], planned: Path | None, compute: list[float] | None, seed: int):
    """Predict with every posterior that can: a mixing law is not asked about N and D alone."""
    from bayesmix.prediction import compute_optimal
    from bayesmix.prediction import predict as forecast

    predictions, optima, refusals = {}, {}, {}
    for name, posterior in loaded.items():
        try:
            if planned and posterior.model.law.covariates:
                predictions[name] = forecast(posterior, _planned(planned, None), seed=seed)
            if compute:
                optima[name] = compute_optimal(posterior, compute)
        except BayesmixError as error:
            refusals[name] = error
    if refusals and not (predictions or optima):
        raise next(iter(refusals.values()))
    return predictions, optima


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write everything into.")] = Path("demo"),
    force: Force = False,
) -> None:
    """Run the whole main job on the table that comes with the package."""
    from bayesmix.demo import commands

    for line in commands(out, force=force):
        _say(f"\n$ bayesmix {' '.join(line)}")
        app(line, standalone_mode=False)
    _say(f"\nOpen {out / 'report' / 'report.html'}")


def main() -> None:
    """Run the command line; errors made for the user are printed without a traceback."""
    try:
        app()
    except BayesmixError as error:
        _warn(f"error: {error}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
