"""The real server with real workers on a free port, for tests of what only they can show."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from service.access.keys import create_key
from service.settings import Settings


class Refused(OSError):
    """An answer that is no screening."""

    def __init__(self, status: int, problem: dict[str, Any], retry_after: str | None) -> None:
        super().__init__(f"{status} {problem['code']}")
        self.status, self.problem, self.retry_after = status, problem, retry_after


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers: its port, a practitioner's key, and its process."""

    port: int
    key: str
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)], capture_output=True, text=True
        )
        return [int(line.split()[0]) for line in listed.stdout.splitlines() if "service serve" in line]

    def screen(self, number: int = 0, timeout: float = 10) -> dict[str, Any]:
        """Screens a small case. Raises `OSError` (`Refused` among them) where it is not answered with 201."""
        case = {"case_ref": f"load-{number}", "agency": "gp", "features": {"immediate_danger": "no"}}
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/v1/screenings", json.dumps(case).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, json.loads(error.read()), error.headers["Retry-After"]) from None

    def ready(self) -> dict[str, Any] | None:
        """What `/readyz` says with status 200; None where it does not."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=2) as answer:
                return json.loads(answer.read()) if answer.status == 200 else None
        except urllib.error.HTTPError as error:
            error.close()
            return None
        except OSError:
            return None


def environment_of(settings: Settings, port: int, **more: str) -> dict[str, str]:
    """The environment in which the command line and the server find these settings."""
    return {
        **os.environ,
        "GROUNDS_VAR": str(settings.var),
        "GROUNDS_CHECKPOINTS": str(settings.checkpoints),
        "GROUNDS_LOG_ORIGIN": settings.origin,
        "GROUNDS_PORT": str(port),
        "GROUNDS_WORKERS": "2",
        "GROUNDS_SCREENING_RATE": "1000000/minute",
        **more,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(settings: Settings, **more: str) -> Iterator[Served]:
    """Serves from a folder with a released model; `more` are further settings (`GROUNDS_THREADS="2"`)."""
    key, port = create_key(settings.keys, "practitioner")[0], free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "serve"],
        env=environment_of(settings, port, **more),
        start_new_session=True,
    )
    served = Served(port, key, process)
    try:
        wait_until(lambda: served.ready() is not None)
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_until(holds: Any, patience: float = 30) -> None:
    """Returns once `holds()` is true."""
    ends = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < ends, "it did not come about in time"
        time.sleep(0.05)
