"""The referral summary: complete, in three forms, and without anything that gives the score away."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.artefact import read_model
from model.dictionary import shipped_dictionary
from service.access.keys import FollowedKeys, create_key
from service.app import Collaborators, create_app
from service.log.store import StoredEntry
from service.model_files import ReleasedModel
from service.screening.answer import AnswerWriter
from service.screening.story import compose
from service.summary.facts import summarise
from service.summary.fhir import summary_bundle
from service.summary.shapes import SummarySchema, summary_data
from service.words.topics import topic
from tests.builders import values
from tests.service.conftest import hand_made_model
from tests.service.fhir.validated import valid

KNOWN = {"child_stage": "newborn", "parent_mental_health_history": "yes", "mother_age_years": 19}
DICTIONARY = shipped_dictionary()
FORMATS = ("json", "fhir", "html")


def summary_of(service, features=None, form="json", **body):
    screening = service.screen(KNOWN if features is None else features, **body).get_json()
    address = f"/v1/screenings/{screening['screening_id']}/summary?format={form}"
    return screening, service.client.get(address, headers=service.practitioner)


def test_it_has_the_documented_shape_and_every_question_once(service):
    _, answer = summary_of(service)
    summary = answer.get_json()
    assert SummarySchema().validate(summary) == {}
    named = [row["feature"] for row in [*summary["facts"], *summary["not_known"]]]
    assert sorted(named) == sorted(feature.name for feature in DICTIONARY.features)
    order = {feature.name: place for place, feature in enumerate(DICTIONARY.features)}
    for rows in (summary["facts"], summary["not_known"]):
        assert [row["feature"] for row in rows] == sorted((row["feature"] for row in rows), key=order.get)
    facts = {row["feature"]: row for row in summary["facts"]}
    assert facts["mother_age_years"]["value"] == 19
    assert facts["child_stage"]["given_by"] == ["Health visiting"]
    assert [ground["code"] for ground in summary["grounds"]] == ["mental_ill_health_and_baby"]
    police = next(row for row in summary["not_known"] if row["feature"] == "domestic_abuse_police_incidents")
    assert "Police" in police["held_by"]
    assert any("one working day" in clock for clock in summary["clocks"])


@pytest.mark.parametrize("form", FORMATS)
def test_no_form_holds_a_score_a_band_or_a_contribution(service, form):
    screening, answer = summary_of(service, form=form)
    assert answer.status_code == 200
    text = answer.text if form != "html" else re.search(r"<article.*</article>", answer.text, re.DOTALL)[0]
    figures = [screening["score"], *screening["score_range"], *screening["score_interval"]]
    figures += [row["contribution"] for row in screening["explanation"]["contributions"]]
    figures += [gap[edge] for gap in screening["not_known"] for edge in ("score_if_lowest", "score_if_highest")]
    for figure in figures:
        for shown in (f"{figure:.3f}", f"{abs(figure):.4f}", f"{100 * figure:.1f} %", str(figure)):
            if len(shown.strip("-0.% ")) > 1:
                assert shown not in text, shown
    words = [screening["prompt"]["text"], *screening["prompt"]["reasons"], screening["score_meaning"]]
    words += [row["text"] for row in screening["explanation"]["contributions"]]
    assert not any(sentence in text for sentence in words)
    visible = re.sub(r"<[^>]+>", " ", text)
    for banned in ("associated with", "contribution", "log-odds", "band", "threshold", "range", "prompt"):
        assert banned not in visible.replace("Synthetic data", "").lower(), banned
    without = visible.lower().replace("leaves the score out", "")
    assert "score" not in without


def _released(by):
    """The hand-made model with every answer's weight changed: another score for the same facts."""
    content = json.loads(hand_made_model(DICTIONARY))
    for term in content["terms"]:
        term["values"] = [value * by for value in term["values"]]
        term["not_known"] *= by
        term["mean"] *= by
    return ReleasedModel(read_model(json.dumps(content).encode(), "test"), "0" * 64, "0" * 8, Path())


MODELS = [_released(1.0), _released(1.7)]


@settings(max_examples=50)
@given(st.fixed_dictionaries({}, optional={f.name: values(f) for f in DICTIONARY.features}))
def test_another_score_for_the_same_facts_makes_the_same_summary(features):
    asked = {"case_ref": "case-0001", "agency": "gp", "features": features}
    entry_id, at = "01a206b8-952c-7c0d-a774-f4f8772ea46c", "2026-11-23T04:24:11.000000Z"
    entry = StoredEntry(7, entry_id, "screening", at, b"", "", None, "")
    scores, summaries = [], []
    for released in MODELS:
        answer = json.loads(compose(asked, released, AnswerWriter(released.model), entry_id))
        scores.append(answer["score"])
        summaries.append(summarise(entry, {"answer": answer, "asked": asked}, DICTIONARY, "log"))
    assert summary_data(summaries[0]) == summary_data(summaries[1])
    assert summary_bundle(summaries[0]) == summary_bundle(summaries[1])
    assert scores[0] != scores[1]


def test_the_bundle_is_valid_fhir_and_names_nobody(service):
    _, answer = summary_of(service, form="fhir")
    assert answer.mimetype == "application/fhir+json"
    bundle = valid(answer.get_json(), "Bundle")
    kinds = [entry.resource.get_resource_type() for entry in bundle.entry]
    assert kinds == ["ServiceRequest", "QuestionnaireResponse", "DetectedIssue"]
    request = bundle.entry[0].resource
    assert (request.status, request.intent) == ("draft", "proposal")
    assert request.subject.identifier.value == "case-0001"
    answers = bundle.entry[1].resource
    assert len(answers.item) == len(DICTIONARY.features)
    unknown = next(item for item in answers.item if item.linkId == "domestic_abuse")
    assert unknown.answer is None
    assert unknown.extension[0].valueCode == "unknown"
    known = {item.linkId: item.answer[0] for item in answers.item if item.answer}
    assert known["child_stage"].valueCoding.code == "newborn"
    assert known["mother_age_years"].valueInteger == 19 or float(known["mother_age_years"].valueDecimal) == 19
    assert "Patient" not in kinds


def test_a_pooled_screening_says_who_knows_what_and_where_they_differ(service):
    body = {
        "case_ref": "case-0009",
        "observations": [
            {"agency": "gp", "features": {"parent_alcohol_misuse": "yes"}},
            {"agency": "midwifery", "features": {"parent_alcohol_misuse": "no", "child_stage": "unborn"}},
        ],
    }
    screening = service.client.post("/v1/screenings", json=body, headers=service.practitioner).get_json()
    address = f"/v1/screenings/{screening['screening_id']}/summary"
    summary = service.client.get(address, headers=service.practitioner).get_json()
    fact = next(row for row in summary["facts"] if row["feature"] == "parent_alcohol_misuse")
    assert fact["given_by"] == ["General practice"]
    assert fact["differ"] == "Agencies differ: General practice says yes; Midwifery says no."
    assert [agency["id"] for agency in summary["agencies"]] == ["gp", "midwifery"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("application/json", "application/json"),
        ("application/fhir+json", "application/fhir+json"),
        ("text/html,application/xhtml+xml;q=0.9", "text/html"),
        ("*/*", "application/json"),
    ],
)
def test_the_form_is_the_one_that_was_asked_for(service, accept, kind):
    screening = service.screen(KNOWN).get_json()
    headers = {**service.practitioner, **({"Accept": accept} if accept else {})}
    answer = service.client.get(f"/v1/screenings/{screening['screening_id']}/summary", headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, kind)


def test_a_form_that_there_is_not_is_refused(service):
    screening = service.screen(KNOWN).get_json()["screening_id"]
    address = f"/v1/screenings/{screening}/summary"
    refused = service.client.get(address, headers={**service.practitioner, "Accept": "application/pdf"})
    assert refused.status_code == 406
    assert service.client.get(f"{address}?format=pdf", headers=service.practitioner).status_code == 400


def test_it_is_for_whoever_made_the_screening_and_for_auditors_and_each_look_is_recorded(settings, service):
    screening, _ = summary_of(service)
    address = f"/v1/screenings/{screening['screening_id']}/summary"
    size = service.log.size()
    assert service.client.get(address, headers=service.auditor).status_code == 200
    assert service.log.get_index(size).kind == "lookup"
    other, _ = create_key(settings.keys, "practitioner")
    client = create_app(
        Collaborators(service.released, service.log, FollowedKeys(settings.keys), settings.origin)
    ).test_client()
    assert client.get(address, headers={"Authorization": f"Bearer {other}"}).status_code == 404
    assert client.get(address).status_code == 401
    assert client.get(f"{address}?format=html", headers=service.practitioner).status_code == 400  # it has no pages


def test_the_page_has_blanks_for_the_referrer_and_the_clocks(service):
    _, answer = summary_of(service, form="html")
    words = topic("summary")
    for line in (*words.to_fill_in.fields, *words.clocks["items"], words.lead):
        assert line.replace("'", "&#39;") in answer.text
    assert answer.headers["Content-Security-Policy"]
