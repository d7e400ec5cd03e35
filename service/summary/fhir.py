"""The summary as FHIR R4: a draft request, the answers behind it, and the grounds. No identifier of a person in it.

A Bundle of type `collection` holds a ServiceRequest (`draft`, `proposal`: a person decides), a QuestionnaireResponse
with every question of the dictionary, and a DetectedIssue for each ground. The subject is the sender's case reference.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from model.dictionary import NOT_APPLICABLE
from service.fhir.terms import ABSENT, CASE_REF_SYSTEM
from service.summary.facts import Fact, Summary, SummaryGround, Unknown
from service.words.topics import topic


def summary_bundle(summary: Summary) -> dict[str, Any]:
    """The summary as a FHIR R4 Bundle. Ids follow from the screening's, so the same record makes the same bundle."""
    answers, request = _id(summary, "answers"), _id(summary, "request")
    entries = [_service_request(summary, request, answers), answers_resource(summary, answers)]
    entries += [ground_resource(summary, ground) for ground in summary.grounds]
    return {
        "resourceType": "Bundle",
        "id": _id(summary, "bundle"),
        "type": "collection",
        "timestamp": summary.at,
        "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in entries],
    }


def _id(summary: Summary, part: str) -> str:
    return str(uuid5(UUID(summary.screening_id), part))


def _subject(summary: Summary) -> dict[str, Any]:
    return {"identifier": {"system": CASE_REF_SYSTEM, "value": summary.case_ref}}


def _service_request(summary: Summary, request: str, answers: str) -> dict[str, Any]:
    words = topic("summary")
    notes = [words.lead, *words.statements["items"], *([words.synthetic] if summary.synthetic else [])]
    resource: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "id": request,
        "status": "draft",
        "intent": "proposal",
        "code": {"text": words.title},
        "subject": _subject(summary),
        "authoredOn": summary.at,
        "supportingInfo": [{"reference": f"urn:uuid:{answers}"}],
        "note": [{"text": note} for note in notes],
    }
    if summary.grounds:
        resource["reasonCode"] = [{"text": ground.label} for ground in summary.grounds]
        resource["reasonReference"] = [
            {"reference": f"urn:uuid:{_id(summary, ground.code)}", "type": "DetectedIssue"}
            for ground in summary.grounds
        ]
    return resource


def answers_resource(summary: Summary, answers: str) -> dict[str, Any]:
    """The answers as a QuestionnaireResponse of that id.

    `authored` is when their sender says they were given, and left out where nobody said: the time of the screening says
    nothing of how old the answers are.
    """
    items = [_known(fact) for fact in summary.facts] + [_unknown(one) for one in summary.not_known]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": answers,
        "status": summary.status,
        "subject": _subject(summary),
        **({} if summary.authored is None else {"authored": summary.authored}),
        "item": items,
    }


def _known(fact: Fact) -> dict[str, Any]:
    item = {"linkId": fact.feature, "text": fact.label}
    if fact.value == NOT_APPLICABLE:
        return {**item, "extension": [_absent("not-applicable")]}
    if isinstance(fact.value, str):
        return {**item, "answer": [{"valueCoding": {"code": fact.value, "display": fact.text}}]}
    kind = "valueInteger" if isinstance(fact.value, int) else "valueDecimal"
    return {**item, "answer": [{kind: fact.value}]}


def _unknown(one: Unknown) -> dict[str, Any]:
    return {"linkId": one.feature, "text": one.label, "extension": [_absent("unknown")]}


def _absent(code: str) -> dict[str, Any]:
    return {"url": ABSENT, "valueCode": code}


def ground_resource(summary: Summary, ground: SummaryGround) -> dict[str, Any]:
    """A ground that is met as a DetectedIssue."""
    return {
        "resourceType": "DetectedIssue",
        "id": _id(summary, ground.code),
        "status": "preliminary",
        "code": {"text": ground.label},
        "patient": _subject(summary),
        "identifiedDateTime": summary.at,
        "detail": f"{ground.text} {topic('summary').grounds.source.format(source=ground.source)}",
    }
