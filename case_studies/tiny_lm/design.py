"""Write design.csv: every run of the study, before any is trained.

python case_studies/tiny_lm/design.py

Parts: `lr` chooses learning rates; `fit` is what laws are fitted to; `check` is larger than any of it in N and in D
and is trained only after its losses have been predicted. It takes the mixture that is chosen from chosen.csv, once that
is there. Runs stand in the order in which they are trained, so that a sweep stopped early leaves a table that can be
used.
"""

import csv
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from sources import DOMAINS

HERE = Path(__file__).parent
DESIGN = HERE / "design.csv"
CHOSEN = HERE / "chosen.csv"  # the mixture that the study decides on, one row a domain
SEED = 20  # of the mixtures
LADDER = (400, 800, 1600, 3200)  # steps of 1,024 tokens
LONG = 6400  # of the checks
MIDDLE = 1600
# One over the width, through what was best in the part `lr`: see learning_rates.csv.
LEARNING_RATE = {"XS": 2.4e-2, "S": 1.2e-2, "M": 8e-3, "L": 6e-3, "XL": 4.8e-3}
_LOW, _HIGH = (4e-3, 8e-3, 1.6e-2), (3.2e-2,)
TRIED = {"XS": _LOW + _HIGH, "S": _LOW + _HIGH, "M": _LOW, "L": _LOW}

K = len(DOMAINS)
UNIFORM = np.full(K, 1 / K)
CODE = np.array([0.35, 0.25, 0.15, 0.05, 0.05, 0.05, 0.10])


def read_design() -> list[dict[str, str]]:
    with DESIGN.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def natural() -> np.ndarray:
    """Return the mixture of the corpora as they are: by training tokens."""
    with (HERE / "corpora.csv").open(newline="", encoding="utf-8") as file:
        tokens = {row["name"]: float(row["training_tokens"]) for row in csv.DictReader(file)}
    counts = np.array([tokens[domain] for domain in DOMAINS])
    return counts / counts.sum()


def chosen() -> np.ndarray:
    """Return the mixture that was decided on."""
    with CHOSEN.open(newline="", encoding="utf-8") as file:
        weights = {row["domain"]: float(row["weight"]) for row in csv.DictReader(file)}
    return rounded(np.array([weights[domain] for domain in DOMAINS]))


def rounded(w: np.ndarray) -> np.ndarray:
    """Round to thousandths that sum to one; weights below 0.004 become zero."""
    w = np.where(w < 0.004, 0, w) / w[w >= 0.004].sum()
    parts = np.floor(w * 1000)
    parts[np.argsort(parts - w * 1000)[: int(1000 - parts.sum())]] += 1
    return parts / 1000


def near_corners() -> list[np.ndarray]:
    """Almost all of one domain."""
    return [rounded(0.88 * np.eye(K)[k] + 0.12 * UNIFORM) for k in range(K)]


def without() -> list[np.ndarray]:
    """Everything but one domain."""
    return [rounded((1 - np.eye(K)[k]) / (K - 1)) for k in range(K)]


def filling(count: int, before: list[np.ndarray]) -> list[np.ndarray]:
    """Choose mixtures one by one, each as far as can be from all before, so that any first few fill the simplex.

    They come in turn from candidates on its border, anywhere, and inside: the farthest of all would all be on the
    border. Distance is between square roots of weights (Hellinger), which tells a weight of 0.01 from one of 0.
    """
    random = np.random.default_rng(SEED)
    pools = [np.array([rounded(w) for w in random.dirichlet(np.full(K, a), 3000)]) for a in (0.3, 1.0, 3.0)]
    chosen = list(before)
    for k in range(count):
        pool = pools[k % len(pools)]
        gaps = np.sqrt(pool)[:, None] - np.sqrt(np.array(chosen))[None]
        chosen.append(pool[np.linalg.norm(gaps, axis=-1).min(axis=1).argmax()])
    return chosen[len(before) :]


def plans() -> Iterator[tuple]:
    """Yield (part, group, size, steps, seed, lr, scarce tokens, mixture name, mixture)."""
    corners, leave_out = near_corners(), without()
    spread = filling(42, [UNIFORM, *corners, *leave_out])
    mixtures = {"uniform": UNIFORM, "code": CODE, "natural": natural()}
    # No run of the fit has the natural or the chosen mixture.
    checked = ("uniform", "natural", *(["chosen"] if CHOSEN.exists() else []))
    mixtures |= {"chosen": chosen()} if CHOSEN.exists() else {}
    mixtures |= {f"corner-{domain}": w for domain, w in zip(DOMAINS, corners, strict=True)}
    mixtures |= {f"without-{domain}": w for domain, w in zip(DOMAINS, leave_out, strict=True)}
    mixtures |= {f"spread-{k:02}": w for k, w in enumerate(spread)}
    scarce = {p: rounded((1 - p) / (K - 1) + (p - (1 - p) / (K - 1)) * np.eye(K)[-1]) for p in (0.05, 0.25, 0.5, 0.8)}
    mixtures |= {f"spanish-{100 * p:02.0f}": w for p, w in scarce.items()}

    def one(part: str, group: str, size: str, steps: int, name: str, seed: int = 0, cap: int = 0) -> tuple:
        return part, group, size, steps, seed, LEARNING_RATE[size], cap, name, mixtures[name]

    for size, rates in TRIED.items():
        for lr in rates:
            yield "lr", "lr", size, LADDER[0], 1000, lr, 0, "uniform", UNIFORM
    for size, steps in product(("XS", "S", "M"), LADDER):
        yield one("fit", "ladder", size, steps, "uniform")
    for name in ("code", *(m for m in mixtures if m.startswith(("corner", "without", "spread")))):
        yield one("fit", "mixtures", "XS", MIDDLE, name)
    for k in range(28):
        yield one("fit", "mixtures", "S", MIDDLE, f"spread-{k:02}")
    for seed, (size, name, steps) in product(
        (1, 2, 3), [("XS", "uniform", 400), ("XS", "uniform", 3200), ("XS", "spread-00", 1600), ("S", "uniform", 1600)]
    ):
        yield one("fit", "seeds", size, steps, name, seed)
    for p, steps, cap in product(("05", "25", "50", "80"), (800, 3200), (0, 40_000, 10_000)):
        yield one("fit", "epochs", "XS", steps, f"spanish-{p}", 0, cap)
    for p, steps, cap in product(("25", "80"), (800, 3200), (0, 40_000, 10_000)):
        yield one("fit", "epochs", "S", steps, f"spanish-{p}", 0, cap)
    for steps in LADDER:
        yield one("fit", "ladder", "L", steps, "uniform")
    for name in [f"spread-{k:02}" for k in range(12)]:
        yield one("fit", "mixtures", "M", MIDDLE, name)
    for size, seed in product(("M", "L"), (1, 2)):
        yield one("fit", "seeds", size, MIDDLE, "uniform", seed)
    for name in [f"spread-{k:02}" for k in range(10)]:
        yield one("fit", "mixtures", "XS", 3200, name)
    for name, steps in product(("code", "spread-00", "spread-01"), (800, 3200)):
        yield one("fit", "ladder", "S", steps, name)
    for name, steps in product(("code", "spread-00", "spread-01"), (800, 3200)):
        yield one("fit", "ladder", "M", steps, name)
    for name in ("code", *(f"spread-{k:02}" for k in range(9))):
        yield one("fit", "mixtures", "L", MIDDLE, name)
    for p, cap in product(("25", "80"), (0, 40_000)):
        yield one("fit", "epochs", "M", 3200, f"spanish-{p}", 0, cap)
    for seed, name in product((0, 1, 2), checked):
        yield one("check", "check", "XL", LONG, name, seed)


def main() -> None:
    rows = []
    for part, group, size, steps, seed, lr, cap, name, w in plans():
        extra = (f"lr{lr:g}",) if part == "lr" else (f"cap{cap}",) if cap else ()
        run = "-".join((part, size, str(steps), name, *extra, f"seed{seed}"))
        row = {"run": run, "part": part, "group": group, "size": size, "steps": steps, "seed": seed, "lr": lr}
        row |= {"scarce": cap, "mixture": name}
        rows.append(row | {f"w.{domain}": round(float(x), 6) for domain, x in zip(DOMAINS, w, strict=True)})
    names = [row["run"] for row in rows]
    if len(set(names)) < len(names):
        raise SystemExit(f"planned twice: {sorted({name for name in names if names.count(name) > 1})}")
    with DESIGN.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} runs: " + ", ".join(f"{p} {sum(r['part'] == p for r in rows)}" for p in ("lr", "fit", "check")))


if __name__ == "__main__":
    main()
