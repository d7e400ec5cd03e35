"""What do the pages cost? A result, the empty form and the start page, against a route that does nothing.

The first visit to a result reads its entry from the log, checks it against its leaf, and makes an entry of the look
durable before it is shown; the visits after it, by the same session within ten minutes, are what is measured: the page
as it was kept, asked of the log once a second, and packed as every browser asks for it. On the same server, workers and
pinning, in turns, as `benchmarks.http`.
"""

from __future__ import annotations

import http.client
import json
import re
from statistics import median
from urllib.parse import urlencode

from rich.console import Console

from benchmarks.figures import print_aim, ratio_table
from benchmarks.prepared import WORKED_CASE, NotPrepared, Prepared
from benchmarks.served import GROUNDS, HOST, NOOP, Load, Served, load_page, serving

CONNECTIONS = 64
REPEATS = 5
SECONDS = 2
AIM = 0.5
"""The result page answers at least this share of the requests that the route that does nothing answers."""


def run(ready: Prepared, console: Console) -> None:
    """Measures each page in turns with the no-op and prints the table."""
    (ready.var / "noop").mkdir(exist_ok=True)
    with serving(NOOP, ready, folder="noop") as noop, serving(GROUNDS, ready) as grounds:
        cookie, result = _screened(grounds, ready)
        pages = {"result of a screening": result, "empty form": "/screen/health_visiting", "start page": "/"}
        for address in pages.values():
            load_page(grounds, address, cookie, CONNECTIONS, SECONDS)
        load_page(noop, "/page", "", CONNECTIONS, SECONDS)
        rounds = [_round(noop, grounds, pages, cookie) for _ in range(REPEATS)]
    columns = ("", "connections", "requests/s", "of no-op", "p50 ms", "p99 ms", "worker CPU µs", "errors")
    rows = [_row(name, rounds) for name in ("no-op", *pages)]
    console.print(ratio_table("Pages against a Flask route that does nothing", columns, rows))
    share = _share("result of a screening", rounds)
    text = f"the result page: at least {AIM:.0%} of the no-op's requests a second"
    print_aim(console, text, f"{share:.0%}", share >= AIM)


def _round(noop: Served, grounds: Served, pages: dict[str, str], cookie: str) -> dict[str, Load]:
    done = {"no-op": load_page(noop, "/page", "", CONNECTIONS, SECONDS)}
    return done | {name: load_page(grounds, at, cookie, CONNECTIONS, SECONDS) for name, at in pages.items()}


def _share(name: str, rounds: list[dict[str, Load]]) -> float:
    return median(done[name].rate / done["no-op"].rate for done in rounds)


def _row(name: str, rounds: list[dict[str, Load]]) -> list[str]:
    loads = [done[name] for done in rounds]
    rate, p50, p99, cpu = (median(getattr(run, field) for run in loads) for field in ("rate", "p50", "p99", "cpu"))
    errors = str(sum(run.errors for run in loads))
    share = f"{_share(name, rounds):.0%}"
    return [name, str(CONNECTIONS), f"{rate:,.0f}", share, f"{p50:.2f}", f"{p99:.1f}", f"{cpu:.0f}", errors]


def _screened(grounds: Served, ready: Prepared) -> tuple[str, str]:
    """The cookie of a practitioner who signed in, and the address of a result of theirs."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    signed_in = _sent(grounds, "POST", "/sign-in", urlencode({"key": ready.key}), headers)
    cookie = (signed_in.headers["Set-Cookie"] or "").split(";")[0]
    form = _sent(grounds, "GET", "/screen/health_visiting", "", {"Cookie": cookie}).read().decode()
    token = re.search(r'name="token" value="(\w+)"', form)
    if token is None:
        raise NotPrepared("the form of the pages has no token; are the pages built? make pages")
    case = json.loads(WORKED_CASE.read_text(encoding="utf-8"))
    features = {name: value for name, value in case["features"].items() if value is not None}
    filled = urlencode({**features, "case_ref": case["case_ref"], "once": "benchmark-0001", "token": token[1]})
    sent = _sent(grounds, "POST", f"/screen/{case['agency']}", filled, {**headers, "Cookie": cookie})
    if sent.status != 303:
        raise NotPrepared(f"the worked case was answered with {sent.status} by the form")
    return cookie, sent.headers["Location"] or ""


def _sent(served: Served, method: str, path: str, body: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(HOST, served.port, timeout=10)
    connection.request(method, path, body, headers)
    return connection.getresponse()
