"""Levanter and Marin: `train_weights` of a data mixture, as YAML.

```yaml
train_weights:
  web: 0.7
  code: 0.3
  math: 0.0    # zero: evaluated, not trained on
```

Keys are the names of the mixture's components; merge the mapping into the part `data` of a configuration. A domain of
weight zero stays.

Source: marin-community/levanter, `train_weights` of its mixtures of datasets, as of November 2026.
"""

from __future__ import annotations

from bayesmix.interchange._launch import Launch, as_yaml


def write(launch: Launch) -> str:
    """Return the weights by component."""
    return as_yaml({"train_weights": {share.domain: share.weight for share in launch.shares}}, launch)
