"""An erased screening over HTTP, and what of a case lies anywhere else than in its payload."""

from __future__ import annotations

import json

from sqlalchemy import select

from service.log.case_entries import CaseEntries
from service.log.cleaning import empty_write_ahead_log, remains
from service.log.erasure import Erased, Order, erase_found
from service.log.schema import log_dictionary
from service.running.assembly import start_publisher
from service.screening.answer import AnswerWriter
from service.screening.story import sample_payload
from tests.service.screening.test_api import problem

CANARY = "canary-4711"


def erase_case(service, case_ref: str) -> Erased:
    done = Erased()
    erase_found(service.log, CaseEntries(service.log, case_ref).look, Order("court_order", "operator"), done)
    empty_write_ahead_log(service.log)
    return done


def test_an_erased_screening_is_gone_and_not_damaged(service):
    first = service.screen(case_ref=CANARY).get_json()
    other = service.screen(case_ref="case-0002").get_json()
    assert erase_case(service, CANARY).kinds == {"screening": 1}
    for headers in (service.practitioner, service.auditor):
        answer = service.client.get(f"/v1/screenings/{first['screening_id']}", headers=headers)
        assert answer.status_code == 410
        problem(answer, "erased")
        assert CANARY not in answer.text
    kept = service.client.get(f"/v1/screenings/{other['screening_id']}", headers=service.auditor)
    assert kept.get_json()["case_ref"] == "case-0002"


def test_a_payload_that_other_hands_took_is_damage(service):
    import pysqlite3

    first = service.screen(case_ref=CANARY).get_json()
    with pysqlite3.connect(service.settings.log_database) as connection:
        connection.execute("UPDATE log_entry SET payload = NULL, salt = NULL WHERE kind = 'screening'")
    connection.close()
    answer = service.client.get(f"/v1/screenings/{first['screening_id']}", headers=service.auditor)
    assert answer.status_code == 500
    problem(answer, "record_damaged")


def test_real_screenings_leave_nothing_in_any_file(service):
    service.screen({"parent_mental_health_history": "yes"}, case_ref="case-0002")
    for _ in range(20):
        service.screen({"parent_mental_health_history": "yes"}, case_ref=CANARY)
    rows = [row for row in service.log.rows(0, 21) if row.idx]
    assert all(len(row.payload) < 2000 for row in rows), "longer ones would be searched for by their salt alone"
    done = erase_case(service, CANARY)
    service.log.close()
    assert len(done.traces) == 20
    assert all(len(trace.needles()) == 2 for trace in done.traces)
    assert remains(service.settings.log_database, done.traces) == []
    for path in service.settings.log_database.parent.iterdir():
        assert CANARY.encode() not in path.read_bytes()


def test_neither_dictionary_nor_checkpoints_hold_anything_of_a_case(service):
    publisher = start_publisher(service.log, service.settings)
    shown = service.screen({"parent_mental_health_history": "yes"}, case_ref=CANARY).get_json()
    publisher.stop()
    with service.log._engine.connect() as connection:
        samples = list(connection.execute(select(log_dictionary.c.content)).scalars())
    # What payloads are packed against is made from the model alone, before any case was seen.
    assert samples == [sample_payload(service.released, AnswerWriter(service.released.model))]
    published = [path.read_bytes() for path in service.settings.checkpoints.iterdir()]
    assert any(b"test.invalid/log" in content for content in published)
    for content in (*samples, *published):
        assert CANARY.encode() not in content
        assert shown["screening_id"].encode() not in content


def test_the_erasure_names_no_case(service):
    service.screen(case_ref=CANARY)
    erase_case(service, CANARY)
    recorded = json.loads(service.log.latest_of_kind("erasure").payload)
    assert recorded["kinds"] == ["screening"]
    assert CANARY not in json.dumps(recorded)
