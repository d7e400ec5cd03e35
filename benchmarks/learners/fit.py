"""Fits one learner in a process of its own, so that time and peak memory are its own.

`python -m benchmarks.learners.fit` reads the task from a folder (`write_task`), writes the log-odds of the test rows
there and prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.learners.learner import Floats, Learner
from benchmarks.learners.opponents import OPPONENTS
from benchmarks.learners.ours import OUR_LEARNERS, PARTS
from benchmarks.learners.splits import Split
from training.fit.terms import TermSpec

LEARNERS: dict[str, Learner] = {**OUR_LEARNERS, **OPPONENTS, **PARTS}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
GIVEN = ("X", "y", "groups", "T")
ROOT = Path(__file__).parents[2]


class FitFailed(RuntimeError):
    """A learner that gave no answer: one line, its own last words."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a process found: log-odds of the test rows, seconds of the fit alone, and megabytes at its peak.

    `seconds` are of the processor, so that what else runs on the machine hardly counts; `wall` are of the clock.
    `megabytes` is the peak of resident memory during the fit over what libraries and data took before it.
    """

    margin: Floats
    seconds: float
    wall: float
    megabytes: float


def write_task(folder: Path, split: Split) -> None:
    """What a learner may see, as files: never the outcomes that it is judged by."""
    for name in GIVEN:
        np.save(folder / f"{name}.npy", getattr(split, name))
    (folder / "specs.json").write_text(json.dumps([asdict(spec) for spec in split.specs]), encoding="utf-8")


def fit_apart(learner: str, folder: Path) -> Fitted:
    """Fits `learner` on the task in `folder`, in another process with one thread. Raises `FitFailed`."""
    command = [sys.executable, "-m", "benchmarks.learners.fit", learner, str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **ONE_THREAD}
    )
    if done.returncode:
        raise FitFailed((done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1])
    answer = json.loads(done.stdout.splitlines()[-1])
    margin = np.load(folder / "margin.npy")
    if not np.isfinite(margin).all():
        raise FitFailed("gave log-odds that are not finite")
    return Fitted(margin, answer["seconds"], answer["wall"], answer["megabytes"])


def main() -> None:
    """One fit, measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learners.fit", description=__doc__)
    parser.add_argument("learner", choices=LEARNERS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    X, y, groups, T = (np.load(options.folder / f"{name}.npy") for name in GIVEN)
    told: list[dict[str, Any]] = json.loads((options.folder / "specs.json").read_text(encoding="utf-8"))
    specs = [TermSpec(**spec) for spec in told]
    fit = LEARNERS[options.learner]
    warm_up(fit)
    before = _start_of_peak()
    began, began_on_the_clock = time.process_time(), time.perf_counter()
    margin = fit(specs, X, y, groups)
    seconds, wall = time.process_time() - began, time.perf_counter() - began_on_the_clock
    peak = _status("VmHWM")
    np.save(options.folder / "margin.npy", margin(T))
    print(json.dumps({"seconds": seconds, "wall": wall, "megabytes": max(peak - before, 0.0)}))


def warm_up(fit: Learner) -> None:
    """Forty rows beforehand: libraries are loaded, and compiled what they compile once, outside the clock."""
    X = np.arange(80.0).reshape(40, 2) % 7
    fit([TermSpec("a", "number"), TermSpec("b", "number")], X, (np.arange(40) % 2).astype(np.int8), np.arange(40))


def _start_of_peak() -> float:
    """Sets the kernel's mark of peak memory back to now (proc(5), clear_refs); gives what is in use, megabytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(key: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) / 1024


if __name__ == "__main__":
    main()
