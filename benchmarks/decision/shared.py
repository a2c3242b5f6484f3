"""Where measured tables are, tables as Markdown, the command line, and rivals and tables of the mixing benchmark."""

import sys
from pathlib import Path

# After this folder, whose modules come first.
sys.path += [
    str(Path(__file__).parents[2] / folder)
    for folder in ("case_studies", "benchmarks/mixing", "benchmarks/calibration", "benchmarks")
]
import rivals as rivals
from command import arguments as arguments
from command import chosen as chosen
from common import data as data
from common import markdown as markdown
from splits import mixtures as mixtures
from splits import pile as pile
from splits import slimpajama as slimpajama
