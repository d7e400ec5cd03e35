"""`/audit/export`: the log, or a part of it, as a file that is verified offline; with the key and the checkpoint."""

from __future__ import annotations

from flask import Blueprint, Response, request

from service.access.keys import Caller
from service.audit.exports import export
from service.audit.proofs import newest_size
from service.errors import Problem
from service.pages.auditor.room import ReadingRoom, filled, fixes


def export_pages(blueprint: Blueprint, room: ReadingRoom) -> None:
    """Adds the addresses of the form and of what it downloads. That a file is taken away is recorded first."""

    @blueprint.get("/audit/export")
    def form() -> Response:
        return room.look(lambda _: shown({}, {}, 200))

    @blueprint.post("/audit/export")
    def download() -> Response:
        sent = filled(request.form)
        try:
            return room.pages.headed(room.act(taken))
        except Problem as refusal:  # recorded by the desk
            return shown(dict(sent.items()), fixes(refusal), refusal.status)

    def taken(caller: Caller) -> Response:
        return export(room.desk, room.log, room.index, caller, filled(request.form))

    def shown(given: dict[str, str], errors: dict[str, str], status: int) -> Response:
        size = newest_size(room.log)
        return room.pages.show("auditor/export.html", status=status, given=given, errors=errors, size=size)
