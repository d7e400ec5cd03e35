"""A server under measurement: started, watched through /proc, stopped; and `wrk`, which asks it."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.prepared import WORKED_CASE, NotPrepared, Prepared

GROUNDS = ("service", "serve")
NOOP = ("benchmarks.noop",)
HOST = "127.0.0.1"
PATIENCE = 60.0
PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of `wrk` measured. `p50` and `p99` are milliseconds, `cpu` microseconds of the workers a request."""

    requests: int
    rate: float
    p50: float
    p99: float
    errors: int
    cpu: float

    @property
    def answers(self) -> int:
        """Requests that were answered as they should be."""
        return self.requests - self.errors


@dataclass(frozen=True, slots=True)
class Served:
    """A running server. `ready_after` is the time from exec to the first 200 of /readyz, in seconds."""

    process: subprocess.Popen[bytes]
    port: int
    ready_after: float

    def workers(self) -> list[int]:
        """Process ids of the server's workers."""
        return [pid for pid in _children(self.process.pid) if b"resource_tracker" not in _read(pid, "cmdline")]

    def cpu_seconds(self) -> float:
        """Processor time of all workers so far, in user space and in the kernel."""
        fields = [_read(pid, "stat").rpartition(b")")[2].split() for pid in self.workers()]
        return sum(int(stat[11]) + int(stat[12]) for stat in fields) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> list[tuple[float, float]]:
        """(RSS, PSS) of each worker, in MB of 10^6 bytes. PSS counts a page that n processes share as 1/n."""
        return [memory_of(pid) for pid in self.workers()]


@contextmanager
def serving(module: Sequence[str], ready: Prepared, folder: str = ".", **settings: str) -> Iterator[Served]:
    """Serves `python -m <module>` on a free port until the block ends. `folder` is its GROUNDS_VAR within `ready`'s."""
    port = free_port()
    environment = ready.environment(
        GROUNDS_PORT=str(port), GROUNDS_HOST=HOST, GROUNDS_SCREENING_RATE="1000000/second", **settings
    )
    environment["GROUNDS_VAR"] = str(ready.var / folder)
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", *module], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield Served(process, port, ready_after(process, port, began))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def load(served: Served, ready: Prepared, connections: int, seconds: int) -> Load:
    """Asks for screenings of the worked case, each connection as fast as it is answered."""
    sent = {"GROUNDS_BENCH_KEY": ready.key, "GROUNDS_BENCH_BODY": str(WORKED_CASE)}
    return asked(served, "/v1/screenings", connections, seconds, "wrk.lua", sent)


def load_page(served: Served, address: str, cookie: str, connections: int, seconds: int) -> Load:
    """Asks for a page, as a browser that has signed in does."""
    return asked(served, address, connections, seconds, "wrk_page.lua", {"GROUNDS_BENCH_COOKIE": cookie})


class Counted(Protocol):
    """A server under load: where it answers and what its processes cost."""

    @property
    def port(self) -> int: ...

    def cpu_seconds(self) -> float: ...


def asked(served: Counted, path: str, connections: int, seconds: int, script: str, sent: Mapping[str, str]) -> Load:
    """What `wrk` measures with a script of ours and the environment that it reads."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise NotPrepared("wrk is needed to measure requests: apt-get install wrk")
    address = f"http://{HOST}:{served.port}{path}"
    lua = str(Path(__file__).with_name(script))
    shape = ("-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", lua)
    before = served.cpu_seconds()
    done = subprocess.run(
        [wrk, *shape, address], env={**os.environ, **sent}, capture_output=True, text=True, check=True
    )
    cpu = served.cpu_seconds() - before
    figures = next(line for line in done.stdout.splitlines() if line.startswith("figures "))
    requests, microseconds, p50, p99, errors = map(int, figures.split()[1:])
    rate = requests / microseconds * 1e6
    return Load(requests, rate, p50 / 1000, p99 / 1000, errors, cpu * 1e6 / max(requests, 1))


def memory_of(pid: int) -> tuple[float, float]:
    """(RSS, PSS) of a process, in MB of 10^6 bytes."""
    kilobytes = {}
    for line in _read(pid, "smaps_rollup").decode().splitlines():
        name, _, value = line.partition(":")
        if value.endswith("kB"):
            kilobytes[name] = int(value.split()[0])
    return kilobytes["Rss"] * 1.024e-3, kilobytes["Pss"] * 1.024e-3


def mapped_libraries(pid: int) -> str:
    """Every file that is mapped into a process, compiled parts of Python packages among them."""
    return _read(pid, "maps").decode()


def ready_after(
    process: subprocess.Popen[bytes], port: int, began: float, address: str = "/readyz", patience: float = PATIENCE
) -> float:
    """Seconds from `began` to the first 200 of an address. Raises `NotPrepared`."""
    while time.monotonic() - began < patience:
        if process.poll() is not None:
            raise NotPrepared(f"the server ended with code {process.returncode} before it was ready")
        try:
            with closing(http.client.HTTPConnection(HOST, port, timeout=5)) as connection:
                connection.request("GET", address)
                if connection.getresponse().status == 200:
                    return time.monotonic() - began
        except OSError:
            time.sleep(PAUSE)
    raise NotPrepared(f"the server was not ready after {patience:.0f} seconds")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _children(parent: int) -> list[int]:
    listed = (Path("/proc") / str(parent) / "task" / str(parent) / "children").read_text(encoding="ascii")
    return [int(pid) for pid in listed.split()]


def _read(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()
