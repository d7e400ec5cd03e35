"""Lock-out of guessing: the guesses are answered 429, whoever holds a key is served."""

from __future__ import annotations

from service.access.guessing import Guesses
from service.errors import problem

WRONG = {"Authorization": "Bearer grounds_practitioner_00000000_guess"}


def test_after_twenty_guesses_an_address_is_told_to_wait(service):
    statuses = [service.client.get("/v1/dictionary", headers=WRONG).status_code for _ in range(22)]
    assert statuses == [401] * 20 + [429] * 2
    last = service.client.get("/v1/dictionary", headers=WRONG)
    assert last.get_json()["code"] == "too_many_guesses"
    assert 1 <= int(last.headers["Retry-After"]) <= 60
    assert service.client.get("/v1/dictionary", headers=service.practitioner).status_code == 200


def test_the_sign_in_page_counts_with_the_api(service):
    for _ in range(20):
        service.client.get("/v1/dictionary", headers=WRONG)
    answer = service.client.post("/sign-in", data={"key": "grounds_practitioner_00000000_guess"})
    assert answer.status_code == 429
    assert "Too many keys" in answer.text


def test_no_key_at_all_is_no_guess(service):
    assert {service.client.get("/v1/dictionary").status_code for _ in range(25)} == {401}


def test_addresses_are_counted_apart():
    guesses = Guesses("1/minute")
    assert guesses.counted(problem("unknown_key"), "192.0.2.1").status == 401
    assert guesses.counted(problem("unknown_key"), "192.0.2.2").status == 401
    assert guesses.counted(problem("unknown_key"), "192.0.2.1").status == 429
    assert guesses.counted(problem("not_found"), "192.0.2.1").status == 404
