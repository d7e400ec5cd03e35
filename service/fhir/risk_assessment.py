"""A recorded screening as a FHIR R4 RiskAssessment: the figure never without its meaning, explanation and record.

`preliminary`: nobody has verified it; a person decides. Likelihoods are percentages, as FHIR R4 has them (0 to 100);
the extension `urn:grounds:explanation` holds the score itself (0 to 1), the base value and every contribution, which
are log-odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from model.additive import AdditiveModel
from service.fhir import terms
from service.log.store import Receipt, StoredEntry
from service.summary.facts import Summary, summarise
from service.summary.fhir import answers_resource, ground_resource
from service.words.topics import topic

ANSWERS = "answers"


def risk_assessment(
    answer: Mapping[str, Any],
    asked: Mapping[str, Any],
    record: Receipt | StoredEntry,
    model: AdditiveModel,
    origin: str,
) -> dict[str, Any]:
    """The resource of a screening: `answer` and `asked` as logged, `record` where. Same record, same resource."""
    words = topic("fhir").assessment
    summary = summarise(record, {"answer": answer, "asked": asked}, model.dictionary, origin)
    shown = answer["model"]
    grounds = [ground_resource(summary, ground) for ground in summary.grounds]
    contained = [answers_resource(summary, ANSWERS), *grounds]
    return {
        "resourceType": "RiskAssessment",
        "id": record.entry_id,
        "contained": contained,
        "extension": [_record(record, origin)],
        "identifier": [{"system": terms.SCREENING_SYSTEM, "value": record.entry_id}],
        "status": "preliminary",
        "method": {"text": words.method.format(name=shown["name"], version=shown["version"])},
        "code": {"text": words.title},
        "subject": {"identifier": {"system": terms.CASE_REF_SYSTEM, "value": answer["case_ref"]}},
        "occurrenceDateTime": record.at,
        "performer": {
            "type": "Device",
            "identifier": {"system": terms.LOG_SYSTEM, "value": origin},
            "display": words.performer.format(version=shown["version"]),
        },
        "basis": [{"reference": f"#{resource['id']}"} for resource in contained],
        "prediction": _predictions(answer, model),
        "mitigation": " ".join([answer["prompt"]["text"], *answer["prompt"]["reasons"]]),
        "note": [{"text": text} for text in _notes(answer, summary, model)],
    }


def percentage(probability: float) -> float:
    """A probability (0 to 1) as FHIR states it (0 to 100), by its decimal digits and not by binary arithmetic."""
    return float(Decimal(repr(probability)).scaleb(2))


def _predictions(answer: Mapping[str, Any], model: AdditiveModel) -> list[dict[str, Any]]:
    outcome = {"text": model.dictionary.outcome.meaning}
    low, high = answer["score_range"]
    texts = [row["text"] for row in answer["explanation"]["contributions"]]
    return [
        {
            "extension": [_explanation(answer)],
            "outcome": outcome,
            "probabilityDecimal": percentage(answer["score"]),
            "rationale": " ".join([answer["score_meaning"], *texts]),
        },
        {
            "outcome": outcome,
            "probabilityRange": {"low": _percent(low), "high": _percent(high)},
            "rationale": topic("fhir").assessment.range,
        },
    ]


def _percent(probability: float) -> dict[str, Any]:
    return {"value": percentage(probability), "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}


def _explanation(answer: Mapping[str, Any]) -> dict[str, Any]:
    explanation = answer["explanation"]
    parts: list[dict[str, Any]] = [
        {"url": "score", "valueDecimal": answer["score"]},
        {"url": "baseValue", "valueDecimal": explanation["base_value"]},
        {"url": "units", "valueString": explanation["units"]},
    ]
    parts += [
        {
            "url": terms.CONTRIBUTION,
            "extension": [
                {"url": "feature", "valueString": row["feature"]},
                {"url": "contribution", "valueDecimal": row["contribution"]},
                {"url": "text", "valueString": row["text"]},
            ],
        }
        for row in explanation["contributions"]
    ]
    return {"url": terms.EXPLANATION, "extension": parts}


def _record(record: Receipt | StoredEntry, origin: str) -> dict[str, Any]:
    parts = [
        {"url": "log", "valueString": origin},
        {"url": "index", "valueInteger": record.index},
        {"url": "leafHash", "valueString": record.leaf_hash},
        {"url": "at", "valueDateTime": record.at},
    ]
    if record.checkpoint:
        parts.append({"url": "checkpoint", "valueString": record.checkpoint})
    return {"url": terms.RECORD, "extension": parts}


def _notes(answer: Mapping[str, Any], summary: Summary, model: AdditiveModel) -> list[str]:
    words = topic("fhir").assessment
    synthetic = [model.words["score"]["synthetic"]] if summary.synthetic else []
    unknown = [
        words.not_known.format(label=one.label, holders=", ".join(one.held_by) or words.nobody)
        for one in summary.not_known
    ]
    left_out = [words.not_considered.format(item=item) for item in answer["not_considered"]]
    return [words.not_decision, *synthetic, *unknown, *left_out]
