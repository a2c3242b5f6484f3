"""The main job on the table that comes with the package, as a list of commands."""

from __future__ import annotations

from pathlib import Path

from bayesmix import ready
from bayesmix.files import refuse_overwrite

LADDER = ("chinchilla", "kaplan_nd")
MIXING = ("ye_m4", "constant")
BUDGET, RUNS_BUDGET = "1e21", "4e19"  # FLOP: of the planned run, and of more small ones


def commands(out: Path, *, force: bool) -> list[list[str]]:
    """Return the arguments of each step; all results go into `out`.

    Raises
    ------
    WouldOverwriteError
        `out` exists and `force` is false.
    """
    refuse_overwrite(out, overwrite=force)
    data = ready.demo()
    runs, card = str(data / "runs.csv"), ["--card", str(data / "runs.toml")]
    again = ["--force"] if force else []

    def path(name: str) -> str:
        return str(out / name)

    def fit(model: str, role: str) -> list[str]:
        return ["fit", model, runs, *card, "--where", f"role={role}", "--out", path(f"{model}.nc"), *again]

    ladder, mixing = ([path(f"{m}.nc") for m in models] for models in (LADDER, MIXING))
    planned = ["--planned", str(data / "planned.csv"), "--compute", BUDGET]
    by_scale, by_mixture = path("comparison_scaling.json"), path("comparison_mixing.json")
    return [
        ["check", runs, *card, "--where", "role=ladder"],
        *(fit(model, "ladder") for model in LADDER),
        ["compare", *ladder, "--out", by_scale, *again],
        ["predict", ladder[0], *planned, "--out", path("prediction.csv"), *again],
        *(fit(model, "mixture") for model in MIXING),
        ["compare", *mixing, "--out", by_mixture, *again],
        ["decide", *mixing, "--problem", str(data / "problem.toml"), "--comparison", by_mixture,
         "--out", path("decision.json"), *again],
        ["next", *mixing, "--problem", str(data / "problem.toml"), "--comparison", by_mixture, "--budget", RUNS_BUDGET,
         "--out", path("next.json"), *again],
        ["report", *ladder, *mixing, "--comparison", by_scale, "--comparison", by_mixture,
         "--decision", path("decision.json"), "--proposal", path("next.json"), *planned,
         "--out", path("report"), *again],
    ]  # fmt: skip
