"""A pooled screening over the API: what each agency alone would see, what they see together, and its record."""

from __future__ import annotations

import json

import orjson
import pytest

from model.dictionary import shipped_dictionary
from service.access.keys import Keys, create_key, read_keys
from service.app import Collaborators, create_app
from service.log.projection import POOLED, facts_of
from service.model_files import load_active
from service.replay.archive import ModelArchive
from service.replay.run import Tally, replay
from service.replay.source import LiveLog
from service.screening.answer_schemas import ScreeningSchema
from tests.service.conftest import hand_made_model, release_into

THE_REVIEW = {
    "case_ref": "case-0001",
    "observations": [
        {"agency": "health_visiting", "features": {"child_stage": "newborn", "injury_or_bruise": "no"}},
        {"agency": "gp", "features": {"parent_mental_health_history": "yes"}},
    ],
}
"""Each agency holds one piece; of the second parent nobody knows anything."""


def posted(service, body, key=None):
    return service.client.post("/v1/screenings", json=body, headers=key or service.practitioner)


def test_the_picture_of_the_review_shows_only_together(service):
    answer = posted(service, THE_REVIEW).get_json()
    pooled = answer["pooled"]
    assert answer["prompt"]["level"] == "consider_referral"
    assert [one["agency"] for one in pooled["alone"]] == ["health_visiting", "gp"]
    assert {one["prompt"]["level"] for one in pooled["alone"]} == {"seek_information"}
    difference = pooled["made_the_difference"]
    assert difference["rose"] is True
    assert {fact["feature"] for fact in difference["facts"]} == {"child_stage", "parent_mental_health_history"}
    assert difference["grounds"] == ["mental_ill_health_and_baby"]
    assert "General practice" in difference["text"]
    assert "because" not in json.dumps(pooled)


def test_each_agency_alone_sees_what_it_would_have_been_shown(service):
    pooled = posted(service, THE_REVIEW).get_json()["pooled"]
    for one, seen in zip(THE_REVIEW["observations"], pooled["alone"], strict=True):
        alone = posted(service, {"case_ref": "case-0002", **one}).get_json()
        assert seen["prompt"] == alone["prompt"]
        assert (seen["score"], seen["score_range"]) == (alone["score"], alone["score_range"])
        assert seen["grounds"] == [ground["code"] for ground in alone["grounds"]]


def test_the_answer_has_the_documented_shape(service):
    assert ScreeningSchema().validate(posted(service, THE_REVIEW).get_json()) == {}
    single = posted(service, {"case_ref": "case-0002", **THE_REVIEW["observations"][0]}).get_json()
    assert "pooled" not in single


def test_conflicts_and_what_is_not_counted_are_said_in_words(service):
    observations = [
        {"agency": "gp", "features": {"injury_or_bruise": "yes", "domestic_abuse_police_incidents": 0}},
        {"agency": "health_visiting", "features": {"injury_or_bruise": "no"}},
    ]
    pooled = posted(service, {"case_ref": "case-0003", "observations": observations}).get_json()["pooled"]
    (conflict,) = pooled["conflicts"]
    assert (conflict["feature"], conflict["counted"]) == ("injury_or_bruise", "yes")
    assert "General practice says yes; Health visiting says no" in conflict["text"]
    (refused,) = pooled["not_counted"]
    assert (refused["agency"], refused["feature"]) == ("gp", "domestic_abuse_police_incidents")
    assert "Ask Police" in refused["text"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agency": "gp"}, "agency"),
        ({"features": {}}, "features"),
        ({"observations": []}, "observations"),
        ({"observations": "gp"}, "observations"),
        ({"observations": [{"agency": "gp"}]}, "observations.0.features"),
        ({"observations": [{"agency": "nobody", "features": {}}]}, "observations.0.agency"),
        ({"observations": [{"agency": "gp", "features": {"injury_or_bruise": "?"}}]}, "observations.0.features."),
        ({"observations": [{"agency": "gp", "features": {}}] * 2}, "observations"),
        ({"observations": [7]}, "observations.0"),
        ({"observations": None}, "observations"),
    ],
)
def test_a_request_that_is_wrong_names_the_place_and_the_fix(service, change, field):
    answer = posted(service, {**THE_REVIEW, **change})
    assert answer.status_code == 422, answer.get_json()
    assert any(error["field"].startswith(field) and error["fix"] for error in answer.get_json()["errors"])


def test_neither_form_is_refused_by_the_names_of_the_usual_one(service):
    errors = posted(service, {"case_ref": "case-0001"}).get_json()["errors"]
    assert {error["field"] for error in errors} == {"agency", "features"}


def test_it_is_recorded_found_and_replayed_to_the_byte(service):
    answer = posted(service, THE_REVIEW).get_json()
    entry = service.log.get(answer["screening_id"])
    payload = orjson.loads(entry.payload)
    assert payload["asked"] == THE_REVIEW
    assert {**answer, "record": None} == {**payload["answer"], "record": None}
    facts = facts_of(entry)
    assert facts.agency == POOLED
    assert facts.features == ("child_stage", "injury_or_bruise", "parent_mental_health_history")
    tally = Tally()
    archive = ModelArchive(service.settings.models, service.settings.keys)
    assert list(replay(LiveLog(service.log).entries(0, service.log.size()), archive, tally)) == []
    assert tally.agreed == 1


def test_the_same_key_gives_the_same_answer_and_one_record(service):
    headers = {**service.practitioner, "Idempotency-Key": "pooled-0001"}
    first, second = (service.client.post("/v1/screenings", json=THE_REVIEW, headers=headers) for _ in range(2))
    assert first.get_json()["screening_id"] == second.get_json()["screening_id"]
    other = {**THE_REVIEW, "observations": THE_REVIEW["observations"][::-1]}
    assert service.client.post("/v1/screenings", json=other, headers=headers).status_code == 422


def test_a_key_of_one_agency_pools_only_with_its_own(service):
    keys = {name: create_key(service.settings.keys, "practitioner", agency=name)[0] for name in ("gp", "police")}
    collaborators = Collaborators(service.released, service.log, Keys(read_keys(service.settings.keys)), "test.invalid")
    client = create_app(collaborators).test_client()
    for name, status in (("gp", 201), ("police", 403)):
        answer = client.post("/v1/screenings", json=THE_REVIEW, headers={"Authorization": f"Bearer {keys[name]}"})
        assert answer.status_code == status


def test_what_was_done_about_it_is_counted_as_pooled(service):
    screening = posted(service, THE_REVIEW).get_json()["screening_id"]
    done = service.client.post(
        f"/v1/screenings/{screening}/response", json={"action": "referred"}, headers=service.practitioner
    )
    assert done.status_code == 201
    entry = service.log.get(done.get_json()["response_id"])
    assert orjson.loads(entry.payload)["agency"] == POOLED


def test_a_model_released_before_there_were_words_for_it_says_so(settings, service):
    content = json.loads(hand_made_model(shipped_dictionary()))
    del content["words"]["pooled"]
    content["version"] = "test-older"
    release_into(settings, json.dumps(content).encode(), "test-older")
    older = load_active(settings.models, settings.keys)
    client = create_app(
        Collaborators(older, service.log, Keys(read_keys(settings.keys)), settings.origin)
    ).test_client()
    answer = client.post("/v1/screenings", json=THE_REVIEW, headers=service.practitioner)
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "no_pooled_words"
    single = {"case_ref": "case-0002", **THE_REVIEW["observations"][0]}
    assert client.post("/v1/screenings", json=single, headers=service.practitioner).status_code == 201
