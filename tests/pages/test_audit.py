"""The auditors' pages in the browser: what they show is what the log holds, proved, replayed and recorded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pysqlite3
import pytest

from service.access.keys import create_key, revoke_key
from service.log.proof_check import check_proof
from tests.pages import journeys_audit as journeys
from tests.pages.browser import press
from tests.pages.site import UNBORN, serving


def latest_look(site) -> dict:
    return orjson.loads(site.log.latest_of_kind("lookup").payload)


def alter(site, index: int, sql: str) -> None:
    """A hand that reaches the database past the service."""
    with pysqlite3.connect(site.settings.log_database) as connection:
        connection.execute(f"UPDATE log_entry SET {sql} WHERE idx = ?", (index,))
    connection.close()


@pytest.fixture
def own_site(tmp_path):
    """A service of one test, which harms its log."""
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def own_page(browser, own_site):
    context = browser.new_context(base_url=own_site.address)
    yield context.new_page()
    context.close()


def test_the_overview_shows_the_signed_state_of_the_log(site, auditor):
    site.log.append("service_started", b"{}")
    auditor.goto("/audit")
    text = auditor.locator("main").inner_text()
    signed = site.log.verifier_key.open(site.log.latest_checkpoint())
    assert signed.root.hex() in text
    assert site.log.verifier_key.text in text
    with auditor.expect_download() as download:
        auditor.get_by_role("link", name="Download the public key").click()
    assert download.value.path().read_text().strip() == site.log.verifier_key.text
    with auditor.expect_download() as download:
        auditor.get_by_role("link", name="Download the checkpoint").click()
    assert site.log.verifier_key.open(download.value.path().read_text()).size == signed.size


def test_a_search_finds_the_screening_and_says_so_in_the_log(site, page):
    index = journeys.screened(site, page)
    entry_id = site.log.get_index(index).entry_id
    site.sign_in(page, site.auditor)
    page.goto("/audit/search")
    page.get_by_label("Id of the screening or entry").fill(entry_id)
    page.get_by_label("Kind of entry").select_option("screening")
    press(page, "Search")
    rows = page.locator("main tbody tr")
    assert rows.count() == 1
    assert "Consider a referral" in rows.first.inner_text()
    look = latest_look(site)
    assert (look["looked_at"], look["indexes"]) == ("search", [index])
    press(page, re.compile(f"^Entry {index}$"), role="link")
    assert page.locator("h1").inner_text() == f"Entry {index}: Screening"
    assert (latest_look(site)["looked_at"], latest_look(site)["index"]) == ("entry", index)


def test_a_long_search_goes_on_page_by_page(site, auditor):
    for _ in range(55):
        site.log.append("service_started", b"{}")
    auditor.goto("/audit/search?kind=service_started")
    first = auditor.locator("main tbody tr").count()
    oldest = auditor.locator("main tbody tr th").last.inner_text()
    press(auditor, "Next page", role="link")
    assert first == 50
    newest = auditor.locator("main tbody tr th").first.inner_text()
    assert int(newest.split()[1]) < int(oldest.split()[1])


def test_an_entry_shows_what_the_practitioner_saw(site, page):
    site.sign_in(page, site.practitioner)
    site.screen(page, UNBORN)
    shown = page.locator(".grounds-prompt").inner_text()
    index = site.log.index_of(page.url.rsplit("/", 1)[1])
    press(page, "Sign out")
    site.sign_in(page, site.auditor)
    page.goto(f"/audit/entries/{index}")
    assert page.locator(".grounds-as-shown .grounds-prompt").inner_text() == shown
    assert "This entry is in the signed log, and it was not changed." in page.locator("main").inner_text()
    assert page.locator("#proof ~ table").first.locator(".govuk-tag--green").count() == 4
    salt_and_words = page.locator("main").text_content()
    assert site.log.get_index(index).payload.decode() in salt_and_words


def test_the_proof_to_take_away_holds_offline(site, page, tmp_path):
    index = journeys.screened(site, page)
    site.sign_in(page, site.auditor)
    page.goto(f"/audit/entries/{index}")
    files = {}
    for link, name in (("Download the proof", "proof.json"), ("Download the public key", "log.pub")):
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        files[name] = tmp_path / name
        download.value.save_as(files[name])
    command = ["-m", "service", "log", "check-proof", str(files["proof.json"]), "--key", str(files["log.pub"])]
    told = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (told.returncode, told.stderr) == (0, "")
    assert f"entry {index} is in the signed log" in told.stdout
    altered = json.loads(files["proof.json"].read_text()) | {"leaf_hash": "0" * 64}
    with pytest.raises(ValueError, match="leaf"):
        check_proof(orjson.dumps(altered), site.log.verifier_key)


@pytest.mark.parametrize(
    ("sql", "step"),
    [
        ("payload = CAST('forged' AS BLOB)", "What the entry says fits the leaf"),
        ("leaf_hash = zeroblob(32)", "The leaf fits its hash"),
    ],
)
def test_an_altered_entry_is_seen_and_not_shown(own_site, own_page, sql, step):
    index = journeys.screened(own_site, own_page)
    alter(own_site, index, sql)
    own_site.sign_in(own_page, own_site.auditor)
    own_page.goto(f"/audit/entries/{index}")
    alert = own_page.get_by_role("alert")
    assert "This entry does not match what was signed." in alert.inner_text()
    row = own_page.locator("tr", has=own_page.get_by_role("rowheader", name=step))
    assert "Does not hold" in row.inner_text()
    assert own_page.locator(".grounds-as-shown").count() == 0


def test_a_replay_says_that_the_answer_is_the_same_and_is_recorded(site, page):
    journeys.audit_replay(site, page)
    assert "The answer is the same, to the last byte." in page.locator("main").inner_text()
    assert latest_look(site)["looked_at"] == "replay"


def test_a_replay_needs_the_token_of_the_reader_s_own_session(site, auditor):
    index = site.log.append("service_started", b"{}").index
    before = site.log.latest_of_kind("lookup")
    refused = auditor.request.post(f"{site.address}/audit/entries/{index}/replay", form={"token": "forged"})
    assert refused.status == 403
    after = site.log.latest_of_kind("lookup")
    assert (before and before.index) == (after and after.index)


def test_a_replay_against_a_model_that_is_gone_says_so(own_site, own_page):
    index = journeys.screened(own_site, own_page)
    (own_site.released.folder / "model.json").rename(own_site.released.folder / "moved.json")
    own_site.sign_in(own_page, own_site.auditor)
    own_page.goto(f"/audit/entries/{index}")
    press(own_page, "Replay this screening")
    assert "This screening could not be replayed." in own_page.locator("main").inner_text()


def test_the_export_downloads_and_verifies_as_the_page_says(site, page, tmp_path):
    journeys.screened(site, page)
    site.sign_in(page, site.auditor)
    page.goto("/audit/export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the export").click()
    download.value.save_as(tmp_path / "log.jsonl")
    (tmp_path / "log.pub").write_text(site.log.verifier_key.text + "\n")
    command = ["-m", "service", "log", "verify", str(tmp_path / "log.jsonl"), "--key", str(tmp_path / "log.pub")]
    told = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert told.returncode == 0, told.stderr
    assert "verified" in told.stdout
    assert site.log.latest_of_kind("export") is not None


def test_an_export_of_nothing_readable_names_the_field(site, auditor):
    auditor.goto("/audit/export")
    auditor.locator('input[name="from"]').fill("yesterday")
    press(auditor, "Download the export")
    assert auditor.title().startswith("Error:")
    assert auditor.locator("#from-error").count() == 1


def test_who_looked_is_shown_with_the_newest_first(site, page):
    index = journeys.screened(site, page)
    site.sign_in(page, site.auditor)
    page.goto(f"/audit/entries/{index}")
    page.goto("/audit/looks")
    first = page.locator("main tbody tr").first.inner_text()
    assert "One entry" in first
    assert site.log.get_index(index).entry_id in first
    assert latest_look(site)["looked_at"] == "looks"


def test_rates_of_too_few_answers_are_not_shown(own_site, own_page):
    journeys.answered(own_site, "gp", agreed=20, disagreed=12)
    journeys.answered(own_site, "housing", agreed=2, disagreed=1)
    own_site.sign_in(own_page, own_site.auditor)
    own_page.goto("/audit/responses")
    row = own_page.locator("tr", has=own_page.get_by_role("rowheader", name="Housing"))
    assert not re.search(r"\b[123]\b", row.inner_text())
    assert "%" not in row.inner_text()


def test_the_timeline_names_each_model_and_what_was_lifted(site, auditor):
    journeys.activated(site)
    auditor.goto("/audit/models")
    rows = auditor.locator("main tbody tr")
    assert rows.count() == 2
    assert site.released.model.version in rows.nth(0).inner_text()
    assert "calibration" in rows.nth(0).inner_text()
    assert "2025.2-0123456789ab" in rows.nth(1).inner_text()


ADDRESSES = ("/audit", "/audit/search", "/audit/entries/0", "/audit/models", "/audit/responses", "/audit/looks")


@pytest.mark.parametrize("address", [*ADDRESSES, "/audit/export"])
def test_a_practitioner_is_refused_and_it_is_recorded(site, practitioner, address):
    before = site.log.size()
    response = practitioner.goto(address)
    assert response.status == 403
    assert practitioner.locator("h1").count() == 1
    kinds = {entry.kind for entry in (site.log.get_index(index) for index in range(before, site.log.size()))}
    assert kinds == {"refusal"}


def test_who_is_signed_out_signs_in_and_comes_back(site, page):
    page.goto("/audit/search?kind=screening")
    page.get_by_label("Your key").fill(site.auditor)
    press(page, "Sign in")
    assert page.url == f"{site.address}/audit/search?kind=screening"


def test_a_key_that_is_taken_back_reads_no_more(own_site, own_page):
    secret, stored = create_key(own_site.settings.keys, "auditor")
    own_site.follow_keys()
    own_site.sign_in(own_page, secret)
    assert own_page.goto("/audit").status == 200
    revoke_key(own_site.settings.keys, stored.key_id)
    own_site.follow_keys()
    own_page.goto("/audit/looks")
    assert "/sign-in" in own_page.url
