"""How fast bayesmix is, against the usual ways to the same answer: all in one run, on the same tables.

    python benchmarks/speed                       # everything; hours
    python benchmarks/speed --only chinchilla --contender bayesmix --contender pymc
    python benchmarks/speed --out results         # also writes results/speed.md and results/speed.csv

Every contender is a process of its own, started twice: cold, with empty caches of compiled programs, and warm, with
those that the cold one left. PyMC gets a virtual environment, which is made on first use and kept.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs
from measure import Row, measured
from pythons import REQUIREMENTS, rival, versions
from results import brief, finished, page, write
from rivals import Contender, contenders
from tasks import TASKS, Task

COMPILATIONS = "compilations"
OURS = ("bayesmix", "jax", "numpyro", "scipy")


def arguments() -> argparse.Namespace:
    tasks = dict.fromkeys(name for task in TASKS for name in (task.family, task.name))
    names = dict.fromkeys(c.name for task in TASKS for c in contenders(task))
    venv = platformdirs.user_cache_path("bayesmix") / f"rivals-{sys.version_info.major}.{sys.version_info.minor}"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--only", action="append", choices=[*tasks, COMPILATIONS], metavar="TASK", help=f"{', '.join(tasks)}, ...")
    add("--contender", action="append", choices=names, metavar="NAME", help=", ".join(names))
    add("--limit", type=float, default=900, help="seconds after which a process is killed (900)")
    add("--repeats", type=int, default=1, help="of each measurement, of which that of median time counts (1)")
    add("--out", type=Path, help="folder to write speed.md and speed.csv to")
    add("--venv", type=Path, default=venv, help=f"virtual environment of PyMC ({venv})")
    return parser.parse_args()


def chosen(asked: argparse.Namespace) -> list[tuple[Task, list[Contender]]]:
    """Return the tasks that are asked for, with their contenders."""
    pairs = [
        (task, [c for c in contenders(task) if not asked.contender or c.name in asked.contender])
        for task in TASKS
        if not asked.only or {task.name, task.family} & set(asked.only)
    ]
    return [(task, who) for task, who in pairs if who]


def surroundings(who: list[Contender], venv: Path) -> tuple[dict[bool, Path], list[str]]:
    """Return the Python for contenders in bayesmix's environment (False) and in their own (True), and what is there."""
    python = Path(sys.executable)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    about = [machine, versions(python, OURS, dict(os.environ))]
    if not (apart := [c for c in who if c.own]):
        return {False: python}, about
    with tempfile.TemporaryDirectory() as cache:
        about.append(versions(rival(venv), REQUIREMENTS, apart[0].environment(Path(cache))))
    return {False: python, True: rival(venv)}, about


def compilations() -> list[str]:
    script = Path(__file__).parent / f"{COMPILATIONS}.py"
    return subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout.splitlines()


def main() -> None:
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # as an exception, so that the contender ends too
    pairs = chosen(asked)
    pythons, about = surroundings([c for _, who in pairs for c in who], asked.venv)
    about += dict.fromkeys(f"{c.name}: {c.what}" for _, who in pairs for c in who)
    rows: list[Row] = []
    for task, who in pairs:
        with tempfile.TemporaryDirectory() as folder:
            about.append(f"{task.name}: {task.write(Path(folder))}")
            for contender in who:
                python = pythons[contender.own]
                rows += measured(task, contender, python, Path(folder), asked.limit, asked.repeats)
                print(brief(rows[-2:]), file=sys.stderr, flush=True)
                if asked.out:  # now, since it may be hours until all is done
                    write(asked.out, finished(rows), about)
    if not asked.only or COMPILATIONS in asked.only:
        about += compilations()
    if asked.out:
        write(asked.out, finished(rows), about)
    print(page(finished(rows), about))


if __name__ == "__main__":
    main()
