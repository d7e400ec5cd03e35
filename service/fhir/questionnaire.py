"""The dictionary as a FHIR R4 Questionnaire: every question rests on *not known* until somebody answers it.

A question with levels is a `choice`. A number is an `integer` or `decimal` behind a `choice` of its own, whether it is
known: FHIR gives a number no answer but a number, and an empty box would say nothing.
"""

from __future__ import annotations

from typing import Any

from model.additive import AdditiveModel
from model.case import bounds
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature
from service.fhir import terms
from service.words.topics import topic


def questionnaire(model: AdditiveModel) -> dict[str, Any]:
    """The Questionnaire of the dictionary inside a model."""
    dictionary, words = model.dictionary, topic("fhir").questionnaire
    description = f"{words.description} {words.synthetic}" if model.synthetic else words.description
    items = [_agency(dictionary)]
    for feature in dictionary.features:
        items += _number(feature, dictionary) if feature.is_numeric else [_choice(feature, dictionary)]
    return {
        "resourceType": "Questionnaire",
        "url": terms.questionnaire_url(dictionary),
        "version": dictionary.version,
        "title": dictionary.name,
        "status": "active",
        "experimental": model.synthetic,
        "subjectType": ["Patient"],
        "description": description,
        "item": items,
    }


def _agency(dictionary: Dictionary) -> dict[str, Any]:
    options = [_coding(terms.AGENCY_SYSTEM, agency.id, agency.label) for agency in dictionary.agencies]
    return {
        "linkId": terms.AGENCY_LINK,
        "text": topic("fhir").questionnaire.agency,
        "type": "choice",
        "required": True,
        "answerOption": [{"valueCoding": option} for option in options],
    }


def _choice(feature: Feature, dictionary: Dictionary) -> dict[str, Any]:
    return {
        **_question(feature, dictionary),
        "type": "choice",
        "answerOption": [*(_option(level) for level in feature.levels), *_states(feature)],
        "item": [_help(feature, dictionary)],
    }


def _number(feature: Feature, dictionary: Dictionary) -> list[dict[str, Any]]:
    words = topic("fhir").questionnaire
    state = {
        "linkId": feature.name + terms.STATE,
        "text": words.state.format(label=feature.label),
        "type": "choice",
        "required": False,
        "answerOption": [_option(terms.KNOWN), *_states(feature)],
    }
    question = _question(feature, dictionary)
    kind = "integer" if feature.kind == "count" else "decimal"
    low, high = bounds(feature)
    for url, bound in ((terms.MIN_VALUE, low), (terms.MAX_VALUE, high)):
        if bound is not None:
            value = {"valueInteger": int(bound)} if kind == "integer" else {"valueDecimal": bound}
            question["extension"].append({"url": url, **value})
    if feature.unit:
        question["extension"].append({"url": terms.UNIT, "valueCoding": {"display": feature.unit}})
    known = {"question": state["linkId"], "operator": "=", "answerCoding": _coding(terms.ANSWER_SYSTEM, terms.KNOWN)}
    return [
        state,
        {**question, "type": kind, "enableWhen": [known], "item": [_help(feature, dictionary)]},
    ]


def _question(feature: Feature, dictionary: Dictionary) -> dict[str, Any]:
    extensions: list[dict[str, Any]] = [
        {
            "url": terms.HELD_BY,
            "valueCoding": _coding(terms.AGENCY_SYSTEM, agency, dictionary.agency_label(agency)),
        }
        for agency in feature.held_by
    ]
    if feature.source:
        extensions.append({"url": terms.SOURCE, "valueString": feature.source})
    question: dict[str, Any] = {"extension": extensions} if extensions or feature.is_numeric else {}
    return {**question, "linkId": feature.name, "text": feature.label, "required": False}


def _help(feature: Feature, dictionary: Dictionary) -> dict[str, Any]:
    words = topic("fhir")
    holders = [dictionary.agency_label(agency) for agency in feature.held_by] or [words.assessment.nobody]
    held_by = words.questionnaire.held_by.format(holders=", ".join(holders))
    control = {"coding": [{"system": terms.ITEM_CONTROL_SYSTEM, "code": "help"}]}
    return {
        "extension": [{"url": terms.ITEM_CONTROL, "valueCodeableConcept": control}],
        "linkId": feature.name + terms.HELP,
        "text": f"{feature.help} {held_by}".strip(),
        "type": "display",
    }


def _states(feature: Feature) -> list[dict[str, Any]]:
    """What a question may say in the place of an answer; the first is where it rests."""
    resting = {**_option(NOT_KNOWN), "initialSelected": True}
    return [resting, *([_option(NOT_APPLICABLE)] if feature.not_applicable else [])]


def _option(code: str) -> dict[str, Any]:
    pages, fhir = topic("pages"), topic("fhir").questionnaire
    spelled = {NOT_KNOWN: pages.not_known, NOT_APPLICABLE: pages.not_applicable, terms.KNOWN: fhir.known}
    display = spelled.get(code, code.replace("_", " "))
    return {"valueCoding": _coding(terms.ANSWER_SYSTEM, code, display)}


def _coding(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"system": system, "code": code, **({"display": display} if display else {})}
