"""Rows as a table for the terminal, for a page and for other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from shared import markdown

# Name and form of each column; the form is used where the cell is a number.
FORMS = {
    "task": "",
    "contender": "",
    "start": "",
    "wall s": ".1f",
    "CPU s": ".1f",
    "peak MB": ",.0f",
    "fit s": ".1f",
    "fits": ".0f",
    "fits made": ".0f",
    "converged": ".0%",
    "min bulk ESS": ",.0f",
    "min tail ESS": ",.0f",
    "max R-hat": ".3f",
    "divergences": ".0f",
    "steps/draw": ".1f",
    "ESS/s": ",.2f",
    "fits/s": ".3f",
    "times slower": ",.2f",
}
LEGEND = """
- wall, CPU, peak: a whole process seen from outside, from starting Python to draws on disk, with threads and children
  (the peak is that of the largest process).
- cold: caches of compiled programs are empty. warm: the same command once more, in a process that finds them filled.
- fits made: where fewer than fits, the time of the others is added, each at the median of those made.
- fit s: the part of wall between having the table and having the draws, as the process itself says.
- converged: share of fits with R-hat at most 1.01, bulk and tail ESS at least 400, at most 1 divergence in 1,000 draws.
- ESS, R-hat: the worst over all fits and quantities, which are those of the anchored form for every contender.
- steps/draw: mean leapfrog steps; bayesmix samples targets apart where it can, so that steps are then of one target.
- ESS/s, fits/s: bulk ESS, and fits, per second of wall. Effective draws count whether or not the fit converged.
- times slower: than bayesmix at the same start, by ESS/s, or by fits/s where there are many fits.
"""


def finished(rows: list[dict]) -> pd.DataFrame:
    """Return rows with rates, and how they compare with those of bayesmix."""
    table = pd.DataFrame(rows, columns=list(FORMS))
    wall = pd.to_numeric(table["wall s"], errors="coerce")
    table["fits/s"] = table["fits"] / wall
    # One number cannot sum up the effective draws of many fits.
    table["ESS/s"] = (table["min bulk ESS"] / wall).where(table["fits"] == 1)
    rate = table["ESS/s"].where(table["fits"] == 1, table["fits/s"])
    ours = {(r["task"], r["start"]): rate[i] for i, r in table.iterrows() if r["contender"] == "bayesmix"}
    table["times slower"] = [ours.get((r["task"], r["start"]), np.nan) / rate[i] for i, r in table.iterrows()]
    return table


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    return pd.DataFrame({name: [_text(cell, FORMS[name]) for cell in table[name]] for name in table})


def _text(cell: object, form: str) -> str:
    if isinstance(cell, str):
        return cell
    return "" if pd.isna(cell) else format(cell, form)


def brief(rows: list[dict]) -> str:
    """Return a line per row, to say how far it is."""
    return "\n".join(", ".join(f"{n} {_text(row[n], FORMS[n])}" for n in list(FORMS)[:6]) for row in rows)


def page(table: pd.DataFrame, about: list[str]) -> str:
    """Return the table as Markdown, with what is to be known of it."""
    return "\n".join([markdown(readable(table)), LEGEND, *(f"- {line}" for line in about), ""])


def write(folder: Path, table: pd.DataFrame, about: list[str]) -> None:
    """Write speed.md and speed.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.md").write_text(page(table, about), encoding="utf-8")
    table.to_csv(folder / "speed.csv", index=False)
