"""OLMo-core: a `SourceMixtureList` as YAML.

```yaml
sources:
- source_name: web
  target_ratio: 0.7             # above 0, at most 1; all sum to 1
  paths: [s3://bucket/web/*.npy]
- source_name: code
  target_ratio: 0.3
  paths: [s3://bucket/code/*.npy]
  max_repetition_ratio: 4.0     # at least 1
```

A domain of weight zero is left out. `max_repetition_ratio` is written where the data's size is known and one pass
over it is not enough; without it OLMo-core refuses to repeat data.

Source: allenai/OLMo-core, `src/olmo_core/data/source_mixture.py`, as of November 2026.
"""

from __future__ import annotations

from bayesmix.interchange._launch import Launch, as_yaml


def write(launch: Launch) -> str:
    """Return the list of sources."""
    paths = launch.paths("olmo_core")
    sources = []
    for share in launch.positive:
        source = {"source_name": share.domain, "target_ratio": share.weight, "paths": list(paths[share.domain])}
        if share.repetition is not None and share.repetition > 1:
            source["max_repetition_ratio"] = share.repetition
        sources.append(source)
    return as_yaml({"sources": sources}, launch)
