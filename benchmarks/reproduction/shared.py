"""Where measured tables are, tables as Markdown, the command line, and priors that say little."""

import sys
from pathlib import Path

# After this folder, whose modules come first.
sys.path += [str(Path(__file__).parents[k] / folder) for k, folder in ((2, "case_studies"), (1, "."))]
from command import arguments as arguments
from command import chosen as chosen
from common import data as data
from common import markdown as markdown
from wide import WIDE as WIDE
