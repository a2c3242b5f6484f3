"""Count what the second of two fits has to compile, when its table has another number of rows.

    compilations.py

With the cache on disk off: what the process has compiled already is all there is.
"""

import os

os.environ["BAYESMIX_CACHE"] = "off"

import jax
from tasks import ladder

from bayesmix import Model, fit

EVENT = "/jax/core/compile/backend_compile_duration"
ROWS = (230, 245)


def main() -> None:
    tables = [ladder(rows) for rows in ROWS]
    seconds: list[float] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration, **_: seconds.append(duration) if event == EVENT else None
    )
    for table, rows in zip(tables, ROWS, strict=True):
        seconds.clear()
        fit(Model.read("chinchilla"), table, seed=0)
        print(f"A fit to {rows} rows compiled {len(seconds)} programs in {sum(seconds):.1f} s.")


if __name__ == "__main__":
    main()
