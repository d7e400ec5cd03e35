"""Starts Chromium so that it runs without a screen and speaks to nobody but the page's own host."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium; `make test` installs it."""
    path = shutil.which("chromium")
    assert path, "chromium is not installed: make test installs it (apt-get install chromium)"
    browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    try:
        yield browser
    finally:
        browser.close()


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its best practices, one line each."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def press(page: Page, name: str | re.Pattern[str], role: Literal["button", "link"] = "button") -> None:
    """Presses a button or link that leads to another page, and waits until that page is there.

    A click alone comes back once the next page's address is known; what is counted then may be of half a page.
    """
    with page.expect_navigation():
        page.get_by_role(role, name=name).click()
