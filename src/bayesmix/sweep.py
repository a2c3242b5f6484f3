"""The commands that fit: one model, or many."""

from pathlib import Path
from typing import Annotated

import typer

from bayesmix import options as option
from bayesmix.errors import BayesmixError
from bayesmix.terminal import claim, load, read_model, read_runs, say, say_notice, show, warn


def fit(
    model: option.ModelName,
    runs: option.RunsFile,
    out: Annotated[Path | None, typer.Option(help="Posterior to write; MODEL.nc by default.")] = None,
    card: option.Card = None,
    map_: option.Maps = None,
    unit: option.Units = None,
    where: option.Where = None,
    target: option.Targets = None,
    after: Annotated[
        Path | None,
        typer.Option(metavar="POSTERIOR", help="An earlier study: expect the effects of domains where it found them."),
    ] = None,
    seed: option.Seed = 0,
    draws: option.Draws = 1000,
    warmup: option.Warmup = 1000,
    chains: option.Chains = 4,
    preview: option.Preview = False,
    quiet: option.Quiet = False,
    force: option.Force = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Sample the posterior of a model given runs, and write it to a file."""
    from bayesmix.diagnostics import ignored
    from bayesmix.inference import fit as sample
    from bayesmix.outliers import sentence

    chosen = read_model(model, target)
    path = out or Path(f"{chosen.name}.nc")
    claim(path, force=force, read=[Path(model), runs, card, after])
    if after:
        chosen = chosen.after(load([after], accept_unconverged)[after.stem])
        say(f"{', '.join(chosen.shrinkage)}: prior centred on what {after} found, by the names of targets and domains")
    table = read_runs(runs, card, map_, unit, where)
    early = list(ignored(chosen, table))  # which can make sampling slow
    for problem in early:
        warn(str(problem))
    posterior = sample(
        chosen, table, seed=seed, draws=draws, warmup=warmup, chains=chains, preview=preview, progress=not quiet
    )
    posterior.save(path, overwrite=force)
    say_notice(table.card.notice)
    for problem in posterior.problems():
        if problem not in early:
            warn(str(problem))
    if accept_unconverged:
        posterior = posterior.accept()
    try:
        posterior.require_converged()
    except BayesmixError:
        warn(f"The draws are kept in {path}, to look at.")
        raise
    show(posterior.summary())
    if said := sentence(posterior):
        say(said)
    say(f"wrote {path}")


def fit_many(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Model files, or ready models by name.")],
    runs: Annotated[Path, typer.Option("--runs", help="CSV of runs.")],
    by: Annotated[
        str | None, typer.Option(help="Label column: fit each model to the runs of each of its values.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of posteriors; those that are there are not fitted again.")] = Path(
        "fits"
    ),
    card: option.Card = None,
    map_: option.Maps = None,
    unit: option.Units = None,
    where: option.Where = None,
    seed: option.Seed = 0,
    draws: option.Draws = 1000,
    warmup: option.Warmup = 1000,
    chains: option.Chains = 4,
    preview: option.Preview = False,
    processes: option.Processes = 1,
    cluster: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers do the fits: tcp://10.0.0.1:8786.")
    ] = None,
    quiet: option.Quiet = False,
    accept_unconverged: option.Accept = False,
) -> None:
    """Fit many models to one table or to its parts; a sweep that was killed goes on where it was."""
    import pandas as pd

    from bayesmix.errors import NotConvergedError
    from bayesmix.inference.fit import checked
    from bayesmix.inference.many import stream
    from bayesmix.model import Model

    table, read = read_runs(runs, card, map_, unit, where), [Model.read(m) for m in models]
    pairs = {
        f"{model.name}-{level}" if level else model.name: (model, part)
        for model in read
        for level, part in (table.parts(by).items() if by else [("", table)])
    }
    if len({model.name for model in read}) < len(read):
        raise BayesmixError("two of the models have one name. Give each a name of its own: name = ... in its file")
    say_notice(table.card.notice)
    rows, failed = {}, 0
    for name, posterior in stream(
        [m for m, _ in pairs.values()], [r for _, r in pairs.values()], seed=seed, names=list(pairs), out=out,
        settings=checked(draws, warmup, chains), preview=preview, processes=processes, cluster=cluster,
        progress=not quiet,
    ):  # fmt: skip
        summary = posterior.summary()
        rows[name] = {
            "runs": len(posterior.runs),
            "R-hat": summary["r_hat"].max(),
            "ESS": summary[["ess_bulk", "ess_tail"]].min(axis=None),
            "": ", ".join(p.kind for p in posterior.problems()),
        }
        if not posterior.converged:
            failed += 1
            warn(f"{name}: {posterior.problems()[0]}")
    show(pd.DataFrame.from_dict({n: rows[n] for n in pairs}, orient="index"))
    say(f"wrote {len(rows)} posteriors to {out}")
    if failed and not accept_unconverged:
        raise NotConvergedError(f"{failed} of {len(rows)} did not converge and are no answer. All are kept in {out}.")
