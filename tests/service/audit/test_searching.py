"""The search of the log over HTTP."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from service.audit.shapes import PageSchema
from tests.service.audit.looking import newest, public_key, refused


def test_a_search_finds_by_every_filter(service, screened, look):
    ids = [answer["screening_id"] for answer in screened]

    def found(**wanted):
        response = look("entries", order="oldest", **{"kind": "screening", **wanted})
        assert response.status_code == 200, response.text
        assert not PageSchema().validate(response.get_json())
        return [entry["entry_id"] for entry in response.get_json()["entries"]]

    first = screened[0]
    assert found() == ids
    assert found(feature="parent_mental_health_history") == ids[:1]
    assert found(feature="child_stage") == ids[1:2]
    assert found(agency="health_visiting") == ids
    assert found(agency="police") == []
    assert found(model=first["model"]["version"]) == ids
    assert found(entry=ids[1].upper()) == ids[1:2]
    assert found(key_id=service.practitioner["Authorization"].split("_")[2]) == ids
    assert found(band=first["band"]) == [a["screening_id"] for a in screened if a["band"] == first["band"]]
    for level in ("consider_referral", "seek_information", "no_prompt"):
        assert found(level=level) == [a["screening_id"] for a in screened if a["prompt"]["level"] == level]
    day = first["record"]["at"][:10]
    assert found(**{"from": day, "to": screened[-1]["record"]["at"][:10]}) == ids
    assert found(to=screened[1]["record"]["at"]) == ids[:1]
    assert found(**{"from": screened[1]["record"]["at"].replace("Z", "+00:00")}) == ids[1:]


def test_pages_stay_as_they_were_begun_while_the_log_grows(service, screened, look):
    size = service.log.size()
    page = look("entries", kind="screening", limit=1).get_json()
    shown = []
    while True:
        assert page["size"] == size
        assert public_key(service).open(page["checkpoint"]).size == size
        shown += [entry["entry_id"] for entry in page["entries"]]
        if page["next"] is None:
            break
        service.screen()
        page = look("entries", cursor=page["next"]).get_json()
    assert shown == [answer["screening_id"] for answer in screened[::-1]]


def test_a_cursor_is_sent_alone_and_is_never_of_a_longer_log(service, screened, look):
    cursor = look("entries", limit=1).get_json()["next"]
    refused(look("entries", cursor=cursor, kind="screening"), 400, "cursor")
    content = {"filters": {}, "size": 10_000, "order": "newest", "limit": 5, "after": None}
    longer = urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    fixes = refused(look("entries", cursor=longer), 400, "cursor")
    assert "longer log" in fixes[0]["fix"]


def test_a_search_is_recorded_with_what_was_asked_and_exactly_what_was_shown(service, screened, look):
    page = look("entries", kind="screening", feature="child_stage").get_json()
    said = newest(service, "lookup")
    assert said["looked_at"] == "search"
    assert said["filters"] == {"kind": "screening", "feature": "child_stage"}
    assert said["indexes"] == [entry["index"] for entry in page["entries"]]
    assert said["size"] == page["size"]
    assert said["caller"] == {"key_id": service.auditor["Authorization"].split("_")[2], "role": "auditor"}


def test_a_code_that_matches_nothing_is_not_kept_for_it_may_be_a_name(service, screened, look):
    assert look("entries", agency="anna_example", level="no_prompt").get_json()["entries"] == []
    said = newest(service, "lookup")
    assert said["asked"] == ["agency", "level"]
    assert said["filters"] == {"level": "no_prompt"}


def test_an_index_that_cannot_be_used_is_one_problem_and_the_next_search_makes_it_anew(service, screened, look):
    service.settings.audit_index.write_bytes(b"not a database" * 1000)
    response = look("entries")
    assert (response.status_code, response.get_json()["code"]) == (503, "search_unavailable")
    assert look("entries", kind="screening").get_json()["entries"]


def test_screenings_never_touch_the_index(service, screened):
    assert not service.settings.audit_index.exists()


@pytest.mark.parametrize(
    "filters", [{"until": "zz Jane Roe, 4 High Street"}, {"kind": "a b"}, {"since": "2026"}, {"entry_id": "x" * 99}]
)
def test_a_forged_cursor_brings_no_text_into_the_log(service, screened, look, filters):
    before = service.log.size()
    content = {"filters": filters, "size": 1, "order": "newest", "limit": 5, "after": None}
    forged = urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    refused(look("entries", cursor=forged), 400, "cursor")
    kept = b"".join(entry.payload or b"" for entry in service.log.entries(before, service.log.size()))
    assert str(next(iter(filters.values()))).encode() not in kept
