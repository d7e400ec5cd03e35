"""Bodies on their way take no turns, shut out no other sender for long, and come in chunks too."""

import http.client
import json
import signal
import socket
import time
import urllib.request
from contextlib import suppress
from dataclasses import replace

import pytest

from service.access.keys import create_key
from tests.service.serving import Refused, serving, wait_until


def test_slow_senders_take_no_turns(settings):
    """One body fewer than one key may have on its way, and as many requests whose headers are not whole."""
    with serving(settings, GROUNDS_THREADS="4", GROUNDS_WORKERS="1") as served:
        slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(14)]
        head = f"POST /v1/screenings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.key}\r\n"
        for number, one in enumerate(slow):
            rest = "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{" if number % 2 else "X-Sl"
            one.sendall((head + rest).encode())
        assert served.screen()["score"] > 0
        for one in slow:
            one.close()


def slow_body(served, path="/v1/screenings", length="Content-Length: 500", key=None, more=""):
    one = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key or served.key}\r\n{more}"
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
        slow = filled(lambda: slow_body(served, path, length), lambda: _refused(served) == "503 overloaded")
        slow += [slow_body(served, path, length) for _ in range(40)]
        assert served.ready() is not None
        for one in slow:
            one.close()
        wait_until(lambda: _refused(served) is None)


def filled(send, is_full):
    """Slow bodies until there is no turn for one more: any of them may come while a quick one has the last."""
    slow = []

    def one_more():
        slow.append(send())
        return is_full()

    wait_until(one_more)
    return slow


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


def test_whoever_has_no_key_shuts_out_nobody_who_has_one(settings):
    with serving(settings, GROUNDS_THREADS="4", GROUNDS_WORKERS="1") as served:
        operator = {"Authorization": f"Bearer {create_key(settings.keys, 'operator')[0]}"}
        strangers = [slow_body(served, key="grounds_practitioner_00000000_guessed") for _ in range(40)]
        for one in strangers:
            one.sendall(b"{")
        for number in range(5):
            assert served.screen(number)["score"] > 0

        def counted():
            request = urllib.request.Request(f"{served.address}/metrics", headers=operator)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read().decode()

        turned_away = 'grounds_requests_total{method="POST",route="/v1/screenings",status="503"} 37.0'
        wait_until(lambda: turned_away in counted())  # of one address three are read at once
        for one in strangers:
            one.close()


def test_one_keys_slow_bodies_leave_turns_to_the_others(settings):
    with serving(settings, GROUNDS_THREADS="4", GROUNDS_WORKERS="1") as served:
        another = create_key(settings.keys, "practitioner")[0]
        theirs = replace(served, key=another)
        slow = filled(lambda: slow_body(theirs), lambda: _refused(theirs) == "503 overloaded")
        assert served.screen()["score"] > 0
        for one in slow:
            one.close()


def test_a_body_that_takes_too_long_loses_its_connection_and_no_other_does(settings):
    with serving(settings, GROUNDS_THREADS="4", GROUNDS_WORKERS="1", GROUNDS_BODY_SECONDS="2") as served:
        silent, waiting = slow_body(served), slow_body(served, more="Expect: 100-continue\r\n")
        chunked, trickling = slow_body(served, length=CHUNKED), slow_body(served)
        busy = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        left = {silent, waiting, chunked, trickling}
        began = time.monotonic()
        while left:
            assert time.monotonic() < began + 15, "a slow body was waited for without end"
            if trickling in left:
                with suppress(OSError):
                    trickling.sendall(b" ")
            busy.request("GET", "/healthz")
            assert busy.getresponse().read() == b'{"status":"running"}', "a connection that is served goes on"
            left -= {one for one in left if ended(one)}
            time.sleep(0.2)
        assert time.monotonic() > began + 1.5
        assert served.screen()["score"] > 0
        for one in (silent, waiting, chunked, trickling, busy):
            one.close()


def ended(one):
    one.settimeout(0.01)
    try:
        return one.recv(1000) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_stop_does_not_wait_for_slow_bodies(settings):
    with serving(settings, GROUNDS_THREADS="4", GROUNDS_WORKERS="1") as served:
        slow = [slow_body(served) for _ in range(2)]
        served.screen()
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(20) == 0
        assert time.monotonic() < began + 15  # a worker that waits is killed after 30 seconds
        for one in slow:
            one.close()


def test_who_is_signed_in_has_turns_of_their_key(service):
    key = service.practitioner["Authorization"].removeprefix("Bearer ")
    senders = service.app.senders
    assert senders.key_id({"HTTP_AUTHORIZATION": f"Bearer {key}"}) == key.split("_")[2]
    signed_in = service.client.post("/sign-in", data={"key": key}, headers={"Sec-Fetch-Site": "same-origin"})
    cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
    assert senders.key_id({"HTTP_COOKIE": f"a=b; {cookie}"}) == key.split("_")[2]
    for stranger in ({}, {"HTTP_AUTHORIZATION": "Bearer x"}, {"HTTP_COOKIE": f"{cookie}x"}, {"HTTP_COOKIE": "a"}):
        assert senders.key_id(stranger) is None
