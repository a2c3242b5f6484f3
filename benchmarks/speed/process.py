"""One whole process, measured from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The kernel counts the peak in KiB, but macOS in bytes.
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Measured:
    """What a process took.

    Parameters
    ----------
    wall, cpu : float
        Seconds; CPU seconds of user and system, children included.
    peak : float
        Largest resident memory of any of its processes, in MB.
    fault : str
        Empty if all went well; otherwise ``> limit``, or the end of what it said.
    """

    wall: float
    cpu: float
    peak: float
    fault: str


def run(command: Sequence[str | Path], environment: Mapping[str, str], limit: float, log: Path) -> Measured:
    """Run a command to its end, or until the limit in seconds, and measure it with all its children."""
    with log.open("w") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), env=environment, stdout=output, stderr=output, start_new_session=True
        )
        timer = threading.Timer(limit, _kill, [process.pid])
        timer.start()
        try:
            # Not process.wait(), which does not tell what the children used.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _kill(process.pid)  # interrupted, which a process group of its own does not notice
            raise
        finally:
            timer.cancel()
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    fault = ""
    if process.returncode:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        fault = f"> {limit:g}" if wall >= limit else f"failed ({process.returncode}): {' '.join(last)}"
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _PEAK_UNIT / 1e6, fault)


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended just now
        os.killpg(process, signal.SIGKILL)
