"""`/audit`: how large the log is, what was signed last, the key to check it by, and the way to everything else."""

from __future__ import annotations

from flask import Blueprint, Response

from service.access.keys import Caller
from service.audit.public import TEXT
from service.errors import problem
from service.pages.auditor.room import ReadingRoom


def overview_pages(blueprint: Blueprint, room: ReadingRoom) -> None:
    """Adds the addresses of the overview and of checkpoints. They show no case data, so no look is recorded."""

    @blueprint.get("/audit")
    def overview() -> Response:
        return room.look(shown)

    @blueprint.get("/audit/checkpoints/<int:size>")
    def checkpoint(size: int) -> Response:
        return room.look(lambda _: taken(size))

    def shown(_: Caller) -> Response:
        note, key = room.log.latest_checkpoint(), room.log.verifier_key
        return room.pages.show("auditor/overview.html", note=note, signed=key.open(note), key=key)

    def taken(size: int) -> Response:
        note = room.log.checkpoint_at(size)
        if note is None:
            raise problem("not_found")
        response = Response(note, content_type=TEXT)
        response.headers["Content-Disposition"] = f'attachment; filename="checkpoint-{size}.txt"'
        return room.pages.headed(response)
