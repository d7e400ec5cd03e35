"""How an auditor gets to each of their pages."""

from __future__ import annotations

import orjson
from playwright.sync_api import Page

from service.log.erasure import Erased, Order, Target, erase
from tests.pages.browser import press
from tests.pages.site import UNBORN, Site


def screened(site: Site, page: Page) -> int:
    """A practitioner screens a case, answers the prompt and signs out; gives the entry's index."""
    site.sign_in(page, site.practitioner)
    site.screen(page, UNBORN)
    screening_id = page.url.rsplit("/", 1)[1]
    page.get_by_label("Decided otherwise than the prompt").check()
    page.get_by_label("I know something about the family").check()
    press(page, "Record what I did")
    press(page, "Sign out")
    return site.log.index_of(screening_id)


def audit(site: Site, page: Page) -> None:
    site.sign_in(page, site.auditor)
    page.goto("/audit")


def audit_search(site: Site, page: Page) -> None:
    site.sign_in(page, site.auditor)
    page.goto("/audit/search")


def audit_found(site: Site, page: Page) -> None:
    screened(site, page)
    site.sign_in(page, site.auditor)
    page.goto("/audit/search")
    press(page, "Search")


def audit_search_refused(site: Site, page: Page) -> None:
    site.sign_in(page, site.auditor)
    page.goto("/audit/search?entry=nothing&from=yesterday")


def audit_entry(site: Site, page: Page) -> None:
    index = screened(site, page)
    site.sign_in(page, site.auditor)
    page.goto(f"/audit/entries/{index}")


def audit_other_entry(site: Site, page: Page) -> None:
    site.sign_in(page, site.auditor)
    page.goto("/audit/looks")
    page.goto(f"/audit/entries/{site.log.latest_of_kind('lookup').index}")


def audit_erased(site: Site, page: Page) -> None:
    index = screened(site, page)
    entry = site.log.get_index(index)
    erase(site.log, [Target(index, entry.entry_id, entry.kind)], Order("subject_request", "operator"), Erased())
    site.sign_in(page, site.auditor)
    page.goto(f"/audit/entries/{index}")


def audit_replay(site: Site, page: Page) -> None:
    audit_entry(site, page)
    press(page, "Replay this screening")


def audit_models(site: Site, page: Page) -> None:
    activated(site)
    site.sign_in(page, site.auditor)
    page.goto("/audit/models")


def audit_responses(site: Site, page: Page) -> None:
    for agency in ("gp", "police"):
        answered(site, agency)
    site.sign_in(page, site.auditor)
    page.goto("/audit/responses")


def audit_looks(site: Site, page: Page) -> None:
    audit_found(site, page)
    page.goto("/audit/looks")


def audit_export(site: Site, page: Page) -> None:
    site.sign_in(page, site.auditor)
    page.goto("/audit/export")


def activated(site: Site) -> None:
    """Two models made active, the second with a check lifted, where the log tells of none yet."""
    if site.log.latest_of_kind("model_activated") is not None:
        return
    live = {"version": site.released.model.version, "sha256": site.released.sha256, "synthetic": True}
    earlier = {**live, "version": "2025.2-0123456789ab", "sha256": "0" * 64}
    lifted = [{"gate": "calibration", "figure": "0.1", "reason": "trial", "by": "operator"}]
    site.log.append("model_activated", orjson.dumps({"model": earlier, "release_key": "k"}))
    site.log.append("gates_overridden", orjson.dumps({"model": live, "overrides": lifted}))
    said = {"gates_overridden": ["calibration"], "model": live, "release_key": "k"}
    site.log.append("model_activated", orjson.dumps(said))


def answered(site: Site, agency: str, agreed: int = 12, disagreed: int = 11) -> None:
    """Responses enough to be counted, as the log has them."""
    for number in range(agreed + disagreed):
        otherwise = number < disagreed
        said = {
            "action": "decided_otherwise" if otherwise else "referred",
            "agency": agency,
            "caller": {"key_id": "0" * 8, "role": "practitioner"},
            "corrects": None,
            "level": "seek_information" if number % 2 else "consider_referral",
            "model": site.released.model.version,
            "reasons": ["knows_more"] if otherwise else [],
            "screening_id": "01900000-0000-7000-8000-000000000000",
        }
        site.log.append("response", orjson.dumps(said))


ALL = (
    audit,
    audit_search,
    audit_found,
    audit_search_refused,
    audit_entry,
    audit_other_entry,
    audit_erased,
    audit_replay,
    audit_models,
    audit_responses,
    audit_looks,
    audit_export,
)
