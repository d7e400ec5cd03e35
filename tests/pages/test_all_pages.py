"""What holds for every page alike, at 320 px, in light and in dark, with and without JavaScript."""

from __future__ import annotations

import pytest

from tests.pages.browser import violations
from tests.pages.journeys import JOURNEYS


@pytest.fixture
def context_options():
    return {"viewport": {"width": 320, "height": 640}}


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_page_fits_a_phone_passes_axe_and_says_that_its_model_is_synthetic(site, page, name):
    JOURNEYS[name](site, page)
    assert page.locator("h1").count() == 1
    assert page.locator("h1").inner_text() != "Something went wrong"
    assert page.title().endswith("– Grounds")
    assert "trained on synthetic data" in page.locator("body").inner_text()
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def test_every_page_has_the_headers_that_keep_it_to_itself(site, practitioner):
    for address in ("/", "/sign-in", "/screen", "/model", "/docs", "/nothing-here"):
        response = practitioner.request.get(f"{site.address}{address}", headers={"Accept": "text/html"})
        headers = response.headers
        assert "default-src 'none'" in headers["content-security-policy"], address
        assert "'unsafe-inline'" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_policy_stops_an_inline_script(page, site, browser):
    """Enforced, not only sent: a script that somebody smuggled in would not run."""
    context = browser.new_context(base_url=site.address)
    opened = context.new_page()
    opened.goto("/")
    opened.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.smuggled = 1'; document.body.append(s)"
    )
    assert opened.evaluate("window.smuggled") is None
    context.close()


def test_a_visitor_goes_through_the_form_by_keyboard(site, practitioner):
    page = practitioner
    page.goto("/screen/gp")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
    page.keyboard.press("Enter")
    page.get_by_label("Your own reference for this case").focus()
    page.keyboard.type("case-0042")
    page.locator('input[name="parent_mental_health_history"][value="not_known"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**/screenings/*")
    assert page.locator("h1").inner_text() == "What to consider"
