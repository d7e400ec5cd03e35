"""The door hands Flask what any WSGI server would, and the server what Flask answers."""

import time

import pytest
from flask import Response, request

from service.web import Web
from tests.service.at_the_door import ask, scope_of


@pytest.fixture
def web():
    app = Web("behind-the-door", static_folder=None)

    @app.route("/told/<path:rest>", methods=["GET", "POST"])
    def told(rest):
        return {
            "rest": rest,
            "query": request.args.to_dict(),
            "url": request.url,
            "address": request.remote_addr,
            "cookies": request.cookies.to_dict(),
            "header": request.headers.get("X-Twice"),
            "body": request.get_data(as_text=True),
        }

    @app.get("/parts")
    def parts():
        def some():
            yield b"one "
            time.sleep(0.01)
            yield b"two"

        return Response(some(), mimetype="text/plain")

    @app.get("/broken")
    def broken():
        raise ZeroDivisionError

    return app


def test_a_request_comes_to_flask_as_it_was_sent(web):
    scope = scope_of(
        "POST", "/told/a b/\u00e9", {"Host": "grounds.test", "Cookie": "a=1", "Content-Length": "5"}, "q=%C3%A9"
    )
    scope["raw_path"] = b"/told/a%20b/%C3%A9"
    scope["headers"] += [(b"x-twice", b"1"), (b"x-twice", b"2"), (b"cookie", b"b=2")]
    answer = ask(web, scope, [b"he", b"llo"])
    assert answer.status == 200
    said = web.json.loads(answer.body)
    assert said == {
        "rest": "a b/\u00e9",
        "query": {"q": "\u00e9"},
        "url": "http://grounds.test/told/a%20b/\u00e9?q=\u00e9",
        "address": "127.0.0.1",
        "cookies": {"a": "1", "b": "2"},
        "header": "1,2",
        "body": "hello",
    }


def test_a_body_of_unknown_length_is_read_to_its_end(web):
    scope = scope_of("POST", "/told/x", {"Transfer-Encoding": "chunked"})
    assert web.json.loads(ask(web, scope, [b"a", b"b", b"c"]).body)["body"] == "abc"


def test_a_body_that_is_cut_off_is_a_bad_request(web):
    scope = scope_of("POST", "/told/x", {"Content-Length": "50"})
    assert ask(web, scope, [b"cut"]).status == 400


def test_an_answer_may_come_in_parts(web):
    answer = ask(web, scope_of("GET", "/parts", {}))
    assert (answer.status, answer.body) == (200, b"one two")
    assert ("content-type", "text/plain; charset=utf-8") in answer.headers


def test_a_fault_is_an_answer_too(web):
    answer = ask(web, scope_of("GET", "/broken", {}))
    assert answer.status == 500


def test_what_is_no_request_is_let_be(web):
    with pytest.raises(ValueError, match="not enough values"):  # nothing was sent
        ask(web, {**scope_of("GET", "/parts", {}), "type": "websocket"})
