"""A running service with pages, for the browser."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from model.dictionary import shipped_dictionary
from service.access.keys import FollowedKeys, create_key
from service.app import Collaborators, PagePlan, create_app
from service.audit import AuditPlan
from service.log.store import LogStore
from service.model_files import ReleasedModel, load_active
from service.pages.session import page_secret
from service.running.assembly import open_log
from service.settings import Settings
from tests.pages.browser import press
from tests.service.conftest import hand_made_model, release_into, settings_in

UNBORN = {
    "child_stage": "unborn",
    "parent_mental_health_history": "yes",
}
"""What one agency may know about a case like the review's: a history, and nothing of the second parent."""

THE_REVIEW = {
    "health_visiting": {"child_stage": "newborn", "injury_or_bruise": "no"},
    "gp": {"parent_mental_health_history": "yes"},
    "midwifery": {"parent_mental_health_history": "no"},
}
"""What three agencies may know about it: two differ on the history, and of the second parent nobody knows anything."""


@dataclass
class Site:
    """Where the service answers, and what it works with."""

    address: str
    settings: Settings
    log: LogStore
    released: ReleasedModel
    practitioner: str
    second_practitioner: str
    auditor: str
    app: Flask
    keys: FollowedKeys

    def follow_keys(self) -> None:
        """Looks at the key file now; a service does so once a second."""
        self.keys._next_look = 0.0

    def sign_in(self, page: Page, key: str) -> Page:
        page.goto("/sign-in")
        page.get_by_label("Your key").fill(key)
        press(page, "Sign in")
        return page

    def screen(self, page: Page, answers: dict[str, Any], reference: str = "case-0001", agency: str = "gp") -> Page:
        """Fills in the form by its radio buttons and sends it."""
        page.goto(f"/screen/{agency}")
        page.get_by_label("Your own reference for this case").fill(reference)
        for name, value in answers.items():
            if isinstance(value, str):
                page.locator(f'input[name="{name}"][value="{value}"]').check()
            else:
                page.locator(f'input[name="{name}"]').fill(str(value))
        press(page, "Screen this case")
        return page

    def pool(self, page: Page, known: dict[str, dict[str, str]], reference: str = "case-0001") -> Page:
        """Chooses the agencies, fills in what each knows, and sends it."""
        page.goto("/pooled")
        for agency in known:
            page.locator(f'input[name="agency"][value="{agency}"]').check()
        press(page, "Continue")
        page.get_by_label("Your own reference for this case").fill(reference)
        for agency, answers in known.items():
            for name, value in answers.items():
                page.locator(f'input[name="{agency}.{name}"][value="{value}"]').check()
        press(page, "See it together")
        return page


@contextmanager
def serving(
    folder: Path, model: bytes | None = None, https: bool = False, vignettes: Path | None = None
) -> Iterator[Site]:
    """Serves the pages over a log in `folder`; the model is the tests' hand-made one where none is given."""
    settings = settings_in(folder / "var")
    release_into(settings, model or hand_made_model(shipped_dictionary()))
    roles = ("practitioner", "practitioner", "auditor")
    practitioner, second, auditor = (create_key(settings.keys, role)[0] for role in roles)
    released, log = load_active(settings.models, settings.keys), open_log(settings)
    audit = AuditPlan(settings.audit_index, "100000/minute")
    pages = PagePlan(page_secret(settings.keys), settings.keys, https, vignettes)
    keys = FollowedKeys(settings.keys)
    app = create_app(Collaborators(released, log, keys, settings.origin, audit, pages))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        yield Site(address, settings, log, released, practitioner, second, auditor, app, keys)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        log.close()
