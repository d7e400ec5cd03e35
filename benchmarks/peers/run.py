"""Requests a second, time to answer, memory and start of each peer, and of ours, which alone logs durably.

Each peer runs in an environment of its own, made from a locked list, with two worker processes, one thread a prediction
and score and contributions in every answer. `wrk` asks one server after the other, in turns.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.figures import print_aim, print_note, ratio_table
from benchmarks.peers.models import keep_models
from benchmarks.prepared import NotPrepared, Prepared
from benchmarks.served import GROUNDS, HOST, Load, asked, free_port, load, memory_of, ready_after, serving

APPS = Path(__file__).parent / "apps"
LOCKS = Path(__file__).parent / "locks"
CONNECTIONS = 64
REPEATS = 3
SECONDS = 3
KINDS = ("tree", "logistic")
AIMS = {"tree": 4.0, "logistic": 1.5}
"""Ours, with its durable log, answers this many times the requests of the best peer without one."""
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Peer:
    """How one is served: its command line, where it answers, how its body is shaped and when it is ready."""

    name: str
    command: tuple[str, ...]
    address: str = "/predict"
    ready: str = "/readyz"


PEERS = (
    Peer("flask", ("-m", "gunicorn", "--workers", "2", "--bind", "{host}:{port}", "flask_app:app")),
    Peer("fastapi", ("-m", "uvicorn", "--workers", "2", "--host", "{host}", "--port", "{port}", "fastapi_app:app")),
    Peer("bentoml", ("-m", "bentoml", "serve", "bentoml_app:Peer", "--host", "{host}", "--port", "{port}")),
    Peer(
        "mlflow",
        (
            "-m",
            "mlflow",
            "models",
            "serve",
            "-m",
            "{model}",
            "--env-manager",
            "local",
            "-w",
            "2",
            "-h",
            "{host}",
            "-p",
            "{port}",
        ),
        "/invocations",
        "/ping",
    ),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that answers. `start` is in seconds."""

    process: subprocess.Popen[bytes]
    port: int
    start: float

    def workers(self) -> list[int]:
        """Process ids of the server and everything below it."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            children = Path(f"/proc/{pid}/task/{pid}/children")
            todo += map(int, children.read_text().split()) if children.exists() else []
        return found

    def cpu_seconds(self) -> float:
        """Processor time of all of them so far."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.workers()]
        return sum(int(stat[11]) + int(stat[12]) for stat in fields) / os.sysconf("SC_CLK_TCK")


def run(ready: Prepared, console: Console) -> None:
    """Measures every peer with each kind of model, and ours, and prints the tables."""
    environments = Path("var/benchmarks/peers")
    models = ready.var / "peers.joblib"
    bodies = _bodies(keep_models(ready.model, models), ready.var)
    pythons = {peer.name: _environment(peer.name, environments / peer.name, console) for peer in PEERS}
    for kind in KINDS:
        _compare(kind, ready, models, bodies, pythons, console)


def _compare(
    kind: str,
    ready: Prepared,
    models: Path,
    bodies: Mapping[str, Path],
    pythons: Mapping[str, Path],
    console: Console,
) -> None:
    loads: dict[str, list[Load]] = {}
    started: dict[str, tuple[float, float]] = {}
    with ExitStack() as until_done:
        ours = until_done.enter_context(serving(GROUNDS, ready))
        started["Grounds"] = ours.ready_after, sum(pss for _, pss in ours.memory())
        load(ours, ready, CONNECTIONS, 1)
        for peer in PEERS:
            with _serving(peer, kind, pythons[peer.name], models, ready.var) as running:
                started[peer.name] = running.start, sum(memory_of(pid)[1] for pid in running.workers())
                _ask(running, peer, bodies)  # warm
                for _ in range(REPEATS):
                    loads.setdefault(peer.name, []).append(_ask(running, peer, bodies))
                    loads.setdefault("Grounds", []).append(load(ours, ready, CONNECTIONS, SECONDS))
    best = max((name for name in loads if name != "Grounds"), key=lambda name: _rate(loads[name]))
    columns = ("", "requests/s", "p50 ms", "p99 ms", "start s", "memory MB", "errors")
    rows = [_row(name, loads[name], *started[name]) for name in ("Grounds", *(peer.name for peer in PEERS))]
    title = f"{CONNECTIONS} connections, score and contributions in every answer: peers with {_model_of(kind)}"
    console.print(ratio_table(title, columns, rows))
    times = _rate(loads["Grounds"]) / _rate(loads[best])
    aim = f"ours, with its durable log, at least {AIMS[kind]:g} times the best peer ({best}) without one"
    print_aim(console, aim, f"{times:.1f}", times >= AIMS[kind])
    print_note(console, "Ours answers with 17 kB of words, ranges and a receipt; the peers with numbers alone.")


def _model_of(kind: str) -> str:
    return "trees and shap's Tree explainer" if kind == "tree" else "logistic regression and shap's Linear explainer"


def _rate(loads: list[Load]) -> float:
    return median(one.rate for one in loads)


def _row(name: str, loads: list[Load], start: float, memory: float) -> list[str]:
    p50, p99 = (median(getattr(one, field) for one in loads) for field in ("p50", "p99"))
    errors = sum(one.errors for one in loads)
    return [name, f"{_rate(loads):,.0f}", f"{p50:.1f}", f"{p99:.0f}", f"{start:.1f}", f"{memory:.0f}", str(errors)]


def _ask(running: Running, peer: Peer, bodies: Mapping[str, Path]) -> Load:
    sent = {"GROUNDS_BENCH_KEY": "none", "GROUNDS_BENCH_BODY": str(bodies.get(peer.name, bodies["usual"]))}
    return asked(running, peer.address, CONNECTIONS, SECONDS, "wrk.lua", sent)


def _bodies(row: list[float | None], folder: Path) -> dict[str, Path]:
    shapes = {"usual": {"features": row}, "mlflow": {"inputs": [[0.0 if value is None else value for value in row]]}}
    files = {}
    for name, body in shapes.items():
        files[name] = folder / f"body-{name}.json"
        files[name].write_text(json.dumps(body))
    return files


@contextmanager
def _serving(peer: Peer, kind: str, python: Path, models: Path, folder: Path) -> Iterator[Running]:
    port = free_port()
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("GROUNDS_", "VIRTUAL_ENV"))}
    environment = {
        **plain,
        "PATH": f"{python.parent}:{plain['PATH']}",
        "PYTHONPATH": str(APPS.resolve()),
        "PEER_MODELS": str(models.resolve()),
        "PEER_KIND": kind,
        "OMP_NUM_THREADS": "1",
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    saved = (folder / f"mlflow-{kind}").resolve()  # it is read and written from another folder
    if peer.name == "mlflow" and not saved.exists():
        subprocess.run([python, "mlflow_model.py", saved], cwd=APPS, env=environment, check=True, capture_output=True)
    filled = [part.format(host=HOST, port=port, model=saved) for part in peer.command]
    began = time.monotonic()
    process = subprocess.Popen(
        [python, *filled],
        cwd=APPS,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Running(process, port, ready_after(process, port, began, peer.ready, PATIENCE))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _environment(name: str, folder: Path, console: Console) -> Path:
    """The peer's own environment, made the first time from its locked list."""
    python, lock, made = folder / "bin" / "python", LOCKS / f"{name}.txt", folder / "lock.txt"
    if not made.exists() or made.read_bytes() != lock.read_bytes():
        print_note(console, f"making the environment of {name} in {folder} (once)")
        shutil.rmtree(folder, ignore_errors=True)
        quietly = ("--quiet", "--disable-pip-version-check", "--require-hashes")
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", *quietly, "-r", str(lock)],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise NotPrepared(
                    f"the environment of {name} could not be made: {done.stderr.strip().splitlines()[-1]}"
                )
        shutil.copy(lock, made)
    return python.absolute()
