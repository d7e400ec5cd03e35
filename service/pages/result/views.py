"""`/screenings/<id>`: one screening as it was shown, and what the practitioner did about it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from service.access import Caller
from service.errors import FieldError, Problem, problem
from service.idempotency import idempotency_key
from service.log.store import StoredEntry
from service.pages.desk import PageDesk, see_other
from service.pages.result.kept import ONCE, KeptResults, stand_in
from service.pages.result.shown import ShownScreenings
from service.pages.session import Visitor
from service.reasons import choices
from service.records import looked_at, record_refusal
from service.responding import respond, responses_to
from service.responses import ResponseRequestSchema, validated_response
from service.words.topics import topic


@dataclass(frozen=True, slots=True)
class Refused:
    """A response that was refused: the form as it was filled in, what is to be put right, and the page's status."""

    filled: dict[str, list[str]]
    fixes: dict[str, str]
    status: int


def result_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of a screening's result."""
    schema = ResponseRequestSchema()
    shown = ShownScreenings(desk.templates, desk.released)
    kept = KeptResults(desk.log)

    @blueprint.get("/screenings/<uuid:screening_id>")
    def result(screening_id: object) -> Response:
        visitor = desk.visitor("practitioner")
        page = kept.find(str(screening_id), visitor)
        if page is None:
            entry, payload = looked_at(str(screening_id), visitor.caller, desk.log)
            rendered = _page(entry, payload, stand_in(visitor.caller), ONCE)
            answered = [response.entry_id for response, _ in responses_to(entry.entry_id, desk.log)]
            page = kept.keep(rendered.get_data(), entry, answered, visitor)
        return desk.made(page)

    @blueprint.post("/screenings/<uuid:screening_id>/response")
    def answer(screening_id: object) -> Response:
        visitor = desk.sender("practitioner")
        caller = visitor.caller
        try:
            asked = _validated()
            respond(str(screening_id), asked, desk.log, caller, _once(caller))
        except Problem as refusal:
            record_refusal(refusal, caller, desk.log)
            if refusal.code != "refused":
                raise
            entry, payload = looked_at(str(screening_id), caller, desk.log)
            fixes = {error.field: error.fix for error in refusal.errors}
            refused = Refused(dict(request.form.lists()), fixes, refusal.status)
            return _page(entry, payload, visitor, secrets.token_hex(16), refused)
        return see_other(f"/screenings/{screening_id}#response")

    def _validated() -> dict[str, Any]:
        sent: dict[str, Any] = {"action": request.form.get("action", ""), "reasons": request.form.getlist("reasons")}
        if not sent["action"]:
            raise problem("refused", [FieldError("action", topic("response").errors.no_action)])
        if corrects := request.form.get("corrects"):
            sent["corrects"] = corrects
        return validated_response(schema, sent)

    def _once(caller: Caller) -> str | None:
        return idempotency_key(request.form.get("once"), caller, "response")

    def _page(
        entry: StoredEntry, payload: dict[str, Any], visitor: Visitor, once: str, refused: Refused | None = None
    ) -> Response:
        return desk.show(
            "result/page.html",
            visitor,
            status=refused.status if refused else 200,
            body=shown.body(entry, payload),
            answer=payload["answer"],
            entry=entry,
            summary_address=f"/screenings/{entry.entry_id}/summary",
            responses=responses_to(entry.entry_id, desk.log),
            choices=choices(),
            offered=frozenset(choices().offered()),
            filled=refused.filled if refused else {},
            errors=refused.fixes if refused else {},
            once=once,
        )
