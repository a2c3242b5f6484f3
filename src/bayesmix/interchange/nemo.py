"""NeMo 2: the argument `paths` of `PreTrainingDataModule`, as JSON.

```json
{"paths": ["0.700000", "/data/web", "0.200000", "/data/code", "0.100000", "/data/math"]}
```

`PreTrainingDataModule(**json.load(open(FILE)), seq_length=..., ...)`. Weights and paths alternate, all texts, as
Megatron Core takes them. A domain of weight zero is left out.

Source: NVIDIA/NeMo, `nemo/collections/llm/gpt/data/pre_training.py`, as of November 2026.
"""

from __future__ import annotations

import json

from bayesmix.interchange._launch import Launch
from bayesmix.interchange.megatron import words


def write(launch: Launch) -> str:
    """Return the argument as JSON."""
    return json.dumps({"paths": words(launch, "nemo", blanks=True)}, indent=1, ensure_ascii=False) + "\n"
