"""Feedback on a card is the practitioner's response to its screening: recorded once, and without their comment."""

import json

import pytest

from service.access.keys import Caller
from service.cds_hooks.feedback import CdsFeedbackSchema, record_feedback
from service.cds_hooks.suggestions import ASK, REFERRAL, suggestion_id
from service.errors import Problem
from service.responses.story import responses_to
from tests.service.cds_hooks.conftest import SIGN, VIEW
from tests.service.screening.test_api import problem

AT = "2026-04-01T09:30:00Z"


@pytest.fixture
def shown(client):
    return client.call().get_json()["cards"][0]


def overridden(shown, code="knows_more", **changes):
    reason = {"reason": {"system": "urn:grounds:reason", "code": code}, "userComment": "Zebedee Canary lives there"}
    return {"card": shown["uuid"], "outcome": "overridden", "overrideReason": reason, "outcomeTimestamp": AT, **changes}


def accepted(shown, place=0, **changes):
    suggestion = {"id": shown["suggestions"][place]["uuid"]}
    return {
        "card": shown["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [suggestion],
        "outcomeTimestamp": AT,
        **changes,
    }


def recorded(client, shown):
    return [(said["action"], said["reasons"]) for _, said in responses_to(shown["uuid"], client.service.log)]


def test_an_override_is_a_response_with_its_reason_and_without_the_comment(client, shown):
    response = client.feedback([overridden(shown)])
    assert response.status_code == 200
    (told,) = response.get_json()["recorded"]
    assert recorded(client, shown) == [("decided_otherwise", ["knows_more"])]
    entry = client.service.log.get(told["response_id"])
    assert json.loads(entry.payload)["caller"]["key_id"] == client.key_id
    log = client.service.log
    stored = b"".join(entry.payload or b"" for entry in log.entries(0, log.size()))
    assert b"ebedee" not in stored


def test_every_reason_that_a_card_offers_can_be_given_back(client, shown):
    for minute, reason in enumerate(shown["overrideReasons"]):
        at = f"2026-04-01T09:{minute:02}:00Z"
        assert client.feedback([overridden(shown, reason["code"], outcomeTimestamp=at)]).status_code == 200
    assert [reasons for _, reasons in recorded(client, shown)] == [[r["code"]] for r in shown["overrideReasons"]]


def test_an_accepted_draft_is_not_said_to_be_a_referral(client, shown):
    assert client.feedback([accepted(shown)]).status_code == 200
    assert recorded(client, shown) == [("accepted_draft", [])]


def test_which_draft_was_taken_up_is_recorded(client, shown):
    for place in (0, 1):
        later = accepted(shown, place, outcomeTimestamp=f"2026-04-01T1{place}:00:00Z")
        assert client.feedback([later]).status_code == 200
    kept = [said["draft"] for _, said in responses_to(shown["uuid"], client.service.log)]
    assert kept == ["referral", "ask"]


def test_a_draft_that_the_card_did_not_offer_cannot_have_been_taken_up(client):
    card = client.call({}).get_json()["cards"][0]
    assert [one["uuid"] for one in card["suggestions"]] == [suggestion_id(card["uuid"], ASK)]
    sent = accepted(card, acceptedSuggestions=[{"id": suggestion_id(card["uuid"], REFERRAL)}])
    told = problem(client.feedback([sent]), "refused")
    assert told["errors"][0]["field"] == "feedback.0.acceptedSuggestions.0.id"
    assert recorded(client, card) == []


def test_an_override_without_a_reason_says_that_there_was_none(client, shown):
    entry = overridden(shown)
    del entry["overrideReason"]
    assert client.feedback([entry]).status_code == 200
    assert recorded(client, shown) == [("decided_otherwise", ["not_given"])]


def test_what_only_a_card_gives_is_offered_to_nobody(client, shown):
    listed = client.service.client.get("/v1/responses", headers=client.key).get_json()
    codes = {one["code"] for part in listed.values() for one in part}
    assert not codes & {"accepted_draft", "not_given"}
    address = f"/v1/screenings/{shown['uuid']}/response"
    for body in ({"action": "accepted_draft"}, {"action": "decided_otherwise", "reasons": ["not_given"]}):
        problem(client.service.client.post(address, json=body, headers=client.key), "refused")


def test_feedback_that_is_sent_again_is_recorded_once_and_a_changed_mind_is_another(client, shown):
    entries = [overridden(shown)]
    assert client.feedback(entries).get_json() == client.feedback(entries).get_json()
    assert len(recorded(client, shown)) == 1
    client.feedback([accepted(shown, outcomeTimestamp="2026-04-01T10:30:00Z")])
    assert [action for action, _ in recorded(client, shown)] == ["decided_otherwise", "accepted_draft"]


WRONG = [
    ({"card": "1"}, "feedback.0.card"),
    ({"outcome": "ignored"}, "feedback.0.outcome"),
    ({"outcomeTimestamp": "yesterday"}, "feedback.0.outcomeTimestamp"),
    ({"outcome": "accepted", "overrideReason": None}, "feedback.0.overrideReason"),
    ({"outcome": "accepted"}, "feedback.0.acceptedSuggestions"),
    ({"overrideReason": {"reason": {"code": "bored"}}}, "feedback.0.overrideReason.reason.code"),
    ({"overrideReason": {"reason": {"code": "other", "system": "urn:x"}}}, "feedback.0.overrideReason.reason.system"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_feedback_that_cannot_be_read_is_refused_whole(client, shown, changes, field):
    told = problem(client.feedback([overridden(shown), overridden(shown, **changes)]), "refused")
    assert field.replace(".0.", ".1.") in [error["field"] for error in told["errors"]]
    assert recorded(client, shown) == []


def test_a_suggestion_of_another_card_is_refused(client, shown):
    other = client.call().get_json()["cards"][0]
    entry = accepted(shown, acceptedSuggestions=[{"id": other["suggestions"][0]["uuid"]}])
    problem(client.feedback([entry]), "refused")


def test_where_one_card_is_not_there_nothing_is_recorded(client, shown):
    unknown = {**overridden(shown), "card": "01a206b8-952c-7c0d-a774-f4f8772ea46c"}
    problem(client.feedback([overridden(shown), unknown]), "not_found")
    assert recorded(client, shown) == []


def test_another_agency_s_client_has_no_such_card(client, shown):
    other = Caller("f" * 8, "practitioner", "gp")
    with pytest.raises(Problem) as refused:
        record_feedback(
            {"feedback": [overridden(shown)]}, CdsFeedbackSchema(), client.service.log, other, VIEW.rpartition("/")[2]
        )
    assert refused.value.code == "not_found"
    assert recorded(client, shown) == []


def test_feedback_needs_a_token(client, shown):
    body = {"feedback": [overridden(shown)]}
    problem(client.service.client.post(f"{VIEW}/feedback", json=body, headers=client.key), "token_refused")


def test_feedback_goes_to_the_service_that_gave_the_card(client):
    card = client.call(path=SIGN).get_json()["cards"][0]["uuid"]
    said = [{"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-04-01T09:30:00Z"}]
    refused = client.feedback(said, VIEW)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "refused")
    assert refused.get_json()["errors"] == [
        {"field": "feedback.0.card", "fix": f"is a card of another service; send it to {SIGN}/feedback"}
    ]
    assert client.service.log.latest_of_kind("response") is None
    assert client.feedback(said, SIGN).status_code == 200


def test_a_card_of_a_version_that_did_not_keep_its_service_is_taken_at_either(client, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("service.screening.story.CDS_SERVICE", "another_name")
        card = client.call(path=SIGN).get_json()["cards"][0]["uuid"]
    said = [{"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-04-01T09:30:00Z"}]
    assert client.feedback(said, VIEW).status_code == 200
