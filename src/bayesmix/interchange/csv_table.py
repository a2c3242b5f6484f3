"""A plain table of the mixture as CSV, one row a domain.

```
domain,weight,low90%,high90%,baseline,training_tokens,unique_tokens,epochs,notice
web,0.7,0.61,0.78,0.5,7e11,3.2e12,0.21875,
```

The interval is the 90 % credible interval of the weight in the best mixture. Tokens and epochs are blank where the
planned D or the unique tokens are not known. A domain of weight zero stays. Written by bayesmix for spreadsheets and
scripts.
"""

from __future__ import annotations

from bayesmix.interchange._launch import Launch


def write(launch: Launch) -> str:
    """Return the table as CSV."""
    return launch.table().assign(notice=" ".join(launch.caveats)).to_csv(index=False, lineterminator="\n")
