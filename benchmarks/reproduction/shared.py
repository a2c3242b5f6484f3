"""Where measured tables are, and tables as Markdown."""

import sys
from pathlib import Path

# After this folder, whose modules come first.
sys.path.append(str(Path(__file__).parents[2] / "case_studies"))
from common import data as data
from common import markdown as markdown
from common import place


def present(table: str) -> bool:
    """Say whether the measured tables of a study are at hand."""
    return place(table).is_dir()
