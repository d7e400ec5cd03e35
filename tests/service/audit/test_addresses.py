"""The log over HTTP: public checkpoints, proofs, entries, export, and an entry for every look of an auditor."""

from __future__ import annotations

import json

import pysqlite3
import pytest
from openapi_spec_validator import validate

from service.access.keys import Keys, read_keys
from service.app import Collaborators, create_app
from service.audit import AuditPlan
from service.audit.shapes import ConsistencySchema, EntrySchema, InclusionSchema
from service.log.entry import commitment, erasure_payload, read_leaf
from service.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from service.log.schema import log_entry
from service.log.verifier import verify
from tests.service.audit.looking import newest, public_key, refused


def test_checkpoint_and_key_are_public_kept_by_caches_and_leave_no_entry(service, screened):
    size = service.log.size()
    response = service.client.get("/v1/log/checkpoint")
    assert response.status_code == 200
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=1"
    checkpoint = public_key(service).open(response.text)
    assert checkpoint.size == size == service.log.size()
    again = service.client.get("/v1/log/checkpoint", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    service.screen()
    changed = service.client.get("/v1/log/checkpoint", headers={"If-None-Match": response.headers["ETag"]})
    assert changed.status_code == 200
    assert public_key(service).open(changed.text).size == size + 1


@pytest.mark.parametrize("address", ["entries", "entries/0", "proof/inclusion", "proof/consistency", "export"])
def test_all_else_is_for_the_role_auditor_alone(service, screened, address):
    assert service.client.get(f"/v1/log/{address}").status_code == 401
    response = service.client.get(f"/v1/log/{address}", headers=service.practitioner)
    assert (response.status_code, response.get_json()["code"]) == (403, "wrong_role")
    assert newest(service, "refusal")["code"] == "wrong_role"
    assert newest(service, "refusal")["caller"]["role"] == "practitioner"


@pytest.mark.parametrize("by", ["index", "entry", "leaf_hash"])
def test_every_receipt_can_later_be_proved(service, screened, look, by):
    key = public_key(service)
    for answer in screened:
        record = answer["record"]
        name = {"index": record["index"], "entry": answer["screening_id"], "leaf_hash": record["leaf_hash"]}[by]
        response = look("proof/inclusion", **{by: name})
        assert response.status_code == 200, response.text
        proof = response.get_json()
        assert not InclusionSchema().validate(proof)
        assert leaf_hash(proof["leaf"].encode()).hex() == record["leaf_hash"] == proof["leaf_hash"]
        signed = key.open(proof["checkpoint"])
        path = [bytes.fromhex(node) for node in proof["proof"]]
        assert signed.size == proof["size"]
        assert verify_inclusion(bytes.fromhex(record["leaf_hash"]), record["index"], signed.size, path, signed.root)
        looked = newest(service, "lookup")
        assert looked["caller"]["role"] == "auditor"
        assert (looked["looked_at"], looked["by"], looked["index"]) == ("inclusion_proof", by, record["index"])


def test_a_receipt_is_proved_in_a_tree_of_any_size_that_holds_it(service, screened, look):
    size = service.log.size()
    for old in range(1, size + 1):
        proof = look("proof/inclusion", index=0, size=old).get_json()
        signed = public_key(service).open(proof["checkpoint"])  # one request at a time: each size was signed
        path = [bytes.fromhex(node) for node in proof["proof"]]
        assert verify_inclusion(bytes.fromhex(proof["leaf_hash"]), 0, old, path, signed.root)


def test_any_two_checkpoints_are_proved_consistent(service, screened, look):
    size = service.log.size()
    notes = {old: service.log.checkpoint_at(old) for old in range(1, size + 1)}
    for old, note in notes.items():
        proof = look("proof/consistency", **{"from": old, "to": size}).get_json()
        assert not ConsistencySchema().validate(proof)
        assert (proof["from_checkpoint"], proof["to_checkpoint"]) == (note, notes[size])
        earlier, later = (public_key(service).open(text) for text in (note, notes[size]))
        path = [bytes.fromhex(node) for node in proof["proof"]]
        assert verify_consistency(earlier.size, later.size, path, earlier.root, later.root)
    assert newest(service, "lookup")["looked_at"] == "consistency_proof"


def test_what_cannot_be_used_is_named_and_never_repeated(service, screened, look):
    value = "Anna Example"
    for address, name, parameters in (
        ("proof/inclusion", "index", {}),
        ("proof/inclusion", "index", {"index": value}),
        ("proof/inclusion", "index", {"index": 99}),
        ("proof/inclusion", "index", {"index": 2, "size": 2}),
        ("proof/inclusion", "size", {"index": 0, "size": 99}),
        ("proof/inclusion", "entry", {"entry": value}),
        ("proof/inclusion", "leaf_hash", {"leaf_hash": "ab"}),
        ("proof/inclusion", "leaf_hash", {"leaf_hash": "a" * 64, "index": 1}),
        ("proof/consistency", "from", {}),
        ("proof/consistency", "from", {"from": 3, "to": 2}),
        ("proof/consistency", "to", {"from": 1, "to": 99}),
        ("entries", "from", {"from": "yesterday"}),
        ("entries", "from", {"from": "2026-01-31T10:00:00"}),
        ("entries", "to", {"to": "9999-12-31"}),
        ("entries", "kind", {"kind": value}),
        ("entries", "level", {"level": value}),
        ("entries", "band", {"band": 21}),
        ("entries", "agency", {"agency": value}),
        ("entries", "order", {"order": value}),
        ("entries", "limit", {"limit": 201}),
        ("entries", "limit", {"limit": 0}),
        ("entries", "cursor", {"cursor": value}),
        ("export", "from", {"from": 99}),
        ("export", "from", {"from": 2, "to": 1}),
        ("export", "to", {"to": value}),
        ("export", "(a parameter whose name is not shown)", {value: "1"}),
    ):
        response = look(address, **parameters)
        refused(response, 400, name)
        assert value not in response.text
        entry = newest(service, "refusal")
        assert (entry["code"], entry["status"]) == ("bad_parameter", 400)
        assert name in entry["fields"]
        assert value not in json.dumps(entry)


def test_a_parameter_that_is_sent_twice_is_refused(service, screened):
    response = service.client.get("/v1/log/entries?band=1&band=2", headers=service.auditor)
    refused(response, 400, "band")


def test_parameters_that_are_not_known_are_one_error_with_their_number(service, screened, look):
    (error,) = refused(look("entries", jane="1", john="2"), 400, "(a parameter whose name is not shown)")
    assert error["fix"].endswith("(there are 2 of these)")


def test_what_is_not_there_is_404_and_recorded(service, screened, look):
    for address, parameters in (
        ("entries/99", {}),
        ("proof/inclusion", {"leaf_hash": "0" * 64}),
        ("proof/inclusion", {"entry": "00000000-0000-7000-8000-000000000000"}),
    ):
        assert look(address, **parameters).status_code == 404
        assert newest(service, "refusal")["code"] == "not_found"


def test_an_entry_is_shown_whole_with_what_proves_it(service, screened, look):
    for answer in screened:
        record = answer["record"]
        shown = look(f"entries/{record['index']}").get_json()
        assert not EntrySchema().validate(shown)
        assert read_leaf(shown["leaf"].encode()).commitment == commitment(
            bytes.fromhex(shown["salt"]), shown["payload"].encode()
        )
        signed = public_key(service).open(shown["checkpoint"])
        path = [bytes.fromhex(node) for node in shown["proof"]]
        hashed = leaf_hash(shown["leaf"].encode())
        assert verify_inclusion(hashed, record["index"], signed.size, path, signed.root)
        told = {name: value for name, value in answer.items() if name != "record"}
        assert json.loads(shown["payload"])["answer"] == told
        assert newest(service, "lookup")["screening_id"] == answer["screening_id"]


def test_an_erased_entry_is_still_proved_and_shows_nothing(service, screened, look):
    record = screened[0]["record"]
    service.log.append("erasure", erasure_payload([screened[0]["screening_id"]], "retention"))
    with service.log._engine.begin() as connection:
        gone = log_entry.update().where(log_entry.c.idx == record["index"]).values(payload=None, salt=None)
        connection.execute(gone)
    shown = look(f"entries/{record['index']}").get_json()
    assert (shown["payload"], shown["salt"]) == (None, None)
    assert shown["leaf_hash"] == record["leaf_hash"]
    assert look("proof/inclusion", leaf_hash=record["leaf_hash"]).get_json()["index"] == record["index"]
    found = look("entries", kind="screening", order="oldest").get_json()["entries"]
    assert found[0]["index"] == record["index"]
    assert (found[0]["entry_id"], found[0]["level"], found[0]["features"]) == (None, None, [])


def test_the_export_verifies_offline_and_is_recorded(service, screened, look):
    size = service.log.size()
    response = look("export")
    assert response.mimetype == "application/jsonl"
    report = verify(response.data.splitlines(), public_key(service))
    assert report.ok, report.problems
    assert report.size == size
    said = newest(service, "export")
    assert (said["format"], said["from"], said["to"], said["size"]) == ("jsonl", 0, size, size)


def test_nothing_is_shown_where_the_look_cannot_be_recorded(service, screened, look):
    look("entries")
    size = service.log.size()
    engine = pysqlite3.connect(str(service.settings.log_database))
    engine.execute("CREATE TRIGGER full BEFORE INSERT ON log_entry BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    engine.commit()
    for address in ("entries", "entries/0", "proof/inclusion?index=0", "proof/consistency?from=0", "export"):
        response = service.client.get(f"/v1/log/{address}", headers=service.auditor)
        assert response.status_code == 503, address
        assert response.get_json()["code"] == "not_recorded"
        assert response.headers["Retry-After"] == "1"
    assert service.client.get("/v1/log/checkpoint").status_code == 200
    engine.execute("DROP TRIGGER full")
    engine.commit()
    engine.close()
    assert look("entries").status_code == 200
    assert service.log.size() == size + 1


def test_a_damaged_entry_is_not_shown(service, screened, look):
    record = screened[1]["record"]
    with service.log._engine.begin() as connection:
        changed = log_entry.update().where(log_entry.c.idx == record["index"]).values(salt=b"another salt 16b")
        connection.execute(changed)
    response = look(f"entries/{record['index']}")
    assert (response.status_code, response.get_json()["code"]) == (500, "record_damaged")
    assert look("entries", kind="screening").get_json()["entries"][1]["damaged"] is True


def test_a_key_that_asks_too_often_waits_and_fills_no_log(service, screened):
    plan = AuditPlan(service.settings.audit_index, "2/minute")
    keys = Keys(read_keys(service.settings.keys))
    app = create_app(Collaborators(service.released, service.log, keys, service.settings.origin, plan))
    client = app.test_client()
    for _ in range(2):
        assert client.get("/v1/log/entries", headers=service.auditor).status_code == 200
    size = service.log.size()
    response = client.get("/v1/log/entries", headers=service.auditor)
    assert (response.status_code, response.get_json()["code"]) == (429, "rate_limited")
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert service.log.size() == size
    assert client.get("/v1/log/checkpoint").status_code == 200
    assert client.get("/v1/log/entries", headers=service.practitioner).status_code == 403


def test_the_contract_names_every_address(service):
    spec = service.client.get("/openapi.json").get_json()
    validate(spec)
    paths = {path for path in spec["paths"] if path.startswith("/v1/log/")}
    assert paths == {
        "/v1/log/checkpoint",
        "/v1/log/key",
        "/v1/log/entries",
        "/v1/log/entries/{at}",
        "/v1/log/proof/inclusion",
        "/v1/log/proof/consistency",
        "/v1/log/export",
    }
    named = {parameter["name"] for parameter in spec["paths"]["/v1/log/entries"]["get"]["parameters"]}
    assert {"from", "to", "cursor", "ground", "response"} <= named


def test_without_a_plan_the_addresses_are_not_there(service):
    keys = Keys(read_keys(service.settings.keys))
    app = create_app(Collaborators(service.released, service.log, keys, service.settings.origin))
    assert app.test_client().get("/v1/log/entries", headers=service.auditor).status_code == 404
