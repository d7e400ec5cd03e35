"""What a practitioner did about a screening: `POST /v1/screenings/{id}/response`."""

import json
import threading
import tomllib

import jsonschema
import pysqlite3
import pytest

from service.access.keys import Keys, create_key, read_keys
from service.app import Collaborators, create_app
from service.log.entry import read_leaf, uuid7
from service.log.erasure import Erased, Order, Target, erase
from service.log.merkle import leaf_hash
from service.log.store import NotDurable
from service.responses.reasons import LIST_FILE, choices
from service.responses.story import MOST_RESPONSES, numbered_id
from tests.service.screening.test_api import IDENTIFIERS, problem

REFERRED = {"action": "referred", "reasons": []}
OTHERWISE = {"action": "decided_otherwise", "reasons": ["knows_more"]}


@pytest.fixture
def screening(service):
    return service.screen({"parent_mental_health_history": "yes"}).get_json()["screening_id"]


@pytest.fixture
def answer(service, screening):
    def answer(body, key=None, to=screening, **headers):
        headers = {**(key or service.practitioner), **{name.replace("_", "-"): text for name, text in headers.items()}}
        return service.client.post(f"/v1/screenings/{to}/response", json=body, headers=headers)

    return answer


@pytest.fixture
def key_of(service):
    """Makes a practitioner's key of an agency and lets the service know it."""

    def key_of(agency=None):
        made = create_key(service.settings.keys, "practitioner", agency)[0]
        keys = Keys(read_keys(service.settings.keys))
        service.app = create_app(Collaborators(service.released, service.log, keys, service.settings.origin))
        return {"Authorization": f"Bearer {made}"}

    return key_of


def payload(service, response_id):
    return json.loads(service.log.get(response_id).payload)


def test_a_response_is_an_entry_before_it_is_answered(service, screening, answer):
    response = answer(OTHERWISE)
    assert response.status_code == 201
    told = response.get_json()
    spec = service.client.get("/openapi.json").get_json()
    shape = {"$ref": "#/components/schemas/Response", "components": spec["components"]}
    jsonschema.Draft202012Validator(shape).validate(told)
    entry = service.log.get(told["response_id"])
    assert (entry.kind, entry.index, entry.leaf_hash) == (
        "response",
        told["record"]["index"],
        leaf_hash(entry.leaf).hex(),
    )
    recorded = payload(service, told["response_id"])
    shown = json.loads(service.log.get(screening).payload)["answer"]
    assert recorded.pop("caller")["role"] == "practitioner"
    assert recorded == {
        "action": "decided_otherwise",
        "agency": "health_visiting",
        "corrects": None,
        "level": shown["prompt"]["level"],
        "model": service.released.model.version,
        "reasons": ["knows_more"],
        "screening_id": screening,
    }


def test_the_answer_to_the_screening_is_not_changed(service, screening, answer):
    def shown():
        return service.client.get(f"/v1/screenings/{screening}", headers=service.practitioner).data

    before = shown()
    answer(REFERRED)
    assert shown() == before


def test_a_second_response_corrects_the_first_and_removes_nothing(service, screening, answer):
    first, second, third = (answer(body).get_json() for body in (REFERRED, OTHERWISE, REFERRED))
    assert [told["corrects"] for told in (first, second, third)] == [None, first["response_id"], second["response_id"]]
    for told, body in ((first, REFERRED), (second, OTHERWISE), (third, REFERRED)):
        assert payload(service, told["response_id"])["action"] == body["action"]
    late = answer({**OTHERWISE, "corrects": first["response_id"]})
    assert late.status_code == 409
    problem(late, "corrects_another")
    assert answer({**OTHERWISE, "corrects": third["response_id"]}).status_code == 201


def test_responses_sent_at_once_form_one_chain(service, answer):
    told = []
    senders = [threading.Thread(target=lambda: told.append(answer(REFERRED).get_json())) for _ in range(6)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    following = {one["corrects"]: one["response_id"] for one in told}
    assert len(following) == 6
    newest = None
    for _ in told:
        newest = following[newest]
    assert newest not in following


def test_a_retry_with_the_same_key_is_recorded_once(service, answer):
    first = answer(OTHERWISE, Idempotency_Key="retry-001")
    size = service.log.size()
    assert answer(OTHERWISE, Idempotency_Key="retry-001").data == first.data
    assert service.log.size() == size
    other = answer(REFERRED, Idempotency_Key="retry-001")
    assert other.status_code == 422
    problem(other, "key_reused")
    corrects = first.get_json()["response_id"]
    second = answer({**REFERRED, "corrects": corrects}, Idempotency_Key="retry-002")
    assert answer({**REFERRED, "corrects": corrects}, Idempotency_Key="retry-002").data == second.data
    problem(answer({**REFERRED, "corrects": uuid7()}, Idempotency_Key="retry-002"), "key_reused")
    assert answer(OTHERWISE).get_json()["corrects"] == second.get_json()["response_id"]
    problem(answer(OTHERWISE, Idempotency_Key="x" * 256), "refused")


def test_a_retry_key_belongs_to_one_caller_and_is_not_kept_as_sent(service, answer, key_of):
    first = answer(OTHERWISE, Idempotency_Key="jane-doe").get_json()
    colleague = answer(REFERRED, key_of("health_visiting"), Idempotency_Key="jane-doe").get_json()
    assert colleague["corrects"] == first["response_id"]
    for file in service.settings.log_database.parent.iterdir():
        assert b"jane-doe" not in file.read_bytes()


def test_only_the_caller_who_asked_or_the_same_agency_may_respond(service, answer, key_of):
    assert answer(REFERRED, key_of("health_visiting")).status_code == 201
    for key in (key_of("gp"), key_of()):
        size = service.log.size()
        refused = answer(REFERRED, key)
        assert refused.status_code == 404
        problem(refused, "not_found")
        assert service.log.size() == size + 1
        assert json.loads(service.log.latest_of_kind("refusal").payload)["code"] == "not_found"


def test_what_is_not_a_screening_is_not_found(service, answer):
    told = answer(REFERRED).get_json()
    for unknown in (uuid7(), told["response_id"], "no-uuid"):
        problem(answer(REFERRED, to=unknown), "not_found")


def test_an_erased_screening_takes_no_response(service, screening, answer):
    index = service.log.get(screening).index
    target = Target(index, screening, "screening")
    erase(service.log, [target], Order("recorded_in_error", "operator"), Erased())
    gone = answer(REFERRED)
    assert gone.status_code == 410
    problem(gone, "erased")


def test_nor_does_one_whose_payload_was_taken_by_other_hands(service, screening, answer):
    with pysqlite3.connect(service.settings.log_database) as connection:
        connection.execute("UPDATE log_entry SET payload = NULL, salt = NULL WHERE entry_id = ?", (screening,))
    connection.close()
    taken = answer(REFERRED)
    assert taken.status_code == 500
    assert taken.get_json()["code"] == "record_damaged"


def test_roles(service, answer):
    problem(answer(REFERRED, service.auditor), "wrong_role")
    assert service.client.post(f"/v1/screenings/{uuid7()}/response", json=REFERRED).status_code == 401
    assert service.client.get("/v1/responses").status_code == 401


@pytest.mark.parametrize(
    ("body", "field", "fix"),
    [
        ({}, "action", "is missing"),
        ({"action": "ignored"}, "action", "send one of: referred,"),
        ({"action": "decided_otherwise"}, "reasons", "needs at least one reason"),
        ({"action": "referred", "reasons": ["because"]}, "reasons", "send one of: knows_more,"),
        ({"action": "referred", "reasons": ["other", "other"]}, "reasons", "send each reason once"),
        ({"action": "referred", "reasons": "other"}, "reasons", "send a list of codes"),
        ({"action": "referred", "corrects": "first"}, "corrects", "send the response_id"),
        ({"action": "referred", "note": "she said"}, "(a field whose name is not shown)", "remove it"),
    ],
)
def test_a_refused_response_names_field_and_fix(service, answer, body, field, fix):
    size = service.log.size()
    response = answer(body)
    assert response.status_code == 422
    errors = problem(response, "refused")["errors"]
    assert [error["field"] for error in errors] == [field]
    assert fix in errors[0]["fix"]
    assert service.log.size() == size + 1


@pytest.mark.parametrize("value", IDENTIFIERS)
def test_no_text_gets_in_and_none_comes_back(service, answer, value):
    for body in ({"action": value}, {**OTHERWISE, "reasons": [value]}, {**REFERRED, "corrects": value}, {value: 1}):
        response = answer(body)
        assert response.status_code == 422
        assert value not in response.text
        assert value.encode() not in service.log.latest_of_kind("refusal").payload


def test_no_record_no_answer(service, answer, monkeypatch):
    def fails(*args, **kwargs):
        raise NotDurable("disk")

    monkeypatch.setattr(service.log, "append", fails)
    response = answer(REFERRED)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    problem(response, "not_recorded")


def test_a_senders_loop_is_stopped(service, answer):
    for _ in range(MOST_RESPONSES):
        assert answer(REFERRED).status_code == 201
    problem(answer(REFERRED), "too_many_responses")


def test_the_ids_of_responses_are_uuids_that_the_log_takes():
    screening = uuid7()
    made = {numbered_id(screening, number) for number in range(50)}
    assert len(made) == 50
    leaf = '{"at":"2026-01-01T00:00:00.000000Z","entry":"%s","format":1,"kind":"response","payload":"%s"}'
    for one in made:
        assert one[14] == "8"
        assert one[19] in "89ab"
        assert read_leaf((leaf % (one, "0" * 64)).encode()).entry_id == one


def test_the_list_is_shown_to_every_role_and_is_whole(service):
    for key in (service.practitioner, service.auditor):
        listed = service.client.get("/v1/responses", headers=key).get_json()
        assert [action["code"] for action in listed["actions"]] == [
            "referred",
            "sought_information",
            "discussed",
            "decided_otherwise",
        ]
        assert "other" in {reason["code"] for reason in listed["reasons"]}
    raw = tomllib.loads(LIST_FILE.read_text())
    for row in raw["reason"]:
        assert row["code"].isidentifier() and row["label"] and row["source"]
    codes = [row["code"] for row in (*raw["action"], *raw["reason"])]
    assert len(set(codes)) == len(codes)
    assert choices().needing_reason() == {"decided_otherwise"}
