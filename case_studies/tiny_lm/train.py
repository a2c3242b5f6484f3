"""Train one run of the design and measure it.

python case_studies/tiny_lm/train.py RUN           a run of design.csv, by name
python case_studies/tiny_lm/train.py RUN --force   again, although it is finished

A finished run is one file, `results/RUN.json`. A long run saves its state while it trains and goes on from
there if it was stopped; the result is the same to the last bit.
"""

import argparse
import json
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from design import read_design
from evaluate import TARGETS, Brackets, Cloze, Windows, build_tests, measure_accuracies, measure_losses, validation
from model import SIZES, Size, initial, losses
from sources import DOMAINS

from bayesmix.files import write_whole

HERE = Path(__file__).parent
RESULTS, TEXT = HERE / "results", HERE / "text"
SEQUENCES = 8  # per step: fewer tokens per step train better at these budgets, until steps get slow
SCARCE = "spanish"
PART_WAY = (0.25, 0.5)  # of the steps, where losses are measured too
SAVE_EVERY = 120.0  # seconds
WARM_UP = 0.05  # of the steps
WEIGHT_DECAY, CLIP, BETA_2 = 0.1, 1.0, 0.95


@dataclass(frozen=True)
class Plan:
    """A run of the design.

    Parameters
    ----------
    run, size : str
        Its name, and that of its size.
    steps, seed : int
        Its length, and what decides its first weights and its order of data.
    lr : float
        Learning rate after the warm-up; from there it falls linearly to zero.
    scarce : int
        How many tokens of the scarce domain may be used; 0 for all of them.
    w : tuple of float
        Weights in the order of DOMAINS.
    """

    run: str
    size: str
    steps: int
    seed: int
    lr: float
    scarce: int
    w: tuple[float, ...]

    @classmethod
    def of(cls, row: dict[str, str]) -> "Plan":
        """Read a row of design.csv."""
        w = tuple(float(row[f"w.{domain}"]) for domain in DOMAINS)
        numbers = (int(row["steps"]), int(row["seed"]), float(row["lr"]), int(row["scarce"]))
        return cls(row["run"], row["size"], *numbers, w)

    @property
    def shape(self) -> Size:
        """The shape of the model."""
        return SIZES[self.size]

    def tokens(self, steps: int) -> int:
        """Return the tokens trained on in so many steps."""
        return steps * SEQUENCES * self.shape.context


@lru_cache
def stream(domain: str) -> np.ndarray:
    with np.load(TEXT / f"{domain}.training.npz") as saved:
        return saved["tokens"]


def unique_windows(plan: Plan) -> list[int]:
    """Return how many different windows of each domain the run may read."""
    T = plan.shape.context
    counts = [(len(stream(domain)) - 1) // T for domain in DOMAINS]
    if plan.scarce:
        k = list(DOMAINS).index(SCARCE)
        counts[k] = min(counts[k], plan.scarce // T)
    return counts


def quotas(plan: Plan) -> np.ndarray:
    """Return how many sequences of each domain the run reads: its weights, exact to one sequence."""
    exact = np.array(plan.w) * plan.steps * SEQUENCES
    counts = np.floor(exact).astype(int)
    largest = np.argsort(counts - exact, kind="stable")[: plan.steps * SEQUENCES - counts.sum()]
    counts[largest] += 1
    return counts


def order(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Return domain and window of every sequence of the run; a window comes back only after all others."""
    random, counts = np.random.default_rng([plan.seed, 1]), quotas(plan)
    domain = np.repeat(np.arange(len(DOMAINS)), counts)
    pairs = zip(counts, unique_windows(plan), strict=True)
    window = np.concatenate([passes(random, count, unique) for count, unique in pairs])
    # Domains are mixed by place within each, so that a domain's epochs stay one after another.
    place = np.concatenate([(np.arange(count) + random.random(count)) / max(count, 1) for count in counts])
    mixed = np.argsort(place, kind="stable")
    return domain[mixed], window[mixed]


def passes(random: np.random.Generator, count: int, unique: int) -> np.ndarray:
    """Draw `count` windows out of `unique`, pass after pass, each in an order of its own."""
    epochs = [random.permutation(unique) for _ in range(-(-count // unique))]
    return np.concatenate([*epochs, np.zeros(0, int)])[:count]


def batch(plan: Plan, domain: np.ndarray, window: np.ndarray, step: int) -> np.ndarray:
    names, T = list(DOMAINS), plan.shape.context
    at = slice(step * SEQUENCES, (step + 1) * SEQUENCES)
    pairs = zip(domain[at], window[at], strict=True)
    return np.stack([stream(names[d])[k * T : (k + 1) * T + 1] for d, k in pairs]).astype(np.int32)


# Weights are decayed where they multiply; the scales of the norms are not. Length and learning rate are data, so that
# runs of one size share one compiled program.
_direction = optax.chain(
    optax.clip_by_global_norm(CLIP),
    optax.scale_by_adam(b2=BETA_2),
    optax.add_decayed_weights(WEIGHT_DECAY, mask=lambda tree: jax.tree.map(lambda x: x.ndim > 1, tree)),
)


def learning_rate(plan: Plan, step: int) -> float:
    warm = max(1, round(WARM_UP * plan.steps))
    return plan.lr * min((step + 1) / warm, (plan.steps - step) / (plan.steps - warm))


@jax.jit
def train_step(parameters: dict, state: optax.OptState, tokens: jax.Array, lr: float) -> tuple:
    loss, gradient = jax.value_and_grad(lambda p: losses(p, tokens).mean())(parameters)
    direction, state = _direction.update(gradient, state, parameters)
    return jax.tree.map(lambda p, d: p - lr * d, parameters, direction), state, loss


@lru_cache
def measures(context: int) -> tuple[dict[str, Windows], tuple[Brackets, Cloze]]:
    return {target: validation(target, context) for target in TARGETS}, build_tests()


def train(plan: Plan, *, stop_after: int | None = None) -> dict | None:
    """Train a run, write its result and return it; or, to try resuming, save the state after some steps and stop."""
    started, saved = time.monotonic(), RESULTS / f"{plan.run}.state.npz"
    parameters = initial(plan.shape, jax.random.key(plan.seed))
    state = _direction.init(parameters)
    first, rows, trained, counted = 0, [], 0.0, 0
    if saved.exists():
        parameters, state, first, rows = _load(saved, plan, parameters, state)
    domain, window = order(plan)
    sets, tests = measures(plan.shape.context)
    part_way = {round(share * plan.steps) for share in PART_WAY}
    last_saved = before = time.monotonic()
    for step in range(first, plan.steps):
        tokens = batch(plan, domain, window, step)
        parameters, state, loss = train_step(parameters, state, tokens, jnp.float32(learning_rate(plan, step)))
        loss.block_until_ready()
        done, now = step + 1, time.monotonic()
        if step > first:  # the first step compiles
            trained, counted = trained + now - before, counted + 1
        if done in part_way:
            rows.append({"step": done} | measure_losses(parameters, sets))
        if now - last_saved > SAVE_EVERY or done == stop_after:
            _save(saved, plan, parameters, state, done, rows)
            last_saved = now
            if done == stop_after:
                return None
        before = time.monotonic()
    row = {"step": plan.steps} | measure_losses(parameters, sets) | measure_accuracies(parameters, tests)
    speed = plan.tokens(counted) / max(trained, 1e-9)
    result = _about(plan) | {
        "tokens_per_second": round(speed),
        "GFLOP_per_second": round(plan.shape.flop(speed) / 1e9, 2),
        "jax": jax.__version__,
        "rows": [*rows, row],
    }
    text = json.dumps(result, indent=1)
    write_whole(RESULTS / f"{plan.run}.json", lambda p: p.write_text(text, encoding="utf-8"), overwrite=True)
    saved.unlink(missing_ok=True)
    loss = np.mean([row[f"loss.{target}"] for target in DOMAINS])
    print(
        f"{plan.run}: mean loss {loss:.4f}, brackets {row['accuracy.brackets']:.3f}, cloze "
        f"{row['accuracy.cloze']:.3f}; {speed:,.0f} tokens/s, {time.monotonic() - started:.0f} s in all",
        flush=True,
    )
    return result


def _about(plan: Plan) -> dict:
    """Return what was decided before training; weights are those that were realised."""
    counts, unique, tokens = quotas(plan), unique_windows(plan), plan.tokens(plan.steps)
    about = {"run": plan.run, "size": plan.size, "seed": plan.seed, "lr": plan.lr, "steps": plan.steps}
    about |= {"N": plan.shape.parameters, "N_without_embeddings": plan.shape.parameters_without_embeddings}
    about |= {"D": tokens, "C": plan.shape.flop(tokens)}
    about |= {f"w.{name}": float(share) for name, share in zip(DOMAINS, counts / counts.sum(), strict=True)}
    return about | {f"unique_{name}": k * plan.shape.context for name, k in zip(DOMAINS, unique, strict=True)}


def _save(path: Path, plan: Plan, parameters: dict, state: optax.OptState, done: int, rows: list) -> None:
    leaves = {f"leaf_{k}": leaf for k, leaf in enumerate(jax.tree.leaves((parameters, state)))}
    about = json.dumps({"plan": str(plan), "done": done, "rows": rows})
    write_whole(path, lambda p: np.savez(p, about=np.array(about), **leaves), overwrite=True)


def _load(path: Path, plan: Plan, parameters: dict, state: optax.OptState) -> tuple:
    like, structure = jax.tree.flatten((parameters, state))
    with np.load(path) as saved:
        about = json.loads(str(saved["about"]))
        if about["plan"] != str(plan):
            raise SystemExit(f"{path} belongs to another plan of this run: remove it")
        leaves = [jnp.asarray(saved[f"leaf_{k}"]) for k in range(len(like))]
    parameters, state = jax.tree.unflatten(structure, leaves)
    return parameters, state, about["done"], about["rows"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train one run of design.csv.")
    parser.add_argument("run")
    parser.add_argument("--force", action="store_true", help="train it again if it is finished")
    arguments = parser.parse_args()
    plans = {row["run"]: Plan.of(row) for row in read_design()}
    if arguments.run not in plans:
        raise SystemExit(f"no run {arguments.run!r} in design.csv; there are such as {', '.join(list(plans)[:5])}")
    RESULTS.mkdir(exist_ok=True)
    if (RESULTS / f"{arguments.run}.json").exists() and not arguments.force:
        raise SystemExit(f"{arguments.run} is finished: add --force to train it again")
    train(plans[arguments.run])


if __name__ == "__main__":
    main()
