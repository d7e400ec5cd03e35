"""A real service in a real browser: Debian's Chromium, driven by Playwright, over a real log."""

from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright

from tests.pages.browser import chromium
from tests.pages.site import serving


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A running service with pages; one for all browser tests, which each screen cases of their own."""
    with serving(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright, chromium(playwright) as started:
        yield started


@pytest.fixture
def context_options():
    """Options of the browser context; a module overrides it, for instance to have no JavaScript."""
    return {}


@pytest.fixture
def page(browser, site, context_options):
    """A page of a visitor of their own. Errors of the console, the Content-Security-Policy's among them, fail it."""
    context = browser.new_context(base_url=site.address, **context_options)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda asked: None if asked.url.startswith(site.address) else faults.append(asked.url))
    yield opened
    context.close()
    # A page that answers 4xx on purpose is an error to the console too; its status is what the test is about.
    assert [fault for fault in faults if "Failed to load resource" not in fault] == []


@pytest.fixture
def practitioner(page, site):
    """A page on which a practitioner has signed in."""
    return site.sign_in(page, site.practitioner)


@pytest.fixture
def auditor(page, site):
    """A page on which an auditor has signed in."""
    return site.sign_in(page, site.auditor)
