"""A port that is taken is said before anything is made: the first training takes minutes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]


@pytest.fixture
def taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def make_run(folder, port):
    """`make run` as on a machine where nothing was made yet."""
    made = [f"VENV={folder / 'venv'}", f"VAR={folder / 'var'}", f"PYTHON={sys.executable}", f"PORT={port}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GROUNDS_", "MAKE"))}
    return subprocess.run(
        ["make", "--no-print-directory", "run", *made],
        cwd=TOP,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_make_run_says_that_the_port_is_taken_before_anything_is_made(taken, tmp_path):
    done = make_run(tmp_path, taken)
    assert done.returncode != 0
    said, of_make = done.stderr.splitlines()
    assert said == f"error: port {taken} on 127.0.0.1 is taken; stop what uses it, or: make run PORT=8001"
    assert of_make.startswith("make: ***")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("port", ["0", "65536", "many"])
def test_make_run_says_what_is_no_port(port, tmp_path):
    assert make_run(tmp_path, port).stderr.startswith("error: PORT: set a whole number from 1 to 65535\n")


@pytest.mark.parametrize(
    ("host", "said"),
    [("192.0.2.1", "cannot be used (Cannot assign requested address); set PORT or GROUNDS_HOST"), ("localhost", "")],
)
def test_only_a_port_that_is_taken_is_said_to_be(host, said):
    done = subprocess.run(
        [sys.executable, "-m", "service.running.port", "18735"],
        cwd=TOP,
        env={**os.environ, "GROUNDS_HOST": host},
        capture_output=True,
        text=True,
    )
    assert said in done.stderr
    assert bool(done.returncode) == bool(said)


def test_a_service_says_it_too(taken, settings):
    environment = {**os.environ, "GROUNDS_VAR": str(settings.var), "GROUNDS_PORT": str(taken)}
    command = [sys.executable, "-m", "service", "serve"]
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {taken} on 127.0.0.1 is taken; stop what uses it")
    assert not settings.log_database.exists()
