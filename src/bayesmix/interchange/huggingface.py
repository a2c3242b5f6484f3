"""Hugging Face datasets: the arguments of `interleave_datasets`, as JSON.

```json
{"datasets": [{"domain": "web", "path": "allenai/c4", "split": "train"}, {"domain": "code", "path": "codeparrot"}],
 "interleave_datasets": {"probabilities": [0.7, 0.3], "seed": 42, "stopping_strategy": "all_exhausted"},
 "note": "..."}
```

`interleave_datasets([load(d) for d in c["datasets"]], **c["interleave_datasets"])`. Probabilities are of examples,
and weights are shares of tokens: with `tokens_per_example` of every domain they are divided by it, and without they
hold for data packed to one length, which the note says. A domain of weight zero is left out: it would never be
exhausted. Paths may be absent: the order is that of `datasets`.

Source: huggingface/datasets, `src/datasets/combine.py`, as of November 2026.
"""

from __future__ import annotations

import json

from bayesmix.errors import Fault, InputError
from bayesmix.interchange._launch import Launch, Share, apportion

PACKED = "Probabilities are shares of tokens, right if every example has equally many (packed data)."
LENGTHS = "Probabilities are shares of examples: shares of tokens divided by tokens per example."


def write(launch: Launch) -> str:
    """Return datasets and arguments."""
    shares = launch.positive
    without = [share.domain for share in shares if share.data.tokens_per_example is None]
    if without and len(without) < len(shares):
        remedy = "Give it for every domain, or for none if examples are packed to one length"
        raise InputError("--paths", [Fault(f"no tokens_per_example of {domain!r}", remedy) for domain in without])
    lengths = [share.data.tokens_per_example or 1.0 for share in shares]
    probabilities = apportion([share.weight / length for share, length in zip(shares, lengths, strict=True)])
    # What is so rare that its probability rounds to zero would never be exhausted.
    drawn = [(share, chance) for share, chance in zip(shares, probabilities, strict=True) if chance > 0]
    note = " ".join([launch.origin, PACKED if without else LENGTHS, *launch.caveats])
    content = {
        "datasets": [_dataset(share) for share, _ in drawn],
        "interleave_datasets": {
            "probabilities": [chance for _, chance in drawn],
            "seed": 42,
            "stopping_strategy": "all_exhausted",
        },
        "note": note,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _dataset(share: Share) -> dict[str, str | list[str]]:
    paths = share.data.paths
    path = {"path": paths[0]} if len(paths) == 1 else {"data_files": list(paths)} if paths else {}
    return {"domain": share.domain, **path, **({"split": share.data.split} if share.data.split else {})}
