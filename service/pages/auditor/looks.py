"""`/audit/looks`: who looked at what, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from service.access.keys import Caller
from service.audit.parameters import Parameters, number
from service.audit.proofs import newest_size
from service.log.accounts import Account, newest_looks
from service.pages.auditor.readable import Rows, rows_of
from service.pages.auditor.room import ReadingRoom
from service.words.topics import topic

ON_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Look:
    """One look: by whom, at what in words, what else its entry says, and the indexes of the entries it showed."""

    account: Account
    what: str
    rows: Rows
    indexes: tuple[int, ...]


def look_pages(blueprint: Blueprint, room: ReadingRoom) -> None:
    """Adds the address of the access record. Reading it is a look too, and recorded first."""

    @blueprint.get("/audit/looks")
    def looks() -> Response:
        return room.look(shown)

    def shown(caller: Caller) -> Response:
        size = newest_size(room.log)
        given = Parameters({"before"})
        before = given.read("before", number(0, size))
        given.check()
        before = size if before is None else before
        found = newest_looks(room.log, before, ON_A_PAGE + 1)
        accounts, more = found[:ON_A_PAGE], len(found) > ON_A_PAGE
        indexes = [account["entry"] for account in accounts]
        room.desk.record("lookup", caller, {"looked_at": "looks", "indexes": indexes, "size": size})
        return room.pages.show(
            "auditor/looks.html",
            looks=[look_of(account) for account in accounts],
            following=indexes[-1] if more else None,
            begun=before == size,
        )


def look_of(account: Account) -> Look:
    """The look in words."""
    said: dict[str, Any] = dict(account["looked_at"])
    code = said.pop("looked_at", "export" if account["kind"] == "export" else "screening")
    words = topic("audit").looked_at
    shown = said.pop("indexes", None)
    indexes = tuple(shown) if isinstance(shown, list) else ()
    what = words[code] if code in words else str(code).replace("_", " ")
    return Look(account, what, rows_of(said), indexes)
