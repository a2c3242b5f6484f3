"""What the studies share: where measured tables are, and how results get into a README."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from bayesmix import Decision

MARK = "<!-- results: written by study.py -->"


def place(folder: str) -> Path:
    """Return where a folder of measured tables belongs, whether it is there or not."""
    return Path(os.environ.get("BAYESMIX_DATA", Path(__file__).parents[1].parent / "shared" / "data")) / folder


def present(folder: str) -> bool:
    """Say whether a folder of measured tables is at hand."""
    return place(folder).is_dir()


def data(folder: str) -> Path:
    """Return a folder of measured tables, which this project may read but not ship."""
    path = place(folder)
    if not present(folder):
        raise SystemExit(f"measured tables not found at {path}: set BAYESMIX_DATA to the folder that has {folder}/")
    return path


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    rows = [
        list(map(str, table.columns)),
        ["---"] * len(table.columns),
        *table.astype(str).to_numpy().tolist(),
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def decided(decision: Decision) -> list[str]:
    """Return a decision as Markdown: the mixture, its numbers, and what to know."""
    return [
        markdown(decision.table().round(3)),
        markdown(pd.DataFrame([{"quantity": n, "value": f"{v:.4g}"} for n, v in decision.facts().items()])),
        "\n".join(f"- {w}" for w in decision.warnings),
    ]


def record(readme: Path, results: str) -> None:
    """Replace what follows the mark in a README by new results."""
    text = readme.read_text(encoding="utf-8").split(MARK)[0]
    readme.write_text(f"{text}{MARK}\n\n{results}\n", encoding="utf-8")
    print(results)
