"""The main job on the table that comes with the package, as a list of commands."""

from __future__ import annotations

from pathlib import Path

from bayesmix import ready
from bayesmix.files import refuse_overwrite

MODELS = ("tokens", "blind")
# Every run to its end, but for those that read the scarce domain so often that they overfit it.
WHERE = ("part=fit", "checkpoint=end", "epochs_spanish<=40")
BUDGET = "1e13"


def commands(out: Path, *, force: bool) -> list[list[str]]:
    """Return the arguments of each step; all results go into `out`.

    Raises
    ------
    WouldOverwriteError
        `out` exists and `force` is false.
    """
    if not force:
        refuse_overwrite(out, overwrite=False)
    data = ready.demo()
    runs = [str(data / "runs.csv"), "--card", str(data / "runs.toml")]
    runs += [text for condition in WHERE for text in ("--where", condition)]
    again = ["--force"] if force else []

    def path(name: str) -> str:
        return str(out / name)

    fitted = [path(f"{m}.nc") for m in MODELS]
    problem, planned = ["--problem", str(data / "problem.toml")], ["--planned", str(data / "planned.csv")]
    compared = ["--comparison", path("comparison.json")]
    return [
        ["check", *runs],
        *(["fit", str(data / f"{m}.toml"), *runs, "--out", path(f"{m}.nc"), *again] for m in MODELS),
        ["compare", *fitted, "--out", path("comparison.json"), *again],
        ["predict", fitted[0], *planned, "--out", path("prediction.csv"), *again],
        ["decide", *fitted, *problem, *compared, "--out", path("decision.json"), *again],
        ["next", *fitted, *problem, *compared, "--budget", BUDGET, "--out", path("next.json"), *again],
        ["report", *fitted, *compared, "--decision", path("decision.json"), "--proposal", path("next.json"),
         *planned, "--out", path("report"), *again],
    ]  # fmt: skip
