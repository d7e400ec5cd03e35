"""The replay of one screening: worked out again from its logged input and its archived model, and compared."""

from __future__ import annotations

from flask import Blueprint, Response

from service.access.keys import Caller
from service.audit.entries import record_look
from service.audit.proofs import newest_size
from service.errors import problem
from service.pages.auditor.room import ReadingRoom
from service.replay.run import Tally, replay
from service.replay.source import LiveLog


def replay_pages(blueprint: Blueprint, room: ReadingRoom) -> None:
    """Adds the address of the button on an entry's page."""

    @blueprint.post("/audit/entries/<int:at>/replay")
    def replayed(at: int) -> Response:
        return room.act(lambda caller: shown(at, caller))

    def shown(at: int, caller: Caller) -> Response:
        if at >= newest_size(room.log):
            raise problem("not_found")
        archive = room.pages.models.archive()
        tally = Tally()
        findings = list(replay(LiveLog(room.log).picked([at]), archive, tally))
        if tally.erased:
            raise problem("erased")
        if not tally.seen:
            raise problem("not_found")  # only a screening has an answer to be worked out again
        row = next(room.log.rows(at, at + 1))
        record_look(room.desk, caller, "replay", at, row.leaf)
        model = next((archive.find(sha256).released for sha256 in tally.models), None)
        return room.pages.show("auditor/replay.html", at=at, tally=tally, findings=findings, model=model)
