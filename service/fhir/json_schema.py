"""A QuestionnaireResponse as JSON Schema, from the dictionary: what `service.fhir.answers` takes, for the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from model.case import LARGEST, bounds
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature
from service.fhir import terms
from service.fhir.answers import KIND, STATUSES
from service.fhir.modifiers import MODIFIER, RULES
from service.screening.schemas import reference_schema, unlisted_schema


def response_schema(dictionary: Dictionary) -> dict[str, Any]:
    """The schema of the whole resource. Elements that it does not name are dropped."""
    url = terms.questionnaire_url(dictionary)
    identifier = {
        "type": "object",
        "properties": {"system": {"const": terms.CASE_REF_SYSTEM}, "value": reference_schema()},
        "required": ["system", "value"],
    }
    subject = {"type": "object", "properties": {"identifier": identifier}, "required": ["identifier"]}
    return {
        "type": "object",
        "description": "A FHIR R4 QuestionnaireResponse to GET /v1/questionnaire. Names and ids in it are dropped.",
        "properties": {
            "resourceType": {"const": KIND},
            "status": {"enum": list(STATUSES)},
            **dict.fromkeys((RULES, MODIFIER), False),
            "questionnaire": {"enum": [url, f"{url}|{dictionary.version}"]},
            "subject": subject,
            "item": {
                "type": "array",
                "items": {"anyOf": _items(dictionary)},
                "description": "Each question once. The agency may be left out where the key is of one.",
            },
        },
        "required": ["resourceType", "status", "subject"],
    }


def _items(dictionary: Dictionary) -> list[dict[str, Any]]:
    """One alternative for all questions that take the same answers."""
    links: dict[str, list[str]] = {}
    answers: dict[str, dict[str, Any]] = {}
    for link, answer in _questions(dictionary):
        key = repr(answer)
        links.setdefault(key, []).append(link)
        answers[key] = answer
    return [_item(links[key], answers[key]) for key in answers]


def _questions(dictionary: Dictionary) -> Iterator[tuple[str, dict[str, Any]]]:
    yield terms.AGENCY_LINK, _coded(terms.AGENCY_SYSTEM, [agency.id for agency in dictionary.agencies])
    for feature in dictionary.features:
        states = [NOT_KNOWN, *([NOT_APPLICABLE] if feature.not_applicable else [])]
        if feature.is_numeric:
            yield feature.name + terms.STATE, _coded(terms.ANSWER_SYSTEM, [terms.KNOWN, *states])
            yield feature.name, _number(feature)
        else:
            more = [unlisted_schema()] if feature.kind == "category" else []
            yield feature.name, _coded(terms.ANSWER_SYSTEM, [*feature.levels, *states], *more)


def _item(links: list[str], answer: dict[str, Any]) -> dict[str, Any]:
    answers = {"type": "array", "items": answer, "maxItems": 1, "description": "None is not known."}
    return {
        "type": "object",
        "properties": {"linkId": {"enum": links}, "answer": answers, MODIFIER: False},
        "required": ["linkId"],
    }


def _coded(system: str, codes: list[str], *more: dict[str, Any]) -> dict[str, Any]:
    code = {"anyOf": [{"enum": codes}, *more]} if more else {"enum": codes}
    coding = {
        "type": "object",
        "properties": {"system": {"const": system}, "code": code},
        "required": ["code"],
    }
    return {"type": "object", "properties": {"valueCoding": coding}, "required": ["valueCoding"]}


def _number(feature: Feature) -> dict[str, Any]:
    low, high = bounds(feature)
    bounded = {"minimum": -LARGEST if low is None else low, "maximum": LARGEST if high is None else high}
    whole = _valued("valueInteger", {"type": "integer", **bounded})
    if feature.kind == "count":
        return whole
    return {"anyOf": [whole, _valued("valueDecimal", {"type": "number", **bounded})]}


def _valued(name: str, number: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: number}, "required": [name]}
