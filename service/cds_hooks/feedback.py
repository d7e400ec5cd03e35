"""What a client says of our cards, as practitioners' responses: `POST /cds-services/{id}/feedback`.

The user's comment is free text: it is dropped at the door and never kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from service.access.keys import Caller
from service.cds_hooks.cards import REASON_SYSTEM
from service.cds_hooks.suggestions import offered, suggestion_id
from service.errors import FieldError, problem
from service.log.store import LogStore
from service.responses.reasons import ACCEPTED_DRAFT, NOT_GIVEN, choices
from service.responses.story import answerable, respond
from service.screening.idempotency import Once, once
from service.screening.reading import field_errors
from service.screening.story import CDS_SERVICE

ACCEPTED, OVERRIDDEN = "accepted", "overridden"
DISAGREES = "decided_otherwise"
MOST = 50
"""Cards that one call may speak of."""


class _Suggestion(Schema):
    class Meta:
        unknown = EXCLUDE

    id = fields.UUID(required=True, error_messages={"invalid_uuid": "send the uuid of the card's suggestion"})


class _Coding(Schema):
    class Meta:
        unknown = EXCLUDE

    code = fields.String(required=True, validate=validate.OneOf(choices().offered(), error="send one of: {choices}"))
    system = fields.String(validate=validate.Equal(REASON_SYSTEM, error="send {other}, or leave it out"))


class _OverrideReason(Schema):
    class Meta:
        unknown = EXCLUDE

    reason = fields.Nested(_Coding)


class CdsFeedbackEntrySchema(Schema):
    """What was done with one card."""

    class Meta:
        unknown = EXCLUDE

    card = fields.UUID(required=True, error_messages={"invalid_uuid": "send the uuid of the card"})
    outcome = fields.String(
        required=True, validate=validate.OneOf((ACCEPTED, OVERRIDDEN), error="send one of: {choices}")
    )
    acceptedSuggestions = fields.List(fields.Nested(_Suggestion), validate=validate.Length(1, 1, error="send one"))
    overrideReason = fields.Nested(_OverrideReason)
    outcomeTimestamp = fields.AwareDateTime(
        required=True,
        error_messages={"invalid": "send a time as in 2026-04-01T09:30:00Z", "invalid_awareness": "add Z"},
    )

    @validates_schema
    def _fits(self, data: dict[str, Any], **_: object) -> None:
        accepted = data["outcome"] == ACCEPTED
        if accepted and "acceptedSuggestions" not in data:
            raise ValidationError("is missing; add it", "acceptedSuggestions")
        if not accepted and "acceptedSuggestions" in data:
            raise ValidationError("goes with accepted alone; leave it out", "acceptedSuggestions")


class CdsFeedbackSchema(Schema):
    """The body: an array of what was done with cards."""

    class Meta:
        unknown = EXCLUDE

    feedback = fields.List(
        fields.Nested(CdsFeedbackEntrySchema),
        required=True,
        validate=validate.Length(1, MOST, error="send 1 to {max}"),
        error_messages={"invalid": "send a list"},
    )


def record_feedback(
    sent: Mapping[str, Any], schema: Schema, log: LogStore, caller: Caller, service_id: str
) -> list[dict[str, Any]]:
    """Records each outcome of that service's cards as a response to its screening; returns these once all are durable.

    What was recorded before is not recorded again, so the call may be repeated whole. Raises `Problem` before anything
    is recorded where one cannot be, and `NotDurable`.
    """
    try:
        said = schema.load(sent)["feedback"]
    except ValidationError as error:
        known = frozenset({*schema.fields, *CdsFeedbackEntrySchema().fields, "reason", "code", "system", "id"})
        raise problem("refused", field_errors(error.normalized_messages(), known)) from None
    drafts = []
    for place, entry in enumerate(said):
        screening = answerable(str(entry["card"]), log, caller)
        if screening.get(CDS_SERVICE, service_id) != service_id:
            fix = f"is a card of another service; send it to /cds-services/{screening[CDS_SERVICE]}/feedback"
            raise problem("refused", [FieldError(f"feedback.{place}.card", fix)])
        drafts.append(_draft(entry, place, screening["answer"]))
    recorded = []
    for entry, draft in zip(said, drafts, strict=True):
        asked = response_of(entry) | ({"draft": draft} if draft else {})
        done = respond(str(entry["card"]), asked, log, caller, _once(entry, caller))
        recorded.append(orjson.loads(done.answer))
    return recorded


def response_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The practitioner's response that an outcome stands for."""
    if entry["outcome"] == ACCEPTED:
        return {"action": ACCEPTED_DRAFT, "reasons": [], "corrects": None}
    reason = (entry.get("overrideReason") or {}).get("reason")
    return {"action": DISAGREES, "reasons": [reason["code"] if reason else NOT_GIVEN], "corrects": None}


def _draft(entry: Mapping[str, Any], place: int, answer: Mapping[str, Any]) -> str | None:
    """Which draft was taken up, of those that the card offered; None where none was. Raises `Problem`."""
    kinds = {suggestion_id(str(entry["card"]), kind): kind for kind in offered(answer)}
    for one in entry.get("acceptedSuggestions", ()):
        if str(one["id"]) in kinds:
            return kinds[str(one["id"])]
        field = f"feedback.{place}.acceptedSuggestions.0.id"
        raise problem("refused", [FieldError(field, "send the uuid of a suggestion of that card")])
    return None


def _once(entry: Mapping[str, Any], caller: Caller) -> Once:
    """By what an outcome is taken once: the card, what was said of it, and when."""
    said = [str(entry["card"]), entry["outcome"], entry["outcomeTimestamp"].isoformat()]
    said += [str(one["id"]) for one in entry.get("acceptedSuggestions", ())] + response_of(entry)["reasons"]
    return once("response", sha256("|".join(said).encode()).hexdigest(), caller)
