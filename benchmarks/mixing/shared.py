"""Where measured tables are, tables as Markdown, and the optimiser of the benchmark next door."""

import sys
from pathlib import Path

# After this folder, whose modules come first.
sys.path += [str(Path(__file__).parents[2] / "case_studies"), str(Path(__file__).parents[1] / "calibration")]
from common import data as data
from common import markdown as markdown
from common import place


def present(table: str) -> bool:
    """Say whether the measured tables of a study are at hand."""
    return place(table).is_dir()
