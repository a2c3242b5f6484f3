"""The command line: parses and calls; contains no statistics.

Everything heavy is imported inside the commands, so that --help answers at once.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from bayesmix import options as option
from bayesmix.backtest import extrapolate, history
from bayesmix.choice import decide, design, next_
from bayesmix.conversion import export, import_
from bayesmix.errors import BayesmixError
from bayesmix.plans import plan
from bayesmix.priorcheck import sensitivity
from bayesmix.sweep import fit, fit_many
from bayesmix.terminal import (
    claim,
    forecasts,
    load,
    load_informed,
    notice_of,
    read_planned,
    read_runs,
    refuse_idle,
    say,
    say_notice,
    show,
    warn,
    warn_once,
)

EXIT_CODES = """Exit codes: 0 done; 2 wrong usage; 3 bad input, all faults listed; 4 not converged, no answer given;
5 a result exists and was not to be replaced."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Bayesian scaling and data-mixing laws: forecast the large run, choose the mixture.\n\n" + EXIT_CODES,
)


@app.callback()
def before(
    import_: Annotated[
        list[str] | None,
        typer.Option(
            "--import", metavar="MODULE", help="Import a module with laws of your own, for posteriors of them."
        ),
    ] = None,
) -> None:
    """Import what the user trusts: reading a posterior imports nothing by itself."""
    for module in import_ or []:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise BayesmixError(f"{module} cannot be imported: {error}. Is its folder on PYTHONPATH?") from None


@app.command()
def check(
    runs: option.RunsFile,
    card: option.Card = None,
    map_: option.Maps = None,
    unit: option.Units = None,
    where: option.Where = None,
    model: option.Asked = None,
) -> None:
    """Check a table of runs, and say what its design can and cannot show."""
    from bayesmix.describe import described

    table = read_runs(runs, card, map_, unit, where)
    say_notice(table.card.notice)
    for line in described(table, model or ()):
        say(line)


app.command()(design)
app.command("import")(import_)


@app.command()
def laws(
    name: Annotated[str | None, typer.Argument(help="A law to show in full.")] = None,
    for_: Annotated[
        Path | None, typer.Option("--for", metavar="RUNS", help="Only the laws that this table of runs can feed.")
    ] = None,
    card: option.Card = None,
    map_: option.Maps = None,
    unit: option.Units = None,
    where: option.Where = None,
) -> None:
    """List the laws, or those that a table can feed, or show one: equation, covariates, priors, source."""
    from bayesmix import laws as catalogued
    from bayesmix.describe import catalogue, law_card
    from bayesmix.identifiability import feedable

    if name and for_:
        raise typer.BadParameter("shows a law or asks for those of a table, not both", param_hint="--for")
    if name:
        lines = law_card(name)
    elif for_:
        models = feedable(read_runs(for_, card, map_, unit, where))
        lines = catalogue(list({model.law.name for model in models}))
    else:
        lines = catalogue(catalogued.names())
    for line in lines:
        say(line)


app.command()(fit)
app.command()(fit_many)


@app.command()
def compare(
    posteriors: option.Posteriors,
    out: Annotated[Path, typer.Option(help="Comparison to write.")] = Path("comparison.json"),
    leave_out: Annotated[
        str, typer.Option(help="What to leave out at a time: run, mixture, observation, or a label column: family.")
    ] = "run",
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit anew without each unit whose Pareto k moment matching leaves bad.")
    ] = False,
    folds: Annotated[int | None, typer.Option(min=2, help="K-fold cross-validation instead, with refits.")] = None,
    seed: option.Seed = 0,
    processes: option.Processes = 1,
    quiet: option.Quiet = False,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Compare models of the same runs by LOO or K-fold, and WAIC, with weights by stacking and pseudo-BMA+."""
    from bayesmix.comparison import compare as by_loo
    from bayesmix.results import save

    claim(out, force=force, read=posteriors)
    loaded = load(posteriors, accept_unconverged)
    comparison = by_loo(
        loaded, leave_out=leave_out, refit=refit, folds=folds, seed=seed, processes=processes, progress=not quiet
    )
    save(comparison, out, notice=notice_of(loaded), overwrite=force)
    say(f"{comparison.method}, leaving out by {comparison.left_out}: {comparison.units} units.\n")
    show(comparison.table)
    warn_once(comparison.warnings, loaded)
    say(f"wrote {out}")


@app.command()
def predict(
    posteriors: option.Posteriors,
    planned: option.Planned = None,
    at: option.At = None,
    compute: option.Compute = None,
    label: option.Label = None,
    link: option.Links = None,
    extrapolation: option.Extrapolations = None,
    out: Annotated[Path, typer.Option(help="Table to write.")] = Path("prediction.csv"),
    seed: option.Seed = 0,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Predict planned runs with intervals, and find compute-optimal N and D; several laws are averaged."""
    import pandas as pd

    from bayesmix.averaging import average, average_optimum, shares, spread
    from bayesmix.files import write_whole
    from bayesmix.linking import linked

    if not (planned or at or compute) or (planned and at):
        raise typer.BadParameter("say what to predict: --planned FILE or --at N=...,D=..., and --compute FLOP")
    refuse_idle(compute, label, link, planned=bool(planned or at))
    claim(out, force=force, read=[planned, *posteriors, *(link or []), *(extrapolation or [])])
    loaded, backtests = load_informed(posteriors, accept_unconverged, extrapolation)
    runs = read_planned(planned, at)
    predictions, optima = forecasts(loaded, runs, compute, label, seed)
    links = load(link or [], accept_unconverged)
    predictions = {n: linked(p, list(links.values()), seed=seed) for n, p in predictions.items()}
    shared, tables, warnings = {}, [], []
    for names in dict.fromkeys((tuple(predictions), tuple(optima))):
        if len(names) > 1:
            shared[names] = shares({n: loaded[n] for n in names}, backtests)
            say("Average of " + ", ".join(f"{n} ({weight:.0%})" for n, weight in shared[names].items()) + ".\n")
    if weights := shared.get(tuple(predictions)):
        tables.append(spread(predictions, weights).assign(of="spread of laws", model="average"))
        predictions = {"average": average(predictions, weights, seed=seed), **predictions}
    if weights := shared.get(tuple(optima)):
        optima = {"average": average_optimum(optima, weights, seed=seed), **optima}
    for name, prediction in predictions.items():
        tables += [
            prediction.table("measured").assign(of="one run", model=name),
            prediction.table("expected").assign(of="expected", model=name),
        ]
        warnings += prediction.warnings
    if runs is not None:
        warnings += [b.untested(next(iter(loaded.values())).runs, runs) or b.sentence() for b in backtests]
    for name, optimum in optima.items():
        tables.append(optimum.table().assign(model=name))
        warnings += optimum.warnings
    whole = pd.concat(tables)
    if notice := notice_of(loaded | links):
        whole = whole.assign(notice=notice)
    write_whole(out, lambda p: whole.to_csv(p, index=False), overwrite=force)
    for table in tables:
        show(table, index=False)
        say()
    for name, posterior in loaded.items():
        derived = posterior.summary(of="derived")
        if len(derived):
            say(f"Derived coefficients of {name}:")
            show(derived)
    warn_once(warnings, loaded | links)
    say(f"wrote {out}")


app.command()(extrapolate)
app.command()(history)
app.add_typer(plan, name="plan")
app.command()(sensitivity)
app.command()(decide)
app.command("next")(next_)
app.command()(export)


@app.command()
def report(
    posteriors: option.Posteriors,
    comparison: option.Comparisons = None,
    decision: Annotated[Path | None, typer.Option(help="Decision to show.")] = None,
    proposal: Annotated[Path | None, typer.Option(help="What next wrote, to show.")] = None,
    planned: option.Planned = None,
    compute: option.Compute = None,
    label: option.Label = None,
    link: option.Links = None,
    extrapolation: option.Extrapolations = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("report"),
    seed: option.Seed = 0,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Write one self-contained HTML report, with Markdown and JSON beside it."""
    from bayesmix.report import PAGE, write_report
    from bayesmix.results import load_comparison, load_decision, load_proposal

    refuse_idle(compute, label)
    claim(out, force=force, marker=PAGE)
    loaded, backtests = load_informed(posteriors, accept_unconverged, extrapolation)
    predictions, optima = forecasts(loaded, read_planned(planned), compute, label, seed)
    write_report(
        out,
        loaded,
        [load_comparison(path) for path in comparison or []],
        load_decision(decision) if decision else None,
        predictions=predictions,
        optima=optima,
        extrapolations=backtests,
        proposal=load_proposal(proposal) if proposal else None,
        links=load(link or [], accept_unconverged),
        overwrite=force,
    )
    say(f"wrote {out / PAGE}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write everything into.")] = Path("demo"),
    force: option.Force = False,
) -> None:
    """Run the whole main job on the table that comes with the package."""
    from bayesmix.demo import commands

    for line in commands(out, force=force):
        say(f"\n$ bayesmix {' '.join(line)}")
        app(line, standalone_mode=False)
    say(f"\nOpen {out / 'report' / 'report.html'}")


def main() -> None:
    """Run the command line; errors made for the user are printed without a traceback."""
    try:
        app()
    except BayesmixError as error:
        warn(f"error: {error}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
