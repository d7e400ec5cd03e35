"""How soon is a worker ready, how much memory does it take, and is it free of the libraries that fit models?

Beside it, the usual way to serve a model with explanations: a process that imports Flask, scikit-learn and shap, loads
the estimators of the same training run and makes a Tree explainer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks.figures import print_aim, print_note, ratio_table
from benchmarks.prepared import ESTIMATORS_FILE, WORKED_CASE, NotPrepared, Prepared
from benchmarks.served import GROUNDS, load, mapped_libraries, serving

REPEATS = 5
AIM_SECONDS = 1.0
AIM_MEGABYTES = 90.0
CONNECTIONS, SECONDS = 64, 3
"""The load after which a worker's memory is read a second time: every thread has answered by then."""
NOT_FOR_SERVING = ("numpy", "sklearn", "scipy", "pandas", "shap", "joblib")

REPORT = """
memory = {line.split(":")[0]: int(line.split()[1]) * 1.024e-3
          for line in open("/proc/self/smaps_rollup") if line.startswith(("Rss", "Pss:"))}
print(json.dumps({"ready": ready, "rss": memory["Rss"], "pss": memory["Pss"], "modules": sorted(sys.modules)}))
"""
WORKER = """
import json, sys, time
from service.running.worker import asgi
app = asgi().web
ready = time.monotonic()
answer = app.test_client().post("/v1/screenings", data=open(sys.argv[1], "rb").read(),
    headers={"Authorization": "Bearer " + sys.stdin.read(), "Content-Type": "application/json"})
assert answer.status_code == 201, answer.status_code
"""
USUAL = """
import json, sys, time
import flask, joblib, shap
bag = joblib.load(sys.argv[1]).learners_["boosted_bags"].bags_[0]
explainer = shap.TreeExplainer(bag.estimator)
ready = time.monotonic()
"""


@dataclass(frozen=True, slots=True)
class Process:
    """One process: seconds from exec until ready, (RSS, PSS) in MB of 10^6 bytes, and what it imported."""

    seconds: float
    rss: float
    pss: float
    modules: frozenset[str]


def run(ready: Prepared, console: Console) -> None:
    """Starts the service and single processes several times, and prints time, memory and what was imported."""
    first = _service_start(ready)
    starts = [_service_start(ready) for _ in range(REPEATS)]
    workers, usual = [], []
    for _ in range(REPEATS):
        workers.append(_process(WORKER, ready, str(WORKED_CASE)))
        usual.append(_process(USUAL, ready, str(ready.trained / ESTIMATORS_FILE)))
    with serving(GROUNDS, ready) as served:
        fresh = served.memory()
        load(served, ready, CONNECTIONS, SECONDS)
        used = served.memory()
        mapped = [mapped_libraries(pid) for pid in served.workers()]
    floor = _seconds(usual)
    memory = median(process.rss for process in usual)
    rows = [
        ["service, from exec to /readyz 200", f"{median(starts):.2f}", f"{floor / median(starts):.1f}", "", "", ""],
        ["  the same, first start (makes the log)", f"{first:.2f}", "", "", "", ""],
        _process_row("one worker, one screening", workers, floor, memory),
        ["worker of the service, when ready", "", "", *_memory_cells(fresh, memory)],
        [f"  after {SECONDS} s at {CONNECTIONS} connections", "", "", *_memory_cells(used, memory)],
        _process_row("Flask with scikit-learn and shap", usual, floor, memory),
    ]
    title = "Start and memory of the service, against the usual way to serve a model with explanations"
    columns = ("", "seconds", "times faster", "RSS MB", "PSS MB", "times smaller")
    console.print(ratio_table(title, columns, rows))
    print_note(console, "MB of 10^6 bytes; PSS counts a page that n processes share as 1/n. Largest worker shown.")
    print_aim(console, "ready in under a second", f"{median(starts):.2f} s", median(starts) < AIM_SECONDS)
    for when, found in (("when ready", fresh), (f"after load at {CONNECTIONS} connections", used)):
        largest = max(rss for rss, _ in found)
        print_aim(
            console, f"a worker under {AIM_MEGABYTES:.0f} MB {when}", f"{largest:.0f} MB RSS", largest < AIM_MEGABYTES
        )
    loaded = sorted({name for worker in workers for name in NOT_FOR_SERVING if name in worker.modules})
    loaded += sorted({name for name in NOT_FOR_SERVING for maps in mapped if f"/site-packages/{name}/" in maps})
    print_aim(
        console, f"a worker imports none of {', '.join(NOT_FOR_SERVING)}", ", ".join(loaded) or "none", not loaded
    )


def _service_start(ready: Prepared) -> float:
    with serving(GROUNDS, ready) as served:
        return served.ready_after


def _process(program: str, ready: Prepared, argument: str) -> Process:
    command = [sys.executable, "-c", program + REPORT, argument]
    began = time.monotonic()
    done = subprocess.run(command, env=ready.environment(), input=ready.key, capture_output=True, text=True)
    if done.returncode:
        raise NotPrepared(f"a process to be measured failed: {done.stderr.strip().splitlines()[-1]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return Process(said["ready"] - began, said["rss"], said["pss"], frozenset(said["modules"]))


def _seconds(processes: list[Process]) -> float:
    return median(process.seconds for process in processes)


def _process_row(name: str, processes: list[Process], floor: float, memory: float) -> list[str]:
    seconds, rss = _seconds(processes), median(process.rss for process in processes)
    pss = median(process.pss for process in processes)
    return [name, f"{seconds:.2f}", f"{floor / seconds:.1f}", f"{rss:.0f}", f"{pss:.0f}", f"{memory / rss:.1f}"]


def _memory_cells(workers: list[tuple[float, float]], memory: float) -> list[str]:
    rss, pss = max(workers)
    return [f"{rss:.0f}", f"{pss:.0f}", f"{memory / rss:.1f}"]
