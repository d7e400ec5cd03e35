"""The Questionnaire is the dictionary: every question, every answer, who may hold it, and not known to rest on."""

from model.case import bounds
from model.dictionary import shipped_dictionary
from tests.service.fhir.forms import FHIR
from tests.service.fhir.validated import valid

DICTIONARY = shipped_dictionary()


def asked(service):
    answer = service.client.get("/v1/questionnaire", headers=service.practitioner)
    assert answer.mimetype == FHIR
    return answer.get_json()


def codes(item):
    return [option["valueCoding"]["code"] for option in item["answerOption"]]


def test_it_is_valid_fhir_and_asks_every_question_once(service):
    found = asked(service)
    valid(found, "Questionnaire")
    links = [item["linkId"] for item in found["item"]]
    assert len(set(links)) == len(links)
    assert [link for link in links if ":" not in link] == [feature.name for feature in DICTIONARY.features]
    assert found["version"] == DICTIONARY.version
    assert "must not be used about a real child" in found["description"]


def test_every_question_rests_on_not_known_and_says_who_may_know(service):
    items = {item["linkId"]: item for item in asked(service)["item"]}
    for feature in DICTIONARY.features:
        item = items[feature.name]
        asks = items[f"{feature.name}:state"] if feature.is_numeric else item
        resting = [option for option in asks["answerOption"] if option.get("initialSelected")]
        assert [option["valueCoding"]["code"] for option in resting] == ["not_known"]
        assert ("not_applicable" in codes(asks)) == feature.not_applicable
        assert item["required"] is False
        told = [part["valueCoding"]["code"] for part in item["extension"] if part["url"] == "urn:grounds:held-by"]
        assert told == list(feature.held_by)
        shown = item["item"][0]["text"]
        assert feature.help in shown
        assert all(DICTIONARY.agency_label(agency) in shown for agency in feature.held_by)
        assert feature.source in [part.get("valueString") for part in item["extension"]]


def test_a_question_has_the_answers_and_bounds_of_the_dictionary(service):
    items = {item["linkId"]: item for item in asked(service)["item"]}
    for feature in DICTIONARY.features:
        item = items[feature.name]
        if not feature.is_numeric:
            states = 1 + feature.not_applicable
            assert (item["type"], codes(item)[: -states or None]) == ("choice", list(feature.levels))
            continue
        assert item["type"] == ("integer" if feature.kind == "count" else "decimal")
        assert item["enableWhen"][0]["question"] == f"{feature.name}:state"
        told = {part["url"].rpartition("/")[2]: part for part in item["extension"]}
        for name, bound in zip(("minValue", "maxValue"), bounds(feature), strict=True):
            given = told.get(name, {})
            assert given.get("valueInteger", given.get("valueDecimal")) == bound
    assert codes(items["grounds:agency"]) == [agency.id for agency in DICTIONARY.agencies]


def test_it_needs_a_key(service):
    assert service.client.get("/v1/questionnaire").status_code == 401
