"""A RiskAssessment leaves only after its record, holds its whole explanation, and says that it decides nothing."""

import json
import math

import orjson
import pytest
from fhirclient.models.fhirabstractbase import FHIRValidationError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from model.dictionary import shipped_dictionary
from service.fhir.risk_assessment import percentage
from service.log.store import LogStore, NotDurable
from service.words.plain_english import banned_phrase
from service.words.topics import topic
from tests.service.fhir.forms import FHIR, response_of
from tests.service.fhir.validated import valid

DICTIONARY = shipped_dictionary()
FEATURES = {"child_stage": "newborn", "parent_mental_health_history": "yes", "mother_age_years": 19}


@pytest.fixture
def posted(service):
    def posted(features=FEATURES, **headers):
        return service.client.post(
            "/v1/fhir/QuestionnaireResponse",
            data=json.dumps(response_of(DICTIONARY, features)),
            content_type=FHIR,
            headers={**service.practitioner, **headers},
        )

    return posted


def parts(extension):
    return {part["url"]: part for part in extension["extension"]}


def test_it_is_valid_fhir_and_says_what_the_record_says(service, posted):
    response = posted()
    assert (response.status_code, response.mimetype) == (201, FHIR)
    told = response.get_json()
    valid(told, "RiskAssessment")
    entry = service.log.get(told["id"])
    logged = json.loads(entry.payload)
    answer = logged["answer"]
    assert logged["asked"]["features"] == FEATURES
    assert told["status"] == "preliminary"
    assert told["subject"] == {"identifier": {"system": "urn:grounds:case-ref", "value": "case-0001"}}
    assert told["prediction"][0]["probabilityDecimal"] / 100 == pytest.approx(answer["score"], rel=1e-15)
    assert told["prediction"][0]["outcome"]["text"] == DICTIONARY.outcome.meaning
    assert told["prediction"][0]["rationale"].startswith(answer["score_meaning"])
    span = told["prediction"][1]["probabilityRange"]
    assert [span["low"]["value"] / 100, span["high"]["value"] / 100] == pytest.approx(answer["score_range"], rel=1e-15)
    assert told["mitigation"].startswith(answer["prompt"]["text"])
    assert all(reason in told["mitigation"] for reason in answer["prompt"]["reasons"])
    receipt = parts(told["extension"][0])
    assert (receipt["index"]["valueInteger"], receipt["leafHash"]["valueString"]) == (entry.index, entry.leaf_hash)


def test_it_holds_every_contribution_and_they_add_up_to_the_score(posted):
    explanation = posted().get_json()["prediction"][0]["extension"][0]
    told = parts(explanation)
    rows = [parts(part) for part in explanation["extension"] if part["url"] == "urn:grounds:contribution"]
    assert sorted(row["feature"]["valueString"] for row in rows) == sorted(f.name for f in DICTIONARY.features)
    total = told["baseValue"]["valueDecimal"] + math.fsum(row["contribution"]["valueDecimal"] for row in rows)
    score = told["score"]["valueDecimal"]
    assert total == pytest.approx(math.log(score / (1 - score)), abs=1e-9)


def test_it_names_what_is_not_known_with_its_holders_and_decides_nothing(posted):
    told = posted().get_json()
    notes = [note["text"] for note in told["note"]]
    assert "not a decision" in notes[0]
    assert any("synthetic" in note for note in notes)
    for feature in DICTIONARY.features:
        named = [note for note in notes if note.startswith(f"Not known: {feature.label}.")]
        assert len(named) == (feature.name not in FEATURES)
        assert all(DICTIONARY.agency_label(agency) in named[0] for agency in feature.held_by if named)
    assert [text for text in (told["mitigation"], *notes) if banned_phrase(text)] == []


def test_its_basis_is_the_answers_and_the_grounds(posted):
    told = posted().get_json()
    contained = {f"#{resource['id']}": resource["resourceType"] for resource in told["contained"]}
    assert [contained[basis["reference"]] for basis in told["basis"]] == ["QuestionnaireResponse", "DetectedIssue"]


def test_it_is_the_same_screening_by_every_door(service, posted):
    by_fhir, by_json = posted().get_json(), service.screen(FEATURES).get_json()
    shown = service.client.get(f"/v1/screenings/{by_fhir['id']}", headers=service.practitioner).get_json()
    own = ("screening_id", "record")
    assert {k: v for k, v in shown.items() if k not in own} == {k: v for k, v in by_json.items() if k not in own}


def test_it_is_shown_again_from_its_record(service, posted):
    first = posted()
    again = service.client.get(first.headers["Location"], headers=service.practitioner)
    assert again.mimetype == FHIR

    def unsealed(told):
        receipt = told["extension"][0]["extension"]
        told["extension"][0]["extension"] = [part for part in receipt if part["url"] != "checkpoint"]
        return told

    assert unsealed(again.get_json()) == unsealed(first.get_json())
    assert service.client.get(first.headers["Location"], headers=service.auditor).status_code == 200


def test_a_retry_is_answered_once(service, posted):
    first, again = (posted(**{"Idempotency-Key": "fhir-retry-1"}) for _ in range(2))
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.get_json()["id"] == again.get_json()["id"]
    assert service.log.screenings() == 1


def test_no_record_no_score(service, posted, monkeypatch):
    def full(*_, **__):
        raise NotDurable("disk full")

    monkeypatch.setattr(LogStore, "append", full)
    response = posted()
    assert (response.status_code, response.mimetype) == (503, FHIR)
    assert response.get_json()["issue"][0]["details"]["coding"][0]["code"] == "not_recorded"
    assert "prediction" not in response.text


@given(st.floats(0, 1, allow_subnormal=False))
def test_a_percentage_has_the_digits_of_the_probability(probability):
    shown = percentage(probability)
    assert 0 <= shown <= 100
    assert shown == pytest.approx(probability * 100, rel=1e-15, abs=0)
    assert orjson.loads(orjson.dumps(shown)) == shown


STATED = [
    ({"authored": "2026-03-01", "status": "in-progress"}, ("2026-03-01", "in-progress")),
    ({"authored": "2026-03-01T10:30:00+01:00", "status": "stopped"}, ("2026-03-01T09:30:00+00:00", "stopped")),
    ({"authored": "2026-03-01T10:30:00Z", "status": "amended"}, ("2026-03-01T10:30:00+00:00", "amended")),
    ({"status": "in-progress"}, (None, "in-progress")),
    ({}, (None, "completed")),
]


@pytest.mark.parametrize(("sent", "shown"), STATED)
def test_the_answers_are_as_old_and_as_whole_as_their_sender_said(service, sent, shown):
    made = service.client.post(
        "/v1/fhir/QuestionnaireResponse",
        data=json.dumps(response_of(DICTIONARY, FEATURES, **sent)),
        content_type=FHIR,
        headers=service.practitioner,
    )
    assert made.status_code == 201
    again = service.client.get(made.headers["Location"], headers=service.practitioner)
    for told in (made, again):
        assert said_of("RiskAssessment", told.get_json(), told.get_json()["contained"]) == shown
    summary = f"/v1/screenings/{made.get_json()['id']}/summary?format="
    bundle = service.client.get(f"{summary}fhir", headers=service.practitioner).get_json()
    assert said_of("Bundle", bundle, [entry["resource"] for entry in bundle["entry"]]) == shown
    told = service.client.get(f"{summary}json", headers=service.practitioner).get_json()
    assert (told["answers_authored"], told["answers_status"]) == shown
    page = service.client.get(f"{summary}html", headers=service.practitioner).text
    words = topic("summary")
    assert (words.authored in page) is (shown[0] is not None)
    named = [status for status in ("amended", "in-progress", "stopped") if words.form_status[status] in page]
    assert named == ([] if shown[1] == "completed" else [shown[1]])


def test_answers_that_came_as_json_have_no_time_of_their_own(service):
    screening = service.screen(FEATURES).get_json()["screening_id"]
    told = service.client.get(f"/v1/fhir/RiskAssessment/{screening}", headers=service.practitioner).get_json()
    assert said_of("RiskAssessment", told, told["contained"]) == (None, "completed")


def said_of(kind, whole, resources):
    """When the answers among the resources were given, and their status, where the whole is valid FHIR."""
    valid(whole, kind)
    (answers,) = (one for one in resources if one["resourceType"] == "QuestionnaireResponse")
    return answers.get("authored"), answers["status"]


@pytest.mark.parametrize(
    "wrong", [{"unheard_of": "x"}, {"status": None}, {"occurrenceDateTime": 7}, {"prediction": [{"outcome": "x"}]}]
)
def test_what_is_not_fhir_is_told_apart(posted, wrong):
    with pytest.raises((FHIRValidationError, ValidationError)):
        valid({**posted().get_json(), **wrong}, "RiskAssessment")
