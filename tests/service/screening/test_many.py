"""Up to a thousand cases in one request: each recorded as if alone, all of them or none."""

import json
import threading

import pytest

from service.log.merkle import leaf_hash
from service.screening.many import MOST_CASES

ADDRESS = "/v1/screenings/batch"
FEATURES = [{"parent_mental_health_history": "yes"}, {"domestic_abuse": "no", "children_in_household": 2}, {}]


def cases(count=3):
    return [
        {"case_ref": f"case-{number}", "agency": "health_visiting", "features": FEATURES[number % 3]}
        for number in range(count)
    ]


def post(service, sent, **headers):
    return service.client.post(ADDRESS, json={"cases": sent}, headers={**service.practitioner, **headers})


def test_each_case_is_what_it_is_alone_and_has_its_own_record(service):
    answered = post(service, cases())
    assert answered.status_code == 201
    said = answered.get_json()
    assert [one["case_ref"] for one in said["screenings"]] == ["case-0", "case-1", "case-2"]
    for one, sent in zip(said["screenings"], cases(), strict=True):
        whole = service.client.get(f"/v1/screenings/{one['screening_id']}", headers=service.practitioner).get_json()
        alone = service.screen(sent["features"], case_ref=sent["case_ref"]).get_json()
        for name in ("score", "score_interval", "score_range", "band", "prompt", "not_recognised"):
            assert one[name] == alone[name] == whole[name]
        shown = {part["feature"]: part["contribution"] for part in alone["explanation"]["contributions"]}
        assert one["contributions"] == shown
        assert said["base_value"] == alone["explanation"]["base_value"]
        assert one["grounds"] == [ground["code"] for ground in alone["grounds"]]
        assert one["not_known"] == [{"feature": g["feature"], "held_by": g["held_by"]} for g in alone["not_known"]]
        assert one["record"] == {"index": whole["record"]["index"], "leaf_hash": whole["record"]["leaf_hash"]}
        assert whole["record"]["checkpoint"] == said["record"]["checkpoint"]
    assert said["score_meaning"] == alone["score_meaning"]
    assert said["model"] == alone["model"]


def test_a_thousand_are_one_commit(service):
    before = service.log.latest_checkpoint()
    said = post(service, cases(MOST_CASES)).get_json()
    assert len(said["screenings"]) == MOST_CASES
    assert service.log.size() == MOST_CASES
    assert service.log.checkpoint_at(MOST_CASES) == said["record"]["checkpoint"] != before
    assert all(service.log.checkpoint_at(size) is None for size in range(1, MOST_CASES))
    entry = service.log.get_index(MOST_CASES - 1)
    assert leaf_hash(entry.leaf).hex() == said["screenings"][-1]["record"]["leaf_hash"]


def test_one_case_that_is_refused_refuses_all_and_names_its_place(service):
    sent = cases()
    sent[1]["features"] = {"domestic_abuse": "perhaps"}
    sent[2]["case_ref"] = "943 476 5919"
    refused = post(service, [*sent, 7])
    assert refused.status_code == 422
    fields = [error["field"] for error in refused.get_json()["errors"]]
    assert fields == ["cases.1.features.domestic_abuse", "cases.2.case_ref", "cases.3"]
    assert "perhaps" not in refused.text
    assert "943" not in refused.text
    (entry,) = service.log.entries(0, service.log.size())
    assert entry.kind == "refusal"
    assert json.loads(entry.payload)["fields"] == sorted(fields)


@pytest.mark.parametrize("sent", [[], cases(1) * (MOST_CASES + 1), {}, None, "x"])
def test_not_a_list_of_one_to_a_thousand(service, sent):
    refused = post(service, sent)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.get_json()["errors"]] == ["cases"]


def test_a_field_beside_the_cases_is_refused_without_its_name(service):
    refused = service.client.post(ADDRESS, json={"cases": cases(), "Anna Smith": 1}, headers=service.practitioner)
    assert refused.status_code == 422
    assert "Anna" not in refused.text


def test_only_a_practitioner(service):
    refused = service.client.post(ADDRESS, json={"cases": cases()}, headers=service.auditor)
    assert refused.status_code == 403
    assert service.client.post(ADDRESS, json={"cases": cases()}).status_code == 401


def test_a_body_beyond_the_limit(settings, service):
    from service.access.keys import Keys, read_keys
    from service.app import Collaborators, create_app

    keys = Keys(read_keys(service.settings.keys))
    collaborators = Collaborators(service.released, service.log, keys, service.settings.origin)
    client = create_app(collaborators, 1024, 10_000).test_client()
    few = client.post(ADDRESS, json={"cases": cases(30)}, headers=service.practitioner)
    assert few.status_code == 201
    assert len(json.dumps({"cases": cases(30)})) > 1024
    many = client.post(ADDRESS, json={"cases": cases(200)}, headers=service.practitioner)
    assert many.status_code == 413
    alone = client.post("/v1/screenings", json={**cases(1)[0], "pad": "x" * 2000}, headers=service.practitioner)
    assert alone.status_code == 413


def test_the_same_key_gives_the_same_answer_and_no_second_entry(service):
    first = post(service, cases(), **{"Idempotency-Key": "11111111-aaaa"})
    again = post(service, cases(), **{"Idempotency-Key": "11111111-aaaa"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert service.log.size() == 3


@pytest.mark.parametrize("other", [cases(2), cases(4), cases()[::-1]])
def test_the_same_key_with_other_cases_is_refused_and_records_no_screening(service, other):
    post(service, cases(), **{"Idempotency-Key": "11111111-aaaa"})
    refused = post(service, other, **{"Idempotency-Key": "11111111-aaaa"})
    assert refused.status_code == 422
    assert refused.get_json()["code"] == "key_reused"
    kinds = [entry.kind for entry in service.log.entries(0, service.log.size())]
    assert kinds == ["screening"] * 3 + ["refusal"]


def test_a_key_of_one_case_is_another_than_that_of_many(service):
    key = {"Idempotency-Key": "11111111-aaaa"}
    alone = service.client.post("/v1/screenings", json=cases()[0], headers={**service.practitioner, **key})
    assert alone.status_code == 201
    assert post(service, cases(), **key).status_code == 201


def test_many_at_once_with_one_key_are_recorded_once(service):
    answers = []

    def send():
        answers.append(post(service, cases(20), **{"Idempotency-Key": "11111111-aaaa"}))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.data for answer in answers}) == 1
    assert service.log.size() == 20


def test_nothing_is_shown_where_the_log_cannot_take_them(service):
    service.log.close()
    refused = post(service, cases())
    assert refused.status_code == 503
    assert refused.get_json()["code"] == "not_recorded"
    assert "score" not in refused.text.replace("no score was given", "")


def test_a_key_of_another_agency(service):
    from service.access.keys import Keys, create_key, read_keys
    from service.app import Collaborators, create_app

    police, _ = create_key(service.settings.keys, "practitioner", "police")
    keys = Keys(read_keys(service.settings.keys))
    app = create_app(Collaborators(service.released, service.log, keys, service.settings.origin))
    refused = app.test_client().post(ADDRESS, json={"cases": cases()}, headers={"Authorization": f"Bearer {police}"})
    assert refused.status_code == 403
    assert [error["field"] for error in refused.get_json()["errors"]] == ["cases.0.agency"]


def test_the_answer_is_as_documented(service):
    from service.screening.many_api import ScreeningsSchema

    assert ScreeningsSchema().validate(post(service, cases()).get_json()) == {}
