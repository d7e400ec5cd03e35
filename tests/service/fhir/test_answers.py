"""A QuestionnaireResponse means what the same features mean elsewhere, and nothing else of it is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.dictionary import NOT_KNOWN, shipped_dictionary
from service.access.keys import Caller
from service.errors import Problem
from service.fhir.answers import request_of
from service.screening.accepting import Acceptor
from service.screening.reading import validated
from service.screening.schemas import request_schema
from tests.service.fhir.forms import FHIR, admitted, coded, response_of
from tests.service.fhir.validated import valid

DICTIONARY = shipped_dictionary()
SCHEMA = request_schema(DICTIONARY)
ACCEPTOR = Acceptor(SCHEMA)
CALLER = Caller("0" * 8, "practitioner")


def read(resource, caller=CALLER):
    return validated(request_of(resource, DICTIONARY, caller), ACCEPTOR, SCHEMA, caller)


@given(st.fixed_dictionaries({}, optional={feature.name: admitted(feature) for feature in DICTIONARY.features}))
def test_answers_come_in_as_they_were_given(features):
    resource = response_of(DICTIONARY, features)
    valid(resource, "QuestionnaireResponse")
    sent = {"case_ref": "case-0001", "agency": "health_visiting", "features": features}
    assert read(resource) == validated(sent, ACCEPTOR, SCHEMA, CALLER)


def test_what_a_form_leaves_open_is_not_known():
    items = [
        {"linkId": "domestic_abuse"},
        {"linkId": "injury_or_bruise", **ABSENT},
        {"linkId": "mother_age_years:state", "answer": [coded("known")]},
        {"linkId": "child_stage", "answer": [ABSENT]},
        {"linkId": "smoking_in_pregnancy", "answer": [{"valueCoding": ABSENT}]},
        {"linkId": "unplanned_pregnancy", "answer": [{"valueCoding": {"_code": ABSENT}}]},
        {"linkId": "birth_weight_g", "answer": [{"_valueInteger": NOT_APPLICABLE}]},
        {"linkId": "a-group-of-the-form", "item": [{"linkId": "neglect_concern", "answer": [coded("yes")]}]},
    ]
    found = read(response_of(DICTIONARY, {}, item=items), Caller("0" * 8, "practitioner", "gp"))
    assert found["agency"] == "gp"
    assert found["features"] == {
        "domestic_abuse": NOT_KNOWN,
        "injury_or_bruise": NOT_KNOWN,
        "mother_age_years": NOT_KNOWN,
        "child_stage": NOT_KNOWN,
        "smoking_in_pregnancy": NOT_KNOWN,
        "unplanned_pregnancy": NOT_KNOWN,
        "birth_weight_g": "not_applicable",
        "neglect_concern": "yes",
    }


def test_the_summary_s_own_answers_come_back_in(service):
    screening = service.screen({"child_stage": "newborn", "mother_age_years": 19, "birth_weight_g": "not_applicable"})
    address = f"/v1/screenings/{screening.get_json()['screening_id']}/summary?format=fhir"
    bundle = service.client.get(address, headers=service.practitioner).get_json()
    answers = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "QuestionnaireResponse")
    found = read(answers, Caller("0" * 8, "practitioner", "health_visiting"))
    known = {name: value for name, value in found["features"].items() if value != NOT_KNOWN}
    assert known == {"child_stage": "newborn", "mother_age_years": 19, "birth_weight_g": "not_applicable"}


DENIED = {"url": "urn:another:denied", "valueBoolean": True}
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
NOT_APPLICABLE = {"extension": [{**ABSENT["extension"][0], "valueCode": "not-applicable"}]}
IN_AN_ITEM = "item.modifierExtension"
WRONG = [
    ({"resourceType": "Patient"}, "resourceType"),
    ({"status": "entered-in-error"}, "status"),
    ({"questionnaire": "urn:grounds:questionnaire:another|1"}, "questionnaire"),
    ({"item": "none"}, "item"),
    ({"item": [{"answer": []}]}, "item.0.linkId"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [{"valueBoolean": True}]}]}, "features.domestic_abuse"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [coded("yes"), coded("no")]}]}, "features.domestic_abuse"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [coded("yes", "urn:other")]}]}, "features.domestic_abuse"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [coded("perhaps")]}]}, "features.domestic_abuse"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [coded("yes")]}] * 2}, "features.domestic_abuse"),
    ({"item": [{"linkId": "mother_age_years", "answer": [{"valueInteger": 900}]}]}, "features.mother_age_years"),
    ({"item": [{"linkId": "mother_age_years", "answer": None}]}, "features.mother_age_years"),
    ({"item": [{"linkId": "mother_age_years:state", "answer": [coded("not_known")]},
               {"linkId": "mother_age_years", "answer": [{"valueInteger": 19}]}]}, "features.mother_age_years"),
    ({"implicitRules": "urn:another:meaning"}, "implicitRules"),
    ({"modifierExtension": [DENIED]}, "modifierExtension"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [coded("yes")], "modifierExtension": [DENIED]}]}, IN_AN_ITEM),
    ({"item": [{"linkId": "domestic_abuse", "answer": [{**coded("no"), "modifierExtension": [DENIED]}]}]}, IN_AN_ITEM),
    ({"item": [{"linkId": "group", "item": [{"linkId": "domestic_abuse", "modifierExtension": []}]}]}, IN_AN_ITEM),
    ({"item": [{"linkId": "domestic_abuse", "answer": [coded("no")], **ABSENT}]}, "features.domestic_abuse"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [{**coded("no"), **ABSENT}]}]}, "features.domestic_abuse"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [{"valueCoding": {"code": "no", **ABSENT}}]}]},
     "features.domestic_abuse"),
    ({"item": [{"linkId": "domestic_abuse", "answer": [{"valueCoding": {"code": "no", "_code": ABSENT}}]}]},
     "features.domestic_abuse"),
    ({"item": [{"linkId": "mother_age_years", "answer": [{"valueInteger": 30, "_valueInteger": ABSENT}]}]},
     "features.mother_age_years"),
    ({"item": [{"linkId": "Zebedee Canary", "answer": [coded("yes")]}]}, "features.(a field whose name is not shown)"),
    ({"item": [{"linkId": "Zebedee Canary", "answer": [{"valueString": "x"}]}]}, "(a field whose name is not shown)"),
    ({"subject": {"reference": "Patient/9434765919"}}, "case_ref"),
    ({"subject": {"identifier": {"system": "urn:grounds:case-ref", "value": "943 476 5919"}}}, "case_ref"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_what_cannot_be_read_is_refused_by_field_and_fix(service, changes, field):
    resource = response_of(DICTIONARY, {}, **changes)
    with pytest.raises(Problem) as refused:
        read(resource, Caller("0" * 8, "practitioner", "gp"))
    assert refused.value.status == 422
    assert field in [error.field for error in refused.value.errors]
    answer = service.client.post(
        "/v1/fhir/QuestionnaireResponse", data=json.dumps(resource), content_type=FHIR, headers=service.practitioner
    )
    assert (answer.status_code, answer.mimetype) == (422, FHIR)
    outcome = answer.get_json()
    valid(outcome, "OperationOutcome")
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "refused"
    assert all(issue["expression"] and issue["details"]["text"] for issue in outcome["issue"][1:])
    for canary in ("Zebedee", "9434765919", "943 476 5919"):
        assert canary not in answer.text


def test_questions_whose_names_are_not_shown_are_one_error_with_their_number(service):
    items = [{"linkId": name, "answer": [{"valueString": "x"}]} for name in ("Zebedee Canary", "Dougal Canary")]
    with pytest.raises(Problem) as refused:
        read(response_of(DICTIONARY, {}, item=items), Caller("0" * 8, "practitioner", "gp"))
    (error,) = refused.value.errors
    assert error.fix.endswith("(there are 2 of these)")


POST = "/v1/fhir/QuestionnaireResponse"
ELSEWHERE = [
    ("post", POST, {}, 401, "no_key"),
    ("get", "/v1/fhir/RiskAssessment/01a206b8-952c-7c0d-a774-f4f8772ea46c", {"auth": True}, 404, "not_found"),
    ("get", "/v1/fhir/Patient", {"auth": True}, 404, "not_found"),
    ("get", POST, {"auth": True}, 405, "method_not_allowed"),
    ("post", POST, {"auth": True, "data": "{", "content_type": FHIR}, 400, "malformed_json"),
    ("post", POST, {"auth": True, "data": "{}", "content_type": "text/plain"}, 415, "not_json"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "address", "sent", "status", "code"), ELSEWHERE)
def test_every_error_below_fhir_is_an_operation_outcome(service, method, address, sent, status, code):
    sent = dict(sent)
    headers = service.practitioner if sent.pop("auth", False) else {}
    answer = getattr(service.client, method)(address, headers=headers, **sent)
    assert (answer.status_code, answer.mimetype) == (status, FHIR)
    valid(answer.get_json(), "OperationOutcome")
    assert answer.get_json()["issue"][0]["details"]["coding"][0]["code"] == code


def test_who_somebody_is_goes_nowhere(service):
    canary = "Zebedee Canary"
    resource = response_of(
        DICTIONARY,
        {"domestic_abuse": "yes"},
        id="patient-9434765919",
        author={"display": canary},
        source={"reference": "Patient/9434765919", "display": canary},
        text={"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{canary}</div>'},
    )
    resource["subject"] |= {"reference": "Patient/9434765919", "display": canary}
    resource["item"][1] |= {"text": canary}
    answer = service.client.post(POST, json=resource, headers=service.practitioner)
    assert answer.status_code == 201
    logged = service.log.get(answer.get_json()["id"]).payload.decode()
    for planted in ("Zebedee", "9434765919"):
        assert planted not in answer.text
        assert planted not in logged


def test_when_the_answers_were_given_is_recorded(service):
    made = service.client.post(
        POST, json=response_of(DICTIONARY, {}, authored="2026-04-01"), headers=service.practitioner
    )
    asked = json.loads(service.log.get(made.get_json()["id"]).payload)["asked"]
    assert asked["answers_authored"] == "2026-04-01"
    assert "answers_status" not in asked
    wrong = service.client.post(POST, json=response_of(DICTIONARY, {}, authored="soon"), headers=service.practitioner)
    assert wrong.status_code == 422
    assert wrong.get_json()["issue"][1]["expression"] == ["QuestionnaireResponse.authored"]
