"""What the case studies have already: where measured tables are, and tables as Markdown."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "case_studies"))
import common
from common import markdown as markdown
from common import place as place

STUDIES = Path(common.__file__).parent
