"""Drift over the log's newest screenings: counted once a minute, small numbers not shown, erased ones said."""

from __future__ import annotations

import json

import pytest

from model.dictionary import shipped_dictionary
from model.drift import Watch
from service.access.keys import FollowedKeys, create_key
from service.app import Collaborators, create_app
from service.drift.agency import ENOUGH_ANSWERS, agency_drift
from service.drift.api import DriftSchema
from service.drift.window import DriftWindow
from service.log.case_entries import CaseEntries
from service.log.disclosure import THRESHOLD
from service.log.erasure import Erased, Order, erase_found
from service.log.schema import log_entry
from service.model_files import load_active
from service.running.metrics import State
from service.running.readiness import Readiness
from tests.service.conftest import hand_made_model, release_into


def screen(service, count, agency="gp", **features):
    for number in range(count):
        service.screen(features, agency=agency, case_ref=f"case-{number}")


def test_a_report_has_the_documented_shape(service):
    screen(service, 12, parent_mental_health_history="yes", child_stage="newborn")
    report = service.client.get("/v1/drift", headers=service.auditor).get_json()
    assert DriftSchema().validate(report) == {}
    assert report["cases"] == 12
    by_name = {row["feature"]: row for row in report["features"]}
    assert by_name["parent_mental_health_history"]["not_answered_now"] == 0
    assert by_name["parent_mental_health_history"]["index"] > 0.25
    assert by_name["domestic_abuse"]["not_answered_now"] == 1
    assert by_name["domestic_abuse"]["index"] is None


def test_too_few_are_not_shown(service):
    screen(service, THRESHOLD - 1)
    report = DriftWindow(service.log, service.released).report()
    assert (report.cases, report.features, report.agencies) == (THRESHOLD - 1, (), ())


def test_an_agency_of_few_is_named_without_its_figures(service):
    screen(service, THRESHOLD + 1)
    screen(service, THRESHOLD, agency="midwifery")
    screen(service, 2, agency="police")
    agencies = {one.agency: one for one in DriftWindow(service.log, service.released).report().agencies}
    assert agencies["gp"].cases == THRESHOLD + 1
    for name in ("police", "midwifery"):  # a reader who knows the total would work out one that is hidden alone
        one = agencies[name]
        assert (one.cases, one.index, one.not_answered_now, one.features) == (None, None, None, ())


def test_a_pooled_screening_counts_for_each_of_its_agencies(service):
    observations = [{"agency": "gp", "features": {}}, {"agency": "police", "features": {"domestic_abuse": "yes"}}]
    for number in range(THRESHOLD):
        body = {"case_ref": f"case-{number}", "observations": observations}
        assert service.client.post("/v1/screenings", json=body, headers=service.practitioner).status_code == 201
    report = DriftWindow(service.log, service.released).report()
    assert {one.agency: one.cases for one in report.agencies} == {"gp": THRESHOLD, "police": THRESHOLD}
    assert next(row for row in report.features if row.feature == "domestic_abuse").not_answered_now == 0


def test_an_erased_screening_is_not_counted_and_said(service):
    screen(service, THRESHOLD)
    service.screen({}, case_ref="case-erased-1")
    look = CaseEntries(service.log, "case-erased-1").look
    erase_found(service.log, look, Order("court_order", "operator"), Erased())
    report = DriftWindow(service.log, service.released).report()
    assert (report.cases, report.erased) == (THRESHOLD, 1)


def test_a_damaged_screening_is_not_counted_and_said(service):
    screen(service, THRESHOLD)
    damaged = service.screen({}).get_json()["record"]["index"]
    with service.log._engine.begin() as connection:
        connection.execute(log_entry.update().where(log_entry.c.idx == damaged).values(payload=b"other bytes"))
    report = service.client.get("/v1/drift", headers=service.auditor)
    assert report.status_code == 200
    assert (report.get_json()["cases"], report.get_json()["damaged"]) == (THRESHOLD, 1)


def test_answers_of_an_earlier_dictionary_are_counted_apart(service, settings):
    screen(service, THRESHOLD, contact_reason="routine_check", mother_age_years=19)
    content = json.loads(hand_made_model(shipped_dictionary()))
    stage = next(one for one in content["dictionary"]["feature"] if one["name"] == "contact_reason")
    stage["levels"] = [f"{level}_renamed" for level in stage["levels"]]
    if "reference" in stage:
        stage["reference"] += "_renamed"
    content["version"] = "test-newer"
    release_into(settings, json.dumps(content).encode(), "test-newer")
    report = DriftWindow(service.log, load_active(settings.models, settings.keys)).report()
    by_name = {row.feature: row for row in report.features}
    assert by_name["contact_reason"].unlisted == THRESHOLD
    assert by_name["contact_reason"].index is None
    assert by_name["mother_age_years"].unlisted == 0


def test_it_is_worked_out_once_a_minute(service, monkeypatch):
    window = DriftWindow(service.log, service.released)
    first = window.report()
    screen(service, 3)
    assert window.report() is first
    monkeypatch.setattr("service.drift.window.SECONDS_BETWEEN", 0.0)
    assert window.report().cases == 3


@pytest.mark.parametrize(("role", "status"), [("practitioner", 403), ("auditor", 200), ("operator", 200)])
def test_it_is_for_auditors_and_operators(settings, service, role, status):
    key, _ = create_key(settings.keys, role)
    collaborators = Collaborators(service.released, service.log, FollowedKeys(settings.keys), settings.origin)
    answer = create_app(collaborators).test_client().get("/v1/drift", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status


def drift_of(service, agency):
    return next(one for one in DriftWindow(service.log, service.released).report().agencies if one.agency == agency)


def test_an_agency_has_an_index_for_each_of_its_own_questions_from_enough_answers_on(service):
    screen(service, ENOUGH_ANSWERS - 1, "police", domestic_abuse="yes", immediate_danger="no")
    few = drift_of(service, "police")
    assert few.index is None
    assert all(row.index is None and row.noise is None for row in few.features)
    service.screen({"domestic_abuse": "yes"}, agency="police")
    police = drift_of(service, "police")
    dictionary = service.released.model.dictionary
    assert {row.feature for row in police.features} == {
        feature.name for feature in dictionary.features if "police" in feature.held_by
    }
    rows = {row.feature: row for row in police.features}
    watch = Watch(service.released.model)
    for _ in range(ENOUGH_ANSWERS):
        watch.add({"domestic_abuse": "yes"})
    whole = next(one for one in watch.drift() if one.feature == "domestic_abuse")
    assert (rows["domestic_abuse"].index, rows["domestic_abuse"].noise) == (whole.index, whole.noise)
    assert rows["domestic_abuse"].not_answered_now == 0
    assert [row.feature for row in police.features if row.index is not None] == ["domestic_abuse"]
    assert police.index == whole.index


@pytest.mark.parametrize(("known", "shown"), [(0, 1.0), (1, None), (9, None), (10, 0.5), (11, None), (20, 0.0)])
def test_a_share_of_an_agency_s_question_is_shown_where_neither_side_is_a_small_count(service, known, shown):
    screen(service, known, "police", domestic_abuse="yes")
    screen(service, 20 - known, "police")
    row = next(row for row in drift_of(service, "police").features if row.feature == "domestic_abuse")
    assert row.not_answered_now == shown


def test_an_agency_that_the_live_dictionary_does_not_have_is_named_by_its_id(service):
    watch = Watch(service.released.model)
    for _ in range(THRESHOLD):
        watch.add({})
    (gone,) = agency_drift({"an_earlier_agency": watch}, service.released.model.dictionary)
    assert (gone.label, gone.cases, gone.features) == ("an_earlier_agency", THRESHOLD, ())


def test_files_of_cases_and_other_entries_are_not_counted(service):
    screen(service, THRESHOLD)
    service.log.append("batch", b'{"rows":1000}')
    assert DriftWindow(service.log, service.released).report().cases == THRESHOLD


def test_the_gauges_are_what_the_report_says(service):
    screen(service, ENOUGH_ANSWERS, "police", domestic_abuse="yes")
    window = DriftWindow(service.log, service.released)
    state = State(service.log, Readiness(service.log, service.released, None), service.released, window)
    told = {
        (sample.name, sample.labels.get("agency"), sample.labels.get("feature")): sample.value
        for family in state.collect()
        for sample in family.samples
    }
    (police,) = window.report().agencies
    assert told["grounds_drift_agency_not_known", "police", None] == police.not_answered_now
    assert told["grounds_drift_agency_psi", "police", None] == police.index
    assert [key for key in told if key[0] == "grounds_drift_agency_feature_psi"] == [
        ("grounds_drift_agency_feature_psi", "police", "domestic_abuse")
    ]
