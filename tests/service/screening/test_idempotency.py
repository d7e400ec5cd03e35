"""A retry gets the answer that was given, from its one record; another request under the same key is refused."""

import threading

import pytest

HEADER = "Idempotency-Key"
BODY = {"case_ref": "case-0001", "agency": "health_visiting", "features": {"parent_mental_health_history": "yes"}}


def post(service, key, body=BODY, headers=None):
    return service.client.post(
        "/v1/screenings", json=body, headers={**(headers or service.practitioner), **({HEADER: key} if key else {})}
    )


def test_the_same_key_and_request_give_the_same_answer_and_one_entry(service):
    first = post(service, "11111111-aaaa")
    again = post(service, "11111111-aaaa", dict(reversed(BODY.items())))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert service.log.size() == 1


def test_without_a_key_each_request_is_a_screening(service):
    assert post(service, None).data != post(service, None).data
    assert service.log.size() == 2


def test_the_same_key_with_another_request_is_refused_and_shows_nothing_of_the_first(service):
    post(service, "22222222-aaaa")
    other = {**BODY, "features": {"parent_mental_health_history": "no"}}
    refused = post(service, "22222222-aaaa", other)
    assert refused.status_code == 422
    assert refused.get_json()["code"] == "key_reused"
    assert "score" not in refused.get_json()
    assert service.log.latest_of_kind("refusal").index == 1


def test_a_key_belongs_to_its_caller(service):
    from service.access.keys import Keys, create_key, read_keys
    from service.app import Collaborators, create_app

    other, _ = create_key(service.settings.keys, "practitioner")
    keys = Keys(read_keys(service.settings.keys))
    app = create_app(Collaborators(service.released, service.log, keys, service.settings.origin))
    first = post(service, "33333333-aaaa")
    theirs = app.test_client().post(
        "/v1/screenings", json=BODY, headers={"Authorization": f"Bearer {other}", HEADER: "33333333-aaaa"}
    )
    assert theirs.status_code == 201
    assert theirs.get_json()["screening_id"] != first.get_json()["screening_id"]


@pytest.mark.parametrize("key", ["short", "x" * 256, "with a space in it", "näme-1234"])
def test_a_key_of_another_shape_is_refused_by_name_and_not_repeated(service, key):
    refused = post(service, key)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["field"] == HEADER
    assert key not in refused.text


def test_many_at_once_make_one_entry(service):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(post(service, "44444444-aaaa"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert service.log.size() == 1


def test_after_a_crash_the_retry_finds_what_was_stored(service, settings):
    from service.access.keys import Keys, read_keys
    from service.app import Collaborators, create_app
    from service.running.assembly import open_log

    first = post(service, "55555555-aaaa")
    reopened = open_log(settings)  # another process, which knows nothing but what is on disk
    app = create_app(Collaborators(service.released, reopened, Keys(read_keys(settings.keys)), settings.origin))
    again = app.test_client().post(
        "/v1/screenings", json=BODY, headers={**service.practitioner, HEADER: "55555555-aaaa"}
    )
    assert again.data == first.data
    assert reopened.size() == 1
    reopened.close()


def test_the_header_is_documented(service):
    operation = service.client.get("/openapi.json").get_json()["paths"]["/v1/screenings"]["post"]
    assert [parameter["name"] for parameter in operation["parameters"]] == [HEADER]


UNLISTED = [
    ("/v1/screenings", lambda body: body),
    ("/v1/screenings/batch", lambda body: {"cases": [BODY, body]}),
    ("/v1/screenings", lambda body: {"case_ref": "case-0001", "observations": [part(BODY), part(body, "gp")]}),
]


def part(body, agency="health_visiting"):
    return {"agency": agency, "features": body["features"]}


@pytest.mark.parametrize(("path", "sent"), UNLISTED)
def test_a_value_that_is_not_listed_and_not_kept_makes_another_request(service, path, sent):
    def post_of(value):
        body = sent({**BODY, "features": {"contact_reason": value}})
        return service.client.post(path, json=body, headers={**service.practitioner, HEADER: "66666666-aaaa"})

    first = post_of("zzz1")
    assert first.status_code == 201
    refused = post_of("zzz2")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "key_reused")
    assert post_of("zzz1").data == first.data
    entries = [service.log.get_index(index).payload for index in range(service.log.size())]
    assert not any(b"zzz" in payload for payload in entries)
    screenings = [entry for entry in entries if b'"answer"' in entry]
    assert sum(b'"sent_digest"' in entry for entry in screenings) == 1, "only where what was asked does not tell it all"


def test_an_entry_of_a_version_without_the_digest_is_compared_by_what_was_asked(service, monkeypatch):
    body = {**BODY, "features": {"contact_reason": "zzz1"}}
    with monkeypatch.context() as patch:
        patch.setattr("service.screening.idempotency._digest", lambda *_: None)
        first = post(service, "77777777-aaaa", body)
    assert b"sent_digest" not in service.log.get_index(0).payload
    assert post(service, "77777777-aaaa", body).data == first.data
    assert post(service, "77777777-aaaa", BODY).status_code == 422
