"""A result that is shown again: from memory, but never past an erasure, a response, or what the log says was shown."""

from __future__ import annotations

import gzip
import re
import secrets

import pytest

from service.log.erasure import Erased, Order, Target, erase
from service.pages.result import kept
from tests.pages.site import serving


@pytest.fixture(scope="module")
def own_site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("kept")) as running:
        yield running


class Visit:
    """One who screened a case and looks at its result."""

    def __init__(self, site, key=None):
        self.site, self.client = site, site.app.test_client()
        self.client.post("/sign-in", data={"key": key or site.practitioner})
        self.token = self._hidden("token", self.client.get("/screen/gp").text)

    def _hidden(self, name, text):
        return re.search(rf'name="{name}" value="(\w+)"', text)[1]

    def screen(self):
        sent = {
            "case_ref": "case-1",
            "parent_mental_health_history": "yes",
            "token": self.token,
            "once": secrets.token_hex(16),
        }
        self.address = self.client.post("/screen/gp", data=sent).headers["Location"]
        self.screening_id = self.address.rsplit("/", 1)[1]
        return self

    def look(self):
        return self.client.get(self.address)

    def looks(self):
        return sum(1 for entry in self.site.log.of_kind("lookup") if self.screening_id.encode() in entry.payload)


@pytest.fixture
def visit(own_site):
    return Visit(own_site).screen()


@pytest.fixture
def _asked_each_time(monkeypatch):
    monkeypatch.setattr(kept, "FRESH_SECONDS", -1.0)


def test_a_reload_is_the_same_page_and_no_second_look(visit):
    first, second = visit.look(), visit.look()
    assert (first.status_code, visit.looks()) == (200, 1)
    assert first.data == second.data
    assert "Content-Security-Policy" in second.headers
    assert {**second.headers, "Vary": "Accept-Encoding"} == {**first.headers, "Vary": "Accept-Encoding"}


def test_a_browser_that_takes_gzip_gets_the_same_page_packed(visit):
    page = visit.look().data
    packed = visit.client.get(visit.address, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == page
    assert len(packed.data) < len(page) / 4


def test_each_session_gets_a_page_with_its_own_token_and_its_own_look(own_site, visit):
    visit.look()
    other = Visit(own_site)
    other.address = visit.address
    page = other.look().text
    assert other._hidden("token", page) == other.token != visit.token
    assert visit.looks() == 2


def test_a_form_that_is_sent_twice_is_one_response(own_site, visit):
    once = visit._hidden("once", visit.look().text)
    sent = {"action": "referred", "token": visit.token, "once": once}
    for _ in range(2):
        assert visit.client.post(f"{visit.address}/response", data=sent).status_code == 303
    said = [one for one in own_site.log.of_kind("response") if visit.screening_id.encode() in (one.payload or b"")]
    assert len(said) == 1
    assert visit._hidden("once", visit.client.get(f"{visit.address}?answered").text) != once


@pytest.mark.usefixtures("_asked_each_time")
def test_an_erased_screening_is_not_shown_from_memory(own_site, visit):
    assert visit.look().status_code == 200
    entry = own_site.log.get(visit.screening_id)
    erase(own_site.log, [Target(entry.index, entry.entry_id, entry.kind)], Order("expired", "operator"), Erased())
    gone = visit.look()
    assert gone.status_code == 410
    assert "contributions" not in gone.text


@pytest.mark.usefixtures("_asked_each_time")
def test_a_response_is_seen_at_once_and_its_erasure_within_a_second(own_site, visit):
    before = visit.look().text
    sent = {"action": "referred", "token": visit.token, "once": secrets.token_hex(16)}
    answered = visit.client.post(f"{visit.address}/response", data=sent)
    after = visit.client.get(answered.headers["Location"]).text
    assert after != before
    assert visit.look().text.count("Correct") == after.count("Correct")
    response = own_site.log.latest_of_kind("response")
    erase(
        own_site.log, [Target(response.index, response.entry_id, response.kind)], Order("expired", "operator"), Erased()
    )
    assert visit.look().text != after


def test_another_key_is_not_shown_it(own_site, visit):
    visit.look()
    other = Visit(own_site, own_site.second_practitioner)
    other.address = visit.address
    assert other.look().status_code == 404


def test_a_look_covers_visits_for_a_while_only(visit, monkeypatch):
    monkeypatch.setattr(kept, "COVERED_SECONDS", -1.0)
    visit.look()
    visit.look()
    assert visit.looks() == 2


def test_few_are_kept(own_site, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    results = kept.KeptResults(own_site.log)
    visits = [Visit(own_site).screen() for _ in range(3)]
    for one in visits:
        visitor = kept.Visitor(own_site.keys.caller(f"Bearer {own_site.practitioner}"), "t")
        results.keep(b"page", own_site.log.get(one.screening_id), [], visitor)
    found = [results.find(one.screening_id, visitor) for one in visits]
    assert [one and one.page for one in found] == [None, b"page", b"page"]
