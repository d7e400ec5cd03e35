"""`POST /v1/screenings` and what becomes of it."""

import json
import math

import jsonschema
import pytest

from service.log.store import NotDurable
from tests.builders import logit


def problem(response, code):
    assert response.mimetype == "application/problem+json"
    body = response.get_json()
    assert body["code"] == code
    assert body["status"] == response.status_code
    return body


def test_an_answer_holds_all_that_the_contract_names(service):
    response = service.screen({"parent_mental_health_history": "yes"})
    assert response.status_code == 201
    answer = response.get_json()
    schema = service.client.get("/openapi.json").get_json()
    shape = {"$ref": "#/components/schemas/Screening", "components": schema["components"]}
    jsonschema.Draft202012Validator(shape).validate(answer)
    assert {*answer, "pooled"} == set(schema["components"]["schemas"]["Screening"]["properties"])
    assert response.headers["Location"] == f"/v1/screenings/{answer['screening_id']}"


def test_contributions_sum_to_the_score(service):
    answer = service.screen({"parent_mental_health_history": "yes"}).get_json()
    explanation = answer["explanation"]
    total = math.fsum([explanation["base_value"], *(c["contribution"] for c in explanation["contributions"])])
    assert total == pytest.approx(logit(answer["score"]), abs=1e-9)
    assert {c["feature"] for c in explanation["contributions"]} == {
        feature.name for feature in service.released.model.dictionary.features
    }
    assert answer["score_range"][0] <= answer["score"] <= answer["score_range"][1]
    assert answer["score_interval"][0] <= answer["score"] <= answer["score_interval"][1]


def test_a_synthetic_model_says_so_in_every_answer(service):
    answer = service.screen().get_json()
    assert answer["model"]["synthetic"] is True
    assert "must not be used about a real child" in answer["score_meaning"]


def test_the_record_is_in_the_log_byte_for_byte(service):
    response = service.screen({"parent_mental_health_history": "yes"})
    answer = response.get_json()
    record = answer.pop("record")
    entry = service.log.get(answer["screening_id"])
    payload = json.loads(entry.payload)
    assert payload["answer"] == answer
    assert json.dumps(payload["answer"], sort_keys=True) == json.dumps(answer, sort_keys=True)
    assert payload["asked"]["features"] == {"parent_mental_health_history": "yes"}
    assert (entry.index, entry.leaf_hash) == (record["index"], record["leaf_hash"])


def test_absent_null_and_not_known_are_told_apart_in_the_log_and_the_same_to_the_model(service):
    scores = set()
    for features in ({}, {"parent_mental_health_history": None}, {"parent_mental_health_history": "not_known"}):
        answer = service.screen(features).get_json()
        assert json.loads(service.log.get(answer["screening_id"]).payload)["asked"]["features"] == features
        scores.add(answer["score"])
    assert len(scores) == 1


def test_a_screening_is_shown_again_as_it_was_and_the_look_is_recorded(service):
    first = service.screen({"parent_mental_health_history": "yes"}).get_json()
    before = service.log.size()
    for headers in (service.practitioner, service.auditor):
        again = service.client.get(f"/v1/screenings/{first['screening_id']}", headers=headers).get_json()
        assert {k: v for k, v in again.items() if k != "record"} == {k: v for k, v in first.items() if k != "record"}
        assert again["record"]["leaf_hash"] == first["record"]["leaf_hash"]
    assert service.log.size() == before + 2
    assert service.log.latest_of_kind("lookup") is not None


def test_one_practitioner_cannot_read_what_another_asked(service):
    from service.access.keys import Keys, create_key, read_keys

    first = service.screen().get_json()
    other = create_key(service.settings.keys, "practitioner")[0]
    from service.app import Collaborators, create_app

    app = create_app(
        Collaborators(service.released, service.log, Keys(read_keys(service.settings.keys)), service.settings.origin)
    )
    answer = app.test_client().get(
        f"/v1/screenings/{first['screening_id']}", headers={"Authorization": f"Bearer {other}"}
    )
    problem(answer, "not_found")


def test_an_agency_s_keys_read_what_the_agency_asked_and_nothing_that_several_pooled(service):
    from service.access.keys import Keys, create_key, read_keys
    from service.app import Collaborators, create_app

    folder = service.settings.keys
    holders = {name: create_key(folder, "practitioner", agency)[0] for name, agency in AGENCY_KEYS.items()}
    keys = Keys(read_keys(folder))
    client = create_app(Collaborators(service.released, service.log, keys, service.settings.origin)).test_client()
    bearers = {name: {"Authorization": f"Bearer {key}"} for name, key in holders.items()}
    case = {"case_ref": "case-1", "agency": "gp", "features": {}}
    pooled = {"case_ref": "case-1", "observations": [{"agency": "gp", "features": {}}]}
    addresses = [
        client.post("/v1/screenings", json=body, headers=bearers["asks"]).headers["Location"] for body in (case, pooled)
    ]
    seen = {name: [client.get(at, headers=bearer).status_code for at in addresses] for name, bearer in bearers.items()}
    assert seen == {"asks": [200, 200], "colleague": [200, 404], "other": [404, 404], "several": [404, 404]}


AGENCY_KEYS = {"asks": "gp", "colleague": "gp", "other": "police", "several": None}


@pytest.mark.parametrize(
    ("features", "field", "fix"),
    [
        (
            {"parent_mental_health_histry": "yes"},
            "features.parent_mental_health_histry",
            "is not in the data dictionary",
        ),
        ({"shoe_size": 3}, "features.(a field whose name is not shown)", "is not in the data dictionary"),
        ({"parent_mental_health_history": "maybe"}, "features.parent_mental_health_history", 'send "no", "yes"'),
        ({"parent_mental_health_history": True}, "features.parent_mental_health_history", 'send "no", "yes"'),
        ({"parent_mental_health_history": ["yes"]}, "features.parent_mental_health_history", 'send "no", "yes"'),
        ([], "features", "send an object"),
    ],
)
def test_a_feature_that_is_refused_names_field_and_fix(service, features, field, fix):
    body = {"case_ref": "case-0001", "agency": "gp", "features": features}
    response = service.client.post("/v1/screenings", json=body, headers=service.practitioner)
    assert response.status_code == 422
    errors = problem(response, "refused")["errors"]
    assert [error["field"] for error in errors] == [field]
    assert fix in errors[0]["fix"]


def test_a_category_takes_an_unlisted_code_and_no_free_text(service):
    told = service.screen({"contact_reason": "meteor_strike"}).get_json()
    shown = {row["feature"]: row["value"] for row in told["explanation"]["contributions"]}
    assert shown["contact_reason"] == "not_known"
    assert told["not_recognised"] == ["contact_reason"]
    assert "contact_reason" in {gap["feature"] for gap in told["not_known"]}
    response = service.screen({"contact_reason": "she said that he hit her"})
    assert "takes no free text" in problem(response, "refused")["errors"][0]["fix"]
    assert "hit" not in response.text


def test_a_name_as_a_fields_name_is_neither_echoed_nor_recorded(service):
    for body in ({"features": {"jane_doe": "yes"}}, {"jane_doe": 1}, {"monitoring": {"jane_doe": "yes"}}):
        assert "jane" not in service.screen(**body).text
        assert b"jane" not in service.log.latest_of_kind("refusal").payload


def test_numbers_out_of_range_are_refused(service):
    numeric = next(f for f in service.released.model.dictionary.features if f.is_numeric and f.maximum is not None)
    response = service.screen({numeric.name: numeric.maximum + 1})
    assert f"to {numeric.maximum:g}" in problem(response, "refused")["errors"][0]["fix"]


def test_every_error_of_a_request_is_listed_at_once(service):
    response = service.screen({"a": 1, "b": 2}, case_ref=7, agency="post_office", colour="red")
    fields = {error["field"] for error in problem(response, "refused")["errors"]}
    hidden = "(a field whose name is not shown)"
    assert fields == {f"features.{hidden}", "case_ref", "agency", hidden}


IDENTIFIERS = [
    "nhs_943_476_5919",
    "943.476.5919",
    "SW1A-1AA",
    "born_2019_05_03",
    "943 476 5919",
    "9434765919",
    "Jo.Bloggs@example.org",
    "2019-03-14",
    "07700900123",
    "SW1A 1AA",
    "Jo Bloggs",
]


@pytest.mark.parametrize("value", IDENTIFIERS)
@pytest.mark.parametrize(
    "place", ["case_ref", "agency", "feature", "category", "feature_name", "top_name", "monitoring"]
)
def test_identifiers_and_free_text_are_refused_everywhere_and_never_echoed(service, value, place):
    bodies = {
        "case_ref": {"case_ref": value},
        "agency": {"agency": value},
        "feature": {"features": {"parent_mental_health_history": value}},
        "category": {"features": {"contact_reason": value}},
        "feature_name": {"features": {value: "yes"}},
        "top_name": {value: "x"},
        "monitoring": {"monitoring": {value: value}},
    }
    before = service.log.size()
    response = service.screen(**bodies[place])
    assert response.status_code == 422
    assert value not in response.text
    assert value.replace(" ", "") not in response.text
    assert "score" not in response.get_json()
    assert service.log.size() == before + 1
    refusal = service.log.latest_of_kind("refusal")
    assert value.encode() not in refusal.payload


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_json"),
        (b"\xff\xfe", "application/json", 400, "malformed_json"),
        (b"[1]", "application/json", 400, "malformed_json"),
        (b"", "application/json", 400, "malformed_json"),
        (b"{}", "text/plain", 415, "not_json"),
        (b"{}", "application/json", 422, "refused"),
        (b'{"a":' * 5000, "application/json", 400, "malformed_json"),
        (b'{"a":' + b"[" * 700 + b"]" * 700 + b"}", "application/json", 422, "refused"),
        (b'{"a":' + b"[" * 700 + b'":"' + b"]" * 700 + b"}", "application/json", 400, "malformed_json"),
        (b" " * 70_000, "application/json", 413, "body_too_large"),
    ],
)
def test_a_body_that_cannot_be_read(service, data, content_type, status, code):
    response = service.client.post("/v1/screenings", data=data, content_type=content_type, headers=service.practitioner)
    assert response.status_code == status
    problem(response, code)


def test_a_repeated_key_is_refused_since_it_has_two_readings(service):
    body = (
        b'{"case_ref":"case-0001","agency":"gp","features":{"parent_mental_health_history":"yes",'
        b'"parent_mental_health_history":"no"}}'
    )
    response = service.client.post(
        "/v1/screenings", data=body, content_type="application/json", headers=service.practitioner
    )
    problem(response, "malformed_json")


def test_keys_and_roles(service):
    body = {"case_ref": "case-0001", "agency": "gp", "features": {}}
    post = service.client.post
    problem(post("/v1/screenings", json=body), "no_key")
    problem(post("/v1/screenings", json=body, headers={"Authorization": "Basic abc"}), "no_key")
    problem(post("/v1/screenings", json=body, headers={"Authorization": "Bearer wrong"}), "unknown_key")
    problem(post("/v1/screenings", json=body, headers=service.auditor), "wrong_role")
    assert service.client.get("/v1/dictionary").status_code == 401
    assert service.client.get("/v1/model", headers=service.auditor).status_code == 200


def test_a_refused_request_is_recorded_without_values(service):
    service.screen({"shoe_size": 3})
    payload = json.loads(service.log.latest_of_kind("refusal").payload)
    assert payload["fields"] == ["features.(a field whose name is not shown)"]
    assert payload["code"] == "refused"


def test_no_record_no_score(service, monkeypatch):
    def fails(*args, **kwargs):
        raise NotDurable("disk")

    monkeypatch.setattr(service.log, "append", fails)
    response = service.screen({"parent_mental_health_history": "yes"})
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    problem(response, "not_recorded")
    assert "contribution" not in response.text


def test_addresses_that_do_not_exist(service):
    problem(service.client.get("/v2/screenings"), "not_found")
    response = service.client.delete("/v1/screenings")
    problem(response, "method_not_allowed")
    assert "POST" in response.headers["Allow"]
    problem(service.client.get("/v1/screenings/not-a-uuid", headers=service.auditor), "not_found")


def test_an_unexpected_error_shows_and_logs_no_case_data(service, monkeypatch, capsys):
    def fails(*args, **kwargs):
        raise RuntimeError("secret case-0001")

    monkeypatch.setattr("service.screening.desk.screen", fails)
    response = service.screen({"parent_mental_health_history": "yes"})
    problem(response, "internal")
    captured = capsys.readouterr()
    assert "secret" not in response.text + captured.out + captured.err
    assert "RuntimeError" in captured.out + captured.err
