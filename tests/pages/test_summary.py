"""The referral summary in the browser: reached from the result, printed on two sheets, taken away as data."""

from __future__ import annotations

import json
import re

from tests.pages.browser import press
from tests.pages.site import THE_REVIEW


def test_from_the_result_to_paper(site, practitioner):
    page = site.pool(practitioner, THE_REVIEW)
    press(page, "Get the referral summary", role="link")
    page.wait_for_url("**/summary")
    text = page.locator("article").inner_text()
    assert "Agencies differ: General practice says yes; Midwifery says no" in text
    assert "Names and contact details go on this paper" in text
    assert "%" not in text
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 2


def test_it_can_be_taken_away_as_data(site, practitioner):
    page = site.pool(practitioner, THE_REVIEW)
    page.goto(f"{page.url}/summary")
    for link, kind in (("As data (JSON)", "facts"), ("As a FHIR bundle", "resourceType")):
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        content = json.loads(download.value.path().read_text(encoding="utf-8"))
        assert kind in content


def test_without_javascript_the_browser_s_own_print_is_left(site, browser):
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    page = site.sign_in(context.new_page(), site.practitioner)
    site.pool(page, THE_REVIEW)
    page.goto(f"{page.url}/summary")
    assert page.locator("h1").inner_text() == "Referral summary"
    assert not page.get_by_role("button", name="Print this page").is_visible()
    context.close()
