"""A recorded screening as one card. The card holds no score: the whole explanation is one link away, with its record.

Never `critical`: CDS Hooks keeps that for what must not be passed over, and a screen may stop all work for it. A prompt
is a question to think about. There is a card at every level, since no card at all would read as nothing to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.additive import AdditiveModel
from model.prompt import CONSIDER_REFERRAL
from service.cds_hooks.suggestions import suggestions
from service.responses.reasons import choices
from service.summary.facts import Summary
from service.words.topics import topic

REASON_SYSTEM = "urn:grounds:reason"
TOPIC_SYSTEM = "urn:grounds:topic"
LONGEST_SUMMARY = 139
"""CDS Hooks 2.0: fewer than 140 characters."""


def card(answer: Mapping[str, Any], summary: Summary, model: AdditiveModel, url: str) -> dict[str, Any]:
    """The card of a screening: `answer` as logged, `summary` of the same record, `url` of this service.

    Its uuid is the screening's id, so that feedback names the screening.
    """
    words, level = topic("cds_hooks"), answer["prompt"]["level"]
    source = {
        "label": words.source.label.format(version=answer["model"]["version"]),
        "url": f"{url}/docs",
        "topic": {"system": TOPIC_SYSTEM, "code": "referral-screening", "display": words.source.topic},
    }
    shown: dict[str, Any] = {
        "uuid": answer["screening_id"],
        "summary": summary_of(answer),
        "indicator": "warning" if level == CONSIDER_REFERRAL else "info",
        "detail": _detail(answer, model, summary),
        "source": source,
        "overrideReasons": override_reasons(),
        "links": [{"label": words.link.label, "url": f"{url}/screenings/{answer['screening_id']}", "type": "absolute"}],
    }
    offered = suggestions(answer, summary)
    if offered:
        shown |= {"suggestions": offered, "selectionBehavior": "at-most-one"}
    return shown


def summary_of(answer: Mapping[str, Any]) -> str:
    """The card's one line."""
    level = answer["prompt"]["level"]
    call = level == CONSIDER_REFERRAL and any(ground["action"] == "call" for ground in answer["grounds"])
    return str(topic("cds_hooks").summary[f"{level}_call" if call else level])


def override_reasons() -> list[dict[str, str]]:
    """Why a card may be passed over: the reasons of a practitioner's response, as Codings."""
    offered = set(choices().offered())
    return [
        {"system": REASON_SYSTEM, "code": reason.code, "display": reason.label}
        for reason in choices().reasons
        if reason.code in offered
    ]


def _detail(answer: Mapping[str, Any], model: AdditiveModel, summary: Summary) -> str:
    """The prompt, how old and how whole the answers are, reasons, grounds, and what is not known with whom to ask."""
    words, asked_first = topic("cds_hooks").detail, list(answer["prompt"]["ask"])
    gaps = {gap["feature"]: gap for gap in answer["not_known"]}
    order = [name for name in asked_first if name in gaps] + [name for name in gaps if name not in asked_first]
    unknown = [
        words.unknown.format(label=gaps[name]["label"], holders=_holders(gaps[name]["held_by"], model))
        for name in order
    ]
    grounds = [f"{ground['label']}: {ground['text']}" for ground in answer["grounds"]]
    given = words.authored.format(date=summary.authored[:10]) if summary.authored else words.authored_unknown
    stage = [words.status[summary.status]] if summary.status in words.status else []
    parts = [answer["prompt"]["text"], " ".join([given, *stage])]
    for title, lines in (
        (words.reasons, answer["prompt"]["reasons"]),
        (words.grounds, grounds),
        (words.not_known, unknown),
        (words.not_considered, answer["not_considered"]),
    ):
        if lines:
            parts.append("\n".join([f"**{title}**", "", *(f"- {line}" for line in lines)]))
    if answer["model"]["synthetic"]:
        parts.append(model.words["score"]["synthetic"])
    return "\n\n".join(parts)


def _holders(agencies: list[str], model: AdditiveModel) -> str:
    labels = [model.dictionary.agency_label(agency) for agency in agencies]
    return ", ".join(labels) or str(topic("cds_hooks").detail.nobody)
