"""How well laws forecast mixtures and models that were hidden, beside what people use today, on real tables.

    pip install -e '.[bench]'
    python benchmarks/mixing --list
    python benchmarks/mixing --out results              # fits, rivals and one table, results/mixing.md; many hours
    python benchmarks/mixing --out results --only RegMix
    python benchmarks/mixing --out results --preview    # previews of what is not in results yet: an hour

Laws are fitted with default settings, each split from nothing. Beyond the scale of the runs, what is believed of the
bend was learned without the study at hand. The error is that of the median forecast, relative to what was measured,
over all hidden responses; `in 90%` is the share of them inside the 90 % interval of one measured run. Rivals are point
estimates. What was computed is kept in the folder, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import pandas as pd
from scoring import scored, summary
from shared import arguments, chosen, markdown
from splits import TASKS
from store import Split

from bayesmix.files import write_text


def main() -> None:
    asked = arguments(__doc__, preview="take previews of posteriors that are not at hand yet")
    tasks = chosen(TASKS, asked.only)
    if asked.list:
        print(markdown(pd.DataFrame([{"task": t.name, "splits": len(t.seeds), "best known error, %": t.known,
                                      "laws": ", ".join(t.laws)} for t in tasks])))  # fmt: skip
        return
    scores, parts = [], []
    for task in tasks:
        splits = [Split(task, seed, asked.out, asked.preview) for seed in task.seeds]
        scores += [scored(split.forecasts()).assign(task=task.name) for split in splits]
        if (comparison := splits[0].comparison) is not None:
            shown = comparison.table[["elpd", "diff", "diff_se", "weight", "bad_k"]].round(2).reset_index(names="law")
            parts += [f"{task.name}, split {task.seeds[0]}, leaving out whole mixtures:", markdown(shown)]
    text = "\n\n".join([markdown(summary(pd.concat(scores))), *parts])
    write_text(asked.out / "mixing.md", f"{text}\n", overwrite=True)
    print(text)


if __name__ == "__main__":
    main()
