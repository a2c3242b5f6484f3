"""What others have already: where measured tables are, tables as Markdown, and priors that say little."""

import sys
from functools import cache
from pathlib import Path

import pandas as pd

# After this folder, whose modules come first.
sys.path += [str(Path(__file__).parents[k] / folder) for k, folder in ((2, "case_studies"), (1, "."))]
import common
from common import data
from common import markdown as markdown
from common import present as present
from wide import WIDE as WIDE

CASE_STUDIES = Path(common.__file__).parent

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
def _file(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def read(table: str, name: str) -> pd.DataFrame:
    """Return a file of a study, numbers as floats: 6 N D overflows whole ones."""
    frame = _file(data(table) / name)
    whole = frame.select_dtypes("integer").columns
    return frame.astype(dict.fromkeys(whole, float))


def own(study: str, name: str) -> pd.DataFrame:
    """Return a file of a case study that this project measured itself."""
    return _file(CASE_STUDIES / study / name)
