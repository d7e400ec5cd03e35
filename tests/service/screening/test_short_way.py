"""The short way answers as Flask would, records as Flask would, and leaves to Flask whatever is out of the ordinary."""

import json
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.access.keys import Keys, create_key, read_keys
from service.access.rate import KeyRate
from service.app import Collaborators, create_app
from service.errors import problem
from service.running.metrics import Metrics
from service.screening.short_way import ADDRESS
from tests.service import at_the_door
from tests.service.at_the_door import scope_of

PLAIN = {"case_ref": "case-0001", "agency": "health_visiting", "features": {"parent_mental_health_history": "yes"}}
JSON_OF = {"Content-Type": "application/json"}
OWN = ("screening_id", "record")
"""What no two answers have in common."""


@contextmanager
def flask_alone(app):
    """The application without its short way."""
    kept, app.short_way = app.short_way, None
    try:
        yield
    finally:
        app.short_way = kept


def ask(app, body, headers, length=None):
    """Status, headers and body of a POST, without what no two answers have in common."""
    size = str(len(body)) if length is None else length
    answer = at_the_door.ask(app, scope_of("POST", ADDRESS, {**JSON_OF, "Content-Length": size, **headers}), [body])
    shown, found = json.loads(answer.body), dict(answer.headers)
    assert int(found.pop("content-length")) == len(answer.body)
    location = found.pop("location", None)
    assert location == (f"{ADDRESS}/{shown['screening_id']}" if answer.status == 201 else None)
    return answer.status, sorted(found.items()), {name: value for name, value in shown.items() if name not in OWN}


def both(service, body, headers, length=None):
    """The two answers, after a look that each recorded the same."""
    counts, answers = [], []
    for alone in (False, True):
        before = service.log.size()
        if alone:
            with flask_alone(service.app):
                answers.append(ask(service.app, body, headers, length))
        else:
            answers.append(ask(service.app, body, headers, length))
        counts.append(service.log.size() - before)
    assert counts[0] == counts[1]
    return answers


VALUES = st.sampled_from(["yes", "no", "not_known", "not_applicable", None, 3, 47.0, 2.5, -1, True, "?", [], {}])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_both_ways_answer_and_record_alike(service, data):
    names = [feature.name for feature in service.released.model.dictionary.features]
    features = st.dictionaries(st.sampled_from([*names, "unheard_of"]), VALUES, max_size=8)
    asked = data.draw(
        st.fixed_dictionaries(
            {"features": features, "case_ref": st.sampled_from(["case-0001", "1999-01-01", 4])},
            optional={"agency": st.sampled_from(["health_visiting", "nobody"]), "more": VALUES},
        )
    )
    short, long = both(service, json.dumps(asked).encode(), service.practitioner)
    assert short == long


@pytest.mark.parametrize(
    ("body", "changes", "length", "status"),
    [
        (json.dumps(PLAIN).encode(), {}, None, 201),
        (json.dumps({**PLAIN, "monitoring": {}}).encode(), {}, None, 201),
        (json.dumps(PLAIN).encode(), {"Content-Type": "application/json; charset=utf-8"}, None, 201),
        (json.dumps(PLAIN).encode(), {"Content-Type": "text/plain"}, None, 415),
        (json.dumps(PLAIN).encode(), {"Authorization": "Bearer nobody"}, None, 401),
        (json.dumps(PLAIN).encode(), {"Idempotency-Key": "short"}, None, 422),
        (b'{"case_ref": "case-0001", "case_ref": "case-0002"}', {}, None, 400),
        (b"[1]", {}, None, 400),
        (b"{", {}, None, 400),
        (b"", {}, None, 400),
        (json.dumps(PLAIN).encode(), {}, "999", 400),
        (json.dumps(PLAIN).encode(), {}, "-5", 400),
        (b" " * 70_000, {}, None, 413),
    ],
)
def test_what_is_out_of_the_ordinary_gets_flask_s_answer(service, body, changes, length, status):
    short, long = both(service, body, {**service.practitioner, **changes}, length)
    assert short == long
    assert short[0] == status


def test_a_plain_screening_does_not_reach_flask(service):
    answered = []
    service.app.before_request(lambda: answered.append("flask"))
    ask(service.app, json.dumps(PLAIN).encode(), service.practitioner)
    assert answered == []
    ask(service.app, json.dumps({**PLAIN, "more": 1}).encode(), service.practitioner)
    assert answered == ["flask"]


def post(service, headers=None):
    body = json.dumps(PLAIN).encode()
    known = {**JSON_OF, **service.practitioner, "Content-Length": str(len(body))}
    return at_the_door.ask(service.app, scope_of("POST", ADDRESS, {**known, **(headers or {})}), [body])


def test_a_repeated_request_is_answered_again_by_either_way(service):
    headers = {"Idempotency-Key": "11111111-aaaa"}
    first, again = post(service, headers), post(service, headers)
    with flask_alone(service.app):
        last = post(service, headers)
    assert first.body == again.body == last.body
    assert "idempotent-replayed" not in dict(first.headers)
    assert dict(again.headers)["idempotent-replayed"] == dict(last.headers)["idempotent-replayed"] == "true"
    assert service.log.size() == 1


def test_the_same_key_with_another_request_is_refused_and_recorded_as_by_flask(service):
    post(service, {"Idempotency-Key": "11111111-aaaa"})
    other = json.dumps({**PLAIN, "case_ref": "case-0002"}).encode()
    short, long = both(service, other, {**service.practitioner, "Idempotency-Key": "11111111-aaaa"})
    assert short == long
    assert short[0] == 422


def test_without_its_record_no_score_leaves_by_the_short_way(service, monkeypatch):
    tries = []

    def full(_batch, _expected=None):
        tries.append(1)
        raise OSError("disk")

    monkeypatch.setattr(service.log._writer, "commit", full)
    answer = post(service)
    assert (answer.status, json.loads(answer.body)["code"]) == (503, "not_recorded")
    assert "score" not in json.loads(answer.body)
    assert len(tries) == 1  # not asked for again by way of Flask


def test_a_fault_that_nobody_foresaw_is_the_same_problem_by_both_ways(service, monkeypatch):
    def broken(*_args, **_kwargs):
        raise ZeroDivisionError("1999-01-01")

    monkeypatch.setattr(service.log, "append_soon", broken)
    monkeypatch.setattr(service.log, "append", broken)
    short = post(service)
    with flask_alone(service.app):
        long = post(service)
    assert (short.status, json.loads(short.body)["code"]) == (500, "internal")
    assert short == long
    assert b"1999" not in short.body


def test_refusals_count_and_are_recorded_once(service):
    agency_key, _ = create_key(service.settings.keys, "practitioner", "gp")
    keys = Keys(read_keys(service.settings.keys))
    metrics = Metrics()
    app = create_app(
        Collaborators(
            service.released, service.log, keys, service.settings.origin, metrics=metrics, screening_rate="1/hour"
        )
    )
    key = {"Authorization": f"Bearer {agency_key}"}
    before = service.log.size()
    assert ask(app, json.dumps(PLAIN).encode(), key)[0] == 403
    assert service.log.size() == before + 1
    assert ask(app, json.dumps({**PLAIN, "agency": "gp"}).encode(), key)[0] == 429
    assert service.log.size() == before + 1
    metrics.write_down()
    page = metrics._own
    counted = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in page.collect()
        for sample in family.samples
        if sample.name == "grounds_requests_total"
    }
    assert counted == {(ADDRESS, "403"): 1.0, (ADDRESS, "429"): 1.0}
    assert isinstance(app.short_way._desk.rate, KeyRate)


@pytest.mark.parametrize("parts", [[json.dumps(PLAIN).encode()], [b"{", b'"case_ref"']])
def test_a_body_that_ends_early_is_no_screening(service, parts):
    scope = scope_of("POST", ADDRESS, {**JSON_OF, **service.practitioner, "Content-Length": "500"})
    before = service.log.size()
    assert at_the_door.ask(service.app, scope, parts).status == 400
    assert service.log.size() == before


def test_a_body_may_come_in_parts(service):
    body = json.dumps(PLAIN).encode()
    scope = scope_of("POST", ADDRESS, {**JSON_OF, **service.practitioner, "Content-Length": str(len(body))})
    answer = at_the_door.ask(service.app, scope, [body[:7], b"", body[7:40], body[40:]])
    assert answer.status == 201


def test_a_header_that_stands_twice_is_for_flask_to_judge(service):
    scope = scope_of("POST", ADDRESS, {**JSON_OF, **service.practitioner, "Content-Length": "2"})
    scope["headers"].append((b"authorization", b"Bearer nobody"))
    assert at_the_door.ask(service.app, scope, [b"{}"]).status == 401


def scope_with(service, **headers):
    body = json.dumps(PLAIN).encode()
    known = {**JSON_OF, **service.practitioner, "Content-Length": str(len(body)), **headers}
    return scope_of("POST", ADDRESS, known), [body]


def reaches_flask(service, scope, parts):
    answered = []
    service.app.before_request_funcs.setdefault(None, []).append(lambda: answered.append("flask"))
    answer = at_the_door.ask(service.app, scope, parts)
    service.app.before_request_funcs[None].pop()
    return answer, answered == ["flask"]


def test_a_token_is_looked_at_by_flask_which_may_ask_its_issuer(service, monkeypatch):
    monkeypatch.setattr(service.app.short_way._desk.keys, "known", lambda _header: pytest.fail("was believed"))
    _, by_flask = reaches_flask(service, *scope_with(service, Authorization="Bearer a.b.c"))
    assert by_flask


def test_a_key_that_is_revoked_while_the_body_comes_is_refused(service, monkeypatch):
    keys = service.app.short_way._desk.keys
    caller, looks = keys.known(service.practitioner["Authorization"]), []

    def known(_header):
        looks.append(1)
        return caller if len(looks) == 1 else None

    before = service.log.size()
    monkeypatch.setattr(keys, "known", known)
    monkeypatch.setattr(keys, "caller", lambda _header: (_ for _ in ()).throw(problem("unknown_key")))
    answer, by_flask = reaches_flask(service, *scope_with(service))
    assert (answer.status, by_flask, len(looks)) == (401, True, 2)
    assert service.log.size() == before


@pytest.mark.parametrize("name", ["Idempotency_Key", "content_encoding", "content_length", "X_Whatever"])
def test_a_name_with_an_underscore_means_nothing_by_either_way(service, name):
    answer, by_flask = reaches_flask(service, *scope_with(service, **{name: "12345678"}))
    assert (answer.status, by_flask) == (201, True)


@pytest.mark.parametrize("length", ["0" * 5000 + "5", "9" * 30])
def test_a_length_of_thousands_of_digits_is_no_fault_of_ours(service, length):
    scope, parts = scope_with(service)
    scope["headers"] = [(name, length.encode() if name == b"content-length" else v) for name, v in scope["headers"]]
    assert at_the_door.ask(service.app, scope, parts).status in (400, 413)


def test_a_fault_before_anything_is_done_is_a_problem_too(service, monkeypatch):
    def broken(_asked):
        raise KeyError("1999-01-01")

    monkeypatch.setattr(service.app.short_way._desk.acceptor, "accept", broken)
    answer = post(service)
    assert (answer.status, json.loads(answer.body)["code"]) == (500, "internal")
    assert b"1999" not in answer.body


def test_a_fault_outside_of_flask_is_a_problem_and_tells_nothing(service, monkeypatch, capfd):
    def broken(_scope):
        raise ValueError("1999-01-01")

    monkeypatch.setattr(service.app.short_way, "_plain_head", broken)
    answer = post(service)
    assert (answer.status, json.loads(answer.body)["code"]) == (500, "internal")
    assert "1999" not in answer.body.decode() + "".join(capfd.readouterr())
