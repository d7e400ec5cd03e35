"""Sessions: who is let in, for how long, and what a form from elsewhere meets. Without a browser: by the bytes sent."""

from __future__ import annotations

import re

import pytest

from service.access.keys import create_key, revoke_key
from service.pages.session import page_secret
from tests.pages.site import serving


@pytest.fixture(scope="module")
def own_site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("sessions")) as running:
        yield running


@pytest.fixture
def client(own_site):
    return own_site.app.test_client()


def signed_in(client, key, **data):
    return client.post("/sign-in", data={"key": key, **data})


def token(client):
    return re.search(r'name="token" value="(\w+)"', client.get("/screen/gp").text)[1]


def test_the_cookie_holds_no_key_and_is_for_this_site_alone(own_site, client):
    answer = signed_in(client, own_site.practitioner)
    cookie = answer.headers["Set-Cookie"]
    assert own_site.practitioner not in cookie
    assert own_site.practitioner.split("_")[-1] not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Max-Age=28800" in cookie


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path):
    with serving(tmp_path, https=True) as site:
        answer = signed_in(site.app.test_client(), site.practitioner)
        assert answer.headers["Set-Cookie"].startswith("__Host-grounds=")
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "max-age" in site.app.test_client().get("/").headers["Strict-Transport-Security"]


@pytest.mark.parametrize("key", ["", "grounds_practitioner_00000000_wrong", "\x00", "é" * 300])
def test_a_wrong_key_is_refused_in_words(own_site, client, key):
    answer = signed_in(client, key)
    assert answer.status_code in (401, 422)
    assert "Set-Cookie" not in answer.headers


def test_a_revoked_key_ends_its_session(own_site, client):
    key, stored = create_key(own_site.settings.keys, "practitioner")
    own_site.follow_keys()
    signed_in(client, key)
    assert client.get("/screen/gp").status_code == 200
    revoke_key(own_site.settings.keys, stored.key_id)
    own_site.follow_keys()
    assert client.get("/screen/gp").status_code == 303


@pytest.mark.parametrize("changed", ["", "x", "bm9uZQ.x.y"])
def test_a_forged_cookie_is_nobody(own_site, client, changed):
    client.set_cookie("grounds", changed)
    assert client.get("/screen/gp").headers["Location"] == "/sign-in?next=%2Fscreen%2Fgp"


def test_a_form_without_its_token_is_refused(own_site, client):
    signed_in(client, own_site.practitioner)
    answer = client.post("/screen/gp", data={"case_ref": "case-0001", "once": "abcdefgh"})
    assert answer.status_code == 403
    assert "was not sent from this page" in answer.text


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.invalid"}])
def test_a_form_from_another_site_is_refused_even_with_the_token(own_site, client, headers):
    signed_in(client, own_site.practitioner)
    sent = {"case_ref": "case-0001", "once": "abcdefgh", "token": token(client)}
    size = own_site.log.size()
    assert client.post("/screen/gp", data=sent, headers=headers).status_code == 403
    assert own_site.log.size() == size
    assert client.post("/sign-in", data={"key": own_site.practitioner}, headers=headers).status_code == 403


def test_a_token_of_another_session_is_refused(own_site, client):
    signed_in(client, own_site.practitioner)
    theirs = token(client)
    signed_in(client, own_site.practitioner)
    assert client.post("/screen/gp", data={"case_ref": "case-0001", "token": theirs}).status_code == 403


@pytest.mark.parametrize("after", ["//elsewhere.invalid", "https://elsewhere.invalid", "/\\elsewhere.invalid", "/a\nb"])
def test_signing_in_never_leads_to_another_site(own_site, client, after):
    assert signed_in(client, own_site.practitioner, next=after).headers["Location"] == "/"
    assert signed_in(client, own_site.practitioner, next="/screen/gp").headers["Location"] == "/screen/gp"


def test_an_auditor_may_not_screen_and_reads_why(own_site, client):
    signed_in(client, own_site.auditor)
    answer = client.get("/screen/gp")
    assert answer.status_code == 403
    assert "role" in answer.text


def test_a_key_of_one_agency_answers_for_that_agency_only(own_site, client):
    key, _ = create_key(own_site.settings.keys, "practitioner", agency="police")
    own_site.follow_keys()
    signed_in(client, key)
    assert client.get("/screen").headers["Location"] == "/screen/police"
    assert client.get("/screen/gp").status_code == 403


def test_the_api_takes_no_cookie(own_site, client):
    signed_in(client, own_site.practitioner)
    assert client.post("/v1/screenings", json={}).status_code == 401


def test_the_secret_is_for_this_user_alone(own_site):
    assert len(page_secret(own_site.settings.keys)) == 32
    assert (own_site.settings.keys / "pages.key").stat().st_mode & 0o077 == 0
