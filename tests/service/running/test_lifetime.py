"""What the log says of the service's own life."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

import service
from model.artefact import MODEL_FILE, SIGNATURE_FILE
from model.overrides import OVERRIDES_FILE, Override, write_overrides
from service.log.store import NotDurable
from service.running.assembly import conclude, open_log, prepare
from service.running.lifetime import configuration_digest
from tests.service.conftest import VERSION
from training.release.released import record_release
from training.release.rollback import rollback
from training.release.story import ACTIVE, sign, signing_key

OVERRIDE = Override("enough_events", "99", ">= 100", "silent_pilot", "data_scientist")


def recorded(settings):
    """Kind and payload of every entry."""
    log = open_log(settings)
    try:
        return [(entry.kind, json.loads(entry.payload)) for entry in log.entries(0, log.size())]
    finally:
        log.close()


def starts(settings):
    return [payload["previous"] for kind, payload in recorded(settings) if kind == "service_started"]


def test_a_start_says_what_runs_with_which_configuration(settings):
    prepare(settings)
    kind, started = recorded(settings)[-1]
    assert kind == "service_started"
    assert started["version"] == service.VERSION
    assert started["configuration_sha256"] == configuration_digest(settings)
    assert started["model"]["version"] == VERSION


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert project["project"]["version"] == service.VERSION


def test_every_setting_is_in_the_configuration_digest(settings):
    digests = {configuration_digest(settings)}
    for name in settings.__slots__:
        value = getattr(settings, name)
        other = value + 1 if isinstance(value, int) else (str if value is None else type(value))(f"{value}x")
        digests.add(configuration_digest(dataclasses.replace(settings, **{name: other})))
    assert len(digests) == 1 + len(settings.__slots__)


def test_a_start_after_no_stop_says_so(settings):
    first = prepare(settings)
    conclude(settings, first)
    prepare(settings)
    prepare(settings)
    assert starts(settings) == ["first start", "stopped", "no stop recorded"]
    stop = next(payload for kind, payload in recorded(settings) if kind == "service_stopped")
    assert stop["started"] == first.start_id


def test_a_stop_that_cannot_be_recorded_is_told(settings, monkeypatch):
    prepared = prepare(settings)

    def fails(*args, **kwargs):
        raise NotDurable("disk")

    monkeypatch.setattr("service.log.store.LogStore.append", fails)
    with pytest.raises(NotDurable):
        conclude(settings, prepared)


def override_gates(settings, *overrides):
    """Releases the model again, in spite of gates."""
    folder = settings.models / VERSION
    lifted = write_overrides(overrides)
    (folder / OVERRIDES_FILE).write_bytes(lifted)
    (folder / SIGNATURE_FILE).write_bytes(sign((folder / MODEL_FILE).read_bytes(), signing_key(settings.keys), lifted))


def test_overridden_gates_are_recorded_with_the_activation_and_once(settings):
    prepare(settings)
    override_gates(settings, OVERRIDE)
    prepare(settings)
    prepare(settings)
    override_gates(settings, dataclasses.replace(OVERRIDE, reason="small_population"))
    prepare(settings)
    entries = recorded(settings)
    assert [kind for kind, _ in entries] == [
        "model_activated",
        "service_started",
        "gates_overridden",
        "model_activated",
        "service_started",
        "service_started",
        "gates_overridden",
        "model_activated",
        "service_started",
    ]
    assert entries[2][1]["overrides"] == [dataclasses.asdict(OVERRIDE)]
    assert entries[2][1]["model"]["version"] == VERSION
    assert "gates_overridden" not in entries[0][1]
    assert entries[3][1]["gates_overridden"] == ["enough_events"]
    assert entries[6][1]["overrides"][0]["reason"] == "small_population"


def serving(settings):
    """A service in processes of its own, answering."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GROUNDS_VAR": str(settings.var), "GROUNDS_WORKERS": "1", "GROUNDS_PORT": str(port)}
    environment |= {"GROUNDS_LOG_ORIGIN": settings.origin, "GROUNDS_THREADS": "2"}
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "serve"], env=environment, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                assert answer.status == 200
                return process
        except OSError:
            time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    pytest.fail(f"the service did not answer: {process.communicate()[1]}")


@pytest.mark.parametrize("to_the_group", [False, True])
def test_a_real_service_records_its_stop(settings, to_the_group):
    process = serving(settings)
    if to_the_group:  # as Ctrl-C does in a terminal
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=25)  # a worker that does not heed is killed after 30
    assert process.returncode == 0, errors
    assert [kind for kind, _ in recorded(settings)] == ["model_activated", "service_started", "service_stopped"]


def test_a_killed_service_shows_at_the_next_start(settings):
    process = serving(settings)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    prepare(settings)
    assert starts(settings) == ["first start", "no stop recorded"]


def test_workers_end_with_a_parent_that_was_killed(settings):
    process = serving(settings)
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [int(pid) for pid in listed]
    assert workers
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() and not _is_dead(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.1)


def _is_dead(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_going_back_to_an_older_model_is_an_activation_of_its_own(settings):
    prepare(settings)
    later = settings.models / "later-1"
    later.mkdir()
    data = (settings.models / VERSION / MODEL_FILE).read_bytes().replace(VERSION.encode(), b"later-1")
    (later / MODEL_FILE).write_bytes(data)
    (later / SIGNATURE_FILE).write_bytes(sign(data, signing_key(settings.keys)))
    record_release(settings.models, "later-1")
    (settings.models / ACTIVE).write_text("later-1\n")
    prepare(settings)
    rollback(settings.models, settings.keys)
    prepare(settings)
    activated = [payload["model"]["version"] for kind, payload in recorded(settings) if kind == "model_activated"]
    assert activated == [VERSION, "later-1", VERSION]
