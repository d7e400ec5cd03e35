"""Puts the pages together: one blueprint, and every section's addresses added to it."""

from __future__ import annotations

from flask import Blueprint, Flask

from service.pages.assets import Assets, assets_blueprint
from service.pages.auditor.views import auditor_pages
from service.pages.desk import PageDesk
from service.pages.environment import MadeOnce
from service.pages.learn.views import learn_pages
from service.pages.model.views import model_pages
from service.pages.navigation import SECTIONS, Navigation
from service.pages.pooled.views import pooled_pages
from service.pages.problems import register_problem_pages
from service.pages.result.views import result_pages
from service.pages.screen.views import screen_pages
from service.pages.sign_in import sign_in_pages
from service.pages.summary.views import summary_pages

PARTS = (
    sign_in_pages,
    screen_pages,
    pooled_pages,
    result_pages,
    summary_pages,
    model_pages,
    learn_pages,
    auditor_pages,
)
"""Each adds the addresses of one section."""


def register_pages(app: Flask, desk: PageDesk) -> None:
    """Adds the pages and their assets to the app. Raises `AssetsMissing`."""
    assets = Assets()
    blueprint = Blueprint("pages", __name__)
    for part in PARTS:
        part(blueprint, desk)
    register_problem_pages(app, blueprint, desk)
    app.register_blueprint(blueprint)
    app.register_blueprint(assets_blueprint(assets))
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    desk.sections.update(address for _, address, _ in SECTIONS if address in rules)
    desk.templates.globals.update(asset=assets.address, navigation=Navigation(MadeOnce(desk.templates), desk.sections))
