"""`/audit`: puts the auditors' pages together."""

from __future__ import annotations

from flask import Blueprint

from service.pages.auditor.entry import entry_pages
from service.pages.auditor.finding import search_pages
from service.pages.auditor.looks import look_pages
from service.pages.auditor.overview import overview_pages
from service.pages.auditor.rates import rate_pages
from service.pages.auditor.replaying import replay_pages
from service.pages.auditor.room import ReadingRoom
from service.pages.auditor.taking import export_pages
from service.pages.auditor.timeline import timeline_pages
from service.pages.desk import PageDesk

PARTS = (
    overview_pages,
    search_pages,
    entry_pages,
    replay_pages,
    timeline_pages,
    rate_pages,
    look_pages,
    export_pages,
)
"""Each adds the addresses of one page."""


def auditor_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of the auditors' pages, where the service serves auditors."""
    if desk.auditors is None or desk.index is None:
        return
    room = ReadingRoom(desk, desk.auditors, desk.index)
    for part in PARTS:
        part(blueprint, room)
