"""Megatron-LM: the arguments of `--data-path`, weights before path prefixes.

```
0.7 /data/web_text_document 0.2 /data/code_text_document 0.1 /data/math_text_document
```

Give the file to `--data-args-path`, or `--data-path $(cat FILE)`. The words are split at any blank, so paths hold none.
Weights count samples of the run, which have equally many tokens, not epochs. A domain of weight zero is left out.

Source: NVIDIA/Megatron-LM, `megatron/training/arguments.py`, as of November 2026.
"""

from __future__ import annotations

from bayesmix.interchange._launch import Launch


def write(launch: Launch) -> str:
    """Return one line of weights and path prefixes."""
    return " ".join(words(launch, "megatron", blanks=False)) + "\n"


def words(launch: Launch, system: str, *, blanks: bool) -> list[str]:
    """Return weight, path, weight, path, ... as texts; paths may hold blanks where nothing splits at them."""
    paths = launch.paths(system, single=True, blanks=blanks)
    return [word for share in launch.positive for word in (f"{share.weight:.6f}", paths[share.domain][0])]
