"""Bodies on their way take no turns, shut nobody out of the status addresses, and come in chunks too."""

import http.client
import json
import socket

import pytest

from tests.service.serving import Refused, serving, wait_until


def test_slow_senders_take_no_turns(settings):
    """One body fewer than are read at once is on its way, and as many requests whose headers are not whole."""
    with serving(settings, GROUNDS_THREADS="4", GROUNDS_WORKERS="1") as served:
        slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(14)]
        head = f"POST /v1/screenings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.key}\r\n"
        for number, one in enumerate(slow):
            rest = "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{" if number % 2 else "X-Sl"
            one.sendall((head + rest).encode())
        assert served.screen()["score"] > 0
        for one in slow:
            one.close()


def slow_body(served, path, length):
    one = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.key}\r\n"
    one.sendall(f"{head}Content-Type: application/json\r\n{length}\r\n\r\n".encode())
    return one


CHUNKED = "Transfer-Encoding: chunked"
SLOW = [
    ("/v1/screenings", "Content-Length: 500"),
    ("/v1/screenings", CHUNKED),
    ("/v1/screenings/batch", "Content-Length: 2000000"),
]


@pytest.mark.parametrize(("path", "length"), SLOW)
def test_however_many_bodies_are_on_their_way_the_status_is_told_and_further_ones_are_turned_away(
    settings, path, length
):
    with serving(settings, GROUNDS_THREADS="4", GROUNDS_WORKERS="1") as served:
        slow = [slow_body(served, path, length) for _ in range(8)]  # as many as are read at once
        wait_until(lambda: _refused(served) == "503 overloaded")
        slow += [slow_body(served, path, length) for _ in range(40)]
        assert served.ready() is not None
        for one in slow:
            one.close()
        wait_until(lambda: _refused(served) is None)


def _refused(served):
    try:
        served.screen()
    except Refused as refused:
        return str(refused)
    return None


def test_a_body_in_chunks_is_a_body(settings):
    case = json.dumps({"case_ref": "load-1", "agency": "gp", "features": {}}).encode()
    with serving(settings, GROUNDS_BODY_LIMIT="2048") as served:

        def sent(*chunks):
            connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
            headers = {"Authorization": f"Bearer {served.key}", "Content-Type": "application/json"}
            connection.request("POST", "/v1/screenings", iter(chunks), headers, encode_chunked=True)
            answer = connection.getresponse()
            said = answer.status, json.loads(answer.read()).get("code")
            connection.close()
            return said

        assert sent(case[:20], case[20:]) == (201, None)
        assert sent(case[:20]) == (400, "malformed_json")
        assert sent(case, b" " * 2000, b" " * 2000) == (413, "body_too_large")
