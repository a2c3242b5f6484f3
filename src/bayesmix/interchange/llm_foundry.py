"""LLM-Foundry and Streaming: the streams of a training loader, as YAML.

```yaml
train_loader:
  dataset:
    streams:
      web:
        remote: s3://bucket/web
        local: /tmp/web
        split: train
        proportion: 0.7
```

Every stream has a `proportion`, none a `repeat` or `choose`: they may not be mixed. Streaming draws samples, and in
data packed to one length these have equally many tokens. A path that is no URL is written as `local`. A domain of
weight zero is left out.

Source: mosaicml/llm-foundry and mosaicml/streaming, `streaming/base/stream.py`, as of November 2026.
"""

from __future__ import annotations

from bayesmix.interchange._launch import Launch, Share, as_yaml


def write(launch: Launch) -> str:
    """Return the part `train_loader`."""
    paths = launch.paths("llm_foundry", single=True)
    streams = {share.domain: _stream(share, paths[share.domain][0]) for share in launch.positive}
    return as_yaml({"train_loader": {"dataset": {"streams": streams}}}, launch)


def _stream(share: Share, path: str) -> dict[str, str | float]:
    stream: dict[str, str | float] = {"remote": path} if "://" in path else {"local": path}
    if share.data.local:
        stream = {"remote": path, "local": share.data.local}
    if share.data.split:
        stream["split"] = share.data.split
    return {**stream, "proportion": share.weight}
