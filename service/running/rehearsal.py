"""Whether a worker that started now could serve: all of its start but the serving, in a process of its own.

A reload ends workers that serve. So the server sees first that there will be others.
"""

from __future__ import annotations

import subprocess
import sys

from service.settings import read_settings

_PATIENCE = 60.0
"""Seconds; a start takes two or three on a busy machine, and a database that is away ten."""


def why_not() -> str | None:
    """Why a worker of this server could not serve, in one line; None where it could."""
    command = [sys.executable, "-m", "service.running.rehearsal"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it was not ready in {_PATIENCE:.0f} s"
    if done.returncode == 0:
        return None
    return (done.stderr.splitlines() or [f"it ended with {done.returncode}"])[-1]


def _rehearse() -> None:
    from service.model_files import load_active
    from service.running.application import application, said_plainly
    from service.running.assembly import open_log

    with said_plainly():
        settings = read_settings()
        released = load_active(settings.models, settings.keys)
        log = open_log(settings, begin=False)
        try:
            application(settings, released, log, metrics=None)
            if (fault := log.fault()) is not None:  # a model that is new to the log is an entry first
                raise OSError(f"the log cannot be written ({fault})")
        finally:
            log.close()


if __name__ == "__main__":
    from service.running.application import CannotStart

    try:
        _rehearse()
    except CannotStart as error:
        print(error, file=sys.stderr)
        sys.exit(1)
