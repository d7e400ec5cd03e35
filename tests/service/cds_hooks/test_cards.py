"""A card is short, decides nothing, holds no score, and leaves only when its screening is in the log."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.artefact import read_model
from model.dictionary import shipped_dictionary
from service.cds_hooks.cards import card
from service.cds_hooks.shapes import CdsCardSchema
from service.log.store import LogStore, NotDurable, StoredEntry
from service.model_files import ReleasedModel
from service.responses.reasons import choices
from service.screening.answer import AnswerWriter
from service.screening.story import compose
from service.summary.facts import summarise
from service.words.plain_english import banned_phrase
from tests.builders import values
from tests.service.cds_hooks.conftest import SIGN, URL, VIEW, hook_call
from tests.service.conftest import hand_made_model
from tests.service.fhir.validated import valid
from tests.service.screening.test_api import problem

DICTIONARY = shipped_dictionary()
MODEL = read_model(hand_made_model(DICTIONARY), "test")
RELEASED = ReleasedModel(MODEL, "0" * 64, "0" * 8, __import__("pathlib").Path())
WRITER = AnswerWriter(MODEL)
ENTRY = StoredEntry(
    7, "01a206b8-952c-7c0d-a774-f4f8772ea46c", "screening", "2026-11-23T04:24:11.000000Z", b"", "", None, ""
)


def card_of(features):
    asked = {"case_ref": "case-0001", "agency": "gp", "features": features}
    answer = json.loads(compose(asked, RELEASED, WRITER, ENTRY.entry_id))
    return answer, card(answer, summarise(ENTRY, {"answer": answer, "asked": asked}, DICTIONARY, "log"), MODEL, URL)


@settings(max_examples=60)
@given(st.fixed_dictionaries({}, optional={f.name: values(f) for f in DICTIONARY.features}))
def test_every_prompt_makes_a_short_plain_card_without_a_figure(features):
    answer, shown = card_of(features)
    assert CdsCardSchema().validate(shown) == {}
    assert len(shown["summary"]) < 140
    assert shown["indicator"] == ("warning" if answer["prompt"]["level"] == "consider_referral" else "info")
    text = json.dumps(shown)
    assert banned_phrase(text.replace(json.dumps(shown["overrideReasons"]), "")) is None
    # The prompt's own words name the score; a figure of it stands nowhere.
    figures = [answer["score"], *answer["score_range"], answer["explanation"]["base_value"]]
    figures += [row["contribution"] for row in answer["explanation"]["contributions"]]
    found = re.findall(r"(?<![\w.-])\d+\.\d+", text)
    assert not {str(abs(figure)) for figure in figures} & set(found)
    for gap in answer["not_known"]:
        assert gap["label"] in shown["detail"]
        assert all(DICTIONARY.agency_label(agency) in shown["detail"] for agency in gap["held_by"])


LEVELS = [
    ({}, "seek_information", "Important things are not known"),
    ({"child_stage": "newborn", "parent_mental_health_history": "yes"}, "consider_referral", "Consider a referral"),
    ({"immediate_danger": "yes"}, "consider_referral", "phone children's social care"),
]


@pytest.mark.parametrize(("features", "level", "words"), LEVELS)
def test_the_summary_follows_the_level_and_the_ground_s_action(features, level, words):
    answer, shown = card_of(features)
    assert answer["prompt"]["level"] == level
    assert words in shown["summary"]


@pytest.mark.parametrize("path", [VIEW, SIGN])
def test_a_call_is_screened_recorded_and_then_answered(client, path):
    response = client.call(path=path)
    assert response.status_code == 200
    (shown,) = response.get_json()["cards"]
    entry = client.service.log.get(shown["uuid"])
    payload = json.loads(entry.payload)
    assert payload["caller"] == {"key_id": client.key_id, "role": "practitioner"}
    assert (payload["asked"]["agency"], payload["asked"]["case_ref"]) == ("health_visiting", "case-0001")
    assert payload["answer"]["prompt"]["text"] in shown["detail"]
    assert [reason["code"] for reason in shown["overrideReasons"]] == choices().offered()
    assert shown["links"][0]["url"] == f"{URL}/screenings/{shown['uuid']}"
    # Whoever holds the issuer's key can open what the card links to.
    found = client.service.client.get(f"/v1/screenings/{shown['uuid']}", headers=client.key)
    assert found.get_json()["screening_id"] == shown["uuid"]


def test_suggestions_are_valid_drafts_that_decide_nothing(client):
    (shown,) = client.call().get_json()["cards"]
    drafts = [suggestion["actions"][0]["resource"] for suggestion in shown["suggestions"]]
    referral, task = drafts
    valid(referral, "ServiceRequest")
    valid(task, "Task")
    assert all((draft["status"], draft["intent"]) == ("draft", "proposal") for draft in drafts)
    assert all(action["type"] == "create" for one in shown["suggestions"] for action in one["actions"])
    assert shown["selectionBehavior"] == "at-most-one"
    assert "score" not in json.dumps(drafts).lower().replace("leaves the score out", "")
    assert all(DICTIONARY.feature(name).label in task["description"] for name in asked_by(client, shown))
    assert not any("isRecommended" in suggestion for suggestion in shown["suggestions"])


def asked_by(client, shown):
    return json.loads(client.service.log.get(shown["uuid"]).payload)["answer"]["prompt"]["ask"]


def test_no_record_no_card(client, monkeypatch):
    def full(*_, **__):
        raise NotDurable("disk full")

    monkeypatch.setattr(LogStore, "append", full)
    problem(client.call(), "not_recorded")


def test_a_hook_called_again_is_answered_as_it_was(client):
    body = hook_call()
    first, again = client.post(VIEW, body), client.post(VIEW, body)
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert client.service.log.screenings() == 1
    body["prefetch"]["answers"]["item"] = []
    problem(client.post(VIEW, body), "key_reused")


def test_who_somebody_is_goes_nowhere(client, capfd):
    body = hook_call()
    body["prefetch"]["answers"]["subject"] |= {"reference": "Patient/9434765919", "display": "Zebedee Canary"}
    body["prefetch"]["patient"] = {"resourceType": "Patient", "name": [{"text": "Zebedee Canary"}]}
    response = client.post(VIEW, body)
    assert response.status_code == 200
    log = client.service.log
    stored = b"".join((entry.payload or b"") + entry.leaf for entry in log.entries(0, log.size())).decode()
    for canary in ("9434765919", "ebedee", "canary"):
        assert canary not in response.text
        assert canary not in stored
        assert canary not in "".join(capfd.readouterr())


WRONG = [
    ({"prefetch": {}}, 412, "no_answers", None),
    ({"prefetch": {"answers": None}}, 412, "no_answers", None),
    ({"prefetch": {"answers": {"resourceType": "Bundle", "type": "searchset"}}}, 412, "no_answers", None),
    ({"hook": "order-select"}, 422, "refused", "hook"),
    ({"hookInstance": "1"}, 422, "refused", "hookInstance"),
    ({"context": {"userId": "Practitioner/1"}}, 422, "refused", "context.patientId"),
]


@pytest.mark.parametrize(("changes", "status", "code", "field"), WRONG)
def test_a_call_that_cannot_be_read_is_refused_and_recorded(client, changes, status, code, field):
    response = client.call(**changes)
    assert response.status_code == status
    told = problem(response, code)
    assert field is None or field in [error["field"] for error in told["errors"]]
    assert client.service.log.screenings() == 0


def test_of_several_answers_the_newest_counts_and_answers_without_a_reference_get_one(client):
    old, new = (hook_call(features)["prefetch"]["answers"] for features in ({"domestic_abuse": "no"}, {}))
    old["authored"], new["authored"] = "2026-01-01T09:00:00Z", "2026-01-01T10:00:00+00:00"
    del new["subject"]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": old}, {"resource": new}]}
    response = client.call(prefetch={"answers": bundle})
    asked = json.loads(client.service.log.get(response.get_json()["cards"][0]["uuid"]).payload)["asked"]
    assert "domestic_abuse" not in asked["features"]
    assert re.fullmatch(r"hook-1-[a-r]{32}", asked["case_ref"])


def answered(**changes):
    return {"prefetch": {"answers": {**hook_call()["prefetch"]["answers"], **changes}}}


def of(reference):
    return {"subject": {"identifier": {"system": "urn:grounds:case-ref", "value": "case-1"}, "reference": reference}}


@pytest.mark.parametrize("form", ["Patient/{}", "https://ehr.example/fhir/Patient/{}", "Patient/{}/_history/2"])
def test_answers_of_another_patient_are_refused_and_whose_they_are_is_kept_nowhere(client, form):
    assert client.call(**answered(**of(form.format("9434765919")))).status_code == 200
    response = client.call(**answered(**of(form.format("9434765870"))))
    assert problem(response, "refused")["errors"][0]["field"] == "prefetch.answers.subject.reference"
    log = client.service.log
    assert log.screenings() == 1
    stored = b"".join((entry.payload or b"") + entry.leaf for entry in log.entries(0, log.size())).decode()
    assert "94347" not in stored + response.text


@pytest.mark.parametrize("reference", ["#child", "RelatedPerson/9434765919", "Patient/", 7, {"a": "b"}])
def test_a_reference_that_names_no_patient_is_refused(client, reference):
    problem(client.call(**answered(**of(reference))), "refused")


def test_one_set_of_another_patient_among_several_refuses_all(client):
    ours, theirs = ({**answered()["prefetch"]["answers"], **of(f"Patient/{one}")} for one in ("9434765919", "2"))
    entries = [{"resource": {**one, "authored": "2026-01-01"}} for one in (ours, theirs)]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    problem(client.call(prefetch={"answers": bundle}), "refused")


def test_how_old_answers_are_is_recorded_and_on_the_card(client):
    (shown,) = client.call(**answered(authored="2026-01-05T00:30:00+02:00")).get_json()["cards"]
    assert "These answers were given on 2026-01-04." in shown["detail"]
    asked = json.loads(client.service.log.get(shown["uuid"]).payload)["asked"]
    assert asked["answers_authored"] == "2026-01-04T22:30:00+00:00"
    (shown,) = client.call().get_json()["cards"]
    assert "When these answers were given is not known." in shown["detail"]


@pytest.mark.parametrize(
    ("status", "said"),
    [("in-progress", "not finished yet"), ("stopped", "given up"), ("amended", "changed after"), ("completed", None)],
)
def test_a_card_says_that_its_answers_are_not_whole(client, status, said):
    (shown,) = client.call(**answered(status=status)).get_json()["cards"]
    assert [one for one in ("not finished yet", "given up", "changed after") if one in shown["detail"]] == (
        [] if said is None else [said]
    )


@pytest.mark.parametrize("authored", ["2999-01-01", "2026", "yesterday", None, 20260101.5, "0001-01-01T00:00:00+14:00"])
def test_a_date_that_cannot_be_is_refused(client, authored):
    told = problem(client.call(**answered(authored=authored)), "refused")
    assert told["errors"][0]["field"] == "prefetch.answers.authored"
