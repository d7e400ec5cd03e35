"""The short way answers as Flask would, records as Flask would, and leaves to Flask whatever is out of the ordinary."""

import json
from contextlib import contextmanager
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from service.access.keys import Keys, create_key, read_keys
from service.access.rate import KeyRate
from service.app import Collaborators, create_app
from service.log.store import NotDurable
from service.running.metrics import Metrics
from service.screening.short_way import ADDRESS

PLAIN = {"case_ref": "case-0001", "agency": "health_visiting", "features": {"parent_mental_health_history": "yes"}}
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
    builder = EnvironBuilder(ADDRESS, method="POST", data=body, headers={"Content-Type": "application/json", **headers})
    environ = builder.get_environ()
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    parts, status, found = run_wsgi_app(app, environ)
    data = b"".join(parts)
    shown = json.loads(data)
    assert int(found.pop("Content-Length")) == len(data)
    location = found.pop("Location", None)
    assert location == (f"{ADDRESS}/{shown['screening_id']}" if status.startswith("201") else None)
    return status, sorted(found.items()), {name: value for name, value in shown.items() if name not in OWN}


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
        (json.dumps(PLAIN).encode(), {}, None, "201"),
        (json.dumps({**PLAIN, "monitoring": {}}).encode(), {}, None, "201"),
        (json.dumps(PLAIN).encode(), {"Content-Type": "application/json; charset=utf-8"}, None, "201"),
        (json.dumps(PLAIN).encode(), {"Content-Type": "text/plain"}, None, "415"),
        (json.dumps(PLAIN).encode(), {"Authorization": "Bearer nobody"}, None, "401"),
        (json.dumps(PLAIN).encode(), {"Idempotency-Key": "short"}, None, "422"),
        (b'{"case_ref": "case-0001", "case_ref": "case-0002"}', {}, None, "400"),
        (b"[1]", {}, None, "400"),
        (b"{", {}, None, "400"),
        (b"", {}, None, "400"),
        (json.dumps(PLAIN).encode(), {}, "999", "400"),
        (json.dumps(PLAIN).encode(), {}, "-5", "400"),
        (b" " * 70_000, {}, None, "413"),
    ],
)
def test_what_is_out_of_the_ordinary_gets_flask_s_answer(service, body, changes, length, status):
    short, long = both(service, body, {**service.practitioner, **changes}, length)
    assert short == long
    assert short[0].startswith(status)


def test_a_plain_screening_does_not_reach_flask(service):
    answered = []
    service.app.before_request(lambda: answered.append("flask"))
    ask(service.app, json.dumps(PLAIN).encode(), service.practitioner)
    assert answered == []
    ask(service.app, json.dumps({**PLAIN, "more": 1}).encode(), service.practitioner)
    assert answered == ["flask"]


def test_a_repeated_request_is_answered_again_by_either_way(service):
    headers = {**service.practitioner, "Idempotency-Key": "11111111-aaaa"}
    first = service.client.post(ADDRESS, json=PLAIN, headers=headers)
    again = service.client.post(ADDRESS, json=PLAIN, headers=headers)
    with flask_alone(service.app):
        last = service.client.post(ADDRESS, json=PLAIN, headers=headers)
    assert first.data == again.data == last.data
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == last.headers["Idempotent-Replayed"] == "true"
    assert service.log.size() == 1


def test_without_its_record_no_score_leaves_by_the_short_way(service, monkeypatch):
    tries = []

    def full(*_args, **_kwargs):
        tries.append(1)
        raise NotDurable("disk")

    monkeypatch.setattr(service.log, "append", full)
    answer = service.client.post(ADDRESS, json=PLAIN, headers=service.practitioner)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "not_recorded")
    assert "score" not in answer.get_json()
    assert len(tries) == 1  # not asked for again by way of Flask


def test_a_fault_that_nobody_foresaw_is_the_same_problem_by_both_ways(service, monkeypatch):
    def broken(*_args, **_kwargs):
        raise ZeroDivisionError("1999-01-01")

    monkeypatch.setattr(service.log, "append", broken)
    answer = service.client.post(ADDRESS, json=PLAIN, headers=service.practitioner)
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")
    assert b"1999" not in answer.data


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
    assert ask(app, json.dumps(PLAIN).encode(), key)[0].startswith("403")
    assert service.log.size() == before + 1
    assert ask(app, json.dumps({**PLAIN, "agency": "gp"}).encode(), key)[0].startswith("429")
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


def test_a_body_that_ends_early_is_no_screening(service):
    environ = EnvironBuilder(ADDRESS, method="POST", headers={"Content-Type": "application/json"}).get_environ()
    environ.update({"HTTP_AUTHORIZATION": service.practitioner["Authorization"], "CONTENT_LENGTH": "500"})
    environ["wsgi.input"] = BytesIO(json.dumps(PLAIN).encode())
    before = service.log.size()
    _, status, _ = run_wsgi_app(service.app, environ)
    assert status.startswith("400")
    assert service.log.size() == before
