"""What a call of a hook may hold, as JSON Schema for the contract: what `service.cds_hooks.calls` takes."""

from __future__ import annotations

from typing import Any

from model.dictionary import Dictionary
from service.cds_hooks.cards import REASON_SYSTEM
from service.cds_hooks.services import PREFETCH, HookService
from service.fhir.json_schema import response_schema
from service.responses.story import numbered_id
from service.sandbox.cases import NOBODY

FEEDBACK_FORMS = [
    {"properties": {"outcome": {"const": "accepted"}}, "required": ["acceptedSuggestions"]},
    {"properties": {"outcome": {"const": "overridden"}, "acceptedSuggestions": False}},
]
"""What `CdsFeedbackEntrySchema` holds of one field beside another."""

FEEDBACK_EXAMPLE = {
    "feedback": [
        {
            "card": NOBODY,
            "outcome": "overridden",
            "overrideReason": {"reason": {"code": "done_already", "system": REASON_SYSTEM}},
            "outcomeTimestamp": "2026-04-01T09:35:00Z",
        }
    ]
}
FEEDBACK_ANSWER = {
    "recorded": [
        {
            "action": "decided_otherwise",
            "corrects": None,
            "reasons": ["done_already"],
            "response_id": numbered_id(NOBODY, 0),
            "screening_id": NOBODY,
        }
    ]
}
"""What was done with a card, and what that is answered with; a test sends it."""


def call_contract(service: HookService, dictionary: Dictionary) -> dict[str, Any]:
    """The body of a call. Elements that it does not name are dropped."""
    answers = _answers(dictionary)
    kinds = {"draftOrders": {"type": "object", "description": "Not read."}}
    context = {name: kinds.get(name, {"type": "string", "description": "Dropped."}) for name in service.context}
    prefetch = {"anyOf": [answers, _bundle(answers)]}
    return {
        "type": "object",
        "properties": {
            "hook": {"const": service.hook},
            "hookInstance": {"type": "string", "format": "uuid", "description": "New for each call."},
            "context": {"type": "object", "properties": context, "required": list(service.context)},
            "prefetch": {"type": "object", "properties": {PREFETCH: prefetch}, "required": [PREFETCH]},
        },
        "required": ["hook", "hookInstance", "context", "prefetch"],
    }


def _answers(dictionary: Dictionary) -> dict[str, Any]:
    """The answers without their items: these are as in the body of `POST /v1/fhir/QuestionnaireResponse`."""
    whole = response_schema(dictionary)
    subject = {"type": "object", "description": "Dropped, but for an identifier of our system."}
    properties = {**whole["properties"], "subject": subject}
    del properties["item"]
    described = "A QuestionnaireResponse, its items as POST /v1/fhir/QuestionnaireResponse takes them."
    return {
        "type": "object",
        "description": described,
        "properties": properties,
        "required": ["resourceType", "status"],
    }


def _bundle(answers: dict[str, Any]) -> dict[str, Any]:
    entry = {"type": "object", "properties": {"resource": answers}, "required": ["resource"]}
    return {
        "type": "object",
        "description": "A search set with the newest answers. Of several that say when authored, the last counts.",
        "properties": {
            "resourceType": {"const": "Bundle"},
            "entry": {"type": "array", "items": entry, "minItems": 1, "maxItems": 1},
        },
        "required": ["resourceType", "entry"],
    }
