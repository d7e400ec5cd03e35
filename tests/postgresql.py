"""A real PostgreSQL server in a folder of its own, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

_CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
max_connections = 60
shared_buffers = 32MB
"""


class Server:
    """A cluster in a folder of its own. PostgreSQL refuses to run as root, so root runs it as the user `postgres`."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is what its processes have beside that of this one."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert found, "PostgreSQL is not installed; make test installs it"
        self._bin = found[-1]
        self._user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        self.folder = folder
        self._environment = {**os.environ, **(environment or {})}
        if self._user:
            shutil.chown(folder, "postgres", "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run("initdb", "--auth=trust", "--username=owner", "--encoding=UTF8", "--locale=C", str(folder / "data"))
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION.format(folder=folder))
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        # Output goes to a file: the server inherits it, and a pipe would stay open as long as the server lives.
        with (self.folder / "commands.log").open("ab") as said:
            command = [str(self._bin / program), *arguments]
            subprocess.run(
                command,
                check=True,
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env=self._environment,
                **self._user,
            )

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-w", "-D", str(self.folder / "data"), "-l", str(self.folder / "server.log"), *arguments)

    def start(self) -> None:
        """Starts and waits until it answers."""
        self._control("-o", f"-p {self.port}", "start")

    def stop(self, mode: str) -> None:
        """Stops: `fast` ends connections, `immediate` is a crash that the next start recovers from."""
        self._control("-m", mode, "stop")

    def url(self, database: str, user: str = "owner") -> str:
        """The URL of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Runs a statement as the owner."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running() -> Iterator[Server]:
    """A server until the block ends."""
    # Not in pytest's own folder, which other users may not enter.
    folder = Path(tempfile.mkdtemp(prefix="grounds-postgresql-"))
    folder.chmod(0o755)
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder)
