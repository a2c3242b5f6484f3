"""The command fit-many."""

from pathlib import Path
from typing import Annotated

import typer

from bayesmix.errors import BayesmixError
from bayesmix.options import Accept, Card, Chains, Draws, Maps, Preview, Processes, Quiet, Seed, Units, Warmup, Where
from bayesmix.terminal import read_runs, say, say_notice, show, warn


def fit_many(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Model files, or ready models by name.")],
    runs: Annotated[Path, typer.Option("--runs", help="CSV of runs.")],
    by: Annotated[
        str | None, typer.Option(help="Label column: fit each model to the runs of each of its values.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of posteriors; those that are there are not fitted again.")] = Path(
        "fits"
    ),
    card: Card = None,
    map_: Maps = None,
    unit: Units = None,
    where: Where = None,
    seed: Seed = 0,
    draws: Draws = 1000,
    warmup: Warmup = 1000,
    chains: Chains = 4,
    preview: Preview = False,
    processes: Processes = 1,
    cluster: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers do the fits: tcp://10.0.0.1:8786.")
    ] = None,
    quiet: Quiet = False,
    accept_unconverged: Accept = False,
) -> None:
    """Fit many models to one table or to its parts; a sweep that was killed goes on where it was."""
    import pandas as pd

    from bayesmix.errors import NotConvergedError
    from bayesmix.inference.fit import checked
    from bayesmix.inference.many import stream
    from bayesmix.model import Model

    table = read_runs(runs, card, map_, unit, where)
    pairs = {
        f"{model.name}-{level}" if level else model.name: (model, part)
        for model in map(Model.read, models)
        for level, part in (table.parts(by).items() if by else [("", table)])
    }
    if len(pairs) < len(models):
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
