"""Every kind of page, and how a visitor gets to it: for the pictures, and for the tests that hold all pages alike."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from tests.pages import journeys_audit
from tests.pages.browser import press
from tests.pages.site import THE_REVIEW, UNBORN, Site

JOURNEYS: dict[str, Callable[[Site, Page], None]] = {}


def journey(function: Callable[[Site, Page], None]) -> Callable[[Site, Page], None]:
    """Adds a journey under its function's name."""
    JOURNEYS[function.__name__] = function
    return function


@journey
def home(_: Site, page: Page) -> None:
    page.goto("/")


@journey
def sign_in(_: Site, page: Page) -> None:
    page.goto("/sign-in")


@journey
def sign_in_refused(site: Site, page: Page) -> None:
    site.sign_in(page, "grounds_practitioner_wrong")


@journey
def problem(_: Site, page: Page) -> None:
    page.goto("/nothing-here")


@journey
def contract(_: Site, page: Page) -> None:
    page.goto("/docs")


@journey
def screen_agency(site: Site, page: Page) -> None:
    site.sign_in(page, site.practitioner)
    page.goto("/screen")


@journey
def screen_form(site: Site, page: Page) -> None:
    site.sign_in(page, site.practitioner)
    page.goto("/screen/health_visiting")


@journey
def screen_refused(site: Site, page: Page) -> None:
    site.sign_in(page, site.practitioner)
    site.screen(page, {"gestation_at_birth_weeks": 400}, reference="no digits")


@journey
def result(site: Site, page: Page) -> None:
    site.sign_in(page, site.practitioner)
    site.screen(page, UNBORN)


@journey
def model(_: Site, page: Page) -> None:
    page.goto("/model")


@journey
def model_history(_: Site, page: Page) -> None:
    page.goto("/model/history")


@journey
def model_changes(site: Site, page: Page) -> None:
    page.goto("/model/changes")


@journey
def pooled_agencies(site: Site, page: Page) -> None:
    site.sign_in(page, site.practitioner)
    page.goto("/pooled")


@journey
def pooled_form(site: Site, page: Page) -> None:
    site.sign_in(page, site.practitioner)
    page.goto("/pooled?agency=gp&agency=police")


@journey
def pooled_result(site: Site, page: Page) -> None:
    site.sign_in(page, site.practitioner)
    site.pool(page, THE_REVIEW)


@journey
def learning(_: Site, page: Page) -> None:
    page.goto("/learn")


@journey
def learning_story(_: Site, page: Page) -> None:
    page.goto("/learn/half-a-picture")


@journey
def learning_refused(_: Site, page: Page) -> None:
    page.goto("/learn/half-a-picture")
    press(page, "Show the lesson")


@journey
def learning_lesson(_: Site, page: Page) -> None:
    page.goto("/learn/two-records")
    page.locator('input[name="do"]').first.check()
    page.locator('input[name="ask"]').first.check()
    press(page, "Show the lesson")


@journey
def summary(site: Site, page: Page) -> None:
    site.sign_in(page, site.practitioner)
    site.pool(page, THE_REVIEW)
    press(page, "Get the referral summary", role="link")


@journey
def model_drift(site: Site, page: Page) -> None:
    client, bearer = site.app.test_client(), {"Authorization": f"Bearer {site.practitioner}"}
    for number in range(12):  # fewer are not shown
        case = {"case_ref": f"case-{number:04}", "agency": "gp", "features": UNBORN}
        assert client.post("/v1/screenings", json=case, headers=bearer).status_code == 201
    site.sign_in(page, site.practitioner)
    page.goto("/model/drift")


for one in journeys_audit.ALL:
    journey(one)
