"""`/screenings/<id>`: one screening as it was shown, and what the practitioner did about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from service.access.keys import Caller
from service.errors import FieldError, Problem, problem
from service.log.store import StoredEntry
from service.pages.desk import PageDesk, see_other
from service.pages.result.kept import KeptResults, once_only
from service.pages.result.shown import ShownScreenings
from service.pages.session import Visitor
from service.records import looked_at, record_refusal
from service.responses.api import ResponseRequestSchema, validated_response
from service.responses.reasons import choices
from service.responses.story import respond, responses_to
from service.screening.idempotency import Once, idempotency_key
from service.words.topics import topic

ANSWERED = "answered"
"""In the address of a result to which a response was just recorded."""


Responses = list[tuple[StoredEntry, dict[str, Any] | None]]


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
        # Right after a response, from whichever worker: the page must show it.
        found = None if ANSWERED in request.args else kept.find(str(screening_id), visitor)
        if found is not None:
            return desk.made(found)
        desk.rate.admit(visitor.caller.key_id)
        entry, payload = looked_at(str(screening_id), visitor.caller, desk.log)
        said = responses_to(entry.entry_id, desk.log)
        rendered = _page(entry, payload, visitor, said)
        kept.keep(rendered.get_data(), entry, [response.entry_id for response, _ in said], visitor)
        return rendered

    @blueprint.post("/screenings/<uuid:screening_id>/response")
    def answer(screening_id: object) -> Response:
        visitor = desk.sender("practitioner")
        caller = visitor.caller
        desk.rate.admit(caller.key_id)
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
            return _page(entry, payload, visitor, responses_to(entry.entry_id, desk.log), refused)
        return see_other(f"/screenings/{screening_id}?{ANSWERED}#response")

    def _validated() -> dict[str, Any]:
        sent: dict[str, Any] = {"action": request.form.get("action", ""), "reasons": request.form.getlist("reasons")}
        if not sent["action"]:
            raise problem("refused", [FieldError("action", topic("response").errors.no_action)])
        if corrects := request.form.get("corrects"):
            sent["corrects"] = corrects
        return validated_response(schema, sent)

    def _once(caller: Caller) -> Once | None:
        return idempotency_key(request.form.get("once"), caller, "response")

    def _page(
        entry: StoredEntry, payload: dict[str, Any], visitor: Visitor, said: Responses, refused: Refused | None = None
    ) -> Response:
        return desk.show(
            "result/page.html",
            visitor,
            status=refused.status if refused else 200,
            body=shown.body(entry, payload),
            answer=payload["answer"],
            entry=entry,
            summary_address=f"/screenings/{entry.entry_id}/summary",
            responses=said,
            choices=choices(),
            offered=frozenset(choices().offered()),
            filled=refused.filled if refused else {},
            errors=refused.fixes if refused else {},
            once=once_only(visitor, entry.entry_id, len(said)),
        )
