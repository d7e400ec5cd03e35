"""`/audit/entries/<index>`: one entry as it was shown, with its proof checked before the reader, and to take away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from flask import Blueprint, Response, request
from sqlalchemy import Row

from service.access.keys import Caller
from service.audit.entries import record_look
from service.audit.proofs import inclusion_of, newest_size
from service.errors import problem
from service.log.erasure import erasure_of, reason_of
from service.log.export import payload_of
from service.log.proof_steps import ProofSteps, proof_steps
from service.log.retention import closed_lists
from service.log.stored import LogDamaged, StoredEntry
from service.pages.auditor.account import Account
from service.pages.auditor.room import ReadingRoom
from service.responses.story import MOST_RESPONSES, numbered_id
from service.running.telemetry import logger
from service.screening.reading import JSON


@dataclass(frozen=True, slots=True)
class Found:
    """An entry with what proves it. `stored` is None where its bytes do not belong together, and are not shown."""

    index: int
    size: int
    stored: StoredEntry | None
    salt: str | None
    payload: bytes | None
    proof: dict[str, Any]
    steps: ProofSteps


def entry_pages(blueprint: Blueprint, room: ReadingRoom) -> None:
    """Adds the addresses of an entry and of its proof."""
    account = Account(room)

    @blueprint.get("/audit/entries/<int:at>")
    def entry(at: int) -> Response:
        return room.look(lambda caller: shown(at, caller))

    @blueprint.get("/audit/entries/<int:at>/proof")
    def proof(at: int) -> Response:
        return room.look(lambda caller: taken(at, caller))

    def shown(at: int, caller: Caller) -> Response:
        found = found_at(room, at)
        context = account.of(found.stored)
        record_look(room.desk, caller, "entry", at, found.proof["leaf"])
        return room.pages.show(
            "auditor/entry.html",
            found=found,
            steps=found.steps,
            key=room.log.verifier_key,
            erasure=_erasure(room, found.stored),
            responses=_responses(room, found.stored),
            **context,
        )

    def taken(at: int, caller: Caller) -> Response:
        """The file that `log prove` writes, of the log's size that the page showed: `check-proof` takes it."""
        newest = newest_size(room.log)
        given = request.args.get("size")
        size = newest if given is None else int(given) if given.isdigit() and len(given) < 16 else 0
        if not at < size <= newest:
            raise problem("not_found")
        proved = inclusion_of(room.log, at, size)
        room.desk.record("lookup", caller, {"looked_at": "inclusion_proof", "by": "index", "index": at, "size": size})
        response = Response(orjson.dumps(proved), mimetype=JSON)
        response.headers["Content-Disposition"] = f'attachment; filename="proof-{at}.json"'
        return room.pages.headed(response)


def found_at(room: ReadingRoom, at: int) -> Found:
    """The entry at an index, its proof in the log of the newest checkpoint's size checked. Raises `Problem` 404."""
    size = newest_size(room.log)
    if at >= size:
        raise problem("not_found")
    row = next(room.log.rows(at, at + 1), None)
    if row is None:
        raise problem("record_damaged")
    proof = inclusion_of(room.log, at, size)
    salt, payload = _bytes(row.salt), payload_of(room.log, row)
    steps = proof_steps(proof, salt, payload, room.log.verifier_key)
    return Found(at, size, _checked(room, row), None if salt is None else salt.hex(), payload, proof, steps)


def _checked(room: ReadingRoom, row: Row[*tuple[Any, ...]]) -> StoredEntry | None:
    try:
        return room.log.get_index(row.idx)
    except LogDamaged as damaged:
        logger().error("log_damaged", index=damaged.index)
        return None


def _bytes(salt: object) -> bytes | None:
    # SQLite lets a column hold text where bytes were declared; only a hand from outside puts it there.
    return salt if isinstance(salt, bytes) or salt is None else str(salt).encode()


def _erasure(room: ReadingRoom, stored: StoredEntry | None) -> dict[str, Any] | None:
    """Which entry says that this one was erased, when and why; None where none does."""
    if stored is None or stored.payload is not None:
        return None
    erasure = erasure_of(room.log, stored.entry_id)
    if erasure is None:
        return None
    reason = reason_of(erasure)
    return {"index": erasure.index, "at": erasure.at, "reason": closed_lists()[0].get(reason, reason)}


def _responses(room: ReadingRoom, stored: StoredEntry | None) -> list[int]:
    """The indexes of the responses to a screening, the first one first. What they say is not read."""
    indexes: list[int] = []
    if stored is not None and stored.kind == "screening":
        for one in range(MOST_RESPONSES):
            index = room.log.index_of(numbered_id(stored.entry_id, one))
            if index is None:
                break
            indexes.append(index)
    return indexes
