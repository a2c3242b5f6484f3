"""torchtitan: a `DatasetMixConfig` to paste into a recipe.

```python
mixture = DatasetMixConfig(
    datasets=(
        WeightedDataset(dataset=web_dataset, weight=0.7),
        WeightedDataset(dataset=code_dataset, weight=0.3),
    )
)
```

The names of the datasets are placeholders: define them, or write your own. A recipe is Python, and bayesmix writes
only this expression of it. Mix after packing: weights are shares of tokens, and before packing torchtitan counts
documents. A domain of weight zero is left out.

Source: pytorch/torchtitan, dataset mixing of its recipes, as of November 2026.
"""

from __future__ import annotations

import re

from bayesmix.errors import Fault, InputError
from bayesmix.interchange._launch import Launch


def write(launch: Launch) -> str:
    """Return the expression, under a comment that says which dataset each name stands for."""
    names = {share.domain: _name(share.domain) for share in launch.positive}
    if twice := {name for name in names.values() if list(names.values()).count(name) > 1}:
        alike = [domain for domain, name in names.items() if name in twice]
        what = f"{', '.join(map(repr, alike))} would have one name in Python"
        raise InputError("torchtitan", [Fault(what, "Rename domains in the table of runs")])
    notes = [launch.origin, *launch.caveats, "Shares of tokens: mix after packing. Define the datasets:"]
    notes += [f"  {name}: {domain}" for domain, name in names.items()]
    lines = [f"# {note.replace(chr(10), ' ').replace(chr(13), ' ')}" for note in notes]
    lines += ["mixture = DatasetMixConfig(", "    datasets=("]
    lines += [
        f"        WeightedDataset(dataset={names[share.domain]}, weight={share.weight!r})," for share in launch.positive
    ]
    return "\n".join([*lines, "    )", ")", ""])


def _name(domain: str) -> str:
    name = re.sub(r"\W", "_", domain) + "_dataset"
    return name if name.isidentifier() else f"_{name}"
