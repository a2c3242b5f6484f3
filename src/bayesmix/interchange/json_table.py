"""A plain table of the mixture as JSON.

```json
{"about": "Mixture decided by bayesmix ...", "caveats": [],
 "domains": [{"domain": "web", "weight": 0.7, "low90%": 0.61, "high90%": 0.78, "baseline": 0.5,
              "training_tokens": 7e11, "unique_tokens": 3.2e12, "epochs": 0.21875}]}
```

Columns as in `csv_table`; null where not known. Written by bayesmix for scripts.
"""

from __future__ import annotations

import json

from bayesmix.interchange._launch import Launch


def write(launch: Launch) -> str:
    """Return the table as JSON."""
    table = launch.table().astype(object)
    rows = table.where(table.notna(), None).to_dict(orient="records")
    content = {"about": launch.origin, "caveats": list(launch.caveats), "domains": rows}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
