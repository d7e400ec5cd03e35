"""No case data in logs, metrics or errors: canaries in everything that is sent, and every output searched for them."""

import http.client
import json
import subprocess
import sys

from service.access.keys import create_key
from tests.service.serving import Served, environment_of, free_port, wait_until

CANARY = "xq7canary"


def sent(port, key):
    """Method, address, body and headers with a canary in each place that a sender can fill."""
    bearer = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    case = {"case_ref": f"{CANARY}-1", "agency": "gp", "features": {"immediate_danger": "no"}}
    screening = "POST", "/v1/screenings"
    yield *screening, case, bearer
    yield *screening, {**case, "agency": CANARY}, bearer
    yield *screening, {**case, "features": {CANARY: "yes"}}, bearer
    yield *screening, {**case, "features": {"immediate_danger": CANARY}}, bearer
    yield *screening, {**case, CANARY: CANARY}, bearer
    yield *screening, {**case, "case_ref": f"{CANARY} Street 7, born 01/02/2020"}, bearer
    yield *screening, f'{{"{CANARY}"', bearer
    yield *screening, case, {**bearer, "Idempotency-Key": f"{CANARY}-key-0001"}
    yield *screening, case, {**bearer, "Authorization": f"Bearer {CANARY}"}
    yield *screening, case, {**bearer, "Content-Type": CANARY}
    yield *screening, case, {**bearer, "User-Agent": CANARY, "Referer": f"http://{CANARY}/", "X-Forwarded-For": CANARY}
    yield "GET", f"/v1/screenings/{CANARY}", None, bearer
    yield "GET", f"/{CANARY}?{CANARY}={CANARY}", None, bearer
    yield "GET", f"/screenings/{CANARY}", None, {"Cookie": f"grounds={CANARY}"}
    yield "POST", "/sign-in", f"key={CANARY}", {"Content-Type": "application/x-www-form-urlencoded"}
    yield CANARY.upper(), "/v1/screenings", None, bearer


def test_a_canary_is_in_no_log_metric_or_error(settings, tmp_path):
    port, key, operator = (
        free_port(),
        create_key(settings.keys, "practitioner")[0],
        create_key(settings.keys, "operator")[0],
    )
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], env=environment_of(settings, port), stdout=file, stderr=file
        )
        try:
            served = Served(port, key, process)
            wait_until(lambda: served.ready() is not None)
            statuses = []
            for method, address, body, headers in sent(port, key):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request(method, address, body if isinstance(body, str | None) else json.dumps(body), headers)
                answer = connection.getresponse()
                text = answer.read().decode()
                statuses.append(answer.status)
                if answer.status >= 400:
                    assert CANARY not in text.lower(), (method, address, text)
                connection.close()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/metrics", None, {"Authorization": f"Bearer {operator}"})
            metrics = connection.getresponse().read().decode()
            connection.close()
        finally:
            process.terminate()
            process.wait(40)
    assert {201, 400, 401, 404, 415, 422} <= set(statuses)
    assert "grounds_requests_total" in metrics
    assert CANARY not in metrics.lower()
    logged = output.read_text()
    assert "worker_ready" in logged
    assert CANARY not in logged.lower()
