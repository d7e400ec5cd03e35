"""The real service as its supervisor runs it: started, killed, and started again when it has ended."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from service.access.keys import create_key
from service.running.reloading import reload, workers
from service.settings import Settings
from tests.service.serving import environment_of, free_port

_PAUSE_SECONDS = 0.5
"""Between an end and the next start, as supervisors wait too."""
_STOP_SECONDS = 60
_LOOK_SECONDS = 10


class Supervised:
    """One service on one port with one key. Its output goes by a pipe to a file, which its limits do not touch."""

    def __init__(self, settings: Settings, output: Path, more: Mapping[str, str]) -> None:
        """`more` is what its environment holds besides the settings."""
        self.settings = settings
        self.port = free_port()
        self.key = create_key(settings.keys, "practitioner")[0]
        self.output = output
        self.ends: list[str] = []
        """How it ended when nobody had ended it: the last that it said in words."""
        self._environment = environment_of(settings, self.port, **more)
        self._process: subprocess.Popen[bytes]
        with output.open("wb") as file:
            self._writer = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file)
        self._began = 0.0
        self._groups: list[int] = []

    def keep_alive(self) -> None:
        """Starts it again where it has ended by itself."""
        code = self._process.poll()
        if code is not None and time.monotonic() - self._began > _PAUSE_SECONDS:
            said = [line for line in self.output.read_text().splitlines() if not line.startswith("{")]
            self.ends.append(said[-1] if said else f"exit code {code}")
            self.start()

    def start(self) -> None:
        """Starts it; it serves a little later."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"],
            env=self._environment,
            stdout=self._writer.stdin,
            stderr=self._writer.stdin,
            start_new_session=True,
        )
        self._began = time.monotonic()
        self._groups.append(self._process.pid)

    def workers(self) -> list[int]:
        """Process ids of the workers that run."""
        return sorted(workers(self._process.pid))

    def settled(self) -> bool:
        """Whether it has all its workers and each of them has said that it serves."""
        running = self.workers()
        said = self.output.read_text()
        ready = [f'"pid": {pid}, "event": "worker_ready"' in said for pid in running]
        return len(running) == self.settings.workers and all(ready)

    def kill_worker(self, pid: int) -> None:
        """Ends one worker without warning."""
        os.kill(pid, signal.SIGKILL)

    def kill(self, whole: bool) -> None:
        """Ends it without warning, with its workers or without them."""
        if whole:
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()

    def reload(self) -> None:
        """Lets new workers take over from the old ones; raises `ReloadError` where they do not."""
        reload(self.settings)

    def look(self, path: str) -> int:
        """The status at an address of this service, as one who holds its key sees it. Raises `OSError` without one."""
        asked = Request(f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.key}"})
        try:
            with urlopen(asked, timeout=_LOOK_SECONDS) as answer:
                return int(answer.status)
        except HTTPError as refused:
            with refused:
                return int(refused.code)

    def limit_files(self, size: int) -> None:
        """No file may grow beyond so many bytes: a full disk for where none can be made."""
        for pid in (self._process.pid, *self.workers()):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def stop(self) -> int:
        """Stops it in good order; gives the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_STOP_SECONDS)

    def remove(self) -> None:
        """Ends what is left of it, however that is."""
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        if self._groups:
            self._process.wait()
        self._writer.communicate()
