"""Train the runs of the design that are not finished, on several cores.

python case_studies/tiny_lm/sweep.py --part fit --processes 2 --hours 2
python case_studies/tiny_lm/sweep.py --part fit --estimate

Each process has one core to itself, which trains more per hour than one process on all of them. No run is begun
after the given hours; stop it whenever you like, and the same command goes on.
"""

import argparse
import json
import multiprocessing as mp
import os
import queue
import statistics
import time
from multiprocessing.queues import Queue
from pathlib import Path

from design import read_design

HERE = Path(__file__).parent
RESULTS = HERE / "results"
# Training tokens per second of one core while another trains too, until finished runs tell.
SPEED = {"XS": 65_000, "S": 28_000, "M": 10_500, "L": 5_200, "XL": 4_000}
MEASURING = 240_000  # training tokens that take as long as all measurements of a run
STEP = 1024  # tokens


def work(core: int, waiting: Queue, deadline: float) -> None:
    """Train what is waiting, on one core."""
    os.sched_setaffinity(0, {core})  # before JAX counts the cores
    from train import Plan, train

    while time.time() < deadline:
        try:
            row = waiting.get(timeout=1)
        except queue.Empty:
            return
        train(Plan.of(row))


def estimate(part: str, rows: list[dict[str, str]], processes: int) -> float:
    """Return the hours that runs will take, by the speed of finished runs of their size."""
    finished = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob(f"{part}-*.json")]
    seconds = 0.0
    for row in rows:
        speeds = [r["tokens_per_second"] for r in finished if r["size"] == row["size"]]
        speed = statistics.median(speeds) if len(speeds) > 3 else SPEED[row["size"]]
        seconds += (int(row["steps"]) * STEP + MEASURING) / speed
    return seconds / processes / 3600


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the unfinished runs of design.csv.")
    parser.add_argument("--part", choices=("lr", "fit", "check"), required=True)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--hours", type=float, default=24.0, help="begin no run after this time")
    parser.add_argument("--estimate", action="store_true", help="only say how long it will take")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    rows = [row for row in read_design() if row["part"] == arguments.part]
    left = [row for row in rows if not (RESULTS / f"{row['run']}.json").exists()]
    hours = estimate(arguments.part, left, arguments.processes)
    print(f"{len(left)} of {len(rows)} runs left, about {hours:.2f} h on {arguments.processes} processes", flush=True)
    if arguments.estimate:
        return
    context = mp.get_context("spawn")
    waiting, deadline = context.Queue(), time.time() + 3600 * arguments.hours
    for row in left:
        waiting.put(row)
    cores = sorted(os.sched_getaffinity(0))
    workers = [
        context.Process(target=work, args=(cores[k % len(cores)], waiting, deadline), daemon=True)
        for k in range(arguments.processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    waiting.cancel_join_thread()
    left = [row for row in left if not (RESULTS / f"{row['run']}.json").exists()]
    if left:
        print(f"{len(left)} runs left: the same command goes on")
    if any(worker.exitcode for worker in workers):
        raise SystemExit("a process ended with an error")


if __name__ == "__main__":
    main()
