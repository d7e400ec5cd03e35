"""Takes the pictures that a person looks at: `python -m tests.pages.look FOLDER [PAGE ...] [--model MODEL.json]`.

Every page at 320 px and at a desktop's width, in light and in dark, and as printed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages.browser import chromium, violations
from tests.pages.journeys import JOURNEYS
from tests.pages.site import Site, serving

LOOKS = {
    "phone": {"viewport": {"width": 320, "height": 640}},
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "print": {"viewport": {"width": 794, "height": 1123}},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    model = options.model.read_bytes() if options.model else None
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), model) as site,
        sync_playwright() as playwright,
        chromium(playwright) as browser,
    ):
        for name, journey in JOURNEYS.items():
            if not options.pages or name in options.pages:
                for look in LOOKS:
                    _take(browser, site, journey, look, options.folder / f"{name}-{look}")


def _take(browser: Browser, site: Site, journey: Callable[[Site, Page], None], look: str, to: Path) -> None:
    context = browser.new_context(base_url=site.address, **LOOKS[look])
    page = context.new_page()
    journey(site, page)
    if look == "print":
        page.emulate_media(media="print")
    page.screenshot(path=to.with_suffix(".png"), full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    print(f"{to.name}: {page.title()}{' SCROLLS SIDEWAYS' if wide else ''} {violations(page) or ''}", flush=True)
    context.close()


if __name__ == "__main__":
    main()
