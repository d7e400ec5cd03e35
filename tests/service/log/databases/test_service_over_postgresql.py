"""The whole service over PostgreSQL: no score without its record there either."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest

from model.dictionary import shipped_dictionary
from service.log.export import export_lines
from service.log.verifier import verify
from service.running.assembly import open_log
from tests.service.conftest import hand_made_model, release_into, settings_in


@pytest.fixture
def settings(tmp_path, url):
    made = dataclasses.replace(settings_in(tmp_path / "var"), database_url=url)
    release_into(made, hand_made_model(shipped_dictionary()))
    return made


def test_a_screening_is_recorded_shown_again_and_verified(service):
    shown = service.screen({"parent_mental_health_history": "yes"})
    assert shown.status_code == 201
    again = service.client.get(shown.headers["Location"], headers=service.auditor)
    assert {**again.get_json(), "record": None} == {**shown.get_json(), "record": None}
    assert service.client.get("/readyz").status_code == 200
    assert verify(export_lines(service.log), service.log.verifier_key).ok


def test_without_the_database_there_is_a_503_and_no_score_and_then_it_recovers(service, server):
    assert service.screen().status_code == 201
    server.stop("immediate")
    try:
        refused = service.screen()
        ready = service.client.get("/readyz")
    finally:
        server.start()
    assert (refused.status_code, ready.status_code) == (503, 503)
    assert refused.headers["Retry-After"]
    assert "score" not in refused.get_json()
    assert service.screen().status_code == 201
    assert service.client.get("/readyz").status_code == 200


def command(settings, *arguments):
    environment = {**os.environ, "GROUNDS_VAR": str(settings.var), "GROUNDS_LOG_DATABASE": settings.database_url}
    environment["GROUNDS_LOG_ORIGIN"] = settings.origin
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments], env=environment, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_the_owner_prepares_the_database_from_the_command_line(settings, server):
    server.execute("DROP ROLE IF EXISTS app")
    server.execute("CREATE ROLE app LOGIN")
    code, out, _ = command(settings, "database", "upgrade")
    assert (code, out) == (0, f"{settings.database_url}: up to date\n")
    assert command(settings, "database", "grant", "--service", "app")[:2] == (0, "app may insert and read\n")
    theirs = dataclasses.replace(settings, database_url=settings.database_url.replace("owner@", "app@"))
    code, out, error = command(theirs, "key", "create", "--role", "practitioner")
    assert code == 0, error
    assert command(theirs, "log", "verify")[0] == 0
    code, _, error = command(theirs, "database", "grant", "--auditor", "app")
    assert code == 1
    assert error.startswith("error: the roles were not changed (app: ")
    code, _, error = command(settings, "database", "grant")
    assert code == 2
    assert "--service ROLE" in error


def test_a_file_has_no_roles(settings):
    code, _, error = command(dataclasses.replace(settings, database_url=""), "database", "grant", "--service", "app")
    assert code == 1
    assert error == "error: the log is a SQLite file, which needs none of this; set GROUNDS_LOG_DATABASE\n"


def test_a_password_in_the_url_is_refused_and_not_repeated(settings):
    theirs = dataclasses.replace(settings, database_url="postgresql://owner:secret@127.0.0.1/x")
    code, out, error = command(theirs, "log", "verify")
    assert code == 1
    assert "GROUNDS_LOG_DATABASE" in error
    assert "secret" not in out + error


def test_what_is_erased_is_gone_from_the_table_s_files_once_they_are_written_anew(settings, server):
    for role in ("app", "eraser"):
        server.execute(f"DROP ROLE IF EXISTS {role}")
        server.execute(f"CREATE ROLE {role} LOGIN")
    assert command(settings, "database", "upgrade")[0] == 0
    assert command(settings, "database", "grant", "--service", "app", "--eraser", "eraser")[0] == 0
    log = open_log(dataclasses.replace(settings, database_url=settings.database_url.replace("owner@", "app@")))
    kept = log.append("screening", b'{"asked":{"case_ref":"case-1"},"text":"kept"}')
    for number in range(200):  # enough for statistics to be worth keeping
        log.append("screening", b'{"asked":{"case_ref":"case-9"},"n":%d}' % number)
    gone = log.append("screening", b'{"asked":{"case_ref":"case-2"},"text":"gone"}')
    salts = {receipt.entry_id: log.row(receipt.entry_id).salt for receipt in (kept, gone)}
    log.close()
    server.execute("ANALYZE", settings.database_url.rpartition("/")[2])  # as autovacuum does by itself
    theirs = dataclasses.replace(settings, database_url=settings.database_url.replace("owner@", "eraser@"))
    asked = ("--screening", gone.entry_id, "--reason", "recorded_in_error", "--by", "operator")
    code, out, error = command(theirs, "log", "erase", *asked)
    assert code == 0, error
    assert "erased: 1 entries" in out
    assert "python -m service database clean" in out
    code, out, error = command(theirs, "log", "verify")
    assert code == 0, error
    assert command(theirs, "database", "clean")[0] == 1
    code, out, error = command(settings, "database", "clean")
    assert code == 0, error
    server.execute("CHECKPOINT")
    files = [path.read_bytes() for path in (server.folder / "data" / "base").rglob("*") if path.is_file()]
    assert any(salts[kept.entry_id] in content for content in files)
    assert not any(salts[gone.entry_id] in content for content in files)


def test_an_auditor_searches_proves_and_exports(service):
    shown = [
        service.screen({"parent_mental_health_history": answer}).get_json() for answer in ("yes", "no", "not_known")
    ]
    get = service.client.get
    page = get("/v1/log/entries?kind=screening&feature=parent_mental_health_history", headers=service.auditor)
    assert page.status_code == 200, page.text
    assert {entry["index"] for entry in page.get_json()["entries"]} == {each["record"]["index"] for each in shown[:2]}
    leaf = shown[1]["record"]["leaf_hash"]
    proof = get(f"/v1/log/proof/inclusion?leaf_hash={leaf}", headers=service.auditor).get_json()
    assert proof["index"] == shown[1]["record"]["index"]
    consistency = get("/v1/log/proof/consistency?from=1&to=2", headers=service.auditor)
    assert consistency.status_code == 200
    export = get("/v1/log/export", headers=service.auditor)
    assert verify(export.data.splitlines(), service.log.verifier_key).ok
    assert get("/v1/log/checkpoint").status_code == 200


def test_key_changes_are_seen_by_an_auditor_over_postgresql(settings):
    assert command(settings, "key", "create", "--role", "auditor")[0] == 0
    code, _, error = command(settings, "log", "models", "--json")
    assert code == 0, error
    code, _, error = command(settings, "key", "rotate-log")
    assert code == 0, error
    assert command(settings, "log", "verify")[0] == 0
