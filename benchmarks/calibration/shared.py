"""What the case studies have already: where measured tables are, and tables as Markdown."""

import sys
from functools import cache
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "case_studies"))
from common import data
from common import markdown as markdown
from common import present as present

TABLES = (
    "chinchilla_epoch",
    "colpret_curves",
    "datablations",
    "gadre_scaling",
    "gemstones",
    "misfitting",
    "mixinglaws",
    "multipowerlaw",
    "porian",
    "sft_rectified",
    "slimpajama-7-and-pile-4",
    "steplaw",
    "xlstm",
)


@cache
def _file(table: str, name: str) -> pd.DataFrame:
    return pd.read_csv(data(table) / name)


def read(table: str, name: str) -> pd.DataFrame:
    """Return a file of a study, numbers as floats: 6 N D overflows whole ones."""
    frame = _file(table, name)
    whole = frame.select_dtypes("integer").columns
    return frame.astype(dict.fromkeys(whole, float))
