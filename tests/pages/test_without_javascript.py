"""The whole journey of a practitioner where the browser runs no script."""

from __future__ import annotations

import pytest

from tests.pages.browser import press
from tests.pages.site import UNBORN


@pytest.fixture
def context_options():
    return {"java_script_enabled": False}


def test_sign_in_screen_respond_and_sign_out(site, practitioner):
    page = practitioner
    page.goto("/screen")
    page.get_by_label("General practice").check()
    press(page, "Continue")
    site.screen(page, {**UNBORN, "mother_age_years": 19})
    assert page.locator("h1").inner_text() == "What to consider"
    page.get_by_label("Asked for what was not known").check()
    press(page, "Record what I did")
    assert "Asked for what was not known" in page.locator("#response ~ ol").inner_text()
    assert not page.get_by_role("button", name="Print this page").is_visible()
    press(page, "Sign out")
    page.goto("/screen")
    assert page.locator("h1").inner_text() == "Sign in"
