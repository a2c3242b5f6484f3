"""nanotron: `data_stages` with one stage, as YAML.

```yaml
data_stages:
- name: mixture
  start_training_step: 1
  data:
    dataset:
      dataset_folder: [/data/web, /data/code]
      dataset_weights: [0.7, 0.3]
    num_loading_workers: 1
    seed: 42
```

Folders hold tokenised data, cut into samples of one length. A domain of weight zero is left out.

Source: huggingface/nanotron, `src/nanotron/config/config.py`, as of November 2026.
"""

from __future__ import annotations

from bayesmix.interchange._launch import Launch, as_yaml


def write(launch: Launch) -> str:
    """Return the stages."""
    paths = launch.paths("nanotron", single=True)
    dataset = {
        "dataset_folder": [path for (path,) in paths.values()],
        "dataset_weights": [share.weight for share in launch.positive],
    }
    data = {"dataset": dataset, "num_loading_workers": 1, "seed": 42}
    return as_yaml({"data_stages": [{"name": "mixture", "start_training_step": 1, "data": data}]}, launch)
