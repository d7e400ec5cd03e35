"""A reload that would fail changes nothing, and a worker that cannot start takes no other with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from service.model_files import load_active
from tests.service.serving import environment_of, free_port, serving, wait_until


def command(settings, *arguments, **more):
    environment = environment_of(settings, free_port(), **more)
    return subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def reload_now(settings):
    process = command(settings, "reload")
    out, error = process.communicate(timeout=150)
    return process.returncode, out, error


@pytest.fixture
def issuers(tmp_path):
    """The file of a service with CDS Hooks: who starts anew reads it, and nobody else."""
    (tmp_path / "ehr.json").write_text('{"keys": []}')
    path = tmp_path / "issuers.toml"
    path.write_text('[[issuer]]\niss = "https://ehr.example"\nkey = "any"\njwks_file = "ehr.json"\n')
    return path


def test_a_reload_with_a_faulty_configuration_is_refused_in_one_line_and_changes_nothing(settings, issuers):
    more = {"GROUNDS_CDS_ISSUERS": str(issuers), "GROUNDS_PUBLIC_URL": "https://grounds.example"}
    with serving(settings, **more) as served:
        before = set(served.workers())
        whole = issuers.read_text()
        issuers.write_text(whole.replace("]]", "]"))
        # Without the service's own settings in the environment of the command, as an operator's shell may be.
        code, out, error = reload_now(settings)
        assert (code, out) == (1, "")
        assert error.startswith("error: nothing was reloaded, for a worker could not start: ")
        assert "issuers.toml" in error
        assert error.count("\n") == 1
        served.process.send_signal(signal.SIGHUP)  # by hand, as a supervisor does
        time.sleep(8)  # longer than a rehearsal and granian's own pause before it ends the old
        assert set(served.workers()) == before
        assert served.screen()["score"] > 0
        issuers.write_text(whole)
        code, out, error = reload_now(settings)
        assert (code, error) == (0, "")
        assert not before & set(served.workers())
        assert served.screen(1)["score"] > 0


def test_a_worker_that_dies_and_cannot_start_again_waits_while_the_other_serves(settings):
    with serving(settings) as served:
        model = load_active(settings.models, settings.keys).folder / "model.json"
        whole = model.read_bytes()
        model.write_bytes(whole.replace(b"0", b"1", 1))
        victim, survivor = served.workers()
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(set(served.workers()) - {victim}) == 2)
        for number in range(20):
            time.sleep(0.4)  # in all longer than in which granian sees a crash loop
            assert served.screen(number)["score"] > 0
        assert served.process.poll() is None
        assert survivor in served.workers()
        model.write_bytes(whole)
        wait_until(lambda: served.ready() is not None)
        os.kill(survivor, signal.SIGKILL)  # so that it is the one that waited who answers
        wait_until(lambda: served.ready() is not None)


def test_a_second_service_from_the_same_folder_is_refused(settings):
    with serving(settings) as served:
        pid_file = settings.run / "service.pid"
        assert pid_file.read_text() == str(served.process.pid)
        process = command(settings, "serve")
        _, error = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "another service serves from this folder" in error
        assert error.count("\n") == 1
        assert pid_file.read_text() == str(served.process.pid)
        assert served.screen()["score"] > 0
        os.kill(served.process.pid, signal.SIGKILL)  # its workers may have some seconds yet
        served.process.wait()
    with serving(settings) as again:
        assert again.screen(1)["score"] > 0


def test_a_reload_does_not_wait_for_a_service_that_has_ended(settings):
    with serving(settings) as served:
        before = set(served.workers())
        process = command(settings, "reload")
        wait_until(lambda: not before >= set(served.workers()), 90)
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.wait()
        began = time.monotonic()
        _, error = process.communicate(timeout=60)
        assert time.monotonic() - began < 10
        assert process.returncode == 1
        assert "the service ended while it was reloaded" in error
