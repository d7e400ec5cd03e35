"""A sandbox key works where a live key does, and leaves nothing in the live log."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.access.keys import Keys, create_key, read_keys
from service.app import Collaborators, create_app
from service.log.store import LogStore, NotDurable
from service.running.assembly import open_log
from service.sandbox.door import SandboxDoor, SandboxKeys, made_up_alone, sandbox_settings
from tests.service.screening.test_api import problem

CASE = {"case_ref": "sandbox-1", "agency": "gp", "features": {"immediate_danger": "yes"}}


@pytest.fixture
def sandbox(service, settings):
    """A sandbox key, and the door that a worker opens for it."""
    key = create_key(settings.keys, "sandbox")[0]
    keys = Keys(read_keys(settings.keys))
    service.app = create_app(Collaborators(service.released, service.log, keys, settings.origin))

    def application(log, origin):
        return create_app(Collaborators(service.released, log, SandboxKeys(keys), origin, refuse=made_up_alone))

    door = SandboxDoor(settings, application)
    service.app.sandbox = door
    yield {"Authorization": f"Bearer {key}"}
    door.close()


def test_what_a_sandbox_key_screens_is_recorded_there_and_nowhere_else(service, settings, sandbox):
    before = service.log.size()
    response = service.client.post("/v1/screenings", json=CASE, headers=sandbox)
    assert response.status_code == 201
    assert response.headers["Grounds-Sandbox"] == "true"
    told = response.get_json()
    assert told["record"]["log"] == f"{settings.origin}/sandbox"
    address = f"/v1/screenings/{told['screening_id']}"
    said = service.client.post(f"{address}/response", json={"action": "referred"}, headers=sandbox)
    assert said.status_code == 201
    assert service.client.get(f"{address}/summary", headers=sandbox).status_code == 200
    assert service.log.size() == before
    assert service.log.screenings() == 0
    log = open_log(sandbox_settings(settings))
    try:
        entry = log.get(told["screening_id"])
        assert json.loads(entry.payload)["answer"]["score"] == told["score"]
        assert entry.leaf_hash == told["record"]["leaf_hash"]
        assert [e.kind for e in log.entries(0, log.size())] == ["screening", "response", "lookup"]
    finally:
        log.close()


def test_the_sandbox_s_log_is_verified_as_any_other(service, settings, sandbox):
    assert service.client.post("/v1/screenings", json=CASE, headers=sandbox).status_code == 201
    there = sandbox_settings(settings)
    environment = {"GROUNDS_VAR": str(there.var), "GROUNDS_LOG_DATABASE": "", "GROUNDS_LOG_ORIGIN": there.origin}
    done = subprocess.run(
        [sys.executable, "-m", "service", "log", "verify"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 entr" in done.stdout


def test_neither_key_sees_what_the_other_s_made(service, sandbox):
    there = service.client.post("/v1/screenings", json=CASE, headers=sandbox).get_json()["screening_id"]
    here = service.screen().get_json()["screening_id"]
    problem(service.client.get(f"/v1/screenings/{there}", headers=service.practitioner), "not_found")
    problem(service.client.get(f"/v1/screenings/{here}", headers=sandbox), "not_found")


def test_a_case_of_a_live_system_is_refused(service, sandbox):
    told = problem(service.client.post("/v1/screenings", json={**CASE, "case_ref": "a-17"}, headers=sandbox), "refused")
    assert [error["field"] for error in told["errors"]] == ["case_ref"]
    assert "sandbox-" in told["errors"][0]["fix"]


def test_the_canned_cases_can_be_screened(service, sandbox):
    cases = service.client.get("/v1/sandbox/cases", headers=sandbox).get_json()["cases"]
    for case in cases:
        assert service.client.post("/v1/screenings", json=case["request"], headers=sandbox).status_code == 201


def test_a_live_key_dressed_as_a_sandbox_key_and_an_unknown_one_are_refused(service, settings, sandbox):
    response = service.client.post("/v1/screenings", json=CASE, headers={"Authorization": "Bearer grounds_sandbox_x_y"})
    problem(response, "unknown_key")
    live = service.practitioner["Authorization"].removeprefix("Bearer ")
    with pytest.raises(Exception, match="unknown_key"):
        SandboxKeys(Keys(read_keys(settings.keys))).caller(f"Bearer {live}")


def test_without_its_door_a_sandbox_key_may_not_screen(service, sandbox):
    service.app.sandbox = None
    problem(service.client.post("/v1/screenings", json=CASE, headers=sandbox), "wrong_role")


def test_no_record_no_score_there_either(service, sandbox, monkeypatch):
    assert service.client.get("/v1/sandbox/cases", headers=sandbox).status_code == 200

    def full(*_, **__):
        raise NotDurable("disk full")

    monkeypatch.setattr(LogStore, "append", full)
    response = service.client.post("/v1/screenings", json=CASE, headers=sandbox)
    assert "score" not in problem(response, "not_recorded")


def test_a_sandbox_that_cannot_be_opened_says_so_and_the_live_service_works(service, settings, sandbox):
    folder = sandbox_settings(settings).var
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    problem(service.client.post("/v1/screenings", json=CASE, headers=sandbox), "sandbox_unavailable")
    assert service.screen().status_code == 201
    folder.unlink()
    assert service.client.post("/v1/screenings", json=CASE, headers=sandbox).status_code == 201
