"""No case data in logs, metrics or errors: canaries in everything that is sent, and every output searched for them."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from contextlib import closing

import pysqlite3
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from model.dictionary import shipped_dictionary
from service.access.keys import create_key
from service.running.telemetry import configure_logging
from service.screening.answer import AnswerWriter
from tests.service.canaries import CANARY, CASE, DICTIONARY, Sender, everything, reading
from tests.service.cds_hooks.conftest import ISS, URL, public
from tests.service.conftest import hand_made_model, release_into, settings_in
from tests.service.fhir.forms import response_of
from tests.service.log.small_disk import SmallDisk
from tests.service.serving import Served, environment_of, free_port, wait_until

ANSWERED = {
    "json": {201, 400, 401, 405, 415, 422},
    "batch": {201, 400, 422},
    "response": {201, 400, 404, 422},
    "reading": {200, 400, 404, 406},
    "audit": {200, 400, 403},
    "fhir": {201, 400, 404, 422},
    "cds": {200, 401, 412, 422},
    "feedback": {200, 404, 422},
    "sandbox": {200, 201, 404, 422},
    "pages": {401, 404},
}
"""What each door answers at least, so that no door is passed by unseen."""
RECORDING = ("json", "batch", "response", "reading", "audit", "fhir", "cds", "feedback", "sandbox")
"""The doors that answer nothing without an entry of the log."""


@pytest.fixture
def disk(tmp_path):
    """A disk of its own for the service's files, which can be full."""
    (tmp_path / "var").mkdir()
    disk = SmallDisk(tmp_path / "var")
    yield disk
    disk.remove()


@pytest.fixture
def served(disk, tmp_path):
    """A served service with every door open, what it says, and a sender with a key of each role."""
    settings = settings_in(disk.folder)
    release_into(settings, hand_made_model(shipped_dictionary()))
    keys = {role: create_key(settings.keys, role)[0] for role in ("practitioner", "auditor", "operator", "sandbox")}
    private, port, output = ec.generate_private_key(ec.SECP384R1()), free_port(), tmp_path / "output"
    (tmp_path / "ehr.json").write_text(json.dumps({"keys": [public(private, "key-1")]}))
    issuers = tmp_path / "issuers.toml"
    key_id = keys["practitioner"].split("_")[2]
    issuers.write_text(f'[[issuer]]\niss = "{ISS}"\nkey = "{key_id}"\njwks_file = "ehr.json"\n')
    more = {"GROUNDS_PUBLIC_URL": URL, "GROUNDS_CDS_ISSUERS": str(issuers), "GROUNDS_AUDIT_RATE": "100000/minute"}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"],
            env=environment_of(settings, port, **more),
            stdout=file,
            stderr=file,
        )
        try:
            wait_until(lambda: Served(port, "", process).ready() is not None)
            yield Sender(port, keys, private), settings, output, process
        finally:
            process.terminate()
            process.wait(40)


def test_a_canary_is_in_no_log_metric_or_error(served, disk):
    sender, settings, output, process = served
    everything(sender)
    for door, statuses in ANSWERED.items():
        assert sender.statuses[door] >= statuses, door

    disk.fill()
    sender.statuses.clear()
    everything(sender)
    disk.free()
    for door in RECORDING:
        assert 503 in sender.statuses[door], door

    with closing(pysqlite3.connect(settings.log_database)) as connection:
        connection.execute("UPDATE log_entry SET payload = substr(payload, 2) WHERE kind = 'screening'")
        connection.commit()
    sender.statuses.clear()
    reading(sender)
    assert 500 in sender.statuses["reading"]

    connection = http.client.HTTPConnection("127.0.0.1", sender.port, timeout=10)
    connection.request("GET", "/metrics", None, {"Authorization": f"Bearer {sender.keys['operator']}"})
    metrics = connection.getresponse().read().decode()
    connection.close()
    process.terminate()
    process.wait(40)
    assert "grounds_requests_total" in metrics
    assert CANARY not in metrics.lower()
    logged = output.read_text()
    assert "worker_ready" in logged
    assert "log_damaged" in logged
    assert CANARY not in logged.lower()


DOORS = [
    ("/v1/screenings", CASE),
    ("/v1/screenings/batch", {"cases": [CASE]}),
    ("/v1/fhir/QuestionnaireResponse", response_of(DICTIONARY, {"immediate_danger": "no"}, case_ref=f"{CANARY}-1")),
]


@pytest.mark.parametrize(("address", "body"), DOORS)
def test_a_fault_that_nobody_foresaw_says_nothing_of_the_case(service, monkeypatch, capfd, request, address, body):
    def fails(*_, **__):
        raise ValueError(f"cannot handle {CANARY}")

    monkeypatch.setattr(AnswerWriter, "write", fails)
    configure_logging()
    request.addfinalizer(structlog.reset_defaults)
    answer = service.client.post(address, json=body, headers=service.practitioner)
    assert answer.status_code == 500
    assert CANARY not in answer.text.lower()
    said = capfd.readouterr()
    assert "unexpected_error" in said.err
    assert CANARY not in (said.out + said.err).lower()
