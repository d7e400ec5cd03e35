"""What a card offers to draft: a referral, or a request for what is not known. Drafts, without a score; a person sends.

The subject is the sender's case reference: a patient's id is dropped at the door, so the client sets it in the draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from model.prompt import CONSIDER_REFERRAL
from service.fhir.terms import CASE_REF_SYSTEM
from service.summary.facts import Summary
from service.words.topics import topic

REFERRAL = "referral"
ASK = "ask"


def suggestion_id(screening_id: str, kind: str) -> str:
    """The id of a card's suggestion; it follows from the screening's, so feedback can be checked without a list."""
    return str(uuid5(UUID(screening_id), f"suggestion {kind}"))


def offered(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of draft that the card of an answer offers."""
    referral = (REFERRAL,) if answer["prompt"]["level"] == CONSIDER_REFERRAL else ()
    return (*referral, ASK) if _asks(answer) else referral


def suggestions(answer: Mapping[str, Any], summary: Summary) -> list[dict[str, Any]]:
    """The suggestions of a card, none recommended over another; an empty list where there is nothing to draft."""
    drafts = {REFERRAL: lambda: _referral(summary), ASK: lambda: _task(summary, _asks(answer))}
    return [_suggestion(summary, kind, drafts[kind]()) for kind in offered(answer)]


def _asks(answer: Mapping[str, Any]) -> set[str]:
    return set(answer["prompt"]["ask"]) & {gap["feature"] for gap in answer["not_known"]}


def _suggestion(summary: Summary, kind: str, resource: dict[str, Any]) -> dict[str, Any]:
    words = topic("cds_hooks").suggestion[kind]
    return {
        "label": words.label,
        "uuid": suggestion_id(summary.screening_id, kind),
        "actions": [{"type": "create", "description": words.description, "resource": resource}],
    }


def _subject(summary: Summary) -> dict[str, Any]:
    return {"identifier": {"system": CASE_REF_SYSTEM, "value": summary.case_ref}}


def _referral(summary: Summary) -> dict[str, Any]:
    words = topic("summary")
    notes = [words.lead, *words.statements["items"], *([words.synthetic] if summary.synthetic else [])]
    reasons = [{"text": ground.label} for ground in summary.grounds]
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {"text": words.title},
        "subject": _subject(summary),
        "authoredOn": summary.at,
        **({"reasonCode": reasons} if reasons else {}),
        "note": [{"text": note} for note in notes],
    }


def _task(summary: Summary, asks: set[str]) -> dict[str, Any]:
    words = topic("cds_hooks")
    named = [
        words.detail.unknown.format(label=one.label, holders=", ".join(one.held_by) or words.detail.nobody)
        for one in summary.not_known
        if one.feature in asks
    ]
    return {
        "resourceType": "Task",
        "status": "draft",
        "intent": "proposal",
        "description": words.suggestion.task.format(asks="; ".join(named)),
        "for": _subject(summary),
        "authoredOn": summary.at,
    }
